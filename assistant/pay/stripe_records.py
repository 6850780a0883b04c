"""What the shop's database knows of its payments at Stripe. Every function works in the caller's transaction."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import BigInteger, Column, Connection, String, Table, insert, select, update

from assistant.shop.money import Money
from assistant.shop.schema import Instant, metadata


class Stage(StrEnum):
    """How far a payment has come, as far as is known here."""

    BEGUN = "begun"  # money may be set aside
    REFUSED = "refused"
    INSUFFICIENT_FUNDS = "insufficient_funds"
    AUTHORISED = "authorised"
    CAPTURED = "captured"
    REFUNDING = "refunding"  # the money may be given back
    VOIDED = "voided"
    REFUNDED = "refunded"


payments = Table(
    "stripe_payments",
    metadata,
    Column("household", String(64), primary_key=True),
    Column("order_id", String(16), primary_key=True),
    Column("token", String(32), nullable=False, comment="random: another database may know the same order number"),
    Column("intent", String(255), comment="Stripe's id; null: not known to have been made"),
    Column("stage", String(24), nullable=False),
    Column("amount_minor", BigInteger, nullable=False),
    Column("currency", String(3), nullable=False),
    Column("at", Instant, nullable=False),
)


@dataclass(frozen=True)
class StripePayment:
    """One order's payment.

    Attributes:
        household: Whose.
        order: The order's number.
        token: Makes the payment's idempotency keys unique in the Stripe account.
        intent: Stripe's id of it; None while it is not known.
        stage: How far it has come.
        amount: The whole of it.
    """

    household: str
    order: str
    token: str
    intent: str | None
    stage: Stage
    amount: Money

    def key(self, step: str) -> str:
        """Idempotency key of one step of this order's payment."""
        return f"voicecart-{self.order}-{self.token}-{step}"


def find(connection: Connection, household: str, order: str) -> StripePayment | None:
    """The order's payment, or None."""
    row = connection.execute(
        select(payments).where(payments.c.household == household, payments.c.order_id == order)
    ).first()
    if row is None:
        return None
    amount = Money(row.amount_minor, row.currency)
    return StripePayment(household, order, row.token, row.intent, Stage(row.stage), amount)


def begin(connection: Connection, household: str, order: str, token: str, amount: Money, at: datetime) -> StripePayment:
    """Notes that money is about to be set aside."""
    connection.execute(
        insert(payments).values(
            household=household,
            order_id=order,
            token=token,
            stage=Stage.BEGUN.value,
            amount_minor=amount.minor,
            currency=amount.currency,
            at=at,
        )
    )
    return StripePayment(household, order, token, None, Stage.BEGUN, amount)


def move(connection: Connection, payment: StripePayment, stage: Stage, intent: str | None = None) -> bool:
    """Notes a stage, and Stripe's id when it is given; False when it was moved by another meanwhile."""
    known = payment.intent if intent is None else intent
    changed = connection.execute(
        update(payments)
        .where(
            payments.c.household == payment.household,
            payments.c.order_id == payment.order,
            payments.c.stage == payment.stage.value,
            payments.c.intent.is_not_distinct_from(payment.intent),
        )
        .values(stage=stage.value, intent=known)
    )
    return changed.rowcount == 1


def unsettled(connection: Connection, household: str) -> tuple[str, ...]:
    """Orders whose payment is neither captured for good nor given back, oldest first."""
    open_stages = [Stage.BEGUN.value, Stage.AUTHORISED.value, Stage.REFUNDING.value]
    found = select(payments.c.order_id).where(payments.c.household == household, payments.c.stage.in_(open_stages))
    return tuple(connection.execute(found.order_by(payments.c.at)).scalars())
