"""Whose voice the device hears: told, and used for what is somebody's own. It pays nothing."""

from collections.abc import Mapping
from dataclasses import replace
from functools import wraps

from assistant.languages.language import load_language
from assistant.talk import asides, habits, listing, promoting, returning
from assistant.talk.actions import Identify, Say
from assistant.talk.flow import resume
from assistant.talk.inputs import Heard, Identified
from assistant.talk.situation import Knowledge, State
from assistant.talk.turn import Handler, Outcome, Turn
from assistant.understand.understanding import Intent, Understanding

_LISTS = frozenset({Intent.LIST_ADD, Intent.LIST_READ, Intent.LIST_REMOVE, Intent.LIST_BUY})
_FOR_ALL = _LISTS | {Intent.OFFERS}
"""What has an answer for everybody, whoever speaks."""
_HANDLERS: Mapping[Intent, Handler] = {
    Intent.LIST_ADD: asides.add_to_list,
    Intent.LIST_READ: listing.read_list,
    Intent.LIST_REMOVE: listing.remove_from_list,
    Intent.LIST_BUY: listing.buy_list,
    Intent.USUAL: habits.usual,
    Intent.REORDER: habits.reorder,
    Intent.RUNNING_LOW: habits.running_low,
    Intent.ORDER_STATUS: asides.order_status,
    Intent.CANCEL_ORDER: asides.cancel_order,
    Intent.RETURN_ORDER: returning.return_goods,
    Intent.OFFERS: promoting.on_offer,
}


def who_speaks(turn: Turn) -> Outcome:
    """Somebody wants to know whether the device knows the voice: compares it."""
    return turn.situation, (Identify(),)


def identified(turn: Turn) -> Outcome:
    """The voice was compared: says whose it seems to be, or answers what depended on that."""
    assert isinstance(turn.event, Identified)
    name, about = turn.event.name, turn.event.about
    if about is not None:
        return _answer(turn, about, name)
    return resume(turn, Say("unidentified") if name is None else Say("identified", {"name": name}))


def _asking_whose(handler: Handler) -> Handler:
    """The handler, for what is somebody's own: where people are told apart, the voice is compared first."""

    @wraps(handler)
    def ask_whose(turn: Turn) -> Outcome:
        heard = turn.understanding
        if not turn.knowledge.people:
            return handler(turn)
        if _needs_nobody(heard, turn.knowledge.language):
            return handler(replace(turn, knowledge=_known_to(None, turn, heard)))
        return turn.situation, (Identify(heard),)

    return ask_whose


PERSONAL: Mapping[Intent, Handler] = {intent: _asking_whose(handler) for intent, handler in _HANDLERS.items()}
"""The handlers of what is somebody's own: lists, orders, habits."""


def _answer(turn: Turn, about: Understanding, name: str | None) -> Outcome:
    """Answers with what is this person's; where the voice is not clear, with what is the household's."""
    view = _known_to(name, turn, about)
    if name is None and about.intent not in _FOR_ALL and not view.orders:
        return resume(turn, Say("personal.unclear"))
    after, actions = _HANDLERS[about.intent](replace(turn, event=Heard(about), knowledge=view))
    if name is None:
        return after, ((Say("unidentified"),) if about.intent not in _FOR_ALL else ()) + actions
    if after.state is State.IDLE:
        return after, actions
    if turn.situation.before is None and after.before is not None:
        after = replace(after, speaker=name)
    if turn.situation.greeted or not turn.settings.greetings:
        return after, actions
    return replace(after, greeted=True), (_greeting(turn, name), *actions)


def _known_to(name: str | None, turn: Turn, heard: Understanding) -> Knowledge:
    """What this voice may hear of: its own, else the household's, and an order whose number or parcel is spoken of."""
    knowledge = turn.knowledge
    whose = {order.id: knowledge.buyers.get(order.id) for order in knowledge.orders}
    theirs = name if name in whose.values() else None
    named = {heard.order, turn.situation.placed}
    orders = tuple(order for order in knowledge.orders if whose[order.id] == theirs or order.id in named)
    entries = tuple(entry for entry in knowledge.entries if entry.person in (None, name))
    return replace(knowledge, orders=orders, entries=entries, people=(), personal=True, speaker=name)


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
