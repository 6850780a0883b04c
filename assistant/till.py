"""The till: begins orders, has the payment authority decide on them, and reports what became of them."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from assistant import events
from assistant.errors import PaymentUnavailable as ProviderUnavailable
from assistant.errors import PriceChanged, VoicecartError
from assistant.events import EventStream
from assistant.hear.audio import Samples
from assistant.pay.authority import AuthorisationRequest, Authorised, Declined, PaymentAuthority, Unavailable
from assistant.pay.challenge import Challenge
from assistant.pay.demands import demands_of
from assistant.settings import Pay
from assistant.shop.cart import Cart
from assistant.shop.money import Money
from assistant.shop.store import Store
from assistant.talk import inputs
from assistant.talk.inputs import Input


@dataclass(frozen=True)
class _Sale:
    """The order that is to be paid, and the challenge or the PIN that is awaited for it."""

    request: AuthorisationRequest
    challenge: Challenge | None = None
    pin: bool = False


class Till:
    """Payments of one conversation, one after the other.

    Args:
        store: Keeps the orders.
        authority: Decides who pays.
        settings: Which products need more than a voice.
        stream: Takes the events.
        now: Audio seconds.
        randomness: Makes the orders' idempotency keys.
    """

    def __init__(
        self,
        store: Store,
        authority: PaymentAuthority,
        settings: Pay,
        stream: EventStream,
        now: Callable[[], float],
        randomness: random.Random,
    ) -> None:
        self._store = store
        self._authority = authority
        self._settings = settings
        self._stream = stream
        self._now = now
        self._randomness = randomness
        self._sale: _Sale | None = None

    @property
    def awaiting(self) -> bool:
        """Whether the next answer belongs to the payment authority."""
        return self._sale is not None and (self._sale.pin or self._sale.challenge is not None)

    @property
    def secret(self) -> bool:
        """Whether the next answer may be a PIN, which nobody may read."""
        return self._sale is not None and self._sale.pin

    def begin(self, cart: Cart, total: Money, begun: Callable[[str], None] = lambda order_id: None) -> Input:
        """Begins the order of exactly this cart for exactly this total and asks for a challenge.

        Args:
            cart: What was confirmed.
            total: What it may cost; no order is begun for another amount.
            begun: Takes the order's number before anybody is asked to pay.

        Raises:
            VoicecartError: The order could not be begun.
        """
        try:
            order = self._store.begin_order(cart, f"{self._randomness.getrandbits(128):032x}", total)
        except PriceChanged:
            return inputs.PriceChanged()
        begun(order.id)
        demands = demands_of(order.lines, self._store.shelf(), self._settings)
        self._sale = _Sale(AuthorisationRequest(order.id, order.total, demands))
        return self.challenge()

    def challenge(self) -> Input:
        """Asks for a new challenge for the order under way."""
        if self._sale is None:
            return inputs.PaymentUnavailable()
        request = self._sale.request
        outcome = self._authority.challenge(request, self._now())
        if not isinstance(outcome, Challenge):
            return self._refused(request, outcome)
        self._sale = _Sale(request, outcome)
        self._stream.publish(events.Challenge(at=self._now(), digits=outcome.digits))
        return inputs.ChallengeIssued(outcome.digits)

    def judge(self, hypotheses: Sequence[str], clip: Samples | None, at: float) -> Input:
        """The challenge was answered, or a PIN was said: authorise, then place the order.

        Args:
            hypotheses: What was heard, best first.
            clip: The utterance's audio; without it nobody can prove who speaks.
            at: Audio seconds at its end.
        """
        sale, self._sale = self._sale, None
        if sale is None:
            return inputs.PaymentUnavailable()
        self._sale = _Sale(sale.request)
        try:
            if sale.challenge is not None:
                heard = clip if clip is not None else np.zeros(0, np.float32)
                outcome = self._authority.answer(sale.request, sale.challenge, hypotheses, heard, at)
            else:
                outcome = self._authority.pin(sale.request, hypotheses, at)
            if not isinstance(outcome, Authorised):
                return self._refused(sale.request, outcome)
            placed = self._store.complete_order(sale.request.order_id, of_cart=True)
        except VoicecartError as error:
            self._stream.publish(events.Failure(at=self._now(), code=error.code, message=error.message))
            return inputs.PaymentUnavailable() if isinstance(error, ProviderUnavailable) else inputs.Failed(error.code)
        self._sale = None
        amount, currency = placed.total.minor, placed.total.currency
        self._stream.publish(events.Authorised(at=self._now(), order=placed.id, amount=amount, currency=currency))
        self._stream.publish(events.OrderPlaced(at=self._now(), order=placed.id, total=amount, currency=currency))
        return inputs.Paid(placed, outcome.speaker)

    def abandon(self) -> None:
        """Gives up the order under way, if there is one.

        Raises:
            VoicecartError: That could not be saved; the next start gives it up.
        """
        sale, self._sale = self._sale, None
        if sale is not None:
            self._store.abandon_order(sale.request.order_id)

    def _refused(self, request: AuthorisationRequest, outcome: Declined | Unavailable) -> Input:
        reason = str(outcome.reason) if isinstance(outcome, Declined) else "unavailable"
        self._stream.publish(events.Declined(at=self._now(), order=request.order_id, reason=reason))
        if isinstance(outcome, Unavailable):
            return inputs.PaymentUnavailable()
        self._sale = _Sale(request, pin=outcome.pin)
        return inputs.PaymentDeclined(reason, outcome.retry, outcome.pin)
