"""Prices as other shops write them, to the decimal text and currency of the native feed: exact, without floats."""

import re
from decimal import Decimal

from assistant.shop.money import CURRENCIES

_PRICE = re.compile(r"(?:(?P<before>[A-Za-z]{3})\s*)?(?P<number>[0-9][0-9.,]*)(?:\s*(?P<after>[A-Za-z]{3}))?")
_NUMBER = re.compile(r"[0-9]{1,12}(\.[0-9]{1,6})?")
_GROUPED = re.compile(r"[0-9]{1,3}(,[0-9]{3})+\.[0-9]{1,6}")


def read_price(text: str, currency: str | None = None) -> tuple[str, str]:
    """Amount and ISO 4217 code of a price such as ``15.00 USD``, ``USD 15`` or ``1,299.00 USD``.

    Args:
        text: What the feed has.
        currency: Where the text names none; None requires that it does.

    Raises:
        ValueError: It is no price, or nobody can be sure which.
    """
    found = _PRICE.fullmatch(text.strip())
    if not found or (found["before"] and found["after"]):
        raise ValueError(f"{_short(text)} is no price; write it like '15.00 USD'")
    amount = _amount(found["number"])
    code = (found["before"] or found["after"] or currency or "").upper()
    if not code:
        raise ValueError(f"{_short(text)} names no currency; write it like '15.00 USD'")
    if code not in CURRENCIES:
        raise ValueError(f"{code} is no currency code such as 'USD'")
    return amount, code


def lowest(amounts: list[str]) -> str:
    """The lowest of decimal amounts."""
    return min(amounts, key=Decimal)


def difference(amount: str, other: str) -> str:
    """``amount`` less ``other``, as decimal text; empty when they are equal."""
    delta = Decimal(amount) - Decimal(other)
    return f"{delta:f}" if delta else ""


def _amount(number: str) -> str:
    if _GROUPED.fullmatch(number):
        return number.replace(",", "")
    if not _NUMBER.fullmatch(number):
        # "1,299" is 1.299 to one shop and 1299 to another.
        raise ValueError(f"{_short(number)} can be read in several ways; write the price like '1299.00'")
    return number


def _short(text: str) -> str:
    return ascii(text if len(text) <= 40 else text[:39] + "…")
