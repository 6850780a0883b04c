"""What the device has to say without being asked: kept until it is said, and said once."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, Engine, insert, select, update

from assistant.shop.database import ensure_tables, reading, transaction
from assistant.shop.household_tables import notices

LASTING = timedelta(hours=36)
"""How long news is news: what a night's quiet has held back is still said in the morning."""


@dataclass(frozen=True)
class Notice:
    """Something to say.

    Attributes:
        kind: There is a reply for it under ``announcement``, such as ``"out_for_delivery"``.
        subject: What it is about: an order's number, a sku.
        at: When it became true, with its time zone.
    """

    kind: str
    subject: str
    at: datetime


def put_notice(connection: Connection, household: str, notice: Notice) -> None:
    """Keeps a notice until it is said; a second one of the same kind and subject changes nothing."""
    same = select(notices.c.at).where(
        notices.c.household == household, notices.c.kind == notice.kind, notices.c.subject == notice.subject
    )
    if connection.execute(same).first() is None:
        connection.execute(
            insert(notices).values(household=household, kind=notice.kind, subject=notice.subject, at=notice.at)
        )


class Notices:
    """The notices of one household.

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
        ensure_tables(engine, notices)
        self._engine = engine
        self._household = household
        self._clock = clock

    def put(self, kind: str, subject: str) -> None:
        """Keeps a notice until it is said; a second one of the same kind and subject changes nothing.

        Raises:
            StoreError: The database refused.
        """
        with transaction(self._engine, self._household) as connection:
            put_notice(connection, self._household, Notice(kind, subject, self._clock()))

    def waiting(self) -> tuple[Notice, ...]:
        """What is not said yet and still news, oldest first.

        Raises:
            StoreError: The database cannot be read.
        """
        found = select(notices).where(
            notices.c.household == self._household,
            notices.c.said_at.is_(None),
            notices.c.at > self._clock() - LASTING,
        )
        with reading(self._engine) as connection:
            rows = connection.execute(found.order_by(notices.c.at, notices.c.kind)).all()
        return tuple(Notice(row.kind, row.subject, row.at) for row in rows)

    def claim(self, notice: Notice) -> bool:
        """Takes a notice to say it; false when this or another device of the household has taken it before.

        Raises:
            StoreError: The database refused; it is still to be said.
        """
        mine = update(notices).where(
            notices.c.household == self._household,
            notices.c.kind == notice.kind,
            notices.c.subject == notice.subject,
            notices.c.said_at.is_(None),
        )
        with transaction(self._engine, self._household) as connection:
            return connection.execute(mine.values(said_at=self._clock())).rowcount == 1
