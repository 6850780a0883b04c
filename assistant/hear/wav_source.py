"""Recordings as the microphone: the same chunks, the same clock."""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np

from assistant.hear.audio import CHUNK_SAMPLES, RATE, Chunk, Samples
from assistant.hear.reading import read_blocks


class WavSource:
    """Files, one after the other, with silence around them.

    The next file waits until the device has finished speaking; a reply to a file comes within the silence after it.

    Args:
        paths: WAV, FLAC or Ogg files.
        real_time: Whether to take as long as the sound lasts.
        lead_seconds: Silence before the first file.
        trailing_seconds: Silence after each file: longer than any endpoint, so that each is an utterance of its own.
        clock: Seconds of a monotonic clock, for real time.
        sleep: Waits so many seconds, for real time.
    """

    def __init__(
        self,
        paths: Sequence[Path],
        *,
        real_time: bool = False,
        lead_seconds: float = 0.3,
        trailing_seconds: float = 1.6,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._paths = tuple(paths)
        self._real_time = real_time
        self._lead_seconds = lead_seconds
        self._trailing_seconds = trailing_seconds
        self._clock = clock
        self._sleep = sleep
        self._held = 0.0
        self._closed = False

    def chunks(self) -> Iterator[Chunk]:
        """See ``AudioSource``."""
        began = self._clock()
        for count, samples in enumerate(self._room()):
            if self._closed:
                return
            at = count * CHUNK_SAMPLES / RATE
            if self._real_time:
                self._sleep(max(0.0, began + at - self._clock()))
            yield Chunk(samples, at)

    def hold(self, seconds: float) -> None:
        """See ``AudioSource``; a new call replaces what is left of the last one."""
        self._held = seconds

    def close(self) -> None:
        """See ``AudioSource``."""
        self._closed = True

    def _room(self) -> Iterator[Samples]:
        yield from _silence(self._lead_seconds)
        for path in self._paths:
            yield from self._while_held()
            yield from in_chunks(read_blocks(path))
            yield from _silence(self._trailing_seconds)
        yield from self._while_held()

    def _while_held(self) -> Iterator[Samples]:
        while self._held > 0:
            yield np.zeros(CHUNK_SAMPLES, np.float32)
            self._held -= CHUNK_SAMPLES / RATE


def in_chunks(blocks: Iterable[Samples]) -> Iterator[Samples]:
    """Cuts blocks of any length into chunks; the last one is filled with silence."""
    rest = np.zeros(0, np.float32)
    for block in blocks:
        rest = np.concatenate([rest, block])
        whole = len(rest) // CHUNK_SAMPLES * CHUNK_SAMPLES
        yield from rest[:whole].reshape(-1, CHUNK_SAMPLES)
        rest = rest[whole:]
    if len(rest):
        yield np.pad(rest, (0, CHUNK_SAMPLES - len(rest)))


def _silence(seconds: float) -> Iterator[Samples]:
    for _ in range(round(seconds * RATE / CHUNK_SAMPLES)):
        yield np.zeros(CHUNK_SAMPLES, np.float32)
