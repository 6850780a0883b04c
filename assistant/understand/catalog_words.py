"""The words of a large catalog: what follows what in products' names, its units and options. One pass counts them."""

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from assistant.languages.language import Language
from assistant.shop.product import Option, OptionValue, Product
from assistant.understand.grammar import WordChain
from assistant.understand.product_phrases import phrases_of_product

MOST_WORDS = 20_000
"""Words that can be heard as themselves, the most frequent ones; a rarer one is heard as what it sounds like."""
MOST_PAIRS = 100_000
"""Pairs of words whose likelihood is known."""
_MOST_OPTIONS = 500
_MOST_COUNTED = 500_000
"""Pairs in memory while they are counted; beyond, those that were met least are forgotten."""
_SINGULAR, _PLURAL = 2, 1
"""How often the last word of a name counts as it is, and in the plural."""
_DISCOUNT = 0.5
"""Taken from each pair's count for pairs that were not met (absolute discounting)."""
_LEAST_END = 0.003
"""How likely any word is the last: people leave words out."""
_UNKNOWN = "[unk]"


@dataclass(frozen=True)
class CatalogWords:
    """What the grammar and the understanding need of a catalog's words.

    Attributes:
        chain: The names.
        units: What products are sold in, as it is said.
        options: Options of several products, the most frequent ones.
        longest: Words of the longest name.
    """

    chain: WordChain
    units: tuple[str, ...]
    options: tuple[tuple[Option, ...], ...]
    longest: int

    def to_json(self) -> dict[str, Any]:
        """Plain values, for a file."""
        options = [
            [[one.name, [[value.value, *value.aliases] for value in one.values]] for one in options]
            for options in self.options
        ]
        return {"chain": vars(self.chain), "units": self.units, "options": options, "longest": self.longest}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "CatalogWords":
        """From what ``to_json`` gave.

        Raises:
            KeyError, TypeError, ValueError: It is something else.
        """
        options = tuple(
            tuple(
                Option(name, tuple(OptionValue(value, tuple(aliases)) for value, *aliases in found))
                for name, found in one
            )
            for one in values["options"]
        )
        return cls(WordChain(**values["chain"]), tuple(values["units"]), options, int(values["longest"]))


@dataclass
class WordCounts:
    """Counts the words of products, a million of them in little memory.

    Attributes:
        language: What is spoken.
    """

    language: Language
    _pairs: Counter[tuple[str, str]] = field(default_factory=Counter)
    _words: Counter[str] = field(default_factory=Counter)
    _units: dict[str, None] = field(default_factory=dict)
    _options: Counter[tuple[Option, ...]] = field(default_factory=Counter)
    _names: int = 0
    _longest: int = 1

    def add(self, products: Iterable[Product]) -> None:
        """Counts some more products."""
        for product in products:
            for phrase in phrases_of_product(product, self.language):
                self._add_name(phrase.words)
            if product.unit:
                self._units[self.language.normalise(product.unit)] = None
            if product.options:
                self._options[_said(product.options)] += 1
        if len(self._options) > 4 * _MOST_OPTIONS:
            self._options = Counter(dict(self._options.most_common(2 * _MOST_OPTIONS)))
        if len(self._pairs) > _MOST_COUNTED:
            _forget_rare(self._pairs, _MOST_COUNTED // 2)

    def _add_name(self, words: tuple[str, ...]) -> None:
        self._names += 1
        self._longest = max(self._longest, len(words))
        plural = tuple(self.language.forms.plural(" ".join(words)).split())
        for name, times in ((words, _SINGULAR), (plural, _PLURAL)):
            for word in name:
                self._words[word] += times
            for pair in pairwise(("", *name, "")):
                self._pairs[pair] += times

    def words(self) -> CatalogWords:
        """What was counted."""
        return CatalogWords(
            self._chain(),
            tuple(self._units),
            tuple(options for options, _ in self._options.most_common(_MOST_OPTIONS)),
            self._longest,
        )

    def _chain(self) -> WordChain:
        known = dict(self._words.most_common(MOST_WORDS))
        total = sum(self._words.values())
        words = {word: _cost(count / total) for word, count in known.items()}
        if rare := total - sum(known.values()):
            words[_UNKNOWN] = _cost(rare / total)
        met = known | {"": (_SINGULAR + _PLURAL) * self._names}
        left, ends = dict.fromkeys(met, 1.0), dict.fromkeys(words, _cost(_LEAST_END))
        following: dict[str, dict[str, float]] = {}
        kept = ((pair, count) for pair, count in self._pairs.most_common(MOST_PAIRS) if set(pair) <= met.keys())
        for (before, after), count in kept:
            likelihood = (count - _DISCOUNT) / met[before]
            left[before] -= likelihood
            if after:
                following.setdefault(before, {})[after] = _cost(likelihood)
            else:
                ends[before] = min(ends[before], _cost(likelihood))
        backing_off = {before: _cost(max(rest, _DISCOUNT / met[before])) for before, rest in left.items()}
        return WordChain(words, following, ends, {_UNKNOWN: 0.0, **backing_off} if rare else backing_off)


def _forget_rare(counts: Counter[tuple[str, str]], most: int) -> None:
    """Leaves the most frequent, of equally frequent ones those that were met first; in place, which needs no memory."""
    least = sorted(counts.values())[-most]
    for pair in [pair for pair, count in counts.items() if count < least]:
        del counts[pair]
    as_rare = [pair for pair, count in counts.items() if count == least]
    for pair in as_rare[len(as_rare) - (len(counts) - most) :]:
        del counts[pair]


def _cost(likelihood: float) -> float:
    return round(-math.log(likelihood), 3)


def _said(options: Iterable[Option]) -> tuple[Option, ...]:
    """The options by what can be said of them: neither their prices nor their defaults."""
    return tuple(
        Option(option.name, tuple(OptionValue(value.value, value.aliases) for value in option.values))
        for option in options
    )
