"""The test wallet's ledger: double entry, so that all accounts of a household together are always zero.

Every function works inside the caller's transaction.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Integer,
    String,
    Table,
    UniqueConstraint,
    func,
    insert,
    select,
)

from assistant.shop.money import Money
from assistant.shop.schema import Instant, metadata


class Account(StrEnum):
    """Where the wallet's money can be."""

    BANK = "bank"  # where top-ups come from: as far below zero as the wallet ever got
    WALLET = "wallet"  # what can be spent
    HELD = "held"  # set aside for orders
    SHOP = "shop"  # paid


class Movement(StrEnum):
    """Why money moved."""

    TOP_UP = "top_up"
    AUTHORISE = "authorise"
    CAPTURE = "capture"
    VOID = "void"
    REFUND = "refund"
    REFUND_PART = "refund_part"


_ROUTES = {
    Movement.TOP_UP: (Account.BANK, Account.WALLET),
    Movement.AUTHORISE: (Account.WALLET, Account.HELD),
    Movement.CAPTURE: (Account.HELD, Account.SHOP),
    Movement.VOID: (Account.HELD, Account.WALLET),
    Movement.REFUND: (Account.SHOP, Account.WALLET),
    Movement.REFUND_PART: (Account.SHOP, Account.WALLET),
}

# One row for each movement, unique by its idempotency key; its two legs are the entries.
movements = Table(
    "wallet_movements",
    metadata,
    Column("household", String(64), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("movement", String(16), nullable=False),
    Column("key", String(64), nullable=False),
    Column("at", Instant, nullable=False),
    UniqueConstraint("household", "movement", "key"),
)

entries = Table(
    "wallet_entries",
    metadata,
    Column("household", String(64), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("account", String(16), primary_key=True),
    Column("amount_minor", BigInteger, nullable=False),
    Column("currency", String(3), nullable=False),
)

# Of the two legs of a movement, the one that receives.
_RECEIVED = (
    (entries.c.household == movements.c.household)
    & (entries.c.number == movements.c.number)
    & (entries.c.amount_minor > 0)
)


@dataclass(frozen=True)
class Payment:
    """One movement of money, for people to read; ``key`` is the order's number or the top-up's key."""

    movement: Movement
    key: str
    amount: Money
    at: datetime


def move(connection: Connection, household: str, movement: Movement, key: str, amount: Money, at: datetime) -> None:
    """Moves ``amount`` along the movement's route; a second time under the same key the database refuses."""
    newest = select(func.coalesce(func.max(movements.c.number), 0)).where(movements.c.household == household)
    number = int(connection.execute(newest).scalar_one()) + 1
    source, target = _ROUTES[movement]
    connection.execute(
        insert(movements).values(household=household, number=number, movement=movement.value, key=key, at=at)
    )
    connection.execute(
        insert(entries),
        [
            {
                "household": household,
                "number": number,
                "account": account.value,
                "amount_minor": minor,
                "currency": amount.currency,
            }
            for account, minor in ((source, -amount.minor), (target, amount.minor))
        ],
    )


def moved(connection: Connection, household: str, movement: Movement, key: str) -> bool:
    """Whether this movement was made under this key."""
    found = select(movements.c.number).where(
        movements.c.household == household, movements.c.movement == movement.value, movements.c.key == key
    )
    return connection.execute(found).first() is not None


def total_of(connection: Connection, household: str, movement: Movement, beginning: str) -> int:
    """What this movement moved under all keys that begin so, in minor units."""
    found = (
        select(func.coalesce(func.sum(entries.c.amount_minor), 0))
        .join(movements, _RECEIVED)
        .where(
            movements.c.household == household,
            movements.c.movement == movement.value,
            movements.c.key.startswith(beginning, autoescape=True),
        )
    )
    return int(connection.execute(found).scalar_one())


def held_by(connection: Connection, household: str, account: Account, currency: str) -> Money:
    """What an account holds."""
    total = select(func.coalesce(func.sum(entries.c.amount_minor), 0)).where(
        entries.c.household == household, entries.c.account == account.value, entries.c.currency == currency
    )
    return Money(int(connection.execute(total).scalar_one()), currency)


def last(connection: Connection, household: str, key: str, among: Collection[Movement]) -> Payment | None:
    """The newest of these movements under a key."""
    found = (
        select(movements, entries.c.amount_minor, entries.c.currency)
        .join(entries, _RECEIVED)
        .where(
            movements.c.household == household,
            movements.c.key == key,
            movements.c.movement.in_([movement.value for movement in among]),
        )
    )
    row = connection.execute(found.order_by(movements.c.number.desc()).limit(1)).first()
    return Payment(Movement(row.movement), row.key, Money(row.amount_minor, row.currency), row.at) if row else None


def unsettled(connection: Connection, household: str) -> tuple[str, ...]:
    """Keys of what was authorised and neither captured nor voided, oldest first."""
    settled = select(movements.c.key).where(
        movements.c.household == household,
        movements.c.movement.in_([Movement.CAPTURE.value, Movement.VOID.value]),
    )
    held = select(movements.c.key).where(
        movements.c.household == household,
        movements.c.movement == Movement.AUTHORISE.value,
        movements.c.key.not_in(settled),
    )
    return tuple(connection.execute(held.order_by(movements.c.number)).scalars())


def history(connection: Connection, household: str, limit: int) -> tuple[Payment, ...]:
    """The newest movements, newest first."""
    found = (
        select(movements, entries.c.amount_minor, entries.c.currency)
        .join(entries, _RECEIVED)
        .where(movements.c.household == household)
        .order_by(movements.c.number.desc())
        .limit(limit)
    )
    return tuple(
        Payment(Movement(row.movement), row.key, Money(row.amount_minor, row.currency), row.at)
        for row in connection.execute(found)
    )
