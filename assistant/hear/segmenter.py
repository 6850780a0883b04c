"""Where speech begins and ends: a pure segmenter, fed probabilities and audio seconds."""

from enum import Enum, auto

from assistant.settings import Hear


class SegmentEvent(Enum):
    """What a chunk decided."""

    STARTED = auto()
    ENDED = auto()


class Segmenter:
    """Speech begins after ``begin_seconds`` of voice activity and ends after ``end_seconds`` without.

    Two thresholds keep a wavering probability from chopping an utterance: above ``speech_threshold`` counts as voice,
    under ``silence_threshold`` as silence, between them as whatever came before.

    Args:
        settings: Thresholds (0-1) and times (seconds).

    Attributes:
        end_seconds: Silence that ends an utterance; may be changed while it runs.
    """

    def __init__(self, settings: Hear) -> None:
        self._settings = settings
        self.end_seconds = settings.end_seconds
        self.reset()

    def reset(self) -> None:
        """Forgets an utterance under way."""
        self._speaking = False
        self._voiced_seconds = 0.0
        self._silent_seconds = 0.0
        self._seconds = 0.0

    def process(self, probability: float, seconds: float) -> SegmentEvent | None:
        """Takes a chunk's probability of speech and its length; returns what it decided, mostly nothing."""
        return self._speech(probability, seconds) if self._speaking else self._silence(probability, seconds)

    def _silence(self, probability: float, seconds: float) -> SegmentEvent | None:
        if probability < self._settings.speech_threshold:
            self._voiced_seconds = 0.0
            return None
        self._voiced_seconds += seconds
        if self._voiced_seconds < self._settings.begin_seconds:
            return None
        self._speaking, self._silent_seconds, self._seconds = True, 0.0, self._voiced_seconds
        return SegmentEvent.STARTED

    def _speech(self, probability: float, seconds: float) -> SegmentEvent | None:
        self._seconds += seconds
        if probability >= self._settings.speech_threshold:
            self._silent_seconds = 0.0
        elif probability < self._settings.silence_threshold or self._silent_seconds > 0:
            self._silent_seconds += seconds
        if self._silent_seconds < self.end_seconds and self._seconds < self._settings.longest_seconds:
            return None
        self.reset()
        return SegmentEvent.ENDED
