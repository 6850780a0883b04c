"""What a household wants done besides buying: goods taken back, a list kept, parcels sent to the right door."""

import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from sqlalchemy import Connection, Engine

from assistant.errors import PaymentUnavailable
from assistant.settings import Settings
from assistant.shop.addresses import Address, AddressBook
from assistant.shop.belongings import buyers_of, give_order
from assistant.shop.carrier_events import CarrierEvent, record_carrier_event, tracking_texts
from assistant.shop.cart import CartLine
from assistant.shop.database import ensure_tables, reading, transaction
from assistant.shop.household_tables import HOUSEHOLD_TABLES
from assistant.shop.notices import Notices
from assistant.shop.order_book import OrderBook
from assistant.shop.orders import Order
from assistant.shop.payments import Refunds
from assistant.shop.refunds import ReturnedUnits, left_of, lines_of, refund_of_all
from assistant.shop.returns import Returns
from assistant.shop.shopping_list import read_entries, remove_entries
from assistant.shop.stock_alerts import StockAlerts
from assistant.talk import actions, inputs
from assistant.talk.actions import Action
from assistant.talk.inputs import Input
from assistant.talk.situation import Knowledge


class Errands:
    """Carries out what the dialogue decides beside the purchase, and tells it what it may know of that.

    Args:
        engine: The shop's database, with the tables of the store.
        payments: Gives money back.
        settings: The household, its return window.
        clock: The time of day.
        shelve: Puts what came back in stock; by default nothing is.

    Attributes:
        addresses: Where the household has things delivered.
        notices: What is to be said without being asked.
        returns: Takes orders back.
        stock_alerts: What the household waits for until it is in stock again.

    Raises:
        StoreError: The database cannot be used.
    """

    def __init__(
        self,
        engine: Engine,
        payments: Refunds,
        settings: Settings,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        shelve: Callable[[Connection, Sequence[CartLine]], None] = lambda connection, lines: None,
    ) -> None:
        ensure_tables(engine, *HOUSEHOLD_TABLES)
        self._engine = engine
        self._payments = payments
        self._household = settings.shop.household
        self._settings = settings
        self._clock = clock
        self.addresses = AddressBook(engine, self._household, clock)
        self.notices = Notices(engine, self._household, clock)
        self.stock_alerts = StockAlerts(engine, self._household, clock)
        self.returns = Returns(engine, self._household, payments, settings.shop.return_days, clock, shelve)

    def inform(self, knowledge: Knowledge) -> Knowledge:
        """The dialogue's knowledge with list, addresses, carriers' words and the time.

        Raises:
            StoreError: The database cannot be read.
        """
        with reading(self._engine) as connection:
            entries = read_entries(connection, self._household)
            buyers = buyers_of(connection, self._household) if knowledge.people else {}
        return replace(
            knowledge,
            entries=entries,
            buyers=buyers,
            addresses=self.addresses.all(),
            tracking=tracking_texts(self._engine, self._household),
            now=self._clock(),
            return_days=self._settings.shop.return_days,
            gone=self.returns.gone(),
        )

    def send(self, order_id: str, address: Address | None) -> None:
        """Notes where an order that was begun goes.

        Raises:
            StoreError: The database refused.
        """
        if address is not None:
            self.addresses.send(order_id, address)

    def give(self, order_id: str, person: str) -> None:
        """Notes whose an order is.

        Raises:
            StoreError: The database refused.
        """
        with transaction(self._engine, self._household) as connection:
            give_order(connection, self._household, order_id, person)

    def record_carrier_event(self, event: CarrierEvent) -> Order:
        """Notes what a carrier tells; see ``assistant.shop.carrier_events.record_carrier_event``."""
        return record_carrier_event(self._engine, self._payments, self._household, event)

    def carry_out(self, action: Action) -> Input | None:
        """Does what the dialogue wants; nothing for what is not an errand.

        Raises:
            OrderError: The order cannot be returned.
            StoreError: The database refused.
        """
        match action:
            case actions.ReturnOrder(order_id, units):
                return self._returned(order_id, units)
            case actions.RemoveFromList(entries):
                with transaction(self._engine, self._household) as connection:
                    remove_entries(connection, self._household, entries)
            case actions.TellWhenBack(sku):
                self.stock_alerts.add(sku)
        return None

    def _returned(self, order_id: str, units: tuple[ReturnedUnits, ...]) -> inputs.OrderReturned:
        """What goes back, refunded when the provider can be asked now; no units are all that is left of the order."""
        gone = units or left_of(self._order(order_id), self.returns.gone().get(order_id, {}))
        try:
            order = self.returns.return_lines(order_id, units) if units else self.returns.return_order(order_id)
        except PaymentUnavailable:
            # The return stands; the money follows at the next start.
            order = self._order(order_id)
            return inputs.OrderReturned(order, lines_of(order, gone), refund_of_all(order, gone), settled=False)
        return inputs.OrderReturned(order, lines_of(order, gone), refund_of_all(order, gone), settled=True)

    def _order(self, order_id: str) -> Order:
        with reading(self._engine) as connection:
            return OrderBook(self._household, random.SystemRandom()).get(connection, order_id)
