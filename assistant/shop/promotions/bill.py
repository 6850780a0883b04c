"""What a cart costs, to the last minor unit: its lines, and what is taken off or comes on top. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from assistant.shop.cart import CartLine
from assistant.shop.money import Money


class ChargeKind(StrEnum):
    """What a charge is for."""

    DISCOUNT = "discount"
    DEPOSIT = "deposit"
    TAX = "tax"
    """Added to the price."""
    TAX_INCLUDED = "tax_included"
    """Part of the price: told, not added."""


@dataclass(frozen=True)
class Charge:
    """What is taken off a line or comes on top of it.

    Attributes:
        kind: What for.
        line: The line's place in the cart, from 0.
        reference: A promotion's id, or a tax rate in hundredths of a percent; empty for a deposit.
        names: Language code → what it is called.
        amount: Negative for a discount.
    """

    kind: ChargeKind
    line: int
    reference: str
    names: Mapping[str, str]
    amount: Money

    def name(self, language: str) -> str:
        """What it is called in ``language``, else without a language, else in any."""
        return self.names.get(language) or self.names.get("und") or next(iter(self.names.values()), self.reference)

    def to_json(self, language: str) -> dict[str, Any]:
        """The charge as commands print it; money in minor units."""
        fields = {"kind": str(self.kind), "line": self.line, "reference": self.reference}
        return fields | {"name": self.name(language), "amount": self.amount.minor}


@dataclass(frozen=True)
class Bill:
    """A cart's price.

    Attributes:
        currency: ISO 4217 code of all amounts.
        lines: The cart's lines.
        charges: In the order of the lines; of one line discounts first, then deposit, then tax.
    """

    currency: str
    lines: tuple[CartLine, ...]
    charges: tuple[Charge, ...] = ()

    @property
    def total(self) -> Money:
        """What is charged."""
        charged = self._of(ChargeKind.DISCOUNT, ChargeKind.DEPOSIT, ChargeKind.TAX)
        return self.subtotal + self._sum(charged)

    @property
    def promotions(self) -> tuple[str, ...]:
        """Ids of the promotions that take something off, each once, sorted."""
        return tuple(sorted({charge.reference for charge in self._of(ChargeKind.DISCOUNT)}))

    @property
    def subtotal(self) -> Money:
        """The lines at the prices of their products."""
        return sum((line.total for line in self.lines), start=Money(0, self.currency))

    @property
    def savings(self) -> Money:
        """What promotions take off; not negative."""
        return Money(-self._sum(self._of(ChargeKind.DISCOUNT)).minor, self.currency)

    @property
    def deposits(self) -> Money:
        """What is paid as deposits."""
        return self._sum(self._of(ChargeKind.DEPOSIT))

    @property
    def tax(self) -> Money:
        """The tax that is added."""
        return self._sum(self._of(ChargeKind.TAX))

    def summary(self, *kinds: ChargeKind) -> tuple[Charge, ...]:
        """The charges of these kinds, one for each promotion, deposit or rate; ``line`` is its first line."""
        found: dict[tuple[str, str, str], Charge] = {}
        for charge in self._of(*kinds):
            names = "\0".join(f"{language}={name}" for language, name in sorted(charge.names.items()))
            key = (charge.kind, charge.reference, names)
            before = found.get(key)
            amount = charge.amount if before is None else before.amount + charge.amount
            first = charge.line if before is None else before.line
            found[key] = Charge(charge.kind, first, charge.reference, charge.names, amount)
        return tuple(found.values())

    def net(self, line: int) -> Money:
        """What the goods of a line cost after promotions, without deposit and added tax."""
        return self.lines[line].total + self._sum(c for c in self._of(ChargeKind.DISCOUNT) if c.line == line)

    def _of(self, *kinds: ChargeKind) -> tuple[Charge, ...]:
        return tuple(charge for charge in self.charges if charge.kind in kinds)

    def _sum(self, charges: Iterable[Charge]) -> Money:
        return sum((charge.amount for charge in charges), start=Money(0, self.currency))
