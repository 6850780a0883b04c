"""What the dialogue is told: what was heard, that nothing was, and what became of a payment."""

from dataclasses import dataclass
from typing import TypeAlias

from assistant.shop.cart import CartLine
from assistant.shop.money import Money
from assistant.shop.orders import Order
from assistant.understand.understanding import Intent, Understanding


@dataclass(frozen=True)
class Woken:
    """The wake phrase was said and nothing else."""


@dataclass(frozen=True)
class Heard:
    """An utterance was understood (its intent may be ``UNKNOWN``)."""

    understanding: Understanding


@dataclass(frozen=True)
class NotHeard:
    """Somebody spoke, but no words were recognised."""


@dataclass(frozen=True)
class Silence:
    """No answer came in time."""


@dataclass(frozen=True)
class Left:
    """The conversation is over from outside: the follow-up time has passed, the source has ended, the device stops."""


@dataclass(frozen=True)
class PriceChanged:
    """The shop asks for another total than the one that was confirmed; no order was begun."""


@dataclass(frozen=True)
class ChallengeIssued:
    """The payment authority wants these digits repeated."""

    digits: str


@dataclass(frozen=True)
class Paid:
    """The order is paid and placed; ``payer`` is the enrolled person who has proved to pay."""

    order: Order
    payer: str | None = None


@dataclass(frozen=True)
class PaymentDeclined:
    """The payment authority said no.

    Attributes:
        reason: Stable code; there is a sentence for it under ``declined`` in the replies.
        retry: Whether another challenge may be tried.
        pin: Whether a PIN may be said in place of another challenge.
    """

    reason: str
    retry: bool = False
    pin: bool = False


@dataclass(frozen=True)
class PaymentUnavailable:
    """The payment authority could not be asked; nothing was paid."""


@dataclass(frozen=True)
class CouponNamed:
    """The coupon of this promotion (its id) counts from now on."""

    promotion: str


@dataclass(frozen=True)
class Identified:
    """The voice was compared with those that are enrolled: whose it is, or None when nobody's is sure.

    Attributes:
        name: The person.
        about: What the person said, when its answer depends on that (as in ``Identify``).
    """

    name: str | None
    about: Understanding | None = None


@dataclass(frozen=True)
class OrderCancelled:
    """An order that had been placed is cancelled and its money given back."""

    order: Order


@dataclass(frozen=True)
class OrderReturned:
    """An order that had been delivered, or some of it, is returned.

    Attributes:
        order: The order.
        goods: What goes back.
        refund: The money for it.
        settled: Whether the money is given back; else it will be.
    """

    order: Order
    goods: tuple[CartLine, ...]
    refund: Money
    settled: bool


@dataclass(frozen=True)
class Failed:
    """An action failed: ``code`` of a ``VoicecartError``."""

    code: str


Input: TypeAlias = (
    Woken
    | Heard
    | NotHeard
    | Silence
    | Left
    | PriceChanged
    | ChallengeIssued
    | Paid
    | PaymentDeclined
    | PaymentUnavailable
    | CouponNamed
    | Identified
    | OrderCancelled
    | OrderReturned
    | Failed
)

Kind: TypeAlias = Intent | type[Input]
"""What a row of the transition table is chosen by: the intent of what was heard, else the type of the input."""


def kind_of(event: Input) -> Kind:
    """The kind of ``event``."""
    return event.understanding.intent if isinstance(event, Heard) else type(event)
