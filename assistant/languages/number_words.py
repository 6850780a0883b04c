"""Number words of a language from its rules: from a number to words and back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from assistant.languages.pattern import Phrase, is_slot

_TIMES, _WHOLE, _REST = "{times}", "{whole}", "{rest}"


@dataclass(frozen=True)
class Compound:
    """How multiples of a unit with a rest below it are said.

    Attributes:
        unit: E.g. 100.
        below: First number that is not said like this.
        patterns: Words with ``{times}``, ``{whole}`` and ``{rest}``; the first that fits a number is said.
    """

    unit: int
    below: int
    patterns: tuple[Phrase, ...]


@dataclass(frozen=True)
class NumberWords:
    """The number words of a language.

    Attributes:
        words: Numbers with a word of their own → words, the first of which is said.
        compounds: All other numbers.
    """

    words: Mapping[int, tuple[Phrase, ...]]
    compounds: tuple[Compound, ...]

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> "NumberWords":
        """From the contents of ``numbers.toml``."""
        words = {int(value): tuple(tuple(word.split()) for word in said) for value, said in data["words"].items()}
        compounds = [
            Compound(one["unit"], one["below"], tuple(tuple(pattern.split()) for pattern in one["patterns"]))
            for one in data["compounds"]
        ]
        return cls(words, tuple(sorted(compounds, key=lambda one: -one.unit)))

    @cached_property
    def most(self) -> int:
        """The largest number that can be said."""
        return max([*self.words, *(compound.below - 1 for compound in self.compounds)])

    def say(self, number: int) -> str:
        """The words of a number from 0 to ``most``.

        Raises:
            ValueError: It is out of range.
        """
        return " ".join(self._say(number))

    def _say(self, number: int) -> Phrase:
        if number in self.words:
            return self.words[number][0]
        for compound in self.compounds:
            if compound.unit <= number < compound.below:
                times, rest = divmod(number, compound.unit)
                for pattern in compound.patterns:
                    if (_REST in pattern) == (rest > 0) and (times == 1 or {_TIMES, _WHOLE} & set(pattern)):
                        values = {_TIMES: times, _WHOLE: number - rest, _REST: rest}
                        return tuple(
                            word
                            for part in pattern
                            for word in (self._say(values[part]) if part in values else (part,))
                        )
        raise ValueError(f"{number} cannot be said")

    def ways(self, number: int) -> tuple[str, ...]:
        """All ways to say a number, the usual one first."""
        found = [" ".join(phrase) for phrase in self.words.get(number, ())]
        for compound in self.compounds:
            if number in self.words or not compound.unit <= number < compound.below:
                continue
            times, rest = divmod(number, compound.unit)
            for pattern in compound.patterns:
                if (_REST in pattern) == (rest > 0) and (times == 1 or {_TIMES, _WHOLE} & set(pattern)):
                    values = {_TIMES: times, _WHOLE: number - rest, _REST: rest}
                    found += self._fill(pattern, values)
            break
        return tuple(dict.fromkeys(found))

    def _fill(self, pattern: Phrase, values: Mapping[str, int]) -> list[str]:
        texts = [""]
        for part in pattern:
            ways = self.ways(values[part]) if part in values else (part,)
            texts = [f"{text} {way}".strip() for text in texts for way in ways]
        return texts

    def read(self, tokens: Sequence[str], begin: int = 0) -> tuple[int, int] | None:
        """The number at ``begin``, as long as possible: its value and where it ends; None when there is none."""
        found = self._read(tokens, begin, self.most + 1)
        return max(found, key=lambda one: one[1]) if found else None

    def read_whole(self, tokens: Sequence[str]) -> int | None:
        """The number that all of ``tokens`` mean together, or None."""
        values = [value for value, end in self._read(tokens, 0, self.most + 1) if end == len(tokens)]
        return values[0] if values else None

    def _read(self, tokens: Sequence[str], begin: int, below: int) -> list[tuple[int, int]]:
        if begin >= len(tokens) or tokens[begin] not in self._first_words:
            return []
        found = self._own_words.get(tokens[begin], ())
        found_numbers = [
            (value, begin + len(phrase))
            for value, phrase in found
            if value < below and tuple(tokens[begin : begin + len(phrase)]) == phrase
        ]
        for compound in self.compounds:
            if compound.unit < below:
                for pattern in compound.patterns:
                    found_numbers += self._read_pattern(tokens, begin, compound, pattern, below)
        return list(dict.fromkeys(found_numbers))

    @cached_property
    def _own_words(self) -> Mapping[str, list[tuple[int, Phrase]]]:
        index: dict[str, list[tuple[int, Phrase]]] = {}
        for value, phrases in self.words.items():
            for phrase in phrases:
                index.setdefault(phrase[0], []).append((value, phrase))
        return index

    @cached_property
    def _first_words(self) -> frozenset[str]:
        starts = (pattern[0] for compound in self.compounds for pattern in compound.patterns)
        return frozenset(self._own_words) | frozenset(start for start in starts if not is_slot(start))

    def _read_pattern(
        self, tokens: Sequence[str], begin: int, compound: Compound, pattern: Phrase, below: int
    ) -> list[tuple[int, int]]:
        implied = 0 if {_TIMES, _WHOLE} & set(pattern) else compound.unit
        ways = [(implied, begin)]
        for part in pattern:
            longer: list[tuple[int, int]] = []
            for value, end in ways:
                match part:
                    case "{times}":
                        limit = compound.below // compound.unit
                        inner = self._read(tokens, end, min(limit, compound.unit))
                        longer += [(value + times * compound.unit, after) for times, after in inner if times]
                    case "{whole}":
                        longer += [
                            (value + whole, end + len(phrase))
                            for whole, phrases in self.words.items()
                            for phrase in phrases
                            if whole and whole % compound.unit == 0 and tuple(tokens[end : end + len(phrase)]) == phrase
                        ]
                    case "{rest}":
                        inner = self._read(tokens, end, compound.unit)
                        longer += [(value + rest, after) for rest, after in inner if rest]
                    case _ if end < len(tokens) and tokens[end] == part:
                        longer.append((value, end + 1))
            ways = longer
        # "Ten one" is no eleven: a number with a word of its own is not put together.
        return [(value, end) for value, end in ways if value < min(below, compound.below) and value not in self.words]
