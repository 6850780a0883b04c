"""The microphone: whatever device and rate, the same chunks as from a recording."""

import logging
import queue
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import soxr

from assistant.errors import AudioDeviceError
from assistant.hear.audio import CHUNK_SAMPLES, RATE, Chunk, Samples
from assistant.hear.wav_source import in_chunks
from assistant.settings import Hear
from assistant.sound_devices import BLOCK_SECONDS, find_device, open_stream, rescan, start_stream

logger = logging.getLogger("voicecart")

_LOST_SECONDS = 1.0
"""A microphone that gives nothing for so long was unplugged: a quiet room still gives samples."""
_ABSENT_SECONDS = 30.0
"""After so long without it the loop ends with an error, for a person or the daemon to act upon."""


class MicSource:
    """A microphone, found by a part of its name and opened at its own rate.

    PortAudio's thread only enqueues. While an unplugged microphone is away the room is silent, so that the dialogue's
    clock goes on; it is looked for again and again.

    Args:
        settings: Name, length of the queue, seconds between attempts to reopen.
        sleep: Waits so many seconds.

    Raises:
        AudioDeviceError: There is no such microphone.

    Attributes:
        dropped_seconds: Sound lost so far because the device fell behind.
    """

    def __init__(self, settings: Hear, sleep: Callable[[float], None] = time.sleep) -> None:
        find_device("input", settings.microphone)
        self._settings = settings
        self._sleep = sleep
        self._blocks: queue.Queue[npt.NDArray[np.float32]] = queue.Queue(
            max(1, round(settings.queue_seconds / BLOCK_SECONDS))
        )
        self._stream: Any = None
        self._closed = False
        self._overflows = 0
        self._logged_seconds = 0.0
        self.dropped_seconds = 0.0

    def chunks(self) -> Iterator[Chunk]:
        """See ``AudioSource``; begins to record at once.

        Raises:
            AudioDeviceError: It cannot be opened, or went away and did not come back.
        """
        self._open()
        try:
            for count, samples in enumerate(in_chunks(self._room())):
                if self._closed:
                    return
                yield Chunk(samples, count * CHUNK_SAMPLES / RATE)
        finally:
            self._stop()

    def hold(self, seconds: float) -> None:
        """See ``AudioSource``: the room's time passes by itself."""

    def close(self) -> None:
        """See ``AudioSource``."""
        self._closed = True

    def _room(self) -> Iterator[Samples]:
        while not self._closed:
            yield from self._recorded()
            if not self._closed:
                self._stop()
                logger.warning("microphone lost, trying again every %.1f s", self._settings.reopen_seconds)
                yield from self._silence_until_back()
                logger.warning("microphone back")

    def _recorded(self) -> Iterator[Samples]:
        """What the stream records, at 16 kHz, until nothing comes any more."""
        resampler = soxr.ResampleStream(self._stream.samplerate, RATE, 1, dtype="float32")
        while not self._closed:
            try:
                block = self._blocks.get(timeout=_LOST_SECONDS)
            except queue.Empty:
                return
            self._log_drops()
            yield np.clip(resampler.resample_chunk(block), -1.0, 1.0)

    def _silence_until_back(self) -> Iterator[Samples]:
        waited = since_attempt = 0.0
        while not self._closed:
            self._sleep(BLOCK_SECONDS)
            yield np.zeros(CHUNK_SAMPLES, np.float32)
            waited += BLOCK_SECONDS
            since_attempt += BLOCK_SECONDS
            if since_attempt < self._settings.reopen_seconds:
                continue
            since_attempt = 0.0
            try:
                rescan()
                self._open()
            except AudioDeviceError:
                if waited >= _ABSENT_SECONDS:
                    raise
            else:
                return

    def _open(self) -> None:
        device = find_device("input", self._settings.microphone)
        self._stream = open_stream("input", device, self._enqueue)
        start_stream(self._stream)
        logger.info("microphone name=%r rate=%d", device.name, self._stream.samplerate)

    def _stop(self) -> None:
        if self._stream is not None:
            self._stream.close(ignore_errors=True)
            self._stream = None
        while not self._blocks.empty():
            self._blocks.get_nowait()

    def _enqueue(self, recorded: npt.NDArray[np.float32], frames: int, when: Any, status: Any) -> None:
        """Called from PortAudio's thread for every block; of several channels the first is taken."""
        if status.input_overflow:
            self._overflows += 1
        try:
            self._blocks.put_nowait(recorded[:, 0].copy())
        except queue.Full:
            self.dropped_seconds += BLOCK_SECONDS

    def _log_drops(self) -> None:
        """Once the queue is empty again: a line per time that the device fell behind, not one per block."""
        if (self._overflows or self.dropped_seconds > self._logged_seconds) and self._blocks.empty():
            logger.warning(
                "microphone dropped_seconds=%.2f in all, device overflows=%d", self.dropped_seconds, self._overflows
            )
            self._logged_seconds, self._overflows = self.dropped_seconds, 0
