"""A language: text made comparable, numbers, money, amounts and lists in words."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from assistant.errors import SettingsError
from assistant.languages.language import load_language
from assistant.languages.pattern import expand
from assistant.shop.money import Money

ENGLISH = load_language("en")


class TestText:
    @pytest.mark.parametrize(
        ("text", "words"),
        [
            ("Order 2 cartons of Oat-Milk, please!", "order two cartons of oat milk please"),
            ("500g of rice", "five hundred grams of rice"),
            ("1.5 l", "one point five liters"),
            ("M&M's", "m and m's"),
            ("7-Up", "seven up"),
            ("What’s in my cart?", "what's in my cart"),
            ("whats in my cart", "what's in my cart"),
            ("2% milk", "two percent milk"),
            ("1,000 ‘candles’", "one thousand candles"),
            ("order 0471", "order zero four seven one"),
            ("  \t\n ", ""),
            ("12oz & 0.5kg", "twelve ounces and zero point five kilograms"),
            ("checkout", "check out"),
        ],
    )
    def test_is_what_would_be_heard(self, text, words):
        assert ENGLISH.normalise(text) == words

    @given(st.text(max_size=60))
    @example(".0")
    @example("1.2.3")
    def test_is_the_same_when_made_comparable_twice(self, text):
        once = ENGLISH.normalise(text)
        assert ENGLISH.normalise(once) == once == " ".join(once.split())

    def test_names_in_camel_case_are_two_words(self):
        assert ENGLISH.normalise_name("numberOfShots") == "number of shots"


class TestSaying:
    @pytest.mark.parametrize(
        ("money", "words"),
        [
            (Money(747, "USD"), "seven dollars and forty seven cents"),
            (Money(100, "USD"), "one dollar"),
            (Money(1, "GBP"), "one penny"),
            (Money(205, "EUR"), "two euros and five cents"),
            (Money(0, "USD"), "zero dollars"),
            (Money(500, "JPY"), "five hundred yen"),
            (Money(-250, "USD"), "minus two dollars and fifty cents"),
            (Money(1250, "CHF"), "twelve point five zero Swiss francs"),
        ],
    )
    def test_money(self, money, words):
        assert ENGLISH.say_money(money) == words

    @pytest.mark.parametrize(
        ("quantity", "name", "unit", "words"),
        [
            (2, "oat milk", "carton", "two cartons of oat milk"),
            (1, "brown bread", "loaf", "one loaf of brown bread"),
            (3, "brown bread", "loaf", "three loaves of brown bread"),
            (2, "latte", "", "two lattes"),
            (1, "latte", "", "one latte"),
            (4, "mango", "piece", "four mangoes"),
            (2, "chips", "", "two chips"),
            (3, "rice", "500 g", "three times 500 g of rice"),
        ],
    )
    def test_amounts(self, quantity, name, unit, words):
        assert ENGLISH.say_amount(quantity, name, unit) == words

    def test_lists(self):
        assert ENGLISH.join([]) == ""
        assert ENGLISH.join(["a"]) == "a"
        assert ENGLISH.join(["a", "b"]) == "a and b"
        assert ENGLISH.join(["a", "b", "c"], "or") == "a, b or c"

    def test_digits(self):
        assert ENGLISH.say_digits("4719") == "four, seven, one, nine"
        assert ENGLISH.spell_digits("4 7") == "four seven"
        assert ENGLISH.say_digits("a7") == "A, seven"

    @pytest.mark.parametrize(
        ("words", "digits"),
        [
            ("four seven one nine", "4719"),
            ("oh four", "04"),
            ("4 7", "47"),
            ("four um seven", None),
            ("[unk] four", None),
            ("fourteen", None),
            ("", None),
        ],
    )
    def test_digits_are_nothing_but_digits(self, words, digits):
        assert ENGLISH.digits_of(words) == digits

    @given(st.text("0123456789", min_size=1, max_size=8))
    def test_digits_come_back(self, digits):
        assert ENGLISH.digits_of(ENGLISH.spell_digits(digits)) == digits

    def test_large_numbers_are_left_in_digits(self):
        assert ENGLISH.say_number(10**9) == "1000000000"
        assert ENGLISH.say_number(-3) == "-3"


class TestForms:
    @pytest.mark.parametrize(
        ("one", "several"),
        [
            ("latte", "lattes"),
            ("loaf", "loaves"),
            ("box", "boxes"),
            ("cherry", "cherries"),
            ("cookie", "cookies"),
            ("glass", "glasses"),
            ("toothbrush", "toothbrushes"),
            ("tray", "trays"),
            ("potato", "potatoes"),
            ("oat milk", "oat milks"),
            ("green apple", "green apples"),
        ],
    )
    def test_singular_and_plural_share_a_stem(self, one, several):
        assert ENGLISH.forms.plural(one) == several
        assert ENGLISH.forms.stem_all(one.split()) == ENGLISH.forms.stem_all(several.split())

    @given(st.text("abcdefghijklmnopqrstuvwxyz", min_size=1, max_size=12))
    def test_a_plural_has_the_stem_of_its_singular(self, word):
        # Endings such as these would need a dictionary ("axe" and "ax" have the same plural).
        if len(word) > 3 and not word.endswith(("s", "i", "u", "xe", "she", "che", "zze")):
            assert ENGLISH.forms.stem(ENGLISH.forms.plural(word)) == ENGLISH.forms.stem(word)


class TestPatterns:
    def test_choices_are_written_out(self):
        assert expand("(can|could (you|we)|) go") == (
            ("can", "go"),
            ("could", "you", "go"),
            ("could", "we", "go"),
            ("go",),
        )
        assert expand("{items} please") == (("{items}", "please"),)

    @pytest.mark.parametrize("pattern", ["(a|b", "a)", "((a)"])
    def test_parentheses_must_match(self, pattern):
        with pytest.raises(ValueError, match="parenthesis"):
            expand(pattern)


def test_an_unknown_language_is_refused_by_name():
    with pytest.raises(SettingsError, match="known: en"):
        load_language("xx")
    with pytest.raises(SettingsError):
        load_language("../en")
