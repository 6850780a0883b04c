"""Where a household has things delivered: addresses by the names people say."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Engine, delete, insert, select

from assistant.errors import OrderError
from assistant.shop.database import ensure_tables, reading, transaction
from assistant.shop.household_tables import addresses, order_addresses

LONGEST_NAME, LONGEST_TEXT = 40, 200
MOST = 50
"""Addresses of a household: each is a phrase that the device must tell from the others by ear."""


@dataclass(frozen=True)
class Address:
    """A place to deliver to.

    Attributes:
        name: What people call it, in lower case, such as ``"grandma"``.
        text: The address itself, as it is read back.
    """

    name: str
    text: str


class AddressBook:
    """The addresses of one household. The one that was added first is where everything goes unless it is said.

    Args:
        engine: The shop's database.
        household: Whose.
        clock: The time of day.

    Raises:
        StoreError: The database cannot be used.
    """

    def __init__(
        self, engine: Engine, household: str, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        ensure_tables(engine, addresses, order_addresses)
        self._engine = engine
        self._household = household
        self._clock = clock
        self._mine = addresses.c.household == household

    def all(self) -> tuple[Address, ...]:
        """The household's addresses, the usual one first.

        Raises:
            StoreError: The database cannot be read.
        """
        found = select(addresses).where(self._mine).order_by(addresses.c.added_at, addresses.c.name)
        with reading(self._engine) as connection:
            return tuple(Address(row.name, row.text) for row in connection.execute(found))

    def add(self, name: str, text: str) -> Address:
        """Keeps an address under a name; an address of that name is replaced and keeps its place.

        Raises:
            OrderError: The name or the address is empty or too long, or there are too many.
            StoreError: The database refused.
        """
        address = Address(" ".join(name.lower().split()), " ".join(text.split()))
        if not 0 < len(address.name) <= LONGEST_NAME or not address.name.replace(" ", "").isalpha():
            raise OrderError(
                f"{name!r} cannot be the name of an address: it is said, so use up to {LONGEST_NAME} letters, such as"
                " 'grandma'."
            )
        if not 0 < len(address.text) <= LONGEST_TEXT or not address.text.isprintable():
            raise OrderError(f"An address needs a text of up to {LONGEST_TEXT} characters, such as '5 Elm Street'.")
        this = self._mine & (addresses.c.name == address.name)
        with transaction(self._engine, self._household) as connection:
            before = connection.execute(select(addresses.c.added_at).where(this)).scalar()
            if before is None and len(connection.execute(select(addresses.c.name).where(self._mine)).all()) >= MOST:
                raise OrderError(f"A household has at most {MOST} addresses. Remove one first.")
            connection.execute(delete(addresses).where(this))
            connection.execute(
                insert(addresses).values(
                    household=self._household,
                    name=address.name,
                    text=address.text,
                    added_at=before or self._clock(),
                )
            )
        return address

    def remove(self, name: str) -> None:
        """Forgets an address; parcels that are on their way to it stay on their way.

        Raises:
            OrderError: There is none of that name.
            StoreError: The database refused.
        """
        this = self._mine & (addresses.c.name == " ".join(name.lower().split()))
        with transaction(self._engine, self._household) as connection:
            if not connection.execute(delete(addresses).where(this)).rowcount:
                raise OrderError(f"There is no address {name!r}. 'voicecart addresses' lists them.")

    def send(self, order_id: str, address: Address) -> None:
        """Notes where an order goes, as it was read back; said again for an order, the new address counts.

        Raises:
            StoreError: The database refused.
        """
        this = (order_addresses.c.household == self._household) & (order_addresses.c.order_id == order_id)
        with transaction(self._engine, self._household) as connection:
            connection.execute(delete(order_addresses).where(this))
            connection.execute(
                insert(order_addresses).values(
                    household=self._household, order_id=order_id, name=address.name, text=address.text
                )
            )

    def of_order(self, order_id: str) -> Address | None:
        """Where an order goes; None when no address was known when it was placed.

        Raises:
            StoreError: The database cannot be read.
        """
        this = (order_addresses.c.household == self._household) & (order_addresses.c.order_id == order_id)
        with reading(self._engine) as connection:
            row = connection.execute(select(order_addresses).where(this)).first()
        return Address(row.name, row.text) if row else None
