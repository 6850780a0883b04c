"""Goods that go back: the order is returned and its money given back, once."""

import logging
import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from sqlalchemy import Engine, select

from assistant.errors import OrderError, PaymentUnavailable
from assistant.shop.database import reading, transaction
from assistant.shop.order_book import OrderBook
from assistant.shop.orders import Order, OrderStatus
from assistant.shop.payments import Payments
from assistant.shop.schema import orders

_log = logging.getLogger(__name__)


def delivered_at(order: Order) -> datetime | None:
    """When the order was delivered; None while it is not."""
    return next((change.at for change in order.history if change.status is OrderStatus.DELIVERED), None)


def returnable(order: Order, now: datetime, days: int) -> bool:
    """Whether the buyer may still return an order: delivered, and at most ``days`` ago. Pure."""
    arrived = delivered_at(order)
    return order.status is OrderStatus.DELIVERED and arrived is not None and now - arrived <= timedelta(days=days)


class Returns:
    """Returned orders of one household, and the money that goes back for them.

    An order is returned as a whole: its total is one payment.

    Args:
        engine: The shop's database, with its tables.
        household: Whose.
        payments: Gives the money back.
        days: How long after the delivery a buyer may return an order.
        clock: The time of day.
    """

    def __init__(
        self,
        engine: Engine,
        household: str,
        payments: Payments,
        days: int,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._engine = engine
        self._household = household
        self._payments = payments
        self._days = days
        self._clock = clock
        self._book = OrderBook(household, random.SystemRandom())

    def return_order(self, order_id: str) -> Order:
        """Takes a delivered order back and gives its money back; an order that was returned before stays as it is.

        Raises:
            OrderError: No such order, it is not delivered, or the return window is over.
            PaymentUnavailable: The money cannot be given back now; the order is returned, and ``recover`` tries again.
            StoreError: The database refused.
        """
        with transaction(self._engine, self._household) as connection:
            order = self._book.get(connection, order_id)
            if order.status not in (OrderStatus.RETURNED, OrderStatus.REFUNDED):
                self._check(order)
                self._book.move(connection, order, OrderStatus.RETURNED, at=self._clock())
        return self.refund(order_id)

    def refund(self, order_id: str) -> Order:
        """Gives back the money of a returned order; does nothing for an order that is not waiting for that.

        Raises:
            OrderError: No such order.
            PaymentUnavailable: It cannot be given back now.
            StoreError: The database refused.
        """
        with transaction(self._engine, self._household) as connection:
            order = self._book.get(connection, order_id)
            if order.status is not OrderStatus.RETURNED:
                return order
            # Committed before money moves: a provider that is far away may give it back just when this device dies.
            self._payments.begin_refund(connection, self._household, order_id)
        with transaction(self._engine, self._household) as connection:
            order = self._book.get(connection, order_id)
            if order.status is not OrderStatus.RETURNED:
                return order
            self._payments.refund(connection, self._household, order_id)
            return self._book.move(connection, order, OrderStatus.REFUNDED, at=self._clock())

    def recover(self) -> tuple[str, ...]:
        """Gives back what is still owed for returned orders; the numbers of those that are settled now.

        Raises:
            StoreError: The database refused.
        """
        owed = select(orders.c.id).where(
            orders.c.household == self._household, orders.c.status == OrderStatus.RETURNED.value
        )
        with reading(self._engine) as connection:
            waiting = tuple(connection.execute(owed.order_by(orders.c.number)).scalars())
        settled = []
        for order_id in waiting:
            try:
                self.refund(order_id)
            except PaymentUnavailable as error:
                _log.warning("order %s is returned, its money not given back yet: %s", order_id, error.message)
            else:
                settled.append(order_id)
        return tuple(settled)

    def _check(self, order: Order) -> None:
        if not order.paid:
            raise OrderError(f"There is no order {order.id}.")
        if order.status is not OrderStatus.DELIVERED:
            raise OrderError(f"Order {order.id} is {order.status.words}; only what was delivered can be returned.")
        if not returnable(order, self._clock(), self._days):
            raise OrderError(f"Order {order.id} was delivered more than {self._days} days ago and cannot be returned.")
