"""From a regular grammar as data to the arcs of an acceptor over words."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from assistant.hear.openfst import Arc, Automaton
from assistant.understand.grammar import (
    Alternatives,
    Expression,
    Filler,
    Grammar,
    Reference,
    Repeat,
    Sequence,
    WordChain,
    Words,
)

UNKNOWN = "[unk]"
UNKNOWN_COST = 7.0
"""What a sound that is no word costs within a filler, besides the filler's own cost: as much as a rather rare word."""

WAKE_MARK = "#wake"
"""The word without sound that ends the wake phrase: it appears in Vosk's partial text once the phrase is complete."""


@dataclass(frozen=True)
class Labels:
    """The labels of words.

    Attributes:
        numbers: Word → label; holds ``[unk]``.
        said_as: Word that the model itself lacks → the labels of what is heard in its place, none for a word that
            makes no sound.
    """

    numbers: Mapping[str, int]
    said_as: Mapping[str, tuple[int, ...]] = field(default_factory=dict)

    @property
    def chain(self) -> int:
        """The label that stands for a chain of words until it is replaced."""
        return max(self.numbers.values()) + 1


def acceptor_of(grammar: Grammar, labels: Labels, general: Mapping[str, float]) -> Automaton:
    """The grammar as an acceptor.

    It is built from the end: every expression gets the state that follows it and returns the state before it, so that
    a rule which several sentences go on with in the same way exists once.

    Args:
        grammar: Words without a label are taken as unknown sounds.
        labels: Words that are heard as others make it a transducer: these go in, the word comes out.
        general: Words of fillers → cost.
    """
    builder = _Builder(grammar, labels, general)
    start = builder.before(Reference(grammar.start), 0)
    return Automaton(builder.arcs, {0: 0.0}, start)


class _Builder:
    def __init__(self, grammar: Grammar, labels: Labels, general: Mapping[str, float]) -> None:
        self.arcs: list[Arc] = []
        self._states = 1
        self._grammar = grammar
        self._numbers = labels.numbers
        self._chain = labels.chain
        self._said_as = {self._numbers[word]: heard for word, heard in labels.said_as.items()}
        self._filler = [(self._numbers[UNKNOWN], UNKNOWN_COST)] + [
            (self._numbers[word], cost)
            for word, cost in general.items()
            if word in self._numbers and word not in labels.said_as
        ]
        self._rules: dict[tuple[str, int], int] = {}
        self._fillers: dict[tuple[float, int], int] = {}

    def before(self, expression: Expression, after: int) -> int:
        """The state from which ``expression`` leads to the state ``after``."""
        match expression:
            case Words(text):
                for word in reversed(text.split()):
                    after = self._arc_to(after, self._numbers.get(word, self._numbers[UNKNOWN]))
                return after
            case Sequence(parts):
                for part in reversed(parts):
                    after = self.before(part, after)
                return after
            case Alternatives(branches):
                state = self._state()
                for cost, branch in branches:
                    self._arc(state, self.before(branch, after), 0, cost)
                return state
            case Repeat(body, cost):
                state = self._state()
                self._arc(state, after, 0, 0.0)
                self._arc(state, self.before(body, state), 0, cost)
                return state
            case Reference(rule):
                if (rule, after) not in self._rules:
                    self._rules[rule, after] = self.before(self._grammar.rules[rule], after)
                return self._rules[rule, after]
            case Filler(cost):
                if (cost, after) not in self._fillers:
                    state = self._fillers[cost, after] = self._state()
                    self._arc(state, after, 0, 0.0)
                    for label, own in self._filler:
                        self._arc(state, state, label, cost + own)
                return self._fillers[cost, after]
            case WordChain():
                return self._arc_to(after, self._chain)

    def _state(self) -> int:
        self._states += 1
        return self._states - 1

    def _arc(self, source: int, target: int, label: int, cost: float) -> None:
        self.arcs.append((source, target, label, label, cost))

    def _arc_to(self, target: int, label: int) -> int:
        first, *others = self._said_as.get(label, (label,)) or (0,)
        for heard in reversed(others):
            state = self._state()
            self.arcs.append((state, target, heard, 0, 0.0))
            target = state
        state = self._state()
        self.arcs.append((state, target, first, label, 0.0))
        return state
