"""What the shop needs of a payment provider once money is set aside: to take it, or to give it back."""

from collections.abc import Iterable
from enum import StrEnum
from typing import Protocol

from sqlalchemy import Connection

from assistant.shop.money import Money


class PaymentState(StrEnum):
    """How the payment of one order stands."""

    NONE = "none"
    AUTHORISED = "authorised"
    CAPTURED = "captured"
    VOIDED = "voided"
    REFUNDED = "refunded"


class Payments(Protocol):
    """Settles payments inside the shop's own transactions, so that order and ledger cannot disagree.

    Each is idempotent: asked for a second time it changes nothing. A provider that is far away may have done what the
    shop's transaction then did not come to record; it is asked what really happened when the shop recovers.
    """

    def state(self, connection: Connection, household: str, order: str) -> PaymentState:
        """How the order's payment stands.

        Raises:
            PaymentUnavailable: Only the provider knows, and it cannot be asked.
        """
        ...

    def set_aside(self, connection: Connection, household: str) -> Iterable[str]:
        """The orders of the household for which money may be set aside, or whose refund began and did not end."""
        ...

    def capture(self, connection: Connection, household: str, order: str, amount: Money) -> None:
        """Takes what was set aside.

        Raises:
            PaymentUnavailable: Not exactly this amount is set aside, or it cannot be taken now.
        """
        ...

    def void(self, connection: Connection, household: str, order: str) -> None:
        """Gives back what is set aside; nothing to do when nothing is.

        Raises:
            PaymentUnavailable: It is captured already, or cannot be given back now.
        """
        ...

    def begin_refund(self, connection: Connection, household: str, order: str) -> None:
        """Notes, in a transaction of its own before ``refund``, that a refund is about to be made."""
        ...

    def refund(self, connection: Connection, household: str, order: str) -> None:
        """Gives back what was captured, less what was given back of it in parts.

        Raises:
            PaymentUnavailable: Nothing was captured, or it cannot be given back now.
        """
        ...


class Refunds(Payments, Protocol):
    """Payments that can also be given back in parts."""

    def refund_part(self, connection: Connection, household: str, order: str, part: int, amount: Money) -> None:
        """Gives back a part of what was captured, once for each ``part``.

        Raises:
            PaymentUnavailable: So much is not there to be given back, or it cannot be given back now.
        """
        ...
