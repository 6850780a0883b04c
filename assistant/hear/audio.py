"""Audio inside the device: mono, 16 kHz, float32 in [-1, 1], in chunks of 32 ms."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

RATE = 16_000
CHUNK_SAMPLES = 512

Samples = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Chunk:
    """A piece of the microphone's signal.

    Attributes:
        samples: Shape (512,), float32 in [-1, 1], 16 kHz mono.
        at: Seconds of audio from the source's start to the chunk's first sample.
    """

    samples: Samples
    at: float

    @property
    def seconds(self) -> float:
        """Length of the chunk."""
        return len(self.samples) / RATE

    @property
    def end(self) -> float:
        """Seconds of audio from the source's start to the chunk's end."""
        return self.at + self.seconds


class AudioSource(Protocol):
    """Where audio comes from. A microphone and a file differ only here."""

    def chunks(self) -> Iterator[Chunk]:
        """Yields chunks with no gap in time until the source ends (a microphone's does not).

        Raises:
            AudioError: A file that cannot be read.
            AudioDeviceError: No microphone, and none came back in time.
        """
        ...

    def hold(self, seconds: float) -> None:
        """The device speaks for so long from now on.

        A recording waits: silence is yielded for that time and the recorded person answers after it. A microphone does
        nothing, as the room's time passes by itself.
        """
        ...

    def close(self) -> None:
        """Frees the device or file; ``chunks`` ends."""
        ...
