"""Loudspeakers: one that is only thought of, one that sounds, one that writes files."""

import threading
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import soundfile
import soxr

from assistant.errors import AudioDeviceError
from assistant.events import EventStream, Failure
from assistant.hear.audio import RATE, Samples
from assistant.settings import Speak
from assistant.sound_devices import find_device, open_stream, rescan, start_stream
from assistant.speak.synthesiser import Loudspeaker, Speech

_KEPT_FILES = 50


class SilentLoudspeaker:
    """Takes as long as speech lasts and makes no sound: for recordings and rehearsals."""

    def play(self, speech: Speech) -> float:
        """See ``Loudspeaker``."""
        return speech.seconds

    def interrupt(self) -> None:
        """See ``Loudspeaker``."""

    def close(self) -> None:
        """See ``Loudspeaker``."""


class DeviceLoudspeaker:
    """Plays through a sound device, one speech after the other.

    The device is taken only while there is something to play: other programs may sound in between, and one that was
    plugged in anew is found.

    Args:
        name: Part of the device's name; empty takes the system's default.

    Raises:
        AudioDeviceError: There is no such loudspeaker.
    """

    def __init__(self, name: str = "") -> None:
        find_device("output", name)
        self._name = name
        self._stream: Any = None
        self._lock = threading.Lock()
        self._waiting: deque[Samples] = deque()
        self._silent = threading.Event()
        self._silent.set()

    def play(self, speech: Speech) -> float:
        """See ``Loudspeaker``.

        Raises:
            AudioDeviceError: The loudspeaker is gone or busy.
        """
        if not len(speech.samples):
            return 0.0
        with self._lock:
            # Whether the callback still runs and whether it has more to play are decided under one lock.
            if not self._silent.is_set() and self._stream.active:
                self._waiting.append(self._resampled(speech))
                return speech.seconds
        self._free()
        self._stream = self._open()
        self._waiting.append(self._resampled(speech))
        self._silent.clear()
        try:
            start_stream(self._stream)
        except AudioDeviceError:
            self._free()
            raise
        return speech.seconds + float(self._stream.latency)

    def interrupt(self) -> None:
        """See ``Loudspeaker``."""
        self._free()

    def close(self) -> None:
        """See ``Loudspeaker``."""
        with self._lock:
            samples = sum(len(waiting) for waiting in self._waiting)
        if self._stream is not None:
            # A device that was unplugged in the middle of a sentence never finishes it.
            self._silent.wait(samples / self._stream.samplerate + 2.0)
            if self._stream.active:
                self._stream.stop()
        self._free()

    def _open(self) -> Any:
        try:
            return open_stream("output", find_device("output", self._name), self._fill)
        except AudioDeviceError:
            if not rescan():
                raise
            return open_stream("output", find_device("output", self._name), self._fill)

    def _resampled(self, speech: Speech) -> Samples:
        return np.asarray(soxr.resample(speech.samples, speech.rate, self._stream.samplerate), np.float32)

    def _free(self) -> None:
        stream, self._stream = self._stream, None
        if stream is not None:
            stream.abort(ignore_errors=True)
            stream.close(ignore_errors=True)
        self._waiting.clear()
        self._silent.set()

    def _fill(self, out: npt.NDArray[np.float32], frames: int, when: Any, status: Any) -> None:
        """Called from PortAudio's thread for every block; every channel gets the same."""
        import sounddevice

        out.fill(0.0)
        filled = 0
        with self._lock:
            while filled < frames and self._waiting:
                samples = self._waiting.popleft()
                taken = samples[: frames - filled]
                out[filled : filled + len(taken)] = taken[:, None]
                filled += len(taken)
                if len(taken) < len(samples):
                    self._waiting.appendleft(samples[len(taken) :])
            if not self._waiting:
                self._silent.set()
                # What was filled last is still played.
                raise sounddevice.CallbackStop


class FileLoudspeaker:
    """Writes every speech to a WAV file of its own where there is no loudspeaker; the newest ones are kept.

    Args:
        folder: Where the files go.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._count = 0

    def play(self, speech: Speech) -> float:
        """See ``Loudspeaker``.

        Raises:
            AudioDeviceError: The file cannot be written.
        """
        path = self._folder / f"{self._count % _KEPT_FILES:02}.wav"
        self._count += 1
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            soundfile.write(path, speech.samples, speech.rate, "PCM_16")
        except (OSError, soundfile.LibsndfileError) as error:
            raise AudioDeviceError(f"There is no loudspeaker, and {path} cannot be written: {error}.") from error
        return speech.seconds

    def interrupt(self) -> None:
        """See ``Loudspeaker``: what is written stays."""

    def close(self) -> None:
        """See ``Loudspeaker``."""


def play_live(name: str = "") -> Callable[[Samples], None]:
    """A function that plays 16 kHz samples and takes about as long as they last.

    Args:
        name: Part of the loudspeaker's name; empty takes the system's default.

    Raises:
        AudioDeviceError: There is no such loudspeaker.
    """
    stream = open_stream("output", find_device("output", name), None)
    resampler = soxr.ResampleStream(RATE, stream.samplerate, 1, dtype="float32")
    start_stream(stream)

    def play(samples: Samples) -> None:
        played = resampler.resample_chunk(samples)
        stream.write(np.repeat(played[:, None], stream.channels, 1))

    return play


def live_loudspeaker(settings: Speak, state: Path, stream: EventStream) -> Loudspeaker:
    """The loudspeaker; without one, what is said is written as WAV files to ``spoken`` in the state folder."""
    try:
        return DeviceLoudspeaker(settings.loudspeaker)
    except AudioDeviceError as error:
        folder = state / "spoken"
        stream.publish(Failure(at=0.0, code=error.code, message=f"{error.message} Replies are written to {folder}."))
        return FileLoudspeaker(folder)
