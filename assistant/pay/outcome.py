"""What a payment authority is asked and what it answers."""

from dataclasses import dataclass
from enum import StrEnum

from assistant.pay.demands import NO_DEMANDS, Demands
from assistant.shop.money import Money


class DeclineReason(StrEnum):
    """Why a payment was declined; the replies have a sentence for each under ``declined``."""

    NOBODY_ENROLLED = "nobody_enrolled"
    VOICES_OUTDATED = "voices_outdated"
    ENCODER_MISSING = "encoder_missing"
    ENCODER_DAMAGED = "encoder_damaged"
    AMOUNT_INVALID = "amount_invalid"
    OVER_LIMIT = "over_limit"
    OVER_DAY_LIMIT = "over_day_limit"
    QUIET_HOURS = "quiet_hours"
    LOCKED_OUT = "locked_out"
    TOO_MANY_ATTEMPTS = "too_many_attempts"
    CHALLENGE_INVALID = "challenge_invalid"
    EXPIRED = "expired"
    WRONG_DIGITS = "wrong_digits"
    REPLAYED = "replayed"
    TOO_SHORT = "too_short"
    OTHER_VOICE = "other_voice"
    SPLICED = "spliced"
    NO_ADULT_ENROLLED = "no_adult_enrolled"
    APPROVAL_NEEDED = "approval_needed"
    ADULT_NEEDED = "adult_needed"
    ADULTS_ONLY = "adults_only"
    WRONG_PIN = "wrong_pin"
    NO_PIN = "no_pin"
    PIN_NOT_ENOUGH = "pin_not_enough"
    INSUFFICIENT_FUNDS = "insufficient_funds"
    REFUSED = "refused"

    @property
    def retry(self) -> bool:
        """Whether another challenge may mend it."""
        return self in _MENDABLE


_MENDABLE = frozenset(
    {
        DeclineReason.EXPIRED,
        DeclineReason.WRONG_DIGITS,
        DeclineReason.REPLAYED,
        DeclineReason.TOO_SHORT,
        DeclineReason.OTHER_VOICE,
        DeclineReason.SPLICED,
        DeclineReason.APPROVAL_NEEDED,
        DeclineReason.ADULT_NEEDED,
    }
)


@dataclass(frozen=True)
class AuthorisationRequest:
    """What is to be paid.

    Attributes:
        order_id: The order; also the idempotency key of its payment.
        amount: The order's total.
        demands: What its products demand of whoever pays.
    """

    order_id: str
    amount: Money
    demands: Demands = NO_DEMANDS


@dataclass(frozen=True)
class Authorised:
    """The amount is set aside for the order; ``speaker`` is the enrolled person who said the digits."""

    order_id: str
    amount: Money
    speaker: str


@dataclass(frozen=True)
class Declined:
    """No.

    Attributes:
        reason: Why.
        retry: Whether another challenge of this order may be asked for.
        pin: Whether a PIN may be said now in its place.
    """

    reason: DeclineReason
    retry: bool = False
    pin: bool = False


@dataclass(frozen=True)
class Unavailable:
    """The authority could not decide; nothing was set aside. ``code`` is that of the error behind it."""

    code: str


Outcome = Authorised | Declined | Unavailable
