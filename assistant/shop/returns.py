"""Goods that go back: an order, or some of its lines, is returned and its money given back, once."""

import logging
import random
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, Engine, select

from assistant.errors import OrderError, PaymentUnavailable
from assistant.shop.cart import CartLine
from assistant.shop.database import ensure_tables, reading, transaction
from assistant.shop.household_tables import returned_lines
from assistant.shop.order_book import OrderBook
from assistant.shop.orders import Order, OrderStatus
from assistant.shop.payments import Payments, Refunds
from assistant.shop.refunds import Gone, ReturnedUnits, left_of, lines_of
from assistant.shop.returned_lines import gone_of, note_refund, orders_owed, owed_for, record_units
from assistant.shop.schema import orders

_log = logging.getLogger(__name__)


def delivered_at(order: Order) -> datetime | None:
    """When the order was delivered; None while it is not."""
    return next((change.at for change in order.history if change.status is OrderStatus.DELIVERED), None)


def returnable(order: Order, now: datetime, days: int) -> bool:
    """Whether the buyer may still return an order: delivered, and at most ``days`` ago. Pure."""
    arrived = delivered_at(order)
    return order.status is OrderStatus.DELIVERED and arrived is not None and now - arrived <= timedelta(days=days)


def check_units(order: Order, units: Sequence[ReturnedUnits], gone: Gone) -> None:
    """Whether these units are still there to go back, each line once. Pure.

    Raises:
        OrderError: They are not.
    """
    left = {one.line: one for one in left_of(order, gone)}
    fits = all(
        one.line in left and one.before == left[one.line].before and 0 < one.quantity <= left[one.line].quantity
        for one in units
    )
    if not units or not fits or len({one.line for one in units}) < len(units):
        raise OrderError(f"That is not what is left of order {order.id}. Ask for it again.")


def refund_order(
    engine: Engine,
    household: str,
    payments: Payments,
    order_id: str,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> Order:
    """Gives back the money of a returned order, as ``Returns.refund``, where nothing else is to be returned."""
    book = OrderBook(household, random.SystemRandom())
    with transaction(engine, household) as connection:
        order = book.get(connection, order_id)
        if order.status is not OrderStatus.RETURNED:
            return order
        # Committed before money moves: a provider that is far away may give it back just when this device dies.
        payments.begin_refund(connection, household, order_id)
    with transaction(engine, household) as connection:
        order = book.get(connection, order_id)
        if order.status is not OrderStatus.RETURNED:
            return order
        payments.refund(connection, household, order_id)
        # All that was paid is given back now, what was owed for single lines as well.
        note_refund(connection, household, order_id, clock())
        return book.move(connection, order, OrderStatus.REFUNDED, at=clock())


class Returns:
    """Returned orders of one household, and the money that goes back for them.

    Args:
        engine: The shop's database, with its tables.
        household: Whose.
        payments: Gives the money back.
        days: How long after the delivery a buyer may return an order.
        clock: The time of day.
        shelve: Puts what came back in stock, in the same transaction; by default nothing is.
    """

    def __init__(
        self,
        engine: Engine,
        household: str,
        payments: Refunds,
        days: int,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        shelve: Callable[[Connection, Sequence[CartLine]], None] = lambda connection, lines: None,
    ) -> None:
        ensure_tables(engine, returned_lines)
        self._engine = engine
        self._household = household
        self._payments = payments
        self._days = days
        self._clock = clock
        self._shelve = shelve
        self._book = OrderBook(household, random.SystemRandom())

    def return_order(self, order_id: str) -> Order:
        """Takes back what is left of a delivered order and gives its money back; one that was returned stays as it is.

        Raises:
            OrderError: No such order, it is not delivered, or the return window is over.
            PaymentUnavailable: The money cannot be given back now; the order is returned, and ``recover`` tries again.
            StoreError: The database refused.
        """
        with transaction(self._engine, self._household) as connection:
            order = self._book.get(connection, order_id)
            if order.status not in (OrderStatus.RETURNED, OrderStatus.REFUNDED):
                self.check(order)
                self._shelve(connection, lines_of(order, left_of(order, self._gone(connection, order_id))))
                self._book.move(connection, order, OrderStatus.RETURNED, at=self._clock())
        return self.refund(order_id)

    def return_lines(self, order_id: str, units: Sequence[ReturnedUnits]) -> Order:
        """Takes units of a delivered order back and gives back what they cost; the order as it is then.

        A second call changes nothing: units that have gone back since ``units.before`` was counted are these.

        Raises:
            OrderError: No such order, it is not delivered, the return window is over, or other units have gone back
                meanwhile.
            PaymentUnavailable: The money cannot be given back now; the units are returned, and ``recover`` tries again.
            StoreError: The database refused.
        """
        with transaction(self._engine, self._household) as connection:
            order = self._book.get(connection, order_id)
            gone = self._gone(connection, order_id)
            done = units and all(
                one.quantity > 0 and gone.get(one.line, 0) == one.before + one.quantity for one in units
            )
            if not done:
                self.check(order)
                check_units(order, units, gone)
                record_units(connection, order, units, self._clock())
                self._shelve(connection, lines_of(order, tuple(units)))
                if not left_of(order, self._gone(connection, order_id)):
                    self._book.move(connection, order, OrderStatus.RETURNED, at=self._clock())
        return self._pay_back(order_id)

    def gone(self) -> Mapping[str, Gone]:
        """Order number → what has gone back of each line.

        Raises:
            StoreError: The database cannot be read.
        """
        with reading(self._engine) as connection:
            return gone_of(connection, self._household)

    def refund(self, order_id: str) -> Order:
        """Gives back the money of a returned order; does nothing for an order that is not waiting for that.

        Raises:
            OrderError: No such order.
            PaymentUnavailable: It cannot be given back now.
            StoreError: The database refused.
        """
        return refund_order(self._engine, self._household, self._payments, order_id, self._clock)

    def recover(self) -> tuple[str, ...]:
        """Gives back what is still owed for returned orders and lines; the numbers of those that are settled now.

        Raises:
            StoreError: The database refused.
        """
        owed = select(orders.c.id).where(
            orders.c.household == self._household, orders.c.status == OrderStatus.RETURNED.value
        )
        with reading(self._engine) as connection:
            waiting = tuple(connection.execute(owed.order_by(orders.c.number)).scalars())
            waiting = tuple(dict.fromkeys((*orders_owed(connection, self._household), *waiting)))
        settled = []
        for order_id in waiting:
            try:
                self._pay_back(order_id)
            except PaymentUnavailable as error:
                _log.warning("order %s is returned, its money not given back yet: %s", order_id, error.message)
            else:
                settled.append(order_id)
        return tuple(settled)

    def _pay_back(self, order_id: str) -> Order:
        """Gives back what is owed for an order's lines; for the whole order at once when all of it has gone back."""
        with reading(self._engine) as connection:
            whole = self._book.get(connection, order_id).status is OrderStatus.RETURNED
            owed = () if whole else owed_for(connection, self._household, order_id)
        for one in owed:
            with transaction(self._engine, self._household) as connection:
                # Another device may have given it back meanwhile.
                if one in owed_for(connection, self._household, order_id):
                    self._payments.refund_part(connection, self._household, order_id, one.number, one.amount)
                    note_refund(connection, self._household, order_id, self._clock(), one.number)
        return self.refund(order_id)

    def _gone(self, connection: Connection, order_id: str) -> Gone:
        return gone_of(connection, self._household).get(order_id, {})

    def check(self, order: Order) -> None:
        """Whether an order may still be returned.

        Raises:
            OrderError: It may not; the message says why.
        """
        if not order.paid:
            raise OrderError(f"There is no order {order.id}.")
        if order.status is not OrderStatus.DELIVERED:
            raise OrderError(f"Order {order.id} is {order.status.words}; only what was delivered can be returned.")
        if not returnable(order, self._clock(), self._days):
            raise OrderError(f"Order {order.id} was delivered more than {self._days} days ago and cannot be returned.")
