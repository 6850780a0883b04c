"""The shop that a service serves: one database, a store for each household, and the devices that may ask."""

import hashlib
import random
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from functools import lru_cache

from sqlalchemy import Connection, Engine

from assistant.service.devices import Devices
from assistant.service.http.order_desk import OrderDesk
from assistant.shop.addresses import AddressBook
from assistant.shop.database import ensure_tables
from assistant.shop.household_tables import HOUSEHOLD_TABLES
from assistant.shop.money import Money
from assistant.shop.payments import PaymentState
from assistant.shop.store import Store

_HOUSEHOLDS_KEPT = 1000


class PaidAtTheDevice:
    """Payments of orders that come from devices: the device took the money and gives it back (``Payments``).

    A device's token is its word that the order is paid; what is settled here is the order alone.
    """

    def state(self, connection: Connection, household: str, order: str) -> PaymentState:
        """Not known here."""
        return PaymentState.NONE

    def set_aside(self, connection: Connection, household: str) -> Iterable[str]:
        """Nothing is set aside here."""
        return ()

    def capture(self, connection: Connection, household: str, order: str, amount: Money) -> None:
        """The device has it."""

    def void(self, connection: Connection, household: str, order: str) -> None:
        """The device gives it back."""

    def begin_refund(self, connection: Connection, household: str, order: str) -> None:
        """The device gives it back."""

    def refund(self, connection: Connection, household: str, order: str) -> None:
        """The device gives it back."""


class ServedShop:
    """What the routes ask.

    Args:
        engine: The shop's database.
        currency: Of a shop without a catalog, ISO 4217.
        programmes: What households are members of, for member prices.
        clock: The time of day.

    Attributes:
        engine: The shop's database.
        devices: Who may ask.
        payments: The devices'.
        programmes: What households are members of.
        membership: Differs where the programmes do; empty when there are none.

    Raises:
        StoreError: The database cannot be used.
    """

    def __init__(
        self,
        engine: Engine,
        currency: str,
        programmes: Iterable[str] = (),
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        ensure_tables(engine, *HOUSEHOLD_TABLES)
        self.engine = engine
        self.devices = Devices(engine, clock)
        self.payments = PaidAtTheDevice()
        self._currency = currency
        self.programmes = tuple(programmes)
        joined = "\0".join(sorted(self.programmes)).encode()
        self.membership = f".{hashlib.sha256(joined).hexdigest()[:8]}" if self.programmes else ""
        self._clock = clock
        self._randomness = random.SystemRandom()
        self.desk = lru_cache(_HOUSEHOLDS_KEPT)(self._open_desk)

    def addresses(self, household: str) -> AddressBook:
        """The addresses of a household."""
        return AddressBook(self.engine, household, self._clock)

    def _open_desk(self, household: str) -> OrderDesk:
        store = Store(
            self.engine,
            household,
            self.payments,
            self._currency,
            randomness=self._randomness,
            clock=self._clock,
            programmes=self.programmes,
        )
        return OrderDesk(self.engine, household, store, self.addresses(household), self._clock)
