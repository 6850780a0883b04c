"""Money: an integer of minor units with its currency. Never a float."""

import re
from dataclasses import dataclass
from decimal import Decimal

from babel.numbers import get_currency_precision, list_currencies

CURRENCIES = frozenset(list_currencies())
"""The ISO 4217 codes."""

# Plain digits only: what ``Decimal`` would take beyond that (exponents, underscores, NaN) is a mistake in a price.
_AMOUNT = re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,6})?")


@dataclass(frozen=True, order=False)
class Money:
    """An amount.

    Attributes:
        minor: Minor units (cents for USD, yen for JPY); negative only for deltas and refunds.
        currency: ISO 4217 code.
    """

    minor: int
    currency: str

    @classmethod
    def parse(cls, amount: str, currency: str) -> "Money":
        """From decimal text such as ``"3.99"``.

        Raises:
            ValueError: Not a decimal number, more decimals than the currency has, or an unknown currency.
        """
        if currency not in CURRENCIES:
            raise ValueError(f"{currency!r} is not a currency code")
        if not _AMOUNT.fullmatch(amount):
            raise ValueError(f"{amount!a} is not an amount of money such as '3.99'")
        scaled = Decimal(amount).scaleb(get_currency_precision(currency))
        if scaled != scaled.to_integral_value():
            raise ValueError(f"{amount} has more decimals than {currency} has")
        return cls(int(scaled), currency)

    def __add__(self, other: "Money") -> "Money":
        return Money(self.minor + self._same(other), self.currency)

    def __sub__(self, other: "Money") -> "Money":
        return Money(self.minor - self._same(other), self.currency)

    def __mul__(self, count: int) -> "Money":
        return Money(self.minor * count, self.currency)

    def __lt__(self, other: "Money") -> bool:
        return self.minor < self._same(other)

    def __le__(self, other: "Money") -> bool:
        return self.minor <= self._same(other)

    def _same(self, other: "Money") -> int:
        if other.currency != self.currency:
            raise ValueError(f"cannot mix {self.currency} and {other.currency}")
        return other.minor

    def decimal(self) -> str:
        """Decimal text such as ``"3.99"``."""
        return str(Decimal(self.minor).scaleb(-get_currency_precision(self.currency)))
