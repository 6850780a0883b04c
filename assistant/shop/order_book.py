"""A household's orders in the database; every method works inside the caller's transaction."""

import random
from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise
from typing import Any

from sqlalchemy import Connection, func, insert, select, update

from assistant.errors import OrderError
from assistant.shop.line_rows import charge_of, charge_rows, line_of, line_rows
from assistant.shop.money import Money
from assistant.shop.orders import Order, OrderStatus, StatusChange
from assistant.shop.promotions.bill import Bill
from assistant.shop.promotions.tables import order_charges
from assistant.shop.schema import order_history, order_lines, orders

_FEWEST_DIGITS = 4  # short enough to be said and remembered
_DRAWS = 50  # at each length, before numbers get longer
_BATCH = 500  # orders read at once; a database takes only so many values in one statement


class OrderBook:
    """The orders of one household.

    Args:
        household: Whose.
        randomness: Where order numbers come from.
    """

    def __init__(self, household: str, randomness: random.Random) -> None:
        self._household = household
        self._randomness = randomness
        self._mine = orders.c.household == household

    def add(self, connection: Connection, bill: Bill, key: str, at: datetime) -> Order:
        """A new order that awaits the payment of this bill."""
        awaiting = StatusChange(OrderStatus.AWAITING_PAYMENT, at)
        number = self._draw(connection)
        order = Order(number, self._household, key, bill.lines, bill.total, (awaiting,), bill.charges)
        lines = [self._of(order.id) | row for row in line_rows(order.lines)]
        newest = connection.execute(select(func.coalesce(func.max(orders.c.number), 0)).where(self._mine)).scalar_one()
        connection.execute(
            insert(orders).values(
                household=self._household,
                id=order.id,
                number=newest + 1,
                key=key,
                status=order.status.value,
                paid_at=None,
                total_minor=order.total.minor,
                currency=order.total.currency,
            )
        )
        connection.execute(insert(order_lines), lines)
        if charges := [self._of(order.id) | row for row in charge_rows(order.charges)]:
            connection.execute(insert(order_charges), charges)
        self._write_history(connection, order, 0)
        return order

    def move(self, connection: Connection, order: Order, *path: OrderStatus, at: datetime) -> Order:
        """The order once it has reached each status of ``path``, one after the other.

        Raises:
            OrderError: One of them cannot follow the one before.
        """
        moved = order
        for status in path:
            moved = moved.moved(status, at)
        changes: dict[str, Any] = {"status": moved.status.value}
        if OrderStatus.PAID in path:
            changes["paid_at"] = at
        connection.execute(update(orders).where(self._mine, orders.c.id == order.id).values(changes))
        self._write_history(connection, moved, len(order.history))
        return moved

    def get(self, connection: Connection, order_id: str) -> Order:
        """The order of this number.

        Raises:
            OrderError: There is none.
        """
        order = self.find(connection, order_id)
        if order is None:
            raise OrderError(f"There is no order {order_id}.")
        return order

    def find(self, connection: Connection, order_id: str) -> Order | None:
        """The order of this number, or None."""
        row = connection.execute(select(orders).where(self._mine, orders.c.id == order_id)).first()
        return self._read(connection, [row])[0] if row else None

    def find_key(self, connection: Connection, key: str) -> Order | None:
        """The order that was begun with this idempotency key, or None."""
        row = connection.execute(select(orders).where(self._mine, orders.c.key == key)).first()
        return self._read(connection, [row])[0] if row else None

    def awaiting(self, connection: Connection) -> tuple[str, ...]:
        """Numbers of the orders that await their payment, oldest first."""
        waiting = orders.c.status == OrderStatus.AWAITING_PAYMENT.value
        return tuple(
            connection.execute(select(orders.c.id).where(self._mine, waiting).order_by(orders.c.number)).scalars()
        )

    def paid(self, connection: Connection, limit: int | None) -> tuple[Order, ...]:
        """The orders that were paid, newest first, not more than ``limit``."""
        found = select(orders).where(self._mine, orders.c.paid_at.is_not(None)).order_by(orders.c.number.desc())
        rows = connection.execute(found.limit(limit)).all()
        return tuple(
            order
            for begin in range(0, len(rows), _BATCH)
            for order in self._read(connection, rows[begin : begin + _BATCH])
        )

    def _read(self, connection: Connection, rows: Sequence[Any]) -> tuple[Order, ...]:
        ids = [row.id for row in rows]
        lines: dict[str, list[Any]] = {order_id: [] for order_id in ids}
        changes: dict[str, list[Any]] = {order_id: [] for order_id in ids}
        charges: dict[str, list[Any]] = {order_id: [] for order_id in ids}
        for table, found in ((order_lines, lines), (order_history, changes), (order_charges, charges)):
            parts = select(table).where(table.c.household == self._household, table.c.order_id.in_(ids))
            for part in connection.execute(parts.order_by(table.c.position)):
                found[part.order_id].append(part)
        return tuple(
            Order(
                id=row.id,
                household=row.household,
                key=row.key,
                lines=tuple(line_of(line) for line in lines[row.id]),
                total=Money(row.total_minor, row.currency),
                history=tuple(StatusChange(OrderStatus(change.status), change.at) for change in changes[row.id]),
                charges=tuple(charge_of(charge, row.currency) for charge in charges[row.id]),
            )
            for row in rows
        )

    def _write_history(self, connection: Connection, order: Order, written: int) -> None:
        rows = [
            self._of(order.id) | {"position": position, "status": change.status.value, "at": change.at}
            for position, change in enumerate(order.history)
        ]
        connection.execute(insert(order_history), rows[written:])

    def _of(self, order_id: str) -> dict[str, Any]:
        return {"household": self._household, "order_id": order_id}

    def _draw(self, connection: Connection) -> str:
        """A free number without a digit twice in a row, as that is easily misheard."""
        digits = _FEWEST_DIGITS
        while True:
            for _ in range(_DRAWS):
                number = str(self._randomness.randrange(10 ** (digits - 1), 10**digits))
                misheard = any(one == other for one, other in pairwise(number))
                taken = select(orders.c.id).where(self._mine, orders.c.id == number)
                if not misheard and connection.execute(taken).first() is None:
                    return number
            digits += 1
