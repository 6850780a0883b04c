"""The store of a device that sells for a shop elsewhere: paid orders go into the outbox, and the shop cancels first."""

import threading
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Engine

from assistant.service.client.shop_service import ShopService
from assistant.settings import Shop
from assistant.shop.cart import Cart
from assistant.shop.money import Money
from assistant.shop.orders import Order
from assistant.shop.outbox import Outbox, Stage
from assistant.shop.payments import Payments, PaymentState
from assistant.shop.store import Store


class OutboxPayments:
    """Payments whose orders go into the outbox in the transaction that takes the money (``Payments``).

    Args:
        payments: Takes the money, and gives it back.
        outbox: Takes the orders.
    """

    def __init__(self, payments: Payments, outbox: Outbox) -> None:
        self._payments = payments
        self._outbox = outbox

    def state(self, connection: Connection, household: str, order: str) -> PaymentState:
        """How the order's payment stands."""
        return self._payments.state(connection, household, order)

    def set_aside(self, connection: Connection, household: str) -> Iterable[str]:
        """The orders for which money may be set aside."""
        return self._payments.set_aside(connection, household)

    def capture(self, connection: Connection, household: str, order: str, amount: Money) -> None:
        """Takes the money and writes the order into the outbox."""
        self._payments.capture(connection, household, order, amount)
        self._outbox.put(connection, order)

    def void(self, connection: Connection, household: str, order: str) -> None:
        """Gives back what is set aside."""
        self._payments.void(connection, household, order)

    def begin_refund(self, connection: Connection, household: str, order: str) -> None:
        """Notes that a refund is about to be made; never of an order of which nobody knows whether the shop has it."""
        self._outbox.withdraw(connection, order)
        self._payments.begin_refund(connection, household, order)

    def refund(self, connection: Connection, household: str, order: str) -> None:
        """Gives the money back."""
        self._payments.refund(connection, household, order)


class ServicedStore(Store):
    """A store whose orders are also the shop's, at ``shop.service``.

    Args:
        settings: Where the shop is.
        engine: This device's database.
        household: Whose cart, orders and list.
        payments: Settles the money.
        more: As ``Store`` takes it.
        clock: The time of day.
        named: As ``Store`` takes it.

    Attributes:
        outbox: Orders on their way to the shop.
        service: The shop.
        settling: Held by whoever cancels an order of the outbox, so that it is done by one.
    """

    def __init__(
        self,
        settings: Shop,
        engine: Engine,
        household: str,
        payments: Payments,
        *more: Any,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        **named: Any,
    ) -> None:
        self.outbox = Outbox(engine, household, clock)
        self.service = ShopService(settings.service, settings.service_token_file)
        self.settling = threading.RLock()
        super().__init__(engine, household, OutboxPayments(payments, self.outbox), *more, clock=clock, **named)

    def begin_order(self, cart: Cart, key: str, total: Money | None = None) -> Order:
        """As ``Store``; no order is begun that could never be sent.

        Raises:
            SettingsError: The shop's address or this device's token cannot be used.
        """
        self.service.check()
        return super().begin_order(cart, key, total)

    def cancel_order(self, order_id: str) -> Order:
        """Cancels a paid order at the shop, then here: the money goes back, the stock too.

        Raises:
            OrderError: No such order, or it is too late.
            PaymentUnavailable: The money cannot be given back now, or it is not known yet whether the shop has the
                order; the order stays.
            ServiceUnavailable: The shop does not answer; the order stays.
            StoreError: The database refused; the order stays.
        """
        with self.settling:
            parcel = self.outbox.of_order(order_id)
            if parcel is not None and parcel.stage is Stage.DELIVERED and self.order(order_id).cancellable:
                self.service.cancel(parcel.number)
                # Should this device die now, its delivery cancels here what the shop has cancelled.
                self.outbox.move(parcel, Stage.REFUSED, reason="cancelled by the household")
            order = super().cancel_order(order_id)
            if parcel is not None:
                self.outbox.move(parcel, Stage.OVER)
            return order

    def undo_order(self, order_id: str) -> Order:
        """Cancels here alone an order that the shop does not have.

        Raises:
            OrderError: No such order, or it is too late.
            PaymentUnavailable: The money cannot be given back now; the order stays.
            StoreError: The database refused; the order stays.
        """
        return super().cancel_order(order_id)
