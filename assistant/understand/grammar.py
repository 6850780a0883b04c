"""Regular grammars as data: written by understanding, compiled into a recognition graph by hearing.

The costs are natural-log units (−log probability); they add to the recogniser's acoustic scores.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True)
class Words:
    """Words in sequence, lower case, separated by blanks; empty text is nothing at all."""

    text: str


@dataclass(frozen=True)
class Sequence:
    """One part after the other."""

    parts: tuple["Expression", ...]


@dataclass(frozen=True)
class Alternatives:
    """One of several branches, each with its cost."""

    branches: tuple[tuple[float, "Expression"], ...]


@dataclass(frozen=True)
class Repeat:
    """The body zero or more times, ``cost`` each time."""

    body: "Expression"
    cost: float = 0.0


@dataclass(frozen=True)
class Reference:
    """Another rule of the same grammar; rules never refer to themselves, directly or not."""

    rule: str


@dataclass(frozen=True)
class Filler:
    """Anything else: a loop over general words and unknown sounds, ``cost`` each word."""

    cost: float


@dataclass(frozen=True)
class WordChain:
    """Words in a row, each as likely as the word before makes it: a bigram that backs off to single words.

    It is a rule of its own, and a grammar has at most one.

    Attributes:
        words: Word → cost after any other; ``[unk]`` is any sounds.
        following: Word, or ``""`` at the beginning, → words that often come after it → cost.
        ends: Word → cost of being the last.
        backing_off: Word, or ``""`` at the beginning, → cost of going on with any word.
    """

    words: Mapping[str, float]
    following: Mapping[str, Mapping[str, float]]
    ends: Mapping[str, float]
    backing_off: Mapping[str, float]


Expression: TypeAlias = Words | Sequence | Alternatives | Repeat | Reference | Filler | WordChain


@dataclass(frozen=True)
class Grammar:
    """A named regular grammar.

    Attributes:
        name: For files and messages.
        rules: Rule name → expression.
        start: The rule to begin with.
    """

    name: str
    rules: Mapping[str, Expression]
    start: str = "start"

    def vocabulary(self) -> frozenset[str]:
        """All words of all rules."""
        return frozenset(word for rule in self.rules.values() for word in _words(rule))

    @property
    def chain(self) -> WordChain | None:
        """The rule that is a chain of words, if there is one."""
        return next((rule for rule in self.rules.values() if isinstance(rule, WordChain)), None)


def _words(expression: Expression) -> Iterator[str]:
    match expression:
        case Words(text):
            yield from text.split()
        case Sequence(parts):
            for part in parts:
                yield from _words(part)
        case Alternatives(branches):
            for _, branch in branches:
                yield from _words(branch)
        case Repeat(body):
            yield from _words(body)
        case WordChain(words):
            yield from words
        case Reference() | Filler():
            return


def needed(rules: Mapping[str, Expression]) -> dict[str, Expression]:
    """The rules that the rule ``start`` leads to."""
    found: dict[str, Expression] = {}
    waiting = ["start"]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found[name] = rules[name]
            waiting += _references(rules[name])
    return found


def _references(expression: Expression) -> list[str]:
    match expression:
        case Reference(rule):
            return [rule]
        case Sequence(parts):
            return [name for part in parts for name in _references(part)]
        case Alternatives(branches):
            return [name for _, branch in branches for name in _references(branch)]
        case Repeat(body):
            return _references(body)
        case _:
            return []
