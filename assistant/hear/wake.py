"""The wake phrase: any phrase, written as text, spotted in running speech before anything else is decoded."""

import json
from pathlib import Path
from typing import Any, Protocol

from assistant.hear.audio import RATE, Samples
from assistant.hear.graph import WAKE_MARK
from assistant.hear.muting import muted
from assistant.hear.vosk_recogniser import load_vosk_model, pcm
from assistant.settings import Hear

_LOOK_SAMPLES = RATE // 16
"""Samples between two looks at what was heard so far."""
_ALTERNATIVES = 8
"""Readings among which the best one without the phrase is looked for."""
_UNRIVALLED = 12.0
"""Score when no reading without the phrase is left: they all lie further off than the decoder's beam."""
_THRESHOLD = 4.0


class WakeSpotter(Protocol):
    """Listens to speech for one phrase and knows nothing else."""

    def accept(self, samples: Samples) -> float | None:
        """Takes the next samples (float32, 16 kHz); returns a score when the phrase has just been said, else None."""
        ...

    def reset(self) -> None:
        """Forgets what it heard: the next samples begin a new stretch of speech."""
        ...


class VoskWakeSpotter:
    """Spots the phrase with a graph of its own: the phrase between loops of general words and unknown sounds.

    The best path so far is looked at while speech goes on. When it has just passed the phrase, the score is how far the
    best reading without the phrase lies behind (natural-log units).

    Args:
        folder: ``Graphs.wake`` of ``prepare_graphs``.
        settings: Threshold and log.
        threshold: Score needed, in place of the settings' one.

    Raises:
        ModelDamaged: Vosk cannot load the folder.
    """

    def __init__(self, folder: Path, settings: Hear, threshold: float | None = None) -> None:
        self._model = load_vosk_model(folder, settings.log)
        self._threshold = threshold if threshold is not None else settings.wake_threshold or _THRESHOLD
        self._mute = not settings.log
        self._recogniser: Any = None
        self._since_look = 0
        self.reset()

    def accept(self, samples: Samples) -> float | None:
        """See ``WakeSpotter``."""
        with muted(self._mute):
            return self._accept(samples)

    def _accept(self, samples: Samples) -> float | None:
        self._recogniser.AcceptWaveform(pcm(samples))
        self._since_look += len(samples)
        if self._since_look < _LOOK_SAMPLES:
            return None
        self._since_look = 0
        if WAKE_MARK not in json.loads(self._recogniser.PartialResult())["partial"]:
            return None
        score = _score(json.loads(self._recogniser.FinalResult())["alternatives"])
        self.reset()
        return score if score >= self._threshold else None

    def reset(self) -> None:
        """See ``WakeSpotter``."""
        import vosk

        self._recogniser = vosk.KaldiRecognizer(self._model, float(RATE))
        self._recogniser.SetMaxAlternatives(_ALTERNATIVES)
        self._since_look = 0


def _score(alternatives: list[dict[str, Any]]) -> float:
    """How far the best reading with the phrase leads over the best one without (Vosk's confidences are −costs)."""
    with_phrase = [float(reading["confidence"]) for reading in alternatives if WAKE_MARK in reading["text"]]
    without = [float(reading["confidence"]) for reading in alternatives if WAKE_MARK not in reading["text"]]
    if not with_phrase:
        return -_UNRIVALLED
    return min(_UNRIVALLED, max(with_phrase) - max(without)) if without else _UNRIVALLED
