"""Recognisers under the benchmark's own interface: a grammar in, the words of a recording and its cost out."""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from assistant.hear.graph import prepare_graphs
from assistant.hear.lexicon import Lexicon
from assistant.hear.vosk_recogniser import VoskRecogniser, pcm
from assistant.settings import Hear
from assistant.understand.grammar import (
    Alternatives,
    Expression,
    Filler,
    Grammar,
    Reference,
    Repeat,
    Sequence,
    Words,
)
from assistant.understand.understanding import Expecting


@dataclass(frozen=True)
class Heard:
    """What was heard.

    Attributes:
        text: Words separated by blanks.
        cpu_seconds: Processor time it took.
    """

    text: str
    cpu_seconds: float


class Engine(Protocol):
    """A recogniser that is ready to listen with one grammar."""

    name: str

    def hear(self, samples: np.ndarray) -> Heard:
        """Decodes an utterance: float32, 16 kHz."""
        ...


class VoskEngine:
    """Vosk with a graph that the project compiles.

    Args:
        model: Acoustic model folder.
        grammar: What can be said.
        lexicon: Pronunciations.
        folder: For the compiled graph.
    """

    def __init__(self, model: Path, grammar: Grammar, lexicon: Lexicon, folder: Path) -> None:
        self.name = model.name
        graphs = prepare_graphs(model, {Expecting.COMMAND: grammar}, "", lexicon, folder)
        self._recogniser = VoskRecogniser(graphs, Hear())
        self._recogniser.load()

    def hear(self, samples: np.ndarray) -> Heard:
        """See ``Engine``."""
        began = time.process_time()
        hearing = self._recogniser.listen(Expecting.COMMAND)
        hearing.accept(samples)
        text = hearing.finish()[0].text
        return Heard(text, time.process_time() - began)


class PocketsphinxEngine:
    """PocketSphinx with its own English model and the same grammar as JSGF.

    Args:
        grammar: What can be said; it must not hold fillers, which PocketSphinx has no counterpart for.
        lexicon: Pronunciations of words that its dictionary lacks.
    """

    name = "pocketsphinx"

    def __init__(self, grammar: Grammar, lexicon: Lexicon) -> None:
        from pocketsphinx import Decoder

        self._decoder = Decoder(lm=None, loglevel="FATAL")
        for word in sorted(grammar.vocabulary()):
            if self._decoder.lookup_word(word) is None:
                for number, phones in enumerate(lexicon.pronounce(word), 1):
                    name = word if number == 1 else f"{word}({number})"
                    self._decoder.add_word(name, " ".join(phones), False)
        self._decoder.add_jsgf_string("said", jsgf(grammar))
        self._decoder.activate_search("said")

    def hear(self, samples: np.ndarray) -> Heard:
        """See ``Engine``."""
        began = time.process_time()
        self._decoder.start_utt()
        self._decoder.process_raw(pcm(samples), full_utt=True)
        self._decoder.end_utt()
        hypothesis = self._decoder.hyp()
        text = hypothesis.hypstr if hypothesis else ""
        return Heard(" ".join(text.split()), time.process_time() - began)


def jsgf(grammar: Grammar) -> str:
    """The grammar in the JSpeech Grammar Format; costs become weights."""
    rules = "".join(f"<{name}> = {_jsgf(rule)};\n" for name, rule in grammar.rules.items() if name != grammar.start)
    start = _jsgf(grammar.rules[grammar.start])
    return f"#JSGF V1.0;\ngrammar said;\n{rules}public <{grammar.start}> = {start};\n"


def _jsgf(expression: Expression) -> str:
    match expression:
        case Words(text):
            return text or "<NULL>"
        case Sequence(parts):
            return " ".join(_jsgf(part) for part in parts) or "<NULL>"
        case Alternatives(branches):
            weighted = (f"/{np.exp(-cost):.6f}/ {_jsgf(branch)}" for cost, branch in branches)
            return f"( {' | '.join(weighted)} )"
        case Repeat(body):
            return f"( {_jsgf(body)} )*"
        case Reference(rule):
            return f"<{rule}>"
        case Filler():
            raise ValueError("a filler has no counterpart in JSGF")
