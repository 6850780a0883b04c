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

    Each is idempotent: asked for a second time it changes nothing.
    """

    def state(self, connection: Connection, household: str, order: str) -> PaymentState:
        """How the order's payment stands."""
        ...

    def set_aside(self, connection: Connection, household: str) -> Iterable[str]:
        """The orders of the household for which money is set aside, neither captured nor voided."""
        ...

    def capture(self, connection: Connection, household: str, order: str, amount: Money) -> None:
        """Takes what was set aside.

        Raises:
            PaymentUnavailable: Not exactly this amount is set aside.
        """
        ...

    def void(self, connection: Connection, household: str, order: str) -> None:
        """Gives back what is set aside; nothing to do when nothing is.

        Raises:
            PaymentUnavailable: It is captured already.
        """
        ...

    def refund(self, connection: Connection, household: str, order: str) -> None:
        """Gives back what was captured.

        Raises:
            PaymentUnavailable: Nothing was captured.
        """
        ...
