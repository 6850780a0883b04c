"""The payment provider: a port, and the built-in test wallet with its double-entry ledger."""

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Protocol

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Engine,
    Integer,
    String,
    Table,
    UniqueConstraint,
    func,
    insert,
    select,
)

from assistant.errors import PaymentUnavailable, SettingsError
from assistant.shop.database import ensure_tables, reading, transaction
from assistant.shop.money import Money
from assistant.shop.payments import PaymentState
from assistant.shop.schema import Instant, metadata

MOST_TOP_UP = 10**12
"""Minor units of the largest top-up: a million of them still add up within the database's integers."""


class Answer(StrEnum):
    """What a provider says to an authorisation."""

    APPROVED = "approved"
    INSUFFICIENT_FUNDS = "insufficient_funds"
    REFUSED = "refused"


class PaymentProvider(Protocol):
    """Sets money aside for an order; the shop captures or voids it (``assistant.shop.payments.Payments``)."""

    def authorise(self, order_id: str, amount: Money) -> Answer:
        """Sets ``amount`` aside; the order's number is the idempotency key.

        Raises:
            PaymentUnavailable: The provider could not be asked; nothing was set aside.
            StoreError: The record could not be written; nothing was set aside.
        """
        ...


class Account(StrEnum):
    """Where the test wallet's money can be. The sum over all accounts is always zero."""

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


_ROUTES = {
    Movement.TOP_UP: (Account.BANK, Account.WALLET),
    Movement.AUTHORISE: (Account.WALLET, Account.HELD),
    Movement.CAPTURE: (Account.HELD, Account.SHOP),
    Movement.VOID: (Account.HELD, Account.WALLET),
    Movement.REFUND: (Account.SHOP, Account.WALLET),
}

_STATES = {
    Movement.AUTHORISE: PaymentState.AUTHORISED,
    Movement.CAPTURE: PaymentState.CAPTURED,
    Movement.VOID: PaymentState.VOIDED,
    Movement.REFUND: PaymentState.REFUNDED,
}

# One row for each movement, unique by its idempotency key; its two legs are the entries.
_movements = Table(
    "wallet_movements",
    metadata,
    Column("household", String(64), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("movement", String(16), nullable=False),
    Column("key", String(64), nullable=False),
    Column("at", Instant, nullable=False),
    UniqueConstraint("household", "movement", "key"),
)

_entries = Table(
    "wallet_entries",
    metadata,
    Column("household", String(64), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("account", String(16), primary_key=True),
    Column("amount_minor", BigInteger, nullable=False),
    Column("currency", String(3), nullable=False),
)


@dataclass(frozen=True)
class Payment:
    """One movement of the wallet's money, for people to read; ``key`` is the order's number or the top-up's key."""

    movement: Movement
    key: str
    amount: Money
    at: datetime


@dataclass(frozen=True)
class _Standing:
    """How an order's payment stands."""

    state: PaymentState
    amount: Money | None


class Wallet:
    """The built-in test wallet: play money in the shop's own database.

    It implements ``PaymentProvider`` for its household and the shop's ``Payments`` for any.

    Args:
        engine: The shop's database.
        household: Whose wallet ``authorise``, ``top_up`` and ``balance`` mean.
        opening_balance: What a new wallet holds.
        clock: The time of day.

    Raises:
        SettingsError: The opening balance is beyond all reason.
        StoreError: The database cannot be used.
    """

    def __init__(
        self,
        engine: Engine,
        household: str,
        opening_balance: Money,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._engine = engine
        self._household = household
        self._currency = opening_balance.currency
        self._clock = clock
        if not 0 <= opening_balance.minor <= MOST_TOP_UP:
            raise SettingsError(f"pay.opening_balance must be from 0 to {MOST_TOP_UP}, not {opening_balance.minor}.")
        ensure_tables(engine, _movements, _entries)
        key = f"opening {self._currency}"
        with reading(engine) as connection:
            opened = self._moved(connection, household, Movement.TOP_UP, key)
        if not opened and opening_balance.minor > 0:
            self._top_up(opening_balance, key)

    def balance(self) -> Money:
        """What can be spent."""
        return self.account(Account.WALLET)

    def account(self, account: Account) -> Money:
        """What an account of the household holds."""
        with reading(self._engine) as connection:
            return self._held_by(connection, self._household, account, self._currency)

    def top_up(self, amount: Money, key: str | None = None) -> Money:
        """Adds play money; the new balance.

        Args:
            amount: More than zero and at most ``MOST_TOP_UP``, in the wallet's currency.
            key: Idempotency key; none makes every call count.

        Raises:
            ValueError: Another currency, not more than zero, or too much.
            StoreError: The database refused; nothing changed.
        """
        if amount.currency != self._currency or not 0 < amount.minor <= MOST_TOP_UP:
            most = Money(MOST_TOP_UP, self._currency).decimal()
            raise ValueError(f"a top-up must be more than zero and at most {most} {self._currency}")
        self._top_up(amount, key or uuid.uuid4().hex)
        return self.balance()

    def history(self, limit: int = 50) -> tuple[Payment, ...]:
        """Movements of the household's money, newest first."""
        positive = (
            (_entries.c.household == _movements.c.household)
            & (_entries.c.number == _movements.c.number)
            & (_entries.c.amount_minor > 0)
        )
        with reading(self._engine) as connection:
            rows = connection.execute(
                select(_movements, _entries.c.amount_minor, _entries.c.currency)
                .join(_entries, positive)
                .where(_movements.c.household == self._household)
                .order_by(_movements.c.number.desc())
                .limit(limit)
            ).all()
        return tuple(
            Payment(Movement(row.movement), row.key, Money(row.amount_minor, row.currency), row.at) for row in rows
        )

    def authorise(self, order_id: str, amount: Money) -> Answer:
        """Sets the amount aside when the wallet holds it; a second call for the order changes nothing."""
        if amount.currency != self._currency or amount.minor <= 0:
            return Answer.REFUSED
        with transaction(self._engine) as connection:
            standing = self._standing(connection, self._household, order_id)
            if standing.state is not PaymentState.NONE:
                going = standing.state in (PaymentState.AUTHORISED, PaymentState.CAPTURED)
                return Answer.APPROVED if going and standing.amount == amount else Answer.REFUSED
            if self._held_by(connection, self._household, Account.WALLET, self._currency) < amount:
                return Answer.INSUFFICIENT_FUNDS
            self._move(connection, self._household, Movement.AUTHORISE, order_id, amount)
            return Answer.APPROVED

    def state(self, connection: Connection, household: str, order: str) -> PaymentState:
        """How the order's payment stands."""
        return self._standing(connection, household, order).state

    def set_aside(self, connection: Connection, household: str) -> tuple[str, ...]:
        """The orders of the household for which money is set aside, oldest first."""
        settled = select(_movements.c.key).where(
            _movements.c.household == household,
            _movements.c.movement.in_([Movement.CAPTURE.value, Movement.VOID.value]),
        )
        held = select(_movements.c.key).where(
            _movements.c.household == household,
            _movements.c.movement == Movement.AUTHORISE.value,
            _movements.c.key.not_in(settled),
        )
        return tuple(connection.execute(held.order_by(_movements.c.number)).scalars())

    def capture(self, connection: Connection, household: str, order: str, amount: Money) -> None:
        """Pays the shop what was set aside.

        Raises:
            PaymentUnavailable: Not exactly this amount is set aside.
        """
        standing = self._standing(connection, household, order)
        if standing == _Standing(PaymentState.CAPTURED, amount):
            return
        if standing != _Standing(PaymentState.AUTHORISED, amount):
            raise PaymentUnavailable(f"No payment of {amount.decimal()} {amount.currency} is authorised for {order}.")
        self._move(connection, household, Movement.CAPTURE, order, amount)

    def void(self, connection: Connection, household: str, order: str) -> None:
        """Gives back what is set aside; nothing to do when nothing is.

        Raises:
            PaymentUnavailable: The shop has been paid: that needs a refund.
        """
        standing = self._standing(connection, household, order)
        if standing.state in (PaymentState.CAPTURED, PaymentState.REFUNDED):
            raise PaymentUnavailable(f"The payment of {order} is captured and cannot be voided, only refunded.")
        if standing.state is PaymentState.AUTHORISED and standing.amount:
            self._move(connection, household, Movement.VOID, order, standing.amount)

    def refund(self, connection: Connection, household: str, order: str) -> None:
        """Gives back what the shop was paid; nothing to do when that was done before.

        Raises:
            PaymentUnavailable: The shop was not paid.
        """
        standing = self._standing(connection, household, order)
        if standing.state is PaymentState.REFUNDED:
            return
        if standing.state is not PaymentState.CAPTURED or standing.amount is None:
            raise PaymentUnavailable(f"Nothing was paid for {order} that could be refunded.")
        self._move(connection, household, Movement.REFUND, order, standing.amount)

    def _top_up(self, amount: Money, key: str) -> None:
        with transaction(self._engine) as connection:
            if not self._moved(connection, self._household, Movement.TOP_UP, key):
                self._move(connection, self._household, Movement.TOP_UP, key, amount)

    def _standing(self, connection: Connection, household: str, order: str) -> _Standing:
        positive = (
            (_entries.c.household == _movements.c.household)
            & (_entries.c.number == _movements.c.number)
            & (_entries.c.amount_minor > 0)
        )
        last = connection.execute(
            select(_movements.c.movement, _entries.c.amount_minor, _entries.c.currency)
            .join(_entries, positive)
            .where(
                _movements.c.household == household,
                _movements.c.key == order,
                _movements.c.movement.in_([movement.value for movement in _STATES]),
            )
            .order_by(_movements.c.number.desc())
            .limit(1)
        ).first()
        if last is None:
            return _Standing(PaymentState.NONE, None)
        return _Standing(_STATES[Movement(last.movement)], Money(last.amount_minor, last.currency))

    def _moved(self, connection: Connection, household: str, movement: Movement, key: str) -> bool:
        found = select(_movements.c.number).where(
            _movements.c.household == household, _movements.c.movement == movement.value, _movements.c.key == key
        )
        return connection.execute(found).first() is not None

    def _held_by(self, connection: Connection, household: str, account: Account, currency: str) -> Money:
        total = select(func.coalesce(func.sum(_entries.c.amount_minor), 0)).where(
            _entries.c.household == household,
            _entries.c.account == account.value,
            _entries.c.currency == currency,
        )
        return Money(int(connection.execute(total).scalar_one()), currency)

    def _move(self, connection: Connection, household: str, movement: Movement, key: str, amount: Money) -> None:
        newest = select(func.coalesce(func.max(_movements.c.number), 0)).where(_movements.c.household == household)
        number = int(connection.execute(newest).scalar_one()) + 1
        source, target = _ROUTES[movement]
        connection.execute(
            insert(_movements).values(
                household=household, number=number, movement=movement.value, key=key, at=self._clock()
            )
        )
        connection.execute(
            insert(_entries),
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
