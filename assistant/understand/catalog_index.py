"""The catalog, searchable by what people say: exactly, by spelling, and by sound."""

from collections.abc import Callable, Collection, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from assistant.languages.language import Language
from assistant.languages.pattern import Phrase
from assistant.shop.product import Option, Product
from assistant.understand.likeness import Likeness, Pronounce
from assistant.understand.product_phrases import (
    Naming,
    OptionPhrase,
    ProductPhrase,
    phrases_of_options,
    phrases_of_products,
)

_EXACT = {Naming.NAME: 100.0, Naming.ALIAS: 100.0, Naming.BRANDED: 100.0, Naming.GENERIC: 88.0}
WITHIN = 84.0
"""Score of words that all belong to a longer name, wherever they stand in it."""
_ONLY_PART = (45.0, 44.0)
"""Score of a name that is all there amid other words: a basis, and more the more of what was said it covers."""


OptionIndex = Mapping[Phrase, tuple[tuple[str, str | None], ...]]
"""Words → the options that they may mean, as group and value; a value of None leaves the group out."""


@dataclass(frozen=True)
class Match:
    """A product and how well it fits what was said (0-100)."""

    sku: str
    score: float


def index_of_options(phrases: Iterable[OptionPhrase], language: Language) -> OptionIndex:
    """Phrases of one product's options by their words, and by their stems."""
    phrases = tuple(phrases)
    index: dict[Phrase, dict[tuple[str, str | None], None]] = {}
    for phrase in phrases:
        # Words as they are first, so that "a lot of milk" and "lots of milk" stay two values.
        index.setdefault(phrase.words, {})[phrase.group, phrase.value] = None
    for phrase in phrases:
        index.setdefault(language.forms.stem_all(phrase.words), {})[phrase.group, phrase.value] = None
    return {words: tuple(found) for words, found in index.items()}


class SearchableCatalog:
    """Products by the words for them.

    Args:
        products: The catalog; by sku where not all of them can be in memory.
        language: Its words, singular and plural.
        pronounce: Pronunciations of a word; asked only when spelling alone finds nothing.
    """

    def __init__(
        self, products: Iterable[Product] | Mapping[str, Product], language: Language, pronounce: Pronounce
    ) -> None:
        self.products = products if isinstance(products, Mapping) else {product.sku: product for product in products}
        self.language = language
        self._stem = language.forms.stem_all
        self._pronounce = pronounce
        self.readings: dict[Phrase, tuple[Any, ...]] = {}
        """What ``item_reading`` made of words lately: a sentence is read in several ways that share them."""
        self._meant: dict[tuple[int, tuple[Phrase, ...]], dict[str, str] | None] = {}

    @cached_property
    def phrases(self) -> tuple[ProductPhrase, ...]:
        """All ways to name the products."""
        return phrases_of_products(self.products.values(), self.language)

    @cached_property
    def _likeness(self) -> Likeness:
        return Likeness(self.phrases, self.language, self._pronounce)

    def prepare(self) -> None:
        """Makes now what would otherwise be made when the first words come."""
        _ = self.named, self.longest_phrase, self.brands, self.units

    # Exactly.

    @cached_property
    def by_words(self) -> Mapping[Phrase, Mapping[str, Naming]]:
        """Stems of a phrase → skus that it names, and how."""
        index: dict[Phrase, dict[str, Naming]] = {}
        for phrase in self.phrases:
            found = index.setdefault(self._stem(phrase.words), {})
            found[phrase.sku] = min(phrase.naming, found.get(phrase.sku, Naming.GENERIC))
        return index

    @cached_property
    def named(self) -> Mapping[Phrase, tuple[str, ...]]:
        """Stems of a phrase → skus that exactly these words name; those named directly go before all others."""
        index = {}
        for stems, found in self.by_words.items():
            direct = tuple(sku for sku, naming in found.items() if naming is not Naming.GENERIC)
            index[stems] = direct or tuple(found)
        return index

    @cached_property
    def longest_phrase(self) -> int:
        """Words of the longest phrase for a product or an option."""
        lengths = [len(words) for words in (*self.by_words, *self.option_words)]
        return max(lengths, default=1)

    @cached_property
    def brands(self) -> Mapping[Phrase, frozenset[str]]:
        """Stems of a brand → skus."""
        index: dict[Phrase, set[str]] = {}
        for product in self.products.values():
            words = self._stem(self.language.normalise_name(product.brand).split())
            if words:
                index.setdefault(words, set()).add(product.sku)
        return {words: frozenset(skus) for words, skus in index.items()}

    @cached_property
    def units(self) -> Mapping[Phrase, Container[str]]:
        """Stems of a unit that products are sold in → skus."""
        index: dict[Phrase, set[str]] = {}
        for product in self.products.values():
            words = self._stem(self.language.normalise(product.unit).split())
            if words:
                index.setdefault(words, set()).add(product.sku)
        return {words: frozenset(skus) for words, skus in index.items()}

    # Options.

    @cached_property
    def _option_phrases(self) -> Mapping[str, tuple[OptionPhrase, ...]]:
        by_options: dict[object, tuple[OptionPhrase, ...]] = {}
        found = {}
        for product in self.products.values():
            if product.options not in by_options:
                by_options[product.options] = phrases_of_options(product.options, self.language)
            found[product.sku] = by_options[product.options]
        return found

    @cached_property
    def _options_by_words(self) -> Mapping[str, OptionIndex]:
        done: dict[tuple[Option, ...], OptionIndex] = {}
        for product in self.products.values():
            if product.options not in done:
                done[product.options] = index_of_options(self._option_phrases[product.sku], self.language)
        return {sku: done[product.options] for sku, product in self.products.items()}

    @cached_property
    def option_words(self) -> frozenset[Phrase]:
        """Phrases of all options, as they are and by their stems."""
        return frozenset(words for index in self._options_by_words.values() for words in index)

    def option_phrases(self, sku: str) -> tuple[OptionPhrase, ...]:
        """All ways to say the options of a product."""
        return self._option_phrases[sku]

    def options_of(self, sku: str, phrases: Sequence[Phrase]) -> dict[str, str] | None:
        """The options of a product that phrases mean (group → value), or None when one means nothing to it.

        A phrase that fits several groups goes to the first that no other phrase has taken.
        """
        index = self._options_by_words.get(sku)
        if index is None:
            return None
        place = (id(index), tuple(phrases))
        if place not in self._meant:
            self._meant[place] = self._options_meant(index, phrases)
        meant = self._meant[place]
        return None if meant is None else dict(meant)

    def _options_meant(self, index: OptionIndex, phrases: Sequence[Phrase]) -> dict[str, str] | None:
        taken: dict[str, str | None] = {}
        readings = [index.get(phrase) or index.get(self._stem(phrase), ()) for phrase in phrases]
        for _, found in sorted(enumerate(readings), key=lambda one: (len(one[1]), one[0])):
            free = [(group, value) for group, value in found if taken.get(group, value) == value]
            if not free:
                return None
            taken[free[0][0]] = free[0][1]
        return {group: value for group, value in taken.items() if value is not None}

    # Nearly.

    @cached_property
    def _holding(self) -> Mapping[str, frozenset[int]]:
        """Stem → numbers of the phrases that hold it."""
        index: dict[str, set[int]] = {}
        for number, phrase in enumerate(self.phrases):
            for stem in self._stem(phrase.words):
                index.setdefault(stem, set()).add(number)
        return {stem: frozenset(numbers) for stem, numbers in index.items()}

    def search(self, words: Sequence[str], among: Collection[str] | None = None) -> tuple[Match, ...]:
        """Products that words may mean, best first; equally good ones in the catalog's order.

        Args:
            words: What was said, without carrier phrase, quantity and options.
            among: Only these skus.
        """
        stems = self._stem(words)
        scores: dict[str, float] = {}

        def found(sku: str, score: float) -> None:
            if (among is None or sku in among) and score > scores.get(sku, 0.0):
                scores[sku] = score

        for sku, naming in self.by_words.get(stems, {}).items():
            found(sku, _EXACT[naming])
        if not scores or max(scores.values()) < _EXACT[Naming.NAME]:
            self._find_parts(stems, found)
        if not scores or max(scores.values()) < WITHIN:
            for phrase, likeness in self._likeness.phrases_like(words):
                found(phrase.sku, likeness * _EXACT[phrase.naming] / 100)
        order = {sku: number for number, sku in enumerate(self.products)}
        return tuple(
            Match(sku, score) for sku, score in sorted(scores.items(), key=lambda one: (-one[1], order[one[0]]))
        )

    def akin(self, words: Sequence[str], sku: str) -> tuple[str, ...]:
        """Products that hold all these words and are most like ``sku``: of a like name, else of its category."""
        holding = [self._holding.get(stem, frozenset()) for stem in self._stem(words)]
        found = frozenset.intersection(*holding) if holding else frozenset()
        skus = dict.fromkeys(self.phrases[number].sku for number in sorted(found))
        skus.pop(sku, None)
        own = self._stems_of(sku)
        shared = {other: len(own & (self._stems_of(other) - set(self._stem(words)))) for other in skus}
        most = max(shared.values(), default=0)
        if most:
            return tuple(other for other, count in shared.items() if count == most)
        category = self.products[sku].category if sku in self.products else ""
        return tuple(other for other in skus if category and self.products[other].category == category)

    def _stems_of(self, sku: str) -> set[str]:
        if sku not in self.products:
            return set()
        product, code = self.products[sku], self.language.code
        names = (product.name(code), *product.spoken_aliases(code))
        return {stem for name in names for stem in self._stem(self.language.normalise_name(name).split())}

    def _find_parts(self, stems: Phrase, found: Callable[[str, float], None]) -> None:
        holding = [self._holding.get(stem, frozenset()) for stem in stems]
        if holding and all(holding):
            for number in frozenset.intersection(*holding):
                found(self.phrases[number].sku, WITHIN)
        length = len("".join(stems))
        for number in frozenset().union(*holding):
            own = self._stem(self.phrases[number].words)
            if len(own) < len(stems) and set(own) <= set(stems) and self.phrases[number].naming is not Naming.GENERIC:
                basis, more = _ONLY_PART
                found(self.phrases[number].sku, basis + more * len("".join(own)) / length)
