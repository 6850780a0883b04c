import contextlib

import pytest
from babel.numbers import get_currency_precision
from hypothesis import given
from hypothesis import strategies as st

from assistant.shop.money import Money

CURRENCIES = st.sampled_from(["USD", "EUR", "JPY", "KWD", "CNY", "CLF"])
MINOR = st.integers(-(10**14), 10**14)
MONEY = st.builds(Money, MINOR, CURRENCIES)


@given(MONEY)
def test_decimal_text_and_back_is_the_same(money):
    text = money.decimal()
    assert Money.parse(text, money.currency) == money
    assert len(text.partition(".")[2]) == get_currency_precision(money.currency)


@given(MINOR, MINOR, st.integers(0, 1000), CURRENCIES)
def test_arithmetic_is_that_of_integers(one, other, count, currency):
    a, b = Money(one, currency), Money(other, currency)
    assert (a + b) - b == a
    assert (a * count).minor == one * count
    assert (a < b, a <= b) == (one < other, one <= other)


def test_currencies_do_not_mix():
    for mix in (Money.__add__, Money.__sub__, Money.__lt__, Money.__le__):
        with pytest.raises(ValueError, match="cannot mix USD and EUR"):
            mix(Money(1, "USD"), Money(1, "EUR"))


@pytest.mark.parametrize(("text", "currency", "minor"), [("3.99", "USD", 399), ("3", "JPY", 3), ("0.001", "KWD", 1)])
def test_minor_units_are_the_currency_s_own(text, currency, minor):
    assert Money.parse(text, currency) == Money(minor, currency)


@pytest.mark.parametrize(
    "text",
    ["", " ", "1,99", "1e3", "1e9999999", "1e-9999999", "1_000", "٣", "nan", "Infinity", "0x1", "$3", "3.", "1" * 16],
)
def test_what_is_no_plain_amount_is_refused(text):
    with pytest.raises(ValueError, match="not an amount"):
        Money.parse(text, "USD")


def test_too_many_decimals_and_unknown_currencies_are_refused():
    with pytest.raises(ValueError, match="more decimals"):
        Money.parse("0.5", "JPY")
    with pytest.raises(ValueError, match="not a currency code"):
        Money.parse("1", "XQZ")


@given(st.text(), st.text(max_size=4) | CURRENCIES)
def test_any_text_is_money_or_a_value_error(text, currency):
    with contextlib.suppress(ValueError):
        Money.parse(text, currency)
