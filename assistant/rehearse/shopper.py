"""A simulated shopper: hears the device's events, answers as audio, and is the device's microphone."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from assistant import events
from assistant.hear.audio import CHUNK_SAMPLES, RATE, Chunk, Samples

# After this much audio without a reply the shopper goes on: the device has chosen to say nothing.
_PATIENCE_SECONDS = 3.0
# People answer about this long after the other has finished.
_REACTION_SECONDS = 0.4
# How long they listen to somebody whom they interrupt.
_INTERRUPTION_SECONDS = 1.0


@dataclass(frozen=True)
class Turn:
    """What the shopper does next.

    Attributes:
        speech: What is said, 16 kHz mono; empty to stay silent.
        silence: Seconds of silence after it in which no reply is awaited.
        over_reply: Say it while the device is still speaking.
        began: Called when the shopper opens their mouth.
    """

    speech: Samples
    silence: float = 0.0
    over_reply: bool = False
    began: Callable[[], None] = lambda: None


NextTurn = Callable[[], Turn | None]


class ShopperSource:
    """An audio source in which a simulated shopper speaks; subscribe ``observe`` to the device's events.

    The next turn is asked for when the device has answered the last one and finished speaking.

    Args:
        next_turn: Gives the next turn, or None when the shopper has nothing more to say and the source ends.
        background: Noise of the room, 16 kHz mono, repeated; None is a silent room.
    """

    def __init__(self, next_turn: NextTurn, background: Samples | None = None) -> None:
        self._next_turn = next_turn
        self._background = background
        self._position = 0
        self._held = 0.0
        self._replied = False
        self._closed = False

    def observe(self, event: events.Event) -> None:
        """Takes the device's events."""
        if isinstance(event, events.Reply | events.Idle):
            self._replied = True

    def hold(self, seconds: float) -> None:
        """The device speaks for so long: the shopper listens."""
        self._held = seconds

    def close(self) -> None:
        """The shopper leaves."""
        self._closed = True

    def chunks(self) -> Iterator[Chunk]:
        """The room's sound until the shopper has nothing more to say."""
        for count, samples in enumerate(self._room()):
            if self._closed:
                return
            yield Chunk(self._with_background(samples), count * CHUNK_SAMPLES / RATE)

    def _room(self) -> Iterator[Samples]:
        yield from self._silence(0.5)
        while (turn := self._next_turn()) is not None:
            if turn.over_reply:
                yield from self._silence(_INTERRUPTION_SECONDS)
            else:
                yield from self._listen()
                yield from self._silence(_REACTION_SECONDS)
            self._replied = False
            turn.began()
            yield from _in_chunks(turn.speech)
            yield from self._silence(turn.silence)
            if not turn.silence:
                yield from self._await_reply()
        yield from self._listen()
        yield from self._silence(1.0)

    def _await_reply(self) -> Iterator[Samples]:
        waited = 0.0
        while not self._replied and waited < _PATIENCE_SECONDS:
            yield np.zeros(CHUNK_SAMPLES, np.float32)
            waited += CHUNK_SAMPLES / RATE

    def _listen(self) -> Iterator[Samples]:
        while self._held > 0:
            yield np.zeros(CHUNK_SAMPLES, np.float32)
            self._held -= CHUNK_SAMPLES / RATE

    def _silence(self, seconds: float) -> Iterator[Samples]:
        for _ in range(round(seconds * RATE / CHUNK_SAMPLES)):
            yield np.zeros(CHUNK_SAMPLES, np.float32)

    def _with_background(self, samples: Samples) -> Samples:
        if self._background is None:
            return samples
        indices = np.arange(self._position, self._position + len(samples)) % len(self._background)
        self._position += len(samples)
        return np.asarray(np.clip(samples + self._background[indices], -1.0, 1.0), np.float32)


def _in_chunks(samples: Samples) -> Iterator[Samples]:
    for begin in range(0, len(samples), CHUNK_SAMPLES):
        piece = samples[begin : begin + CHUNK_SAMPLES]
        yield np.pad(piece, (0, CHUNK_SAMPLES - len(piece)))
