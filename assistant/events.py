"""What happens, as small frozen dataclasses on one stream.

Logs, JSON lines, the terminal's conversation view, metrics and tests are observers of the stream; nothing else reports.
"""

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar


@dataclass(frozen=True, kw_only=True)
class Event:
    """Base of all events.

    Attributes:
        name: The event's stable name in JSON output.
        at: Seconds of audio since the source was opened.
    """

    name: ClassVar[str] = "event"
    at: float


@dataclass(frozen=True, kw_only=True)
class Wake(Event):
    """The wake phrase was spotted (``score`` as the spotter gives it)."""

    name = "wake"
    phrase: str
    score: float


@dataclass(frozen=True, kw_only=True)
class SpeechStarted(Event):
    """Voice activity began."""

    name = "speech_started"


@dataclass(frozen=True, kw_only=True)
class Partial(Event):
    """What has been heard so far while the person is speaking."""

    name = "partial"
    text: str


@dataclass(frozen=True, kw_only=True)
class SpeechEnded(Event):
    """The endpoint was found; ``seconds`` is the utterance's length."""

    name = "speech_ended"
    seconds: float


@dataclass(frozen=True, kw_only=True)
class Transcript(Event):
    """The recogniser's result.

    Attributes:
        text: Best hypothesis.
        alternatives: The other hypotheses' texts, best first.
        latency_seconds: From the end of speech to this text: audio waited for the endpoint plus computing.
    """

    name = "transcript"
    text: str
    alternatives: tuple[str, ...]
    latency_seconds: float


@dataclass(frozen=True, kw_only=True)
class Understood(Event):
    """What the utterance means; ``items`` as in ``voicecart understand``."""

    name = "understood"
    text: str
    intent: str
    items: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True, kw_only=True)
class Reply(Event):
    """What the device says; ``latency_seconds`` from the end of speech to the first audio."""

    name = "reply"
    text: str
    latency_seconds: float


@dataclass(frozen=True, kw_only=True)
class Challenge(Event):
    """A random-digit challenge was issued."""

    name = "challenge"
    digits: str


@dataclass(frozen=True, kw_only=True)
class Secrecy(Event):
    """Whether a secret may be said from now on (a PIN): what is heard meanwhile is neither shown nor kept."""

    name = "secrecy"
    secret: bool


@dataclass(frozen=True, kw_only=True)
class Authorised(Event):
    """The payment authority said yes to this order and amount (minor units)."""

    name = "authorised"
    order: str
    amount: int
    currency: str


@dataclass(frozen=True, kw_only=True)
class Declined(Event):
    """The payment authority said no, or could not be asked; ``reason`` is a stable code."""

    name = "declined"
    order: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class OrderPlaced(Event):
    """An order is paid and placed (total in minor units)."""

    name = "order_placed"
    order: str
    total: int
    currency: str


@dataclass(frozen=True, kw_only=True)
class CartChanged(Event):
    """The cart's lines after a change, and what the total holds beside them: discounts, deposits, taxes."""

    name = "cart_changed"
    lines: tuple[Mapping[str, Any], ...]
    charges: tuple[Mapping[str, Any], ...] = ()
    total: int
    currency: str


@dataclass(frozen=True, kw_only=True)
class Failure(Event):
    """Something went wrong that a person should know (``code`` of a ``VoicecartError``)."""

    name = "error"
    code: str
    message: str


@dataclass(frozen=True, kw_only=True)
class Idle(Event):
    """The conversation is over; the device waits for its wake phrase."""

    name = "idle"


Observer = Callable[[Event], None]


class EventStream:
    """Hands every event to every observer, in the order they subscribed."""

    def __init__(self) -> None:
        self._observers: list[Observer] = []

    def subscribe(self, observer: Observer) -> None:
        """Adds an observer; it sees events published from now on."""
        self._observers.append(observer)

    def publish(self, event: Event) -> None:
        """Hands ``event`` to all observers."""
        for observer in self._observers:
            observer(event)


def to_json(event: Event) -> dict[str, Any]:
    """The event as one JSON object: ``event`` and ``at`` first, then its own fields."""
    fields = dataclasses.asdict(event)
    at = round(fields.pop("at"), 3)
    return {"event": event.name, "at": at} | fields
