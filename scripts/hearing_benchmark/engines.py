"""Recognisers under the benchmark's own interface: a grammar in, the words of a recording and its cost out."""

import math
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from assistant.hear.acceptor import UNKNOWN, Labels, acceptor_of
from assistant.hear.graph import prepare_graphs
from assistant.hear.lexicon import Lexicon
from assistant.hear.openfst import compile_automaton, optimise_acceptor, run_tool
from assistant.hear.vosk_recogniser import VoskRecogniser, pcm
from assistant.settings import Hear
from assistant.understand.grammar import Alternatives, Expression, Grammar, Reference, Repeat, Words
from assistant.understand.grammar import Sequence as InSequence
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
    """PocketSphinx with its own English model and the same grammar.

    Args:
        grammar: What can be said; it must not hold fillers, which PocketSphinx has no counterpart for.
        lexicon: Pronunciations of words that its dictionary lacks.
        smallest: Whether the grammar is made as small as Vosk's, or given as the rules that it was written as, in
            PocketSphinx's own format (JSGF).
    """

    def __init__(self, grammar: Grammar, lexicon: Lexicon, smallest: bool = True) -> None:
        from pocketsphinx import Decoder

        self.name = "pocketsphinx" if smallest else "pocketsphinx, rules as written"
        self._decoder = Decoder(lm=None, loglevel="FATAL")
        for word in sorted(grammar.vocabulary()):
            if self._decoder.lookup_word(word) is None:
                for number, phones in enumerate(lexicon.pronounce(word), 1):
                    name = word if number == 1 else f"{word}({number})"
                    self._decoder.add_word(name, " ".join(phones), False)
        if smallest:
            found, last = transitions(grammar)
            self._decoder.add_fsg("said", self._decoder.create_fsg("said", 0, last, found))
        else:
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
    """The grammar's rules in the Java Speech Grammar Format (https://www.w3.org/TR/jsgf/), costs as weights."""

    def written(expression: Expression) -> str:
        match expression:
            case Words(text):
                return text or "<NULL>"
            case InSequence(parts):
                return " ".join(written(part) for part in parts)
            case Alternatives(branches):
                return "(" + " | ".join(f"/{math.exp(-cost):.6f}/ {written(branch)}" for cost, branch in branches) + ")"
            case Repeat(body):
                return f"({written(body)})*"
            case Reference(rule):
                return f"<{rule}>"
            case _:
                raise ValueError(f"JSGF has no counterpart of {expression}")

    rules = [
        f"{'public ' * (name == grammar.start)}<{name}> = {written(rule)};" for name, rule in grammar.rules.items()
    ]
    return "\n".join(["#JSGF V1.0;", f"grammar {grammar.name};", *rules, ""])


def transitions(grammar: Grammar) -> tuple[list[tuple[int, int, float, str] | tuple[int, int, float]], int]:
    """The grammar as the fewest states: (from, to, probability, word), from state 0, and the number of the last state.

    Made small by the same tools as Vosk's: PocketSphinx keeps a copy of the words for every state.
    """
    words = sorted(grammar.vocabulary())
    numbers = {word: number for number, word in enumerate((*words, UNKNOWN), 1)}
    with tempfile.TemporaryDirectory() as name:
        path, printed = Path(name) / "grammar.fst", Path(name) / "grammar.txt"
        compile_automaton(acceptor_of(grammar, Labels(numbers), {}), path)
        optimise_acceptor(path)
        run_tool("fstprint", path, printed)
        lines = [line.split() for line in printed.read_text("ascii").splitlines()]
    states = {state: number for number, state in enumerate(dict.fromkeys(line[0] for line in lines))}
    for line in lines:
        if len(line) > 2:
            states.setdefault(line[1], len(states))
    last = len(states)
    found: list[tuple[int, int, float, str] | tuple[int, int, float]] = []
    for line in lines:
        if len(line) <= 2:
            found.append((states[line[0]], last, math.exp(-float(line[1] if len(line) == 2 else 0.0))))
            continue
        cost = float(line[4]) if len(line) == 5 else 0.0
        found.append((states[line[0]], states[line[1]], math.exp(-cost), words[int(line[2]) - 1]))
    return found, last
