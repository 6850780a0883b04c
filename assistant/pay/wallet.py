"""The payment provider: a port, and the built-in test wallet."""

import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from enum import StrEnum
from typing import Protocol

from sqlalchemy import Connection, Engine

from assistant.errors import PaymentUnavailable, SettingsError
from assistant.pay import ledger
from assistant.pay.ledger import Account, Movement, Payment
from assistant.shop.database import ensure_tables, reading, transaction
from assistant.shop.money import Money
from assistant.shop.payments import PaymentState

MOST_TOP_UP = 10**12
"""Minor units of the largest top-up: a million of them still add up within the database's integers."""

_STATES = {
    Movement.AUTHORISE: PaymentState.AUTHORISED,
    Movement.CAPTURE: PaymentState.CAPTURED,
    Movement.VOID: PaymentState.VOIDED,
    Movement.REFUND: PaymentState.REFUNDED,
}


class Answer(StrEnum):
    """What a provider says to an authorisation."""

    APPROVED = "approved"
    INSUFFICIENT_FUNDS = "insufficient_funds"
    REFUSED = "refused"


class PaymentProvider(Protocol):
    """Sets money aside for an order; the shop captures or voids it (``assistant.shop.payments.Payments``)."""

    def check(self) -> None:
        """Whether it is set up; asks nobody.

        Raises:
            SettingsError: It is not.
        """
        ...

    def authorise(self, order_id: str, amount: Money) -> Answer:
        """Sets ``amount`` aside; the order's number is the idempotency key.

        Raises:
            PaymentUnavailable: The provider could not be asked; what it may have set aside, the shop's ``void`` gives
                back.
            SettingsError: The provider is not set up.
            StoreError: The record could not be written; ``void`` gives back what may have been set aside.
        """
        ...


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
        ensure_tables(engine, ledger.movements, ledger.entries)
        key = f"opening {self._currency}"
        with reading(engine) as connection:
            opened = ledger.moved(connection, household, Movement.TOP_UP, key)
        if not opened and opening_balance.minor > 0:
            self._top_up(opening_balance, key)

    def check(self) -> None:
        """Always ready."""

    def balance(self) -> Money:
        """What can be spent."""
        return self.account(Account.WALLET)

    def account(self, account: Account) -> Money:
        """What an account of the household holds."""
        with reading(self._engine) as connection:
            return ledger.held_by(connection, self._household, account, self._currency)

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
        with reading(self._engine) as connection:
            return ledger.history(connection, self._household, limit)

    def authorise(self, order_id: str, amount: Money) -> Answer:
        """Sets the amount aside when the wallet holds it; a second call for the order changes nothing."""
        if amount.currency != self._currency or amount.minor <= 0:
            return Answer.REFUSED
        with transaction(self._engine, self._household) as connection:
            state, set_aside = self._standing(connection, self._household, order_id)
            if state is not PaymentState.NONE:
                going = state in (PaymentState.AUTHORISED, PaymentState.CAPTURED)
                return Answer.APPROVED if going and set_aside == amount else Answer.REFUSED
            if ledger.held_by(connection, self._household, Account.WALLET, self._currency) < amount:
                return Answer.INSUFFICIENT_FUNDS
            self._move(connection, self._household, Movement.AUTHORISE, order_id, amount)
            return Answer.APPROVED

    def state(self, connection: Connection, household: str, order: str) -> PaymentState:
        """How the order's payment stands."""
        return self._standing(connection, household, order)[0]

    def set_aside(self, connection: Connection, household: str) -> tuple[str, ...]:
        """The orders of the household for which money is set aside, oldest first."""
        return ledger.unsettled(connection, household)

    def capture(self, connection: Connection, household: str, order: str, amount: Money) -> None:
        """Pays the shop what was set aside.

        Raises:
            PaymentUnavailable: Not exactly this amount is set aside.
        """
        standing = self._standing(connection, household, order)
        if standing == (PaymentState.CAPTURED, amount):
            return
        if standing != (PaymentState.AUTHORISED, amount):
            raise PaymentUnavailable(f"No payment of {amount.decimal()} {amount.currency} is authorised for {order}.")
        self._move(connection, household, Movement.CAPTURE, order, amount)

    def void(self, connection: Connection, household: str, order: str) -> None:
        """Gives back what is set aside; nothing to do when nothing is.

        Raises:
            PaymentUnavailable: The shop has been paid: that needs a refund.
        """
        state, amount = self._standing(connection, household, order)
        if state in (PaymentState.CAPTURED, PaymentState.REFUNDED):
            raise PaymentUnavailable(f"The payment of {order} is captured and cannot be voided, only refunded.")
        if state is PaymentState.AUTHORISED and amount:
            self._move(connection, household, Movement.VOID, order, amount)

    def begin_refund(self, connection: Connection, household: str, order: str) -> None:
        """Nothing to note: the ledger and the order change in one transaction."""

    def refund(self, connection: Connection, household: str, order: str) -> None:
        """Gives back what the shop was paid, less the parts that went back; nothing to do when that was done before.

        Raises:
            PaymentUnavailable: The shop was not paid.
        """
        state, amount = self._standing(connection, household, order)
        if state is PaymentState.REFUNDED:
            return
        if state is not PaymentState.CAPTURED or amount is None:
            raise PaymentUnavailable(f"Nothing was paid for {order} that could be refunded.")
        rest = amount - self._given_back(connection, household, order, amount.currency)
        if rest.minor:
            self._move(connection, household, Movement.REFUND, order, rest)

    def refund_part(self, connection: Connection, household: str, order: str, part: int, amount: Money) -> None:
        """Gives back a part of what the shop was paid; nothing to do when that was done before.

        Raises:
            PaymentUnavailable: The shop was not paid so much, or has given it back.
        """
        key = f"{order}/{part}"
        if ledger.moved(connection, household, Movement.REFUND_PART, key):
            return
        state, paid = self._standing(connection, household, order)
        if state is not PaymentState.CAPTURED or paid is None or amount.currency != paid.currency:
            raise PaymentUnavailable(f"Nothing was paid for {order} that could be refunded.")
        if amount.minor < 0 or paid < amount + self._given_back(connection, household, order, paid.currency):
            raise PaymentUnavailable(f"So much was not paid for {order}.")
        if amount.minor:
            self._move(connection, household, Movement.REFUND_PART, key, amount)

    def _given_back(self, connection: Connection, household: str, order: str, currency: str) -> Money:
        return Money(ledger.total_of(connection, household, Movement.REFUND_PART, f"{order}/"), currency)

    def _top_up(self, amount: Money, key: str) -> None:
        with transaction(self._engine, self._household) as connection:
            if not ledger.moved(connection, self._household, Movement.TOP_UP, key):
                self._move(connection, self._household, Movement.TOP_UP, key, amount)

    def _standing(self, connection: Connection, household: str, order: str) -> tuple[PaymentState, Money | None]:
        last = ledger.last(connection, household, order, _STATES)
        return (PaymentState.NONE, None) if last is None else (_STATES[last.movement], last.amount)

    def _move(self, connection: Connection, household: str, movement: Movement, key: str, amount: Money) -> None:
        ledger.move(connection, household, movement, key, amount, self._clock())
