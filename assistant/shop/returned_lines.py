"""The units that went back, in the database. Every function works in the caller's transaction."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, insert, select, update

from assistant.shop.household_tables import returned_lines
from assistant.shop.money import Money
from assistant.shop.orders import Order
from assistant.shop.refunds import Gone, ReturnedUnits, refund_of


@dataclass(frozen=True)
class Owed:
    """Money that is owed for units that went back.

    Attributes:
        number: Which return of the order it is, from 1.
        amount: How much.
    """

    number: int
    amount: Money


def record_units(connection: Connection, order: Order, units: Sequence[ReturnedUnits], at: datetime) -> None:
    """Notes that units went back; their money is owed from now on."""
    mine = (returned_lines.c.household == order.household) & (returned_lines.c.order_id == order.id)
    newest = select(func.coalesce(func.max(returned_lines.c.number), 0)).where(mine)
    first = int(connection.execute(newest).scalar_one()) + 1
    rows = [
        {
            "household": order.household,
            "order_id": order.id,
            "number": number,
            "line": one.line,
            "quantity": one.quantity,
            "amount_minor": refund_of(order, one).minor,
            "currency": order.total.currency,
            "at": at,
        }
        for number, one in enumerate(units, first)
    ]
    connection.execute(insert(returned_lines), rows)


def gone_of(connection: Connection, household: str) -> Mapping[str, Gone]:
    """Order number → what has gone back of each line, of the orders of which anything has."""
    found = select(returned_lines).where(returned_lines.c.household == household)
    gone: dict[str, dict[int, int]] = defaultdict(lambda: defaultdict(int))
    for row in connection.execute(found):
        gone[row.order_id][row.line] += row.quantity
    return {order_id: dict(lines) for order_id, lines in gone.items()}


def owed_for(connection: Connection, household: str, order_id: str) -> tuple[Owed, ...]:
    """What is not given back yet of what went back of an order, oldest first."""
    found = select(returned_lines).where(
        returned_lines.c.household == household,
        returned_lines.c.order_id == order_id,
        returned_lines.c.refunded_at.is_(None),
    )
    rows = connection.execute(found.order_by(returned_lines.c.number))
    return tuple(Owed(row.number, Money(row.amount_minor, row.currency)) for row in rows)


def orders_owed(connection: Connection, household: str) -> tuple[str, ...]:
    """Numbers of the orders for which anything is owed."""
    found = select(returned_lines.c.order_id).distinct()
    mine = (returned_lines.c.household == household) & returned_lines.c.refunded_at.is_(None)
    return tuple(connection.execute(found.where(mine).order_by(returned_lines.c.order_id)).scalars())


def note_refund(connection: Connection, household: str, order_id: str, at: datetime, number: int | None = None) -> None:
    """Notes that what is owed for one return of an order is given back; without a number, for all of them."""
    owed = (
        (returned_lines.c.household == household)
        & (returned_lines.c.order_id == order_id)
        & returned_lines.c.refunded_at.is_(None)
    )
    if number is not None:
        owed &= returned_lines.c.number == number
    connection.execute(update(returned_lines).where(owed).values(refunded_at=at))
