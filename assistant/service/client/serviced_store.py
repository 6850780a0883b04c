"""The store of a device that sells for a shop elsewhere: paid orders go into the outbox, and the shop cancels first."""

import logging
import threading
from collections.abc import Callable, Collection, Iterable
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Engine

from assistant.errors import PriceChanged, ServiceUnavailable, SoldOut
from assistant.service.client.catalog_sync import CatalogSync
from assistant.service.client.shop_service import Quote, Refused, ShopService
from assistant.settings import Shop
from assistant.shop.cart import Cart
from assistant.shop.money import Money
from assistant.shop.orders import Order
from assistant.shop.outbox import Outbox, Stage, body_of
from assistant.shop.payments import Payments, PaymentState
from assistant.shop.promotions.bill import Bill
from assistant.shop.store import Store

_log = logging.getLogger("voicecart")


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
        sync: Takes in what the shop offers.
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
        self.sync = CatalogSync(engine, self.service, clock)
        self.settling = threading.RLock()
        super().__init__(engine, household, OutboxPayments(payments, self.outbox), *more, clock=clock, **named)

    def begin_order(
        self, cart: Cart, key: str, total: Money | None = None, coupons: Collection[str] | None = None
    ) -> Order:
        """As ``Store``; the shop is asked first what it wants for it, and no order is begun that could never be sent.

        A shop that does not answer does not hold the order up: it is sent later, and undone should the shop refuse it.

        Raises:
            PriceChanged: The shop asks another price. It is in use here now, to be read back; there is no order.
            SoldOut: The shop does not have it; there is no order.
            ServiceUnavailable: The shop asks another price, which this device cannot account for; there is no order.
            SettingsError: The shop's address or this device's token cannot be used.
        """
        self.service.check()
        if cart and total is not None:
            self._ask_price(self._bill(cart))
        return super().begin_order(cart, key, total, coupons)

    def _ask_price(self, bill: Bill) -> None:
        try:
            quote = self.service.quote(body_of(bill))
        except ServiceUnavailable as error:
            _log.warning("the shop was not asked for its price: %s", error.message)
            return
        if isinstance(quote, Quote) and _total(quote) == bill.total:
            return
        self.sync.take_in({line.sku for line in bill.lines})
        if isinstance(quote, Refused):
            raise SoldOut(quote.message)
        cart = Cart(bill.currency, bill.lines).repriced(self.shelf())
        if self._bill(cart).total != _total(quote):
            # What was used up elsewhere counts here no more.
            self.prices.forget_coupons(set(bill.promotions) - set(quote.promotions))
            if self._bill(cart).total != _total(quote):
                raise ServiceUnavailable("The shop reckons another price than this device. Nothing was bought.")
        raise PriceChanged(f"The shop asks {_total(quote).decimal()} {bill.currency} now. Nothing was bought.")

    def _bill(self, cart: Cart) -> Bill:
        return self.prices.pricing().bill(cart, self.shelf())

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


def _total(quote: Quote) -> Money:
    return Money(quote.total.minor, quote.total.currency)
