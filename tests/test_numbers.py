"""Number words and quantities, both ways."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from shops import HOUSEHOLD

from assistant.languages.language import load_language
from assistant.understand.quantities import Measure, fit_measure, quantities_of

ENGLISH = load_language("en")
NUMBERS = ENGLISH.numbers
PRODUCTS = {product.sku: product for product in HOUSEHOLD}


@given(st.integers(0, 9999))
def test_numbers_come_back(number):
    assert NUMBERS.read_whole(ENGLISH.say_number(number).split()) == number


@given(st.integers(0, 999_999))
def test_every_way_to_say_a_number_means_it(number):
    ways = NUMBERS.ways(number)
    assert ways[0] == NUMBERS.say(number)
    for way in ways:
        assert NUMBERS.read_whole(way.split()) == number
        assert NUMBERS.read([*way.split(), "oat", "milk"]) == (number, len(way.split()))


@pytest.mark.parametrize(
    ("words", "number"),
    [
        ("twenty four", 24),
        ("a hundred and five", 105),
        ("two thousand three hundred", 2300),
        ("a thousand and one", 1001),
        ("nineteen", 19),
        ("four thousand seven hundred and twenty one", 4721),
    ],
)
def test_numbers(words, number):
    assert NUMBERS.read_whole(words.split()) == number


@pytest.mark.parametrize("words", ["", "oat", "a", "twenty twelve", "ten one", "one two", "hundred", "two dozen"])
def test_what_is_no_number(words):
    assert NUMBERS.read_whole(words.split()) is None


def test_a_number_out_of_range_cannot_be_said():
    with pytest.raises(ValueError, match="cannot be said"):
        NUMBERS.say(NUMBERS.most + 1)


@pytest.mark.parametrize(
    ("words", "count", "pack"),
    [
        ("a couple of", 2, 1),
        ("half a dozen", 6, 1),
        ("a dozen", 12, 1),
        ("two dozen", 24, 1),
        ("a pair of", 2, 1),
        ("twenty four", 24, 1),
        ("a six pack of", 1, 6),
        ("two six packs of", 2, 6),
        ("a", 1, 1),
    ],
)
def test_quantities(words, count, pack):
    tokens = words.split()
    pieces = [piece for piece in quantities_of(ENGLISH).at(tokens, 0) if piece.end == len(tokens)]
    assert (count, pack) in [(piece.count, piece.pack) for piece in pieces]


@pytest.mark.parametrize(
    ("text", "measure"),
    [
        ("500 g", Measure("mass", 500_000)),
        ("1 kg", Measure("mass", 1_000_000)),
        ("half a kilo", Measure("mass", 500_000)),
        ("a liter", Measure("volume", 1_000_000)),
        ("carton", None),
        ("", None),
    ],
)
def test_measures(text, measure):
    assert quantities_of(ENGLISH).measure_of(text) == measure


def test_measures_become_packs():
    quantities = quantities_of(ENGLISH)
    assert fit_measure(PRODUCTS["rice"], Measure("mass", 1_000_000), quantities) == (2, {})
    assert fit_measure(PRODUCTS["rice2"], Measure("mass", 500_000), quantities) is None
    assert fit_measure(PRODUCTS["rice"], Measure("volume", 1_000_000), quantities) is None
