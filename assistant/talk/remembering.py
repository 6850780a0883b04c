"""What is remembered from step to step as long as a conversation lasts. Pure."""

from dataclasses import replace

from assistant.talk.inputs import Heard, Identified, Input, Paid
from assistant.talk.situation import Situation, State, WhichProduct
from assistant.talk.subject import missed
from assistant.understand.understanding import Intent


def remember(before: Situation, event: Input, after: Situation) -> Situation:
    """``after`` with what the conversation has been about so far; a conversation that is over is forgotten.

    What was ordered goes where it was said, until it is paid.
    """
    if after.state is State.IDLE:
        return after
    if isinstance(event, Identified) and event.about is not None:
        event = Heard(event.about)
    deliver_to = None if isinstance(event, Paid) else after.deliver_to or before.deliver_to
    return replace(
        after,
        deliver_to=deliver_to,
        topic=_topic(before, event, after) or after.topic or before.topic,
        offered=after.question.choices if isinstance(after.question, WhichProduct) else before.offered,
        recommended=before.recommended or after.recommended,
        greeted=before.greeted or after.greeted,
        speaker=None if after.before is None else after.speaker or before.speaker,
    )


def _topic(before: Situation, event: Input, after: Situation) -> tuple[str, ...]:
    if isinstance(after.question, WhichProduct):
        return after.question.choices
    if isinstance(event, Paid):
        return tuple(line.sku for line in event.order.lines)
    if not isinstance(event, Heard):
        return ()
    items = tuple(item.sku for item in event.understanding.items)
    named = items or next((one.candidates for one in event.understanding.unresolved if one.candidates), ())
    missing = missed(before) if event.understanding.intent in (Intent.DENY, Intent.STOCK_ALERT) else None
    # Who wants nothing of what was offered goes on to speak of what is sold out.
    return named or ((missing,) if missing else ())
