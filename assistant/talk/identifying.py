"""Whose voice the device hears: asked and told. It opens nothing and pays nothing."""

from assistant.talk.actions import Identify, Say
from assistant.talk.flow import resume
from assistant.talk.inputs import Identified
from assistant.talk.turn import Outcome, Turn


def who_speaks(turn: Turn) -> Outcome:
    """Somebody wants to know whether the device knows the voice: compares it."""
    return turn.situation, (Identify(),)


def tell_who_speaks(turn: Turn) -> Outcome:
    """Says whose voice it seems to be, or that nobody's is sure; what was open stays open."""
    assert isinstance(turn.event, Identified)
    name = turn.event.name
    return resume(turn, Say("unidentified") if name is None else Say("identified", {"name": name}))
