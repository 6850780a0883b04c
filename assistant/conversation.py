"""Carries out what the dialogue decides: shop, payment, events. It hears utterances and returns what to say."""

import contextlib
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from assistant import events
from assistant.errors import PaymentUnavailable as ProviderUnavailable
from assistant.errors import VoicecartError
from assistant.events import EventStream
from assistant.hear.audio import Samples
from assistant.hear.ears import Utterance
from assistant.pay.authority import (
    AuthorisationRequest,
    Authorised,
    Declined,
    PaymentAuthority,
    Unavailable,
)
from assistant.pay.challenge import Challenge
from assistant.settings import Settings
from assistant.shop.cart import Cart
from assistant.shop.orders import Order
from assistant.shop.product import Product
from assistant.shop.store import Store
from assistant.talk import actions, inputs
from assistant.talk.actions import Action, Listen, Say
from assistant.talk.dialogue import advance, answers_challenge
from assistant.talk.inputs import Input
from assistant.talk.replies import Replies
from assistant.talk.situation import Knowledge, Situation, State
from assistant.understand.understanding import Context, Expecting, Intent, Understanding

Understand = Callable[[Sequence[str], Context], Understanding]


@dataclass(frozen=True)
class Response:
    """What the device does next.

    Attributes:
        replies: Said one after the other.
        expecting: What is listened for then; None when no answer is awaited.
    """

    replies: tuple[str, ...]
    expecting: Expecting | None


@dataclass(frozen=True)
class _Payment:
    """The payment under way."""

    order: Order
    challenge: Challenge

    @property
    def request(self) -> AuthorisationRequest:
        return AuthorisationRequest(self.order.id, self.order.total)


class Conversation:
    """One device's conversations, one after the other.

    Args:
        understand: Hypotheses and context to meaning; pure.
        woken_only: Whether a hypothesis is the wake phrase and nothing else.
        store: Catalog, cart, orders, shopping list.
        authority: Proves who pays.
        replies: Words for what is to be said.
        settings: Patience, limits and the language.
        stream: Takes the events.
        now: Audio seconds.
        randomness: Makes the orders' idempotency keys.
    """

    def __init__(
        self,
        understand: Understand,
        woken_only: Callable[[str], bool],
        store: Store,
        authority: PaymentAuthority,
        replies: Replies,
        settings: Settings,
        stream: EventStream,
        now: Callable[[], float],
        randomness: random.Random,
    ) -> None:
        self._understand = understand
        self._woken_only = woken_only
        self._store = store
        self._authority = authority
        self._replies = replies
        self._settings = settings
        self._stream = stream
        self._now = now
        self._randomness = randomness
        self._situation = Situation()
        self._listen: Listen | None = None
        self._order: Order | None = None
        self._payment: _Payment | None = None

    @property
    def active(self) -> bool:
        """Whether a wish may follow without the wake phrase."""
        return self._listen is not None

    def heard(self, utterance: Utterance) -> Response:
        """Answers an utterance."""
        return self.heard_text([hypothesis.text for hypothesis in utterance.hypotheses], utterance.clip, utterance.at)

    def heard_text(self, hypotheses: Sequence[str], clip: Samples | None = None, at: float = 0.0) -> Response:
        """Answers words, best hypothesis first; without a ``clip`` nobody can prove who speaks."""
        if self._woken_only(hypotheses[0]):
            return self._run(inputs.Woken())
        try:
            cart = self._store.cart()
        except VoicecartError as error:
            return self._broken(error)
        expecting, choices = (self._listen.expecting, self._listen.choices) if self._listen else (Expecting.COMMAND, ())
        understanding = self._understand(
            hypotheses, Context(expecting, choices, tuple(line.sku for line in cart.lines))
        )
        self._stream.publish(
            events.Understood(
                at=self._now(),
                text=understanding.text,
                intent=understanding.intent,
                items=tuple(item.to_json() for item in understanding.items),
            )
        )
        if self._situation.state is State.AUTHORISING and self._payment and answers_challenge(understanding):
            return self._run(self._judge(self._payment, hypotheses, clip, at))
        if self._nobody_spoke_to_us(understanding):
            return Response((), None)
        if not understanding.text:
            return self._run(inputs.NotHeard())
        return self._run(inputs.Heard(understanding))

    def silence(self, at: float) -> Response:
        """No answer came in time."""
        return self._run(inputs.Silence())

    def leave(self) -> None:
        """The conversation ends from outside; a payment under way is given up."""
        if self._situation.state is not State.IDLE:
            self._run(inputs.Left())

    def interrupts(self, utterance: Utterance, spoken: str) -> bool:
        """Whether a person said "stop" or "cancel" over the device's voice (and it was not the device itself).

        Args:
            utterance: What was heard meanwhile.
            spoken: What the device is saying: its own words are not taken for a person's.
        """
        text = utterance.hypotheses[0].text
        if set(text.split()) & set(spoken.lower().replace(",", " ").replace(".", " ").split()):
            return False
        understanding = self._understand([text], Context(Expecting.INTERRUPTION))
        return understanding.intent in (Intent.STOP, Intent.CANCEL)

    def _nobody_spoke_to_us(self, understanding: Understanding) -> bool:
        # In the follow-up window no question is open: talk between people must not be answered.
        open_question = self._listen is not None and not self._listen.optional
        return (
            not open_question
            and self._situation.state is State.DONE
            and (understanding.intent is Intent.UNKNOWN and not understanding.unresolved)
        )

    def _run(self, event: Input | None) -> Response:
        """Steps through the dialogue until it waits for the person."""
        replies: list[str] = []
        while event is not None:
            self._listen = None
            try:
                knowledge = self._knowledge()
            except VoicecartError as error:
                return self._broken(error)
            self._situation, steps = advance(self._situation, event, knowledge, self._settings.talk)
            event = None
            for action in steps:
                try:
                    event = self._carry_out(action, replies)
                except VoicecartError as error:
                    self._report(error)
                    event = inputs.Failed(error.code)
                if event is not None:
                    break
        listen = self._listen
        return Response(tuple(replies), None if listen is None or listen.optional else listen.expecting)

    def _broken(self, error: VoicecartError) -> Response:
        """The shop cannot be read: says so and ends; the next start gives up what was being paid."""
        self._report(error)
        with contextlib.suppress(VoicecartError):
            self._abandon()
        self._situation, self._listen = Situation(), None
        return Response((self._replies.render(Say(f"error.{error.code}")),), None)

    def _carry_out(self, action: Action, replies: list[str]) -> Input | None:
        match action:
            case Say():
                replies.append(self._replies.render(action))
            case actions.Listen():
                self._listen = action
            case actions.ChangeCart(cart):
                self._store.save_cart(cart)
                self._publish_cart(cart)
            case actions.BeginPayment(cart):
                self._order = self._store.begin_order(cart, f"{self._randomness.getrandbits(128):032x}")
                return self._challenge(self._order)
            case actions.RequestChallenge() if self._order is not None:
                return self._challenge(self._order)
            case actions.AbandonPayment():
                self._abandon()
            case actions.CancelOrder(order):
                return inputs.OrderCancelled(self._store.cancel_order(order))
            case actions.AddToList(text, sku, quantity):
                self._store.add_to_list(text, sku, quantity)
            case _:
                pass
        return None

    def _challenge(self, order: Order) -> Input:
        outcome = self._authority.challenge(AuthorisationRequest(order.id, order.total), self._now())
        if isinstance(outcome, Challenge):
            self._payment = _Payment(order, outcome)
            self._stream.publish(events.Challenge(at=self._now(), digits=outcome.digits))
            return inputs.ChallengeIssued(outcome.digits)
        return self._refused(order, outcome)

    def _judge(self, payment: _Payment, hypotheses: Sequence[str], clip: Samples | None, at: float) -> Input:
        """The challenge was answered: authorise, then place the order."""
        self._payment = None
        order = payment.order
        try:
            outcome = self._authority.answer(
                payment.request,
                payment.challenge,
                hypotheses,
                clip if clip is not None else np.zeros(0, np.float32),
                at,
            )
            if not isinstance(outcome, Authorised):
                return self._refused(order, outcome)
            placed = self._store.complete_order(order.id)
        except VoicecartError as error:
            self._report(error)
            return inputs.PaymentUnavailable() if isinstance(error, ProviderUnavailable) else inputs.Failed(error.code)
        self._order = None
        amount, currency = placed.total.minor, placed.total.currency
        self._stream.publish(events.Authorised(at=self._now(), order=placed.id, amount=amount, currency=currency))
        self._stream.publish(events.OrderPlaced(at=self._now(), order=placed.id, total=amount, currency=currency))
        self._publish_cart(self._store.cart())
        return inputs.Paid(placed)

    def _refused(self, order: Order, outcome: Declined | Unavailable) -> Input:
        reason = str(outcome.reason) if isinstance(outcome, Declined) else "unavailable"
        self._stream.publish(events.Declined(at=self._now(), order=order.id, reason=reason))
        if isinstance(outcome, Declined):
            return inputs.PaymentDeclined(reason, outcome.retry)
        return inputs.PaymentUnavailable()

    def _abandon(self) -> None:
        self._payment = None
        order, self._order = self._order, None
        if order is not None:
            self._store.abandon_order(order.id)

    def _report(self, error: VoicecartError) -> None:
        self._stream.publish(events.Failure(at=self._now(), code=error.code, message=error.message))

    def _publish_cart(self, cart: Cart) -> None:
        language = self._settings.understand.language
        self._stream.publish(
            events.CartChanged(
                at=self._now(),
                lines=tuple(line.to_json(language) for line in cart.lines),
                total=cart.total.minor,
                currency=cart.total.currency,
            )
        )

    def _knowledge(self) -> Knowledge:
        products: dict[str, Product] = {product.sku: product for product in self._store.products()}
        readiness = self._authority.ready()
        return Knowledge(
            products=products,
            cart=self._store.cart(),
            orders=self._store.orders(),
            shopping_list=tuple(entry.text for entry in self._store.shopping_list()),
            obstacle=readiness.obstacle,
            language=self._settings.understand.language,
        )
