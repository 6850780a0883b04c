"""Orders and the life they lead. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from assistant.errors import OrderError
from assistant.shop.cart import CartLine
from assistant.shop.money import Money
from assistant.shop.promotions.bill import Bill, Charge


class OrderStatus(StrEnum):
    """Where an order is; the replies and receipts have words for each."""

    AWAITING_PAYMENT = "awaiting_payment"
    PLACED = "placed"
    PAID = "paid"
    PACKED = "packed"
    SHIPPED = "shipped"
    OUT_FOR_DELIVERY = "out_for_delivery"
    DELIVERED = "delivered"
    CANCELLED = "cancelled"
    RETURNED = "returned"
    REFUNDED = "refunded"

    @property
    def words(self) -> str:
        """For messages of commands and errors, e.g. ``"out for delivery"``."""
        return self.replace("_", " ")


# Carriers do not report every step.
_ON_ITS_WAY = frozenset({OrderStatus.SHIPPED, OrderStatus.OUT_FOR_DELIVERY, OrderStatus.DELIVERED})

FOLLOWING: Mapping[OrderStatus, frozenset[OrderStatus]] = {
    OrderStatus.AWAITING_PAYMENT: frozenset({OrderStatus.PLACED, OrderStatus.CANCELLED}),
    OrderStatus.PLACED: frozenset({OrderStatus.PAID, OrderStatus.CANCELLED}),
    OrderStatus.PAID: _ON_ITS_WAY | {OrderStatus.PACKED, OrderStatus.RETURNED, OrderStatus.CANCELLED},
    OrderStatus.PACKED: _ON_ITS_WAY | {OrderStatus.RETURNED, OrderStatus.CANCELLED},
    OrderStatus.SHIPPED: frozenset({OrderStatus.OUT_FOR_DELIVERY, OrderStatus.DELIVERED, OrderStatus.RETURNED}),
    OrderStatus.OUT_FOR_DELIVERY: frozenset({OrderStatus.DELIVERED, OrderStatus.RETURNED}),
    OrderStatus.DELIVERED: frozenset({OrderStatus.RETURNED}),
    OrderStatus.CANCELLED: frozenset({OrderStatus.REFUNDED}),
    OrderStatus.RETURNED: frozenset({OrderStatus.REFUNDED}),
    OrderStatus.REFUNDED: frozenset(),
}
"""Which status may follow which."""


@dataclass(frozen=True)
class StatusChange:
    """An order reached a status; ``at`` is the time of day, with its time zone."""

    status: OrderStatus
    at: datetime


@dataclass(frozen=True)
class Order:
    """Something a household bought, or is about to pay.

    Attributes:
        id: Its number, digits only so that it can be said; unique in the household.
        household: Whose it is.
        key: Idempotency key it was begun with.
        lines: What is bought, at the prices that were confirmed.
        total: What is paid: the bill's total.
        history: Every status it had, oldest first; at least one.
        charges: What makes the total differ from the sum of the lines: discounts, deposits, taxes.
    """

    id: str
    household: str
    key: str
    lines: tuple[CartLine, ...]
    total: Money
    history: tuple[StatusChange, ...]
    charges: tuple[Charge, ...] = ()

    @property
    def bill(self) -> Bill:
        """Its bill, as it was confirmed."""
        return Bill(self.total.currency, self.lines, self.charges)

    @property
    def status(self) -> OrderStatus:
        """The status it has now."""
        return self.history[-1].status

    @property
    def paid(self) -> bool:
        """Whether it was ever paid: an order that was given up before is no purchase."""
        return any(change.status is OrderStatus.PAID for change in self.history)

    @property
    def cancellable(self) -> bool:
        """Whether it is paid and not on its way yet."""
        return self.paid and OrderStatus.CANCELLED in FOLLOWING[self.status]

    def moved(self, status: OrderStatus, at: datetime) -> "Order":
        """The order once it has reached ``status``.

        Raises:
            OrderError: That status cannot follow the present one.
        """
        if status not in FOLLOWING[self.status]:
            raise OrderError(f"Order {self.id} is {self.status.words} and cannot become {status.words}.")
        return replace(self, history=(*self.history, StatusChange(status, at)))

    def to_json(self, language: str) -> dict[str, Any]:
        """The order as commands print it; money in minor units, times as ISO 8601."""
        return {
            "id": self.id,
            "status": str(self.status),
            "lines": [line.to_json(language) for line in self.lines],
            "charges": [charge.to_json(language) for charge in self.charges],
            "total": self.total.minor,
            "currency": self.total.currency,
            "history": [{"status": str(change.status), "at": change.at.isoformat()} for change in self.history],
        }
