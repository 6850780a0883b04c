"""One step of the dialogue: what goes in, what comes out, and the usual ways for a step to end."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeAlias

from assistant.settings import Talk
from assistant.shop.cart import Cart
from assistant.talk.actions import Action, ChangeCart, EndConversation, Listen, Say
from assistant.talk.inputs import Heard, Input
from assistant.talk.situation import Goal, Knowledge, Situation, State
from assistant.understand.understanding import Expecting, Intent, Understanding

Outcome: TypeAlias = tuple[Situation, tuple[Action, ...]]


@dataclass(frozen=True)
class Turn:
    """What a handler is given."""

    situation: Situation
    event: Input
    knowledge: Knowledge
    settings: Talk

    @property
    def understanding(self) -> Understanding:
        """What was heard; an empty one for inputs that are not speech."""
        return self.event.understanding if isinstance(self.event, Heard) else Understanding("", Intent.UNKNOWN)

    @property
    def underway(self) -> bool:
        """Whether the person is ordering: changes of the cart are then read back."""
        return self.situation.before is not None and self.situation.goal is Goal.BUY

    def save(self, cart: Cart) -> tuple[Action, ...]:
        """The action that keeps the household's cart in step, if it differs."""
        return () if cart == self.knowledge.cart else (ChangeCart(cart),)


Handler: TypeAlias = Callable[[Turn], Outcome]


def done(*actions: Action, placed: str | None = None) -> Outcome:
    """Nothing is open any more; a new wish may follow."""
    return Situation(State.DONE, placed=placed), (*actions, Listen(Expecting.COMMAND, optional=True))


def asleep(*actions: Action) -> Outcome:
    """The conversation ends."""
    return Situation(), (*actions, EndConversation())


def listening(situation: Situation, *actions: Action) -> Outcome:
    """An open question has been asked."""
    after = replace(situation, state=State.LISTENING, question=None, waiting=(), failures=0)
    return after, (*actions, Listen(Expecting.COMMAND))


def kept(turn: Turn) -> tuple[Say, ...]:
    """Says that the cart is kept, when there is something in it."""
    return (Say("cart_kept"),) if turn.knowledge.cart else ()
