"""The wake phrase: any phrase, written as text, spotted in running speech before anything else is decoded."""

import json
from collections import deque
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from assistant.hear.acceptor import WAKE_MARK
from assistant.hear.audio import RATE, Samples
from assistant.hear.graph import WAKE_COST
from assistant.hear.muting import muted
from assistant.hear.vosk_recogniser import load_vosk_model, pcm
from assistant.settings import Hear

_LOOK_SAMPLES = RATE // 8
"""Samples between two looks at what was heard so far: each goes through all of it."""
_SETTLING_LOOKS = 2
"""Looks at which the phrase must have been complete: its last sound is often guessed from its beginning."""
_KEPT_SAMPLES = RATE * 2 // 5
"""What a new stretch begins with after something that was only like the phrase: the real one may have begun in it."""
_STRETCH_SAMPLES, _OVERLAP_SAMPLES = RATE * 6, RATE * 3 // 2
"""Where nobody pauses, a new stretch begins after so many samples, with the last of the one before: the longer a
stretch, the more a look costs."""
_UNRIVALLED, _OUTDONE = 4.0, -12.0
"""Scores when only readings with the phrase are left, or only ones without: the others lie further off than the
lattice's beam of 8, to which ``WAKE_COST`` is added."""
_THRESHOLD = 1.0


class WakeSpotter(Protocol):
    """Listens to speech for one phrase and knows nothing else."""

    def accept(self, samples: Samples) -> float | None:
        """Takes the next samples (float32, 16 kHz); returns a score when the phrase has just been said, else None."""
        ...

    def reset(self) -> None:
        """Forgets what it heard: the next samples begin a new stretch of speech."""
        ...


class VoskWakeSpotter:
    """Spots the phrase with a graph of its own: loops of general words and unknown sounds, the phrase between them.

    The best path so far is looked at while speech goes on. When it has passed the phrase, the score is how far the best
    reading without it lies behind, as logarithm of a likelihood ratio: a keyword against a filler, as in
    R. Rose and D. Paul, "A hidden Markov model based keyword recognition system" (1990).

    Args:
        folder: ``Graphs.wake`` of ``prepare_graphs``.
        settings: Threshold and log.
        threshold: Score needed, in place of the settings' one.

    Raises:
        ModelDamaged: Vosk cannot load the folder.
    """

    def __init__(self, folder: Path, settings: Hear, threshold: float | None = None) -> None:
        self._model = load_vosk_model(folder, settings.log)
        usual = min(settings.wake_threshold or _THRESHOLD, _UNRIVALLED)
        self._threshold = usual if threshold is None else threshold
        self._mute = not settings.log
        self._recogniser: Any = None
        self._heard: deque[Samples] = deque()
        self._stretch = self._since_look = self._looks = 0
        self.reset()

    def accept(self, samples: Samples) -> float | None:
        """See ``WakeSpotter``."""
        with muted(self._mute):
            return self._accept(samples)

    def _accept(self, samples: Samples) -> float | None:
        if self._stretch >= _STRETCH_SAMPLES and not self._looks:
            self._begin_with(_OVERLAP_SAMPLES)
        self._take(samples)
        self._since_look += len(samples)
        if self._since_look < _LOOK_SAMPLES:
            return None
        self._since_look = 0
        complete = WAKE_MARK in json.loads(self._recogniser.PartialResult())["partial"]
        self._looks = self._looks + 1 if complete else 0
        if self._looks < _SETTLING_LOOKS:
            return None
        score = _score(json.loads(self._recogniser.FinalResult())["alternatives"])
        if score >= self._threshold:
            self.reset()
            return score
        self._begin_with(_KEPT_SAMPLES)
        return None

    def reset(self) -> None:
        """See ``WakeSpotter``."""
        import vosk

        self._recogniser = vosk.KaldiRecognizer(self._model, float(RATE))
        self._recogniser.SetMaxAlternatives(2)
        self._heard.clear()
        self._stretch = self._since_look = self._looks = 0

    def _begin_with(self, count: int) -> None:
        """Begins a new stretch with the last samples of this one."""
        last = np.concatenate(self._heard)[-count:]
        self.reset()
        self._take(last)

    def _take(self, samples: Samples) -> None:
        self._recogniser.AcceptWaveform(pcm(samples))
        self._stretch += len(samples)
        self._heard.append(samples)
        while sum(map(len, self._heard)) > _OVERLAP_SAMPLES + len(self._heard[0]):
            self._heard.popleft()


def _score(alternatives: list[dict[str, Any]]) -> float:
    """How far the phrase leads over everything else (Vosk's confidences are −costs), its own cost left out."""
    with_phrase = [float(reading["confidence"]) for reading in alternatives if WAKE_MARK in reading["text"]]
    without = [float(reading["confidence"]) for reading in alternatives if WAKE_MARK not in reading["text"]]
    if not with_phrase:
        return _OUTDONE
    return min(_UNRIVALLED, max(with_phrase) - max(without) + WAKE_COST) if without else _UNRIVALLED
