"""Payment by Stripe: money that is set aside, taken and given back by a remote, and a record that survives a crash.

What is about to be asked of Stripe is written down before, so that whoever finds the record later can ask Stripe what
has become of it. A payment is made at Stripe before it is confirmed: only a payment whose id is written down can hold
money.
"""

import uuid
from collections.abc import Callable
from datetime import UTC, datetime

from sqlalchemy import Connection, Engine

from assistant.errors import PaymentUnavailable
from assistant.pay import stripe_records
from assistant.pay.stripe_api import Misfit, Standing, StripeApi
from assistant.pay.stripe_records import Stage, StripePayment
from assistant.pay.wallet import Answer
from assistant.shop.database import ensure_tables, transaction
from assistant.shop.money import Money
from assistant.shop.payments import PaymentState

_ANSWERS = {
    Stage.AUTHORISED: Answer.APPROVED,
    Stage.CAPTURED: Answer.APPROVED,
    Stage.INSUFFICIENT_FUNDS: Answer.INSUFFICIENT_FUNDS,
}
_STAGES = {
    Answer.APPROVED: Stage.AUTHORISED,
    Answer.INSUFFICIENT_FUNDS: Stage.INSUFFICIENT_FUNDS,
    Answer.REFUSED: Stage.REFUSED,
}
_STATES = {
    Stage.AUTHORISED: PaymentState.AUTHORISED,
    Stage.CAPTURED: PaymentState.CAPTURED,
    Stage.VOIDED: PaymentState.VOIDED,
    Stage.REFUNDED: PaymentState.REFUNDED,
}


class StripePayments:
    """The household's saved card at Stripe: ``PaymentProvider`` and the shop's ``Payments``.

    ``capture``, ``void`` and ``refund`` ask Stripe inside the shop's transaction, which other writers wait for
    meanwhile.

    Args:
        engine: The shop's database.
        household: Whose card ``authorise`` means.
        currency: ISO 4217; orders in another are refused.
        api: Stripe.
        clock: The time of day.

    Raises:
        StoreError: The database cannot be used.
    """

    def __init__(
        self,
        engine: Engine,
        household: str,
        currency: str,
        api: StripeApi,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._engine = engine
        self._household = household
        self._currency = currency
        self._api = api
        self._clock = clock
        ensure_tables(engine, stripe_records.payments)

    def check(self) -> None:
        """Whether it is set up; asks nobody.

        Raises:
            SettingsError: It is not.
        """
        self._api.check(self._currency)

    def authorise(self, order_id: str, amount: Money) -> Answer:
        """Sets the amount aside; a second call for the order changes nothing.

        Raises:
            PaymentUnavailable: Stripe could not be asked. What it may have set aside, ``void`` gives back.
            SettingsError: It is not set up.
            StoreError: The record could not be written. What may have been set aside, ``void`` gives back.
        """
        if amount.currency != self._currency or amount.minor <= 0:
            return Answer.REFUSED
        self.check()
        payment = self._begun(order_id, amount)
        if payment.amount != amount:
            return Answer.REFUSED
        if payment.stage is Stage.BEGUN and payment.intent is None:
            payment = self._created(payment)
        if payment.stage is not Stage.BEGUN or payment.intent is None:
            return _ANSWERS.get(payment.stage, Answer.REFUSED)
        answer = self._api.confirm(payment.intent, payment.key("confirm"))
        return _ANSWERS.get(self._moved(payment, _STAGES[answer]).stage, Answer.REFUSED)

    def state(self, connection: Connection, household: str, order: str) -> PaymentState:
        """How the order's payment stands; a refund that a crash has hidden is asked for at Stripe.

        Raises:
            PaymentUnavailable: Stripe had to be asked and could not be.
        """
        payment = stripe_records.find(connection, household, order)
        if payment is None:
            return PaymentState.NONE
        if payment.stage is not Stage.REFUNDING or payment.intent is None:
            return _STATES.get(payment.stage, PaymentState.NONE)
        refunded = self._api.look(payment.intent) is Standing.REFUNDED
        stage = Stage.REFUNDED if refunded else Stage.CAPTURED
        stripe_records.move(connection, payment, stage)
        return _STATES[stage]

    def set_aside(self, connection: Connection, household: str) -> tuple[str, ...]:
        """Orders for which money may be set aside, or whose refund began and did not end, oldest first."""
        return stripe_records.unsettled(connection, household)

    def capture(self, connection: Connection, household: str, order: str, amount: Money) -> None:
        """Takes what was set aside.

        Raises:
            PaymentUnavailable: Not exactly this amount is set aside, or Stripe could not be asked.
        """
        payment = stripe_records.find(connection, household, order)
        if payment and payment.intent and payment.amount == amount:
            if payment.stage is Stage.CAPTURED:
                return
            if payment.stage is Stage.AUTHORISED:
                self._api.capture(payment.intent, payment.key("capture"))
                stripe_records.move(connection, payment, Stage.CAPTURED)
                return
        raise PaymentUnavailable(f"No payment of {amount.decimal()} {amount.currency} is authorised for {order}.")

    def void(self, connection: Connection, household: str, order: str) -> None:
        """Gives back what may be set aside, also when Stripe has taken it and the shop never came to know.

        Raises:
            PaymentUnavailable: The shop has been paid, which needs a refund; or Stripe could not be asked.
        """
        payment = stripe_records.find(connection, household, order)
        if payment is None or payment.stage in (
            Stage.VOIDED,
            Stage.REFUNDED,
            Stage.REFUSED,
            Stage.INSUFFICIENT_FUNDS,
        ):
            return
        if payment.stage not in (Stage.BEGUN, Stage.AUTHORISED):
            raise PaymentUnavailable(f"The payment of {order} is captured and cannot be voided, only refunded.")
        stripe_records.move(connection, payment, self._given_back(payment))

    def begin_refund(self, connection: Connection, household: str, order: str) -> None:
        """Notes that what was captured is about to be given back, so that a crash cannot hide it."""
        payment = stripe_records.find(connection, household, order)
        if payment and payment.stage is Stage.CAPTURED:
            stripe_records.move(connection, payment, Stage.REFUNDING)

    def refund(self, connection: Connection, household: str, order: str) -> None:
        """Gives back what was captured; nothing to do when that was done before.

        Raises:
            PaymentUnavailable: The shop was not paid, or Stripe could not be asked.
        """
        payment = stripe_records.find(connection, household, order)
        if payment and payment.stage is Stage.REFUNDED:
            return
        if payment is None or payment.stage not in (Stage.CAPTURED, Stage.REFUNDING):
            raise PaymentUnavailable(f"Nothing was paid for {order} that could be refunded.")
        stripe_records.move(connection, payment, self._given_back(payment))

    def refund_part(self, connection: Connection, household: str, order: str, part: int, amount: Money) -> None:
        """Gives back a part of what was captured; nothing to do when that was done before.

        Raises:
            PaymentUnavailable: The shop was not paid so much, or Stripe could not be asked.
        """
        payment = stripe_records.find(connection, household, order)
        if payment is None or payment.intent is None or payment.stage is not Stage.CAPTURED:
            raise PaymentUnavailable(f"Nothing was paid for {order} that could be refunded.")
        if amount.minor:
            self._api.refund_part(payment.intent, str(part), amount, payment.key(f"refund-{part}"))

    def _begun(self, order: str, amount: Money) -> StripePayment:
        with transaction(self._engine, self._household) as connection:
            return stripe_records.find(connection, self._household, order) or stripe_records.begin(
                connection, self._household, order, uuid.uuid4().hex, amount, self._clock()
            )

    def _created(self, payment: StripePayment) -> StripePayment:
        label = f"{payment.household} {payment.order}"
        intent = self._api.create(label, payment.amount, payment.key("create"))
        return self._moved(payment, Stage.BEGUN, intent)

    def _moved(self, payment: StripePayment, stage: Stage, intent: str | None = None) -> StripePayment:
        """The payment as it is now: at this stage, unless another process has moved it meanwhile."""
        with transaction(self._engine, self._household) as connection:
            stripe_records.move(connection, payment, stage, intent)
            found = stripe_records.find(connection, payment.household, payment.order)
        assert found is not None, "records are never deleted"
        return found

    def _given_back(self, payment: StripePayment) -> Stage:
        """Gives back whatever Stripe holds or has taken; the stage at which the payment is then."""
        if payment.intent is None:
            return Stage.VOIDED
        try:
            return self._give_back(payment, payment.intent)
        except Misfit:
            # It changed between the look and the step: what Stripe says now counts.
            return self._give_back(payment, payment.intent)

    def _give_back(self, payment: StripePayment, intent: str) -> Stage:
        match self._api.look(intent):
            case Standing.CANCELLED:
                return Stage.VOIDED
            case Standing.REFUNDED:
                return Stage.REFUNDED
            case Standing.PAID:
                self._api.refund(intent, payment.amount, payment.key("refund"))
                return Stage.REFUNDED
            case Standing.BUSY:
                raise PaymentUnavailable("Stripe is still asking the card's bank, so nothing can be given back yet.")
            case _:
                self._api.cancel(intent, payment.key("cancel"))
                return Stage.VOIDED
