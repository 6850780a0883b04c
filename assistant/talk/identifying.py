"""Whose voice the device hears: told, and used for what is somebody's own. It pays nothing."""

from collections.abc import Mapping
from dataclasses import replace
from functools import wraps

from assistant.languages.language import load_language
from assistant.talk import asides, habits, listing, promoting, returning
from assistant.talk.actions import Identify, Say
from assistant.talk.flow import resume
from assistant.talk.inputs import Heard, Identified
from assistant.talk.knowing import known_to
from assistant.talk.situation import State
from assistant.talk.turn import Handler, Outcome, Turn
from assistant.understand.understanding import Intent, Understanding

_LISTS = frozenset({Intent.LIST_ADD, Intent.LIST_READ, Intent.LIST_REMOVE, Intent.LIST_BUY})
_PAST: Mapping[Intent, Handler] = {
    Intent.USUAL: habits.usual,
    Intent.REORDER: habits.reorder,
    Intent.RUNNING_LOW: habits.running_low,
    Intent.ORDER_STATUS: asides.order_status,
    Intent.CANCEL_ORDER: asides.cancel_order,
    Intent.RETURN_ORDER: returning.return_goods,
}
_HANDLERS: Mapping[Intent, Handler] = {
    **_PAST,
    Intent.LIST_ADD: asides.add_to_list,
    Intent.LIST_READ: listing.read_list,
    Intent.LIST_REMOVE: listing.remove_from_list,
    Intent.LIST_BUY: listing.buy_list,
    Intent.OFFERS: promoting.on_offer,
}


def who_speaks(turn: Turn) -> Outcome:
    """Somebody wants to know whether the device knows the voice: compares it."""
    return turn.situation, (Identify(),)


def tell_who_speaks(turn: Turn) -> Outcome:
    """Says whose voice it seems to be, or that nobody's is sure; what was open stays open."""
    assert isinstance(turn.event, Identified)
    name = turn.event.name
    return resume(turn, Say("unidentified") if name is None else Say("identified", {"name": name}))


def answer_by_voice(turn: Turn, handler: Handler) -> Outcome:
    """What was said is answered now that its voice was compared: with what is this person's, or the household's.

    Args:
        turn: Its event is the comparison, with what was said.
        handler: Of what was said.
    """
    assert isinstance(turn.event, Identified) and turn.event.about is not None
    name, about = turn.event.name, turn.event.about
    view = known_to(name, turn.knowledge, (about.order, turn.situation.placed))
    if name is None and about.intent in _PAST and not view.orders:
        return resume(turn, Say("personal.unclear"))
    after, actions = handler(replace(turn, event=Heard(about), knowledge=view))
    if name is None:
        return after, ((Say("unidentified"),) if about.intent in _PAST else ()) + actions
    if after.state is State.IDLE:
        return after, actions
    if turn.situation.before is None and after.before is not None:
        after = replace(after, speaker=name)
    if turn.situation.greeted or not turn.settings.greetings:
        return after, actions
    return replace(after, greeted=True), (_greeting(turn, name), *actions)


def _asking_whose(handler: Handler) -> Handler:
    """The handler, for what is somebody's own: where people are told apart, the voice is compared first."""

    @wraps(handler)
    def ask_whose(turn: Turn) -> Outcome:
        heard = turn.understanding
        if not turn.knowledge.people:
            return handler(turn)
        if _needs_nobody(heard, turn.knowledge.language):
            return handler(replace(turn, knowledge=known_to(None, turn.knowledge, (heard.order,))))
        return turn.situation, (Identify(heard),)

    return ask_whose


PERSONAL: Mapping[Intent, Handler] = {intent: _asking_whose(handler) for intent, handler in _HANDLERS.items()}
"""The handlers of what is somebody's own: lists, orders, habits."""


def _needs_nobody(heard: Understanding, language: str) -> bool:
    """Whether the answer is the same whoever asks: the household's own list, an order's number, deals on products."""
    if heard.intent not in _LISTS:
        return bool(heard.order) or (heard.intent is Intent.OFFERS and bool(heard.items or heard.unresolved))
    words = load_language(language).data["answers"]["household"]["words"]
    return not set(words).isdisjoint(heard.text.split())


def _greeting(turn: Turn, name: str) -> Say:
    hour = turn.knowledge.now.hour if turn.knowledge.now else None
    if hour is None or not 5 <= hour < 23:
        return Say("personal.hello", {"name": name})
    time = "morning" if hour < 12 else "afternoon" if hour < 18 else "evening"
    return Say(f"personal.{time}", {"name": name})
