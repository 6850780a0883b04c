"""Settles orders with the payment provider that were given up, cancelled, or left behind by a device that died."""

import logging
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime

from sqlalchemy import Connection, Engine

from assistant.errors import PaymentUnavailable
from assistant.shop.catalog import Catalog
from assistant.shop.database import transaction
from assistant.shop.order_book import OrderBook
from assistant.shop.orders import Order, OrderStatus
from assistant.shop.payments import Payments, PaymentState

_log = logging.getLogger(__name__)


class Settlement:
    """Gives back the money and the stock of a household's orders that come to nothing.

    Args:
        engine: The shop's database.
        household: Whose orders.
        payments: Settles what the payment authority has set aside.
        book: The orders.
        catalog: Where stock goes back to.
        clock: The time of day.
    """

    def __init__(
        self,
        engine: Engine,
        household: str,
        payments: Payments,
        book: OrderBook,
        catalog: Catalog,
        clock: Callable[[], datetime],
    ) -> None:
        self._engine = engine
        self._household = household
        self._payments = payments
        self._book = book
        self._catalog = catalog
        self._clock = clock
        self._unsettled: set[str] = set()

    def try_again(self) -> None:
        """Settles what this device could not settle earlier.

        Raises:
            StoreError: The database refused.
        """
        self.settle(sorted(self._unsettled))

    def settle(self, order_ids: Iterable[str]) -> tuple[str, ...]:
        """Settles orders one by one; those that are settled now. What the provider cannot do now stays for later.

        Raises:
            StoreError: The database refused.
        """
        settled = []
        for order_id in order_ids:
            try:
                with self.remembering(order_id), transaction(self._engine, self._household) as connection:
                    self._settle_one(connection, order_id)
            except PaymentUnavailable as error:
                _log.warning("order %s is not settled with the payment provider: %s", order_id, error.message)
            else:
                settled.append(order_id)
        return tuple(settled)

    @contextmanager
    def remembering(self, order_id: str) -> Iterator[None]:
        """Remembers an order that cannot be settled now, so that it is tried again before the next one."""
        try:
            yield
        except PaymentUnavailable:
            self._unsettled.add(order_id)
            raise
        self._unsettled.discard(order_id)

    def give_up(self, connection: Connection, order: Order) -> None:
        """Gives back what is set aside for an order that is not paid, in money and in stock.

        Raises:
            PaymentUnavailable: The payment cannot be given back now.
        """
        if order.paid:
            return
        # Also when it was given up before: an answer that came too late may have set money aside since.
        self._payments.void(connection, self._household, order.id)
        if order.status is OrderStatus.AWAITING_PAYMENT:
            self._catalog.release(connection, order)
            self._book.move(connection, order, OrderStatus.CANCELLED, at=self._clock())

    def cancelled(self, connection: Connection, order: Order) -> Order:
        """The order as cancelled and refunded, its stock back on the shelf; its money went back before."""
        self._catalog.put_back(connection, order.lines)
        return self._book.move(connection, order, OrderStatus.CANCELLED, OrderStatus.REFUNDED, at=self._clock())

    def _settle_one(self, connection: Connection, order_id: str) -> None:
        order = self._book.find(connection, order_id)
        if order is None:
            self._payments.void(connection, self._household, order_id)
        elif not order.paid:
            self.give_up(connection, order)
        elif self._payments.state(connection, self._household, order_id) is PaymentState.REFUNDED:
            if order.cancellable:
                self.cancelled(connection, order)
            elif order.status is not OrderStatus.REFUNDED:
                _log.error("order %s is %s, but its payment was given back", order_id, order.status.words)
