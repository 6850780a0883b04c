"""The catalog, searched by words, by spelling and by sound."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shops import COFFEE, HOUSEHOLD, LANGUAGE, LEXICON, RESTAURANT, catalog, option, product

from assistant.understand.product_phrases import Naming, phrases_of_options, phrases_of_products

HOME = catalog(HOUSEHOLD)


def best(words: str) -> tuple[str, float]:
    match = HOME.search(words.split())[0]
    return match.sku, match.score


class TestNames:
    @pytest.mark.parametrize(
        ("words", "skus"),
        [
            ("oat milk", {"oat"}),
            ("oat milks", {"oat"}),
            ("oat drink", {"oat"}),
            ("meadow lane oat milk", {"oat"}),
            ("milk", {"oat", "soy", "whole"}),
            ("bread", {"brown", "white"}),
            ("hummus", {"hummus"}),
            ("cherry", {"berries"}),
            ("banana", {"bananas"}),
            ("t shirts", {"shirt"}),
            ("engine oil", set()),
        ],
    )
    def test_exactly(self, words, skus):
        assert set(HOME.named.get(LANGUAGE.forms.stem_all(words.split()), ())) == skus

    def test_last_words_that_are_a_product_of_their_own_stay_its_own(self):
        shop = catalog((product("a", "milk"), product("b", "oat milk")))
        assert shop.named["milk",] == ("a",)

    def test_the_end_of_a_name_that_nobody_says(self):
        phrases = phrases_of_products((product("a", "Oat Milk, barista (1 L)"),), LANGUAGE)
        assert ("oat", "milk") in {phrase.words for phrase in phrases}

    def test_a_brand_in_the_name_may_be_left_out(self):
        phrases = phrases_of_products((product("a", "Fizzwell Cola", brand="Fizzwell"),), LANGUAGE)
        assert {(" ".join(phrase.words), phrase.naming) for phrase in phrases} >= {
            ("fizzwell cola", Naming.NAME),
            ("cola", Naming.ALIAS),
        }


class TestSearch:
    @pytest.mark.parametrize(
        ("words", "sku"),
        [
            ("braun bred", "brown"),
            ("oatmilk", "oat"),
            ("jasmin rise", "rice"),
            ("bananna", "bananas"),
            ("ketchap", "ketchup"),
            ("hummous", "hummus"),
            ("fresh brown bread", "brown"),
        ],
    )
    def test_nearly(self, words, sku):
        assert best(words)[0] == sku and best(words)[1] >= 72.0

    @pytest.mark.parametrize("words", ["dragon fruit", "engine oil", "go home", "the weather", "cancel", "stop"])
    def test_nothing_like_it(self, words):
        matches = HOME.search(words.split())
        assert not matches or matches[0].score < 72.0

    def test_by_sound(self):
        spelled = HOME.search(["sawya", "mulk"])
        assert spelled[0].sku == "soy"
        silent = type(HOME)(HOUSEHOLD, LANGUAGE, lambda word: ())
        assert [match.score for match in silent.search(["koka"])] <= [match.score for match in HOME.search(["koka"])]

    def test_among_some(self):
        assert {match.sku for match in HOME.search(["milk"], {"soy", "oat"})} == {"soy", "oat"}

    @settings(max_examples=60, deadline=None)
    @given(st.text(max_size=30))
    def test_any_text(self, text):
        words = LANGUAGE.normalise(text).split()
        matches = HOME.search(words) if words else ()
        scores = [match.score for match in matches]
        assert scores == sorted(scores, reverse=True) and all(0 < score <= 100 for score in scores)
        assert len({match.sku for match in matches}) == len(matches)
        assert matches == (HOME.search(words) if words else ())

    def test_every_name_finds_its_product(self):
        for shop in (HOUSEHOLD, COFFEE, RESTAURANT):
            index = catalog(shop)
            for one in shop:
                for name in (one.name("en"), *one.spoken_aliases("en")):
                    assert index.search(LANGUAGE.normalise_name(name).split())[0].sku == one.sku

    def test_akin(self):
        assert HOME.akin(["brown"], "white") == ("brown",)
        assert HOME.akin(["soy"], "oat") == ("soy",)
        assert HOME.akin(["soy"], "nothing") == ()
        assert HOME.akin(["basmati"], "rice") == ("rice2",)


class TestOptions:
    def test_values_aliases_and_groups(self):
        cafe = catalog(COFFEE)
        assert cafe.options_of("latte", [("large",), ("dark", "roast")]) == {"size": "large", "roast": "dark roast"}
        assert cafe.options_of("latte", [("medium",), ("medium", "roast")]) == {
            "size": "medium",
            "roast": "medium roast",
        }
        assert cafe.options_of("latte", [("blue",)]) is None
        assert HOME.options_of("shirt", [("big",), ("blue",)]) == {"size": "large", "color": "blue"}
        assert HOME.options_of("nothing", []) is None

    def test_two_values_of_one_group_do_not_fit(self):
        assert HOME.options_of("shirt", [("small",), ("large",)]) is None

    def test_amounts_that_differ_in_a_word_stay_apart(self):
        cafe = catalog(COFFEE)
        assert cafe.options_of("latte", [("lots", "of", "milk")]) == {"milkAmount": "lots of milk"}
        assert cafe.options_of("latte", [("a", "lot", "of", "milk")]) == {"milkAmount": "a lot of milk"}

    @pytest.mark.parametrize(
        ("group", "words", "options"),
        [
            (option("pickles", "yes", "no"), "no pickles", {"pickles": "no"}),
            (option("pickles", "yes", "no"), "pickles", {"pickles": "yes"}),
            (option("milk", "whole", "oat", "none"), "oat milk", {"milk": "oat"}),
            (option("milk", "whole", "oat", "none"), "without milk", {"milk": "none"}),
            (option("sweetness", "no sugar", "half sweet"), "without sugar", {"sweetness": "no sugar"}),
            (option("scoops", "1", "2"), "two scoops", {"scoops": "2"}),
            (option("size", "12 oz", "20 oz"), "twelve ounce", {"size": "12 oz"}),
            (option("milkAmount", "milk", "a bit of milk"), "no milk", {}),
        ],
    )
    def test_ways_to_say_them(self, group, words, options):
        shop = catalog((product("a", "thing", options=(group,)),))
        assert shop.options_of("a", [tuple(words.split())]) == options

    def test_a_bare_number_means_nothing(self):
        phrases = phrases_of_options((option("scoops", "1", "2"),), LANGUAGE)
        assert ("two",) not in {phrase.words for phrase in phrases}


def test_every_word_of_a_catalog_can_be_pronounced():
    words = {
        word for shop in (HOUSEHOLD, COFFEE, RESTAURANT) for phrase in catalog(shop).phrases for word in phrase.words
    }
    assert [word for word, variants in LEXICON.pronounce_all(words).items() if not variants] == []
