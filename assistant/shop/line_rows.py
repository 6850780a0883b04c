"""Lines of carts and orders, and what orders are charged beside them, as rows of the database and back."""

from collections.abc import Iterable, Iterator
from typing import Any

from assistant.errors import OrderError
from assistant.shop.cart import CartLine
from assistant.shop.money import Money
from assistant.shop.promotions.bill import Charge, ChargeKind

_MOST = 2**63 - 1  # what the database's integers hold


def line_rows(lines: Iterable[CartLine]) -> Iterator[dict[str, Any]]:
    """Column values of each line, its place among them included.

    Raises:
        OrderError: A quantity or an amount is beyond all reason.
    """
    for position, line in enumerate(lines):
        if max(line.quantity, abs(line.total.minor)) > _MOST:
            raise OrderError(f"{line.quantity} of {line.sku} is more than can be ordered.")
        yield {
            "position": position,
            "sku": line.sku,
            "names": dict(line.names),
            "unit": line.unit,
            "options": dict(line.options),
            "unit_price_minor": line.unit_price.minor,
            "currency": line.unit_price.currency,
            "quantity": line.quantity,
        }


def line_of(row: Any) -> CartLine:
    """The line that a row holds."""
    price = Money(row.unit_price_minor, row.currency)
    return CartLine(row.sku, row.names, price, row.quantity, row.options, row.unit)


def charge_rows(charges: Iterable[Charge]) -> Iterator[dict[str, Any]]:
    """Column values of each charge, its place among them included; the currency is the order's."""
    for position, charge in enumerate(charges):
        yield {
            "position": position,
            "kind": charge.kind.value,
            "line": charge.line,
            "reference": charge.reference,
            "names": dict(charge.names),
            "amount_minor": charge.amount.minor,
        }


def charge_of(row: Any, currency: str) -> Charge:
    """The charge that a row holds."""
    return Charge(ChargeKind(row.kind), row.line, row.reference, row.names, Money(row.amount_minor, currency))
