"""Carries out what the dialogue decides: shop, payment, events. It hears utterances and returns what to say."""

import contextlib
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from assistant import events
from assistant.attribution import Attribution
from assistant.errands import Errands
from assistant.errors import VoicecartError
from assistant.events import EventStream
from assistant.hear.audio import Samples
from assistant.hear.ears import Utterance
from assistant.pay.authority import PaymentAuthority
from assistant.pay.identification import Identification
from assistant.settings import Settings
from assistant.shop.cart import Cart
from assistant.shop.product import Product
from assistant.shop.shortlists import Shortlists
from assistant.shop.store import Store
from assistant.talk import actions, inputs
from assistant.talk.actions import Action, Listen, Say
from assistant.talk.dialogue import advance, answers_challenge
from assistant.talk.inputs import Input
from assistant.talk.replies import Replies
from assistant.talk.situation import Knowledge, Situation, State
from assistant.till import Till
from assistant.understand.understanding import Context, Expecting, Intent, Understanding

Understand = Callable[[Sequence[str], Context], Understanding]
Shorten = Callable[[Mapping[str, Product]], Shortlists | None]


@dataclass(frozen=True)
class Response:
    """What the device does next.

    Attributes:
        replies: Said one after the other.
        expecting: What is listened for then; None when no answer is awaited.
        secret: The answer's words are shown to nobody.
    """

    replies: tuple[str, ...]
    expecting: Expecting | None
    secret: bool = False


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
        errands: Returns, shopping list, addresses.
        identification: Whose voice a clip is, and who can be told apart.
        shorten: What is looked through in place of very many products; None where all of them are.
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
        errands: Errands,
        identification: Identification,
        shorten: Shorten = lambda products: None,
    ) -> None:
        self._understand = understand
        self._woken_only = woken_only
        self._store = store
        self._errands = errands
        self._identification = identification
        self._shorten = shorten
        self._attribution = Attribution(identification.who, errands)
        self._authority = authority
        self._replies = replies
        self._settings = settings
        self._stream = stream
        self._now = now
        self._till = Till(store, authority, settings.pay, stream, now, randomness)
        self._situation = Situation()
        self._listen: Listen | None = None

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
        answers = (
            self._situation.state is State.AUTHORISING and self._till.awaiting and answers_challenge(understanding)
        )
        if not (answers and self._till.secret):
            self._stream.publish(
                events.Understood(
                    at=self._now(),
                    # Also what is no PIN, such as "cancel", may have been said together with one.
                    text="" if self._till.secret else understanding.text,
                    intent=understanding.intent,
                    items=tuple(item.to_json() for item in understanding.items),
                )
            )
        if answers:
            outcome = self._till.judge(hypotheses, clip, at)
            if isinstance(outcome, inputs.Paid):
                self._publish_cart(self._store.cart())
                self._attribute(outcome)
            return self._run(outcome)
        if self._nobody_spoke_to_us(understanding):
            return Response((), None)
        if not understanding.text:
            return self._run(inputs.NotHeard())
        return self._run(inputs.Heard(understanding), clip)

    def silence(self, at: float) -> Response:
        """No answer came in time."""
        return self._run(inputs.Silence())

    def leave(self) -> None:
        """The conversation ends from outside; a payment under way is given up."""
        if self._situation.state is not State.IDLE:
            self._run(inputs.Left())
        try:
            self._attribution.settle()
        except VoicecartError as error:
            self._report(error)

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

    def _run(self, event: Input | None, clip: Samples | None = None) -> Response:
        """Steps through the dialogue until it waits for the person, who has just said ``clip``."""
        replies: list[str] = []
        while event is not None:
            self._listen = None
            before = self._situation
            try:
                knowledge = self._knowledge()
                # Products of a large catalog are read while the dialogue asks for them.
                self._situation, steps = advance(before, event, knowledge, self._settings.talk)
            except VoicecartError as error:
                return self._broken(error)
            if knowledge.people and before.before is None and self._situation.before is not None:
                self._attribution.begun(clip)
            event = None
            for action in steps:
                try:
                    event = self._carry_out(action, replies, clip)
                except VoicecartError as error:
                    self._report(error)
                    event = inputs.Failed(error.code)
                if event is not None:
                    break
        listen = self._listen
        expecting = None if listen is None or listen.optional else listen.expecting
        return Response(tuple(replies), expecting, secret=listen is not None and listen.secret)

    def _broken(self, error: VoicecartError) -> Response:
        """The shop cannot be read: says so and ends; the next start gives up what was being paid."""
        self._report(error)
        with contextlib.suppress(VoicecartError):
            self._till.abandon()
        self._situation, self._listen = Situation(), None
        return Response((self._replies.render(Say(f"error.{error.code}")),), None)

    def _carry_out(self, action: Action, replies: list[str], clip: Samples | None) -> Input | None:
        match action:
            case Say():
                replies.append(self._replies.render(action))
            case actions.Listen():
                self._listen = action
            case actions.ChangeCart(cart):
                self._store.save_cart(cart)
                self._publish_cart(cart)
            case actions.BeginPayment(cart, total, address):
                return self._till.begin(cart, total, lambda order: self._errands.send(order, address))
            case actions.RequestChallenge():
                return self._till.challenge()
            case actions.AbandonPayment():
                self._till.abandon()
            case actions.CancelOrder(order):
                return inputs.OrderCancelled(self._store.cancel_order(order))
            case actions.AddToList(text, sku, quantity, person):
                self._store.add_to_list(text, sku, quantity, person)
            case actions.UseCoupon(promotion):
                self._store.prices.name_coupon(promotion)
                return inputs.CouponNamed(promotion)
            case actions.Identify(about):
                return inputs.Identified(self._whose(clip, needed=about is None), about)
            case _:
                return self._errands.carry_out(action)
        return None

    def _whose(self, clip: Samples | None, *, needed: bool) -> str | None:
        """Whose voice it is; where that is not what was asked, voices that cannot be compared are nobody's."""
        try:
            return None if clip is None else self._identification.who(clip)
        except VoicecartError as error:
            if needed:
                raise
            self._report(error)
            return None

    def _people(self) -> tuple[str, ...]:
        return self._identification.people() if self._settings.talk.personal else ()

    def _attribute(self, paid: inputs.Paid) -> None:
        """Notes whose order it is; one that cannot be noted is the household's."""
        try:
            self._attribution.paid(paid.order, paid.payer if self._people() else None)
        except VoicecartError as error:
            self._report(error)

    def _report(self, error: VoicecartError) -> None:
        self._stream.publish(events.Failure(at=self._now(), code=error.code, message=error.message))

    def _publish_cart(self, cart: Cart) -> None:
        language = self._settings.understand.language
        bill = self._store.prices.pricing().bill(cart, self._store.shelf())
        self._stream.publish(
            events.CartChanged(
                at=self._now(),
                lines=tuple(line.to_json(language) for line in bill.lines),
                charges=tuple(charge.to_json(language) for charge in bill.charges),
                total=bill.total.minor,
                currency=bill.currency,
            )
        )

    def _knowledge(self) -> Knowledge:
        products = self._store.shelf()
        readiness = self._authority.ready()
        known = Knowledge(
            products=products,
            cart=self._store.cart(),
            orders=self._store.orders(),
            shopping_list=tuple(entry.text for entry in self._store.shopping_list()),
            obstacle=readiness.obstacle,
            language=self._settings.understand.language,
            pricing=self._store.prices.pricing(),
            people=self._people(),
            shortlists=self._shorten(products),
        )
        return self._errands.inform(known)
