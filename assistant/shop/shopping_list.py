"""The shopping lists of a household and of its people in the database."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, func, insert, select

from assistant.shop.schema import list_entries


@dataclass(frozen=True)
class ListEntry:
    """Something on the shopping list.

    Attributes:
        text: As it was said, or the product's name.
        sku: The product, when it is one of the catalog.
        quantity: At least 1.
        added_at: When.
        person: Whose list it is on; None is the household's.
    """

    text: str
    sku: str | None
    quantity: int
    added_at: datetime
    person: str | None = None


def append_entry(connection: Connection, household: str, entry: ListEntry) -> None:
    """Puts ``entry`` at the end of its list."""
    last = select(func.coalesce(func.max(list_entries.c.position), -1)).where(list_entries.c.household == household)
    connection.execute(
        insert(list_entries).values(
            household=household,
            position=connection.execute(last).scalar_one() + 1,
            text=entry.text,
            sku=entry.sku,
            quantity=entry.quantity,
            added_at=entry.added_at,
            person=entry.person,
        )
    )


def remove_entries(connection: Connection, household: str, entries: Iterable[ListEntry]) -> None:
    """Takes ``entries`` off their lists; those that are not there any more are passed over."""
    for entry in entries:
        connection.execute(
            delete(list_entries).where(
                list_entries.c.household == household,
                list_entries.c.text == entry.text,
                list_entries.c.added_at == entry.added_at,
            )
        )


def read_entries(connection: Connection, household: str) -> tuple[ListEntry, ...]:
    """What is on all lists of the household, oldest first."""
    rows = connection.execute(
        select(list_entries).where(list_entries.c.household == household).order_by(list_entries.c.position)
    )
    return tuple(ListEntry(row.text, row.sku, row.quantity, row.added_at, row.person) for row in rows)
