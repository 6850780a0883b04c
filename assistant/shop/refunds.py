"""What goes back and what it is worth: units of an order's lines, refunded at what they cost. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from assistant.shop.cart import CartLine
from assistant.shop.money import Money
from assistant.shop.orders import Order
from assistant.shop.promotions.bill import ChargeKind

Gone = Mapping[int, int]
"""Place of an order's line, from 0 → how many of its units have gone back."""


@dataclass(frozen=True)
class ReturnedUnits:
    """Units of one line of an order that go back.

    Attributes:
        line: The line's place in the order, from 0.
        quantity: How many, at least 1.
        before: How many units of the line had gone back when that was decided.
    """

    line: int
    quantity: int
    before: int = 0


def cost_of_line(order: Order, line: int) -> Money:
    """What a line cost: after discounts, with its deposit and its share of the taxes. All lines add up to the total."""
    added = (charge for charge in order.charges if charge.line == line and charge.kind is not ChargeKind.TAX_INCLUDED)
    return sum((charge.amount for charge in added), start=order.lines[line].total)


def refund_of(order: Order, units: ReturnedUnits) -> Money:
    """What is given back for these units.

    The first ``n`` units of a line are worth ``n`` parts of its cost, rounded down; whatever follows is worth the rest.
    So a line that goes back piece by piece is refunded to the cent, in pieces of any size.
    """
    quantity, cost = order.lines[units.line].quantity, cost_of_line(order, units.line).minor
    worth = [cost * count // quantity for count in (units.before, units.before + units.quantity)]
    return Money(worth[1] - worth[0], order.total.currency)


def left_of(order: Order, gone: Gone) -> tuple[ReturnedUnits, ...]:
    """Everything that has not gone back yet."""
    return tuple(
        ReturnedUnits(place, line.quantity - gone.get(place, 0), gone.get(place, 0))
        for place, line in enumerate(order.lines)
        if line.quantity > gone.get(place, 0)
    )


def refund_of_all(order: Order, units: tuple[ReturnedUnits, ...]) -> Money:
    """What is given back for units of several lines."""
    return sum((refund_of(order, one) for one in units), start=Money(0, order.total.currency))


def lines_of(order: Order, units: tuple[ReturnedUnits, ...]) -> tuple[CartLine, ...]:
    """The units as lines, for whoever counts or names them."""
    return tuple(replace(order.lines[one.line], quantity=one.quantity) for one in units)
