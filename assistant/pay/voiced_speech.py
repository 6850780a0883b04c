"""Cutting silence out of a clip: the speaker encoder gets voiced speech only."""

from collections.abc import Callable
from typing import Protocol

import numpy as np
import numpy.typing as npt

from assistant.hear.audio import CHUNK_SAMPLES, Samples

_VOICED_PROBABILITY = 0.5
# Chunks (32 ms) on either side of voiced ones that are kept: quiet beginnings and ends of words.
_MARGIN_CHUNKS = 2


class ChunkActivity(Protocol):
    """Voice activity of successive chunks."""

    def probability(self, samples: Samples) -> float:
        """Probability (0-1) that the next chunk of 512 samples is speech."""
        ...

    def reset(self) -> None:
        """Forgets the chunks before."""
        ...


class VoicedSpeech:
    """Finds speech in whole clips.

    Args:
        activity: Makes a voice activity detector for one clip.
    """

    def __init__(self, activity: Callable[[], ChunkActivity]) -> None:
        self._make = activity
        self._activity: ChunkActivity | None = None

    def __call__(self, clip: Samples) -> Samples:
        """The clip's voiced pieces with their margins, one after the other."""
        return clip[self.mask(clip)]

    def mask(self, clip: Samples) -> npt.NDArray[np.bool_]:
        """For every sample of ``clip`` whether it belongs to speech or its margins."""
        if self._activity is None:
            self._activity = self._make()
        self._activity.reset()
        chunks = np.pad(clip, (0, -len(clip) % CHUNK_SAMPLES)).reshape(-1, CHUNK_SAMPLES)
        voiced = np.array([self._activity.probability(chunk) >= _VOICED_PROBABILITY for chunk in chunks], bool)
        kept = (
            np.convolve(voiced, np.ones(2 * _MARGIN_CHUNKS + 1), "same")[: len(voiced)] > 0 if len(voiced) else voiced
        )
        return np.repeat(kept, CHUNK_SAMPLES)[: len(clip)]
