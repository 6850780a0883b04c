"""A whole conversation in one WAV file: what the microphone heard and what the device said, mixed in audio time."""

from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType

import numpy as np
import soundfile
import soxr

from assistant.errors import AudioError
from assistant.events import Event, Secrecy
from assistant.hear.audio import RATE, AudioSource, Chunk, Samples
from assistant.speak.synthesiser import Loudspeaker, Speech


class Recording:
    """Writes 16 kHz 16-bit mono while the conversation goes on; use it as a context manager.

    Wrap the source with ``source`` and the loudspeaker with ``loudspeaker``, and subscribe ``observe`` to the device's
    events: a PIN that is said is not written.

    Args:
        path: The WAV file; replaced when it exists.
        monitor: Gets the same mixed samples (16 kHz); one that plays them in real time makes the conversation audible.

    Raises:
        AudioError: The file cannot be written.
    """

    def __init__(self, path: Path, monitor: Callable[[Samples], None] | None = None) -> None:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = soundfile.SoundFile(path, "w", RATE, 1, "PCM_16", format="WAV")
        except (OSError, soundfile.LibsndfileError) as error:
            raise AudioError(f"Cannot write the recording {path}: {error}") from error
        self._monitor = monitor
        self._spoken = np.zeros(0, np.float32)
        self._secret = False

    def observe(self, event: Event) -> None:
        """Takes the device's events."""
        if isinstance(event, Secrecy):
            self._secret = event.secret

    def source(self, source: AudioSource) -> AudioSource:
        """``source``, recorded."""
        return _RecordedSource(source, self)

    def loudspeaker(self, loudspeaker: Loudspeaker) -> Loudspeaker:
        """``loudspeaker``, recorded."""
        return _RecordedLoudspeaker(loudspeaker, self)

    def hear(self, samples: Samples) -> None:
        """The microphone's next samples: written with what the device says at that time."""
        spoken, self._spoken = self._spoken[: len(samples)], self._spoken[len(samples) :]
        mixed = np.zeros_like(samples) if self._secret else samples.copy()
        mixed[: len(spoken)] += spoken
        mixed = np.clip(mixed, -1.0, 1.0)
        self._file.write(mixed)
        if self._monitor is not None:
            self._monitor(mixed)

    def say(self, speech: Speech) -> None:
        """The device says this after what it is saying."""
        self._spoken = np.concatenate([self._spoken, soxr.resample(speech.samples, speech.rate, RATE)])

    def hush(self) -> None:
        """The device fell silent."""
        self._spoken = np.zeros(0, np.float32)

    def __enter__(self) -> "Recording":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.write(self._spoken)
        self._file.close()


class _RecordedSource:
    def __init__(self, source: AudioSource, recording: Recording) -> None:
        self._source = source
        self._recording = recording

    def chunks(self) -> Iterator[Chunk]:
        for chunk in self._source.chunks():
            self._recording.hear(chunk.samples)
            yield chunk

    def hold(self, seconds: float) -> None:
        self._source.hold(seconds)

    def close(self) -> None:
        self._source.close()


class _RecordedLoudspeaker:
    def __init__(self, loudspeaker: Loudspeaker, recording: Recording) -> None:
        self._loudspeaker = loudspeaker
        self._recording = recording

    def play(self, speech: Speech) -> float:
        self._recording.say(speech)
        return self._loudspeaker.play(speech)

    def interrupt(self) -> None:
        self._recording.hush()
        self._loudspeaker.interrupt()

    def close(self) -> None:
        self._loudspeaker.close()
