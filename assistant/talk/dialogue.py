"""The dialogue: a pure state machine on the table of ``transitions``."""

from dataclasses import replace

from assistant.settings import Talk
from assistant.talk.actions import AbandonPayment, Action, Listen, Say
from assistant.talk.identifying import answer_by_voice
from assistant.talk.inputs import Identified, Input, Paid, kind_of
from assistant.talk.remembering import remember
from assistant.talk.situation import Knowledge, Situation, State
from assistant.talk.transitions import TABLE
from assistant.talk.turn import Turn
from assistant.understand.understanding import Intent, Understanding

_NEVER_AN_ANSWER = frozenset({Intent.STOP, Intent.CANCEL, Intent.CANCEL_ORDER, Intent.DENY, Intent.REPEAT, Intent.HELP})


def advance(
    situation: Situation, event: Input, knowledge: Knowledge, settings: Talk
) -> tuple[Situation, tuple[Action, ...]]:
    """One step of the conversation. Pure: no clock, no I/O, no randomness.

    Whatever leads out of ``AUTHORISING`` other than the payment itself gives the payment up first.

    Args:
        situation: Where the conversation stands; ``Situation()`` for a new one.
        event: What happened.
        knowledge: The shop as it is now.
        settings: Patience.

    Returns:
        Where it stands now, and what is to be done, in this order.
    """
    turn = Turn(situation, event, knowledge, settings)
    if isinstance(event, Identified) and event.about is not None:
        row = TABLE[situation.state, event.about.intent]
        after, actions = answer_by_voice(turn, row.handler)
    else:
        row = TABLE[situation.state, kind_of(event)]
        after, actions = row.handler(turn)
    # Whoever asks first whose voice it was stays where the conversation stands until that is known.
    if after != situation and after.state not in row.to:
        raise AssertionError(f"{situation.state} on {kind_of(event)} may not lead to {after.state}")
    paying = situation.state is State.AUTHORISING and after.state is not State.AUTHORISING
    if paying and not isinstance(event, Paid):
        actions = (AbandonPayment(), *actions)
    after = remember(situation, event, after)
    said = tuple(action for action in actions if isinstance(action, Say))
    if said:
        listen = next((action for action in actions if isinstance(action, Listen)), None)
        after = replace(after, said=said, listen=listen)
    return after, actions


def answers_challenge(understanding: Understanding) -> bool:
    """Whether an utterance heard while authorising belongs to the payment authority (else to the dialogue)."""
    return understanding.intent not in _NEVER_AN_ANSWER
