"""The recogniser: Vosk over one compiled graph folder for every state of the dialogue."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from assistant.errors import ModelDamaged
from assistant.hear.acceptor import UNKNOWN
from assistant.hear.audio import RATE, Samples
from assistant.hear.graph import Graphs
from assistant.hear.muting import muted
from assistant.hear.recogniser import HeardWord, Hypothesis
from assistant.hear.utterance_verification import Verifier
from assistant.settings import Hear
from assistant.understand.understanding import Expecting

_PARTIAL_SAMPLES = RATE // 5
"""Samples between two looks at the partial result."""
_UNVERIFIED = (Expecting.CHOICE, Expecting.DIGITS, Expecting.INTERRUPTION)
"""A choice is often little but a brand, whose pronunciation is a guess; digits are compared with those asked for; and
"stop" must act even over the device's own voice."""


def pcm(samples: Samples) -> bytes:
    """16-bit little-endian samples, clipped, from float32 in [-1, 1]."""
    return np.clip(np.round(samples * 32768.0), -32768, 32767).astype("<i2").tobytes()


def load_vosk_model(folder: Path, log: bool) -> Any:
    """A ``vosk.Model``.

    Raises:
        ModelDamaged: Vosk cannot load the folder.
    """
    import vosk

    vosk.SetLogLevel(0 if log else -1)
    if not folder.is_dir():
        raise ModelDamaged(f"The recognition graph {folder} is gone. Start again: it is compiled anew.")
    try:
        with muted(not log):
            return vosk.Model(str(folder))
    except Exception as error:  # Vosk raises nothing narrower.
        raise ModelDamaged(f"Vosk cannot load {folder}: {error}. Remove the folder; it is compiled anew.") from error


class VoskRecogniser:
    """Recognises utterances with Vosk; models are loaded when needed, and those used last are kept.

    Every state of the dialogue has a model of its own, because Vosk reads a regular grammar only while loading; each
    has its own copy of the network in memory.

    Args:
        graphs: From ``prepare_graphs``.
        settings: Number of alternatives, models kept, log.
        verifier: Takes what does not fit how it sounded for an unknown utterance; None takes everything as heard.
    """

    def __init__(self, graphs: Graphs, settings: Hear, verifier: Verifier | None = None) -> None:
        self._graphs = graphs
        self._settings = settings
        self._verifier = verifier
        self._loaded: dict[Path, Any] = {}
        """Models by folder, the one used last at the end."""

    def load(self, *expecting: Expecting) -> None:
        """Loads the models of these states now (all without arguments), the first of them last.

        The first utterance need not wait then, and a folder that cannot be loaded is known before anyone speaks.

        Raises:
            ModelDamaged: Vosk cannot load a folder.
        """
        for state in reversed(expecting or tuple(self._graphs.by_expecting)):
            self._model(self._graphs.by_expecting[state])

    def _model(self, folder: Path) -> Any:
        model = self._loaded.pop(folder, None)
        if model is None:
            while len(self._loaded) >= self._settings.models_kept:
                del self._loaded[next(iter(self._loaded))]
            model = load_vosk_model(folder, self._settings.log)
        self._loaded[folder] = model
        return model

    def listen(self, expecting: Expecting) -> "VoskHearing":
        """Begins an utterance; a state without a grammar of its own listens with the command grammar."""
        folders = self._graphs.by_expecting
        model = self._model(folders.get(expecting) or folders[Expecting.COMMAND])
        verifier = None if expecting in _UNVERIFIED else self._verifier
        return VoskHearing(model, self._settings.alternatives, self._settings.log, verifier)


class VoskHearing:
    """One utterance being recognised.

    Args:
        model: A ``vosk.Model``.
        alternatives: Hypotheses wanted, at least 1.
        log: Whether Vosk may write its own log.
        verifier: Compares the best hypothesis with its sound.
    """

    def __init__(self, model: Any, alternatives: int, log: bool = False, verifier: Verifier | None = None) -> None:
        import vosk

        self._recogniser = vosk.KaldiRecognizer(model, float(RATE))
        self._recogniser.SetMaxAlternatives(max(1, alternatives))
        self._recogniser.SetWords(True)
        self._mute = not log
        self._verifier = verifier
        self._samples: list[Samples] = []
        self._ended: list[tuple[Hypothesis, ...]] = []
        self._partial = ""
        self._since_partial = 0

    def accept(self, samples: Samples) -> str | None:
        """Takes the next samples; returns the partial text when it has changed, else None."""
        with muted(self._mute):
            return self._accept(samples)

    def _accept(self, samples: Samples) -> str | None:
        if self._verifier is not None:
            self._samples.append(samples)
        # Models whose own endpoints are left on may end a part here; the parts are joined at the end.
        if self._recogniser.AcceptWaveform(pcm(samples)):
            self._ended.append(tuple(_hypotheses(self._recogniser.Result())))
        self._since_partial += len(samples)
        if self._since_partial < _PARTIAL_SAMPLES:
            return None
        self._since_partial = 0
        parts = [part[0].text for part in self._ended] + [json.loads(self._recogniser.PartialResult())["partial"]]
        partial = " ".join(part for part in parts if part)
        if partial == self._partial:
            return None
        self._partial = partial
        return partial

    def finish(self) -> tuple[Hypothesis, ...]:
        """Ends it; hypotheses best first, at least one; ``[unk]`` alone if the best does not fit its sound."""
        hypotheses = self._finish()
        if self._verifier is None or not self._samples:
            return hypotheses
        if self._verifier.fits(np.concatenate(self._samples), hypotheses[0].text):
            return hypotheses
        return (Hypothesis(UNKNOWN, hypotheses[0].confidence),)

    def _finish(self) -> tuple[Hypothesis, ...]:
        with muted(self._mute):
            result = self._recogniser.FinalResult()
        self._ended.append(tuple(_hypotheses(result)))
        parts = [part for part in self._ended if part[0].text]
        if len(parts) > 1:
            return (_joined([part[0] for part in parts]),)
        return parts[0] if parts else (Hypothesis("", 0.0),)


def _joined(parts: list[Hypothesis]) -> Hypothesis:
    words = tuple(word for part in parts for word in part.words)
    return Hypothesis(" ".join(part.text for part in parts), min(part.confidence for part in parts), words)


def _hypotheses(result: str) -> Iterator[Hypothesis]:
    """Hypotheses of one result in Vosk's JSON, each text once; at least one."""
    values = json.loads(result)
    seen = set()
    for alternative in values.get("alternatives") or [values]:
        text = " ".join(alternative.get("text", "").split())
        if text not in seen:
            seen.add(text)
            words = tuple(
                HeardWord(word["word"], word["start"], word["end"], word.get("conf", 0.0))
                for word in alternative.get("result", ())
            )
            yield Hypothesis(text, float(alternative.get("confidence", 0.0)), words)
