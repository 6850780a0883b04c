"""Whose the orders of a conversation are: found out when the conversation is over, as no answer depends on it."""

from collections.abc import Callable

from assistant.errands import Errands
from assistant.hear.audio import Samples
from assistant.shop.orders import Order


class Attribution:
    """Gives each order to the person whose voice began it when that is clear, else to whoever paid for it.

    The utterance that began an order is kept in memory until the conversation is over, where people are told apart.

    Args:
        identify: The name of the enrolled person whose voice a clip is, or None.
        errands: Notes whose an order is.
    """

    def __init__(self, identify: Callable[[Samples], str | None], errands: Errands) -> None:
        self._identify = identify
        self._errands = errands
        self._clip: Samples | None = None
        self._unsettled: list[tuple[str, Samples]] = []

    def begun(self, clip: Samples | None) -> None:
        """An order was begun by this utterance."""
        self._clip = clip

    def paid(self, order: Order, payer: str | None) -> None:
        """The order that was begun is paid: it is the payer's for now.

        Raises:
            StoreError: That cannot be noted.
        """
        clip, self._clip = self._clip, None
        if clip is not None:
            self._unsettled.append((order.id, clip))
        if payer:
            self._errands.give(order.id, payer)

    def settle(self) -> None:
        """The conversation is over: compares the voices that began its orders.

        Raises:
            VoicecartError: A voice cannot be compared, or it cannot be noted whose an order is.
        """
        unsettled, self._unsettled, self._clip = self._unsettled, [], None
        for order_id, clip in unsettled:
            person = self._identify(clip)
            if person is not None:
                self._errands.give(order_id, person)
