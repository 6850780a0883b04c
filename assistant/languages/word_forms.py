"""Singular and plural of a language's words, as far as a shop needs them."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

from assistant.languages.pattern import Phrase

_REMEMBERED = 20_000
"""Words whose stems are kept: the names of very many products have few words."""


@dataclass(frozen=True)
class WordForms:
    """Rules for the number of words.

    Attributes:
        irregular: Singular → plural.
        same: Words that have one form only.
        plurals: Ending of the singular → ending of the plural; the first that fits counts. Empty for a language
            whose words do not change.
        stems: Ending → what takes its place, so that singular and plural become equal; the first that fits counts.
        shortest_stem: Words of at most so many letters stay as they are.
    """

    irregular: Mapping[str, str]
    same: frozenset[str]
    plurals: tuple[tuple[str, str], ...]
    stems: tuple[tuple[str, str], ...]
    shortest_stem: int

    @classmethod
    def from_data(cls, plurals: Mapping[str, Any], stems: Mapping[str, Any]) -> "WordForms":
        """From the tables ``plurals`` and ``stems`` of ``language.toml``."""
        return cls(
            plurals["irregular"],
            frozenset(plurals["same"]),
            tuple((rule["singular"], rule["plural"]) for rule in plurals["rules"]),
            tuple((ending, stem) for ending, stem in stems["endings"]),
            stems["shortest"],
        )

    @cached_property
    def _singulars(self) -> Mapping[str, str]:
        return {plural: singular for singular, plural in self.irregular.items()}

    def plural(self, name: str) -> str:
        """The plural of a name: of its last word."""
        *before, word = name.split() or [""]
        return " ".join([*before, self._plural(word)])

    def _plural(self, word: str) -> str:
        if word in self.same or word in self._singulars:
            return word
        if word in self.irregular:
            return self.irregular[word]
        for singular, plural in self.plurals:
            if word.endswith(singular):
                return word.removesuffix(singular) + plural
        return word

    def stem(self, word: str) -> str:
        """What singular and plural of a word have in common; not meant to be said."""
        return self._stems(word)

    @cached_property
    def _stems(self) -> Callable[[str], str]:
        return lru_cache(_REMEMBERED)(self._stem)

    def _stem(self, word: str) -> str:
        if word in self.same or len(word) <= self.shortest_stem:
            return word
        word = self._singulars.get(word, word)
        for ending, stem in self.stems:
            if word.endswith(ending):
                return word.removesuffix(ending) + stem
        return word

    def stem_all(self, words: Iterable[str]) -> Phrase:
        """The stems of several words."""
        return tuple(map(self._stems, words))
