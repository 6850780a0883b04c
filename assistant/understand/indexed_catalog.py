"""A catalog of very many products: an index finds what words mean, and products are read when they are needed."""

from collections.abc import Callable, Collection, Container, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Generic, Protocol, TypeVar

from assistant.languages.language import Language
from assistant.languages.pattern import Phrase
from assistant.shop.product import Option, Product
from assistant.shop.search.ranking import Found
from assistant.understand.catalog_index import WITHIN, Match, OptionIndex, SearchableCatalog, index_of_options
from assistant.understand.catalog_words import CatalogWords
from assistant.understand.likeness import ALIKE, Pronounce
from assistant.understand.product_phrases import Naming, phrases_of_options

_REMEMBERED = 2_000
_ANOTHER = 70.0
"""Most that a product scores without a word that others have, such as another brand: it is asked about, not taken."""
_KIN = 30
"""How many of the nearest products are looked through for those that are akin to one."""

_Key = TypeVar("_Key")
_Value = TypeVar("_Value")


class ProductIndex(Protocol):
    """Finds products by words, as ``ProductSearch`` does."""

    @property
    def words(self) -> CatalogWords:
        """The words of all products."""
        ...

    def called(self, stems: Sequence[str], bought: Collection[str] = ()) -> tuple[str, ...]:
        """Skus of products with a name of exactly these stems, likeliest first."""
        ...

    def compare(self, words: Sequence[str], bought: Collection[str] = ()) -> tuple[Found, ...]:
        """Products that words may mean, best first."""
        ...


class IndexedCatalog(SearchableCatalog):
    """Products by the words for them, a million of them too.

    A product is named exactly by its whole name only. All other words are compared with the names of those products
    that the index finds near them; the last words of a name, or its brand, find all that hold them, and the person is
    asked. Words for options, units and lengths come from the catalog's words.

    Args:
        products: By sku; iterating gives those that the household knows.
        language: Their words, singular and plural.
        pronounce: Pronunciations of a word.
        search: The index.
    """

    def __init__(
        self, products: Mapping[str, Product], language: Language, pronounce: Pronounce, search: ProductIndex
    ) -> None:
        super().__init__(products, language, pronounce)
        self._search = search
        self._known = frozenset(products)

    @cached_property
    def by_words(self) -> Mapping[Phrase, Mapping[str, Naming]]:
        """Stems of a whole name → skus that it names."""
        return _Asked(lambda stems: dict.fromkeys(self._search.called(stems, self._known), Naming.NAME) or None)

    @cached_property
    def named(self) -> Mapping[Phrase, tuple[str, ...]]:
        """Stems of a whole name → skus that it names, those that the household knows first."""
        return _Asked(lambda stems: tuple(self.by_words.get(stems, ())) or None)

    @cached_property
    def longest_phrase(self) -> int:
        """Words of the longest name or option."""
        return max(self._search.words.longest, *map(len, self.option_words), 1)

    @cached_property
    def brands(self) -> Mapping[Phrase, frozenset[str]]:
        """None: a brand is a part of the name here, which tells more than its many products."""
        return {}

    @cached_property
    def units(self) -> Mapping[Phrase, Container[str]]:
        """Stems of a unit that products are sold in → skus."""
        units = (self._stem(unit.split()) for unit in self._search.words.units)
        return {words: _SoldIn(words, self) for words in units if words}

    @cached_property
    def _options_by_words(self) -> Mapping[str, OptionIndex]:
        by_options: Mapping[tuple[Option, ...], OptionIndex] = _Asked(
            lambda options: index_of_options(phrases_of_options(options, self.language), self.language)
        )
        return _Asked(lambda sku: by_options[self.products[sku].options] if sku in self.products else None)

    @cached_property
    def option_words(self) -> frozenset[Phrase]:
        """Phrases of the catalog's options, as they are and by their stems."""
        options = (phrases_of_options(found, self.language) for found in self._search.words.options)
        return frozenset(words for phrases in options for words in index_of_options(phrases, self.language))

    def search(self, words: Sequence[str], among: Collection[str] | None = None) -> tuple[Match, ...]:
        """Products that words may mean, best first; of equally good ones those that the household knows first.

        Args:
            words: What was said, without carrier phrase, quantity and options.
            among: Only these skus.
        """
        if among is not None:
            return self._few(among).search(words)
        if exact := self.by_words.get(self._stem(words)):
            return tuple(Match(sku, 100.0) for sku in exact)
        matches = [Match(found.sku, self._score(found)) for found in self._search.compare(words, self._known)]
        return tuple(sorted((match for match in matches if match.score > 0), key=lambda match: -match.score))

    def akin(self, words: Sequence[str], sku: str) -> tuple[str, ...]:
        """Products that hold all these words and are most like ``sku``: of a like name, else of its category."""
        if sku not in self.products:
            return ()
        name = self.language.normalise_name(self.products[sku].name(self.language.code)).split()
        near = [found.sku for found in self._search.compare((*words, *name)) if found.sku != sku][:_KIN]
        return self._few((*near, sku)).akin(words, sku)

    def _score(self, found: Found) -> float:
        """A likeness as a score like those of a small catalog."""
        slope, basis = ALIKE
        score = slope * found.score + basis
        if not found.missing:
            return max(score, WITHIN)
        return min(score, _ANOTHER) if not self._stems.isdisjoint(found.missing) else score

    @cached_property
    def _stems(self) -> frozenset[str]:
        """Stems of all words in names."""
        return frozenset(self._stem(tuple(self._search.words.chain.words)))

    def _few(self, skus: Collection[str]) -> SearchableCatalog:
        """A catalog of these products only."""
        products = [self.products[sku] for sku in dict.fromkeys(skus) if sku in self.products]
        return SearchableCatalog(products, self.language, self._pronounce)


@dataclass(frozen=True)
class _SoldIn:
    """The skus of what is sold in a unit; there may be very many."""

    unit: Phrase
    catalog: IndexedCatalog

    def __contains__(self, sku: object) -> bool:
        product = self.catalog.products.get(str(sku))
        language = self.catalog.language
        return product is not None and language.forms.stem_all(language.normalise(product.unit).split()) == self.unit


class _Asked(Mapping[_Key, _Value], Generic[_Key, _Value]):
    """Values that are found when they are asked for, the last of them remembered; they cannot be listed."""

    def __init__(self, find: Callable[[_Key], _Value | None]) -> None:
        self._find = find
        self._found: dict[_Key, _Value | None] = {}

    def __getitem__(self, key: _Key) -> _Value:
        if key not in self._found:
            if len(self._found) >= _REMEMBERED:
                self._found.clear()
            self._found[key] = self._find(key)
        value = self._found[key]
        if value is None:
            raise KeyError(key)
        return value

    def __iter__(self) -> Iterator[_Key]:
        return iter(())

    def __len__(self) -> int:
        return 0
