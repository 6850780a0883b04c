"""Search over an index that is made when it is missing, damaged or of another catalog."""

import hashlib
import shutil
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path

from assistant.languages.language import Language
from assistant.shop.product import Product
from assistant.shop.search.entry import Entry, entries_of
from assistant.shop.search.index import FORMAT, ProductIndex, UnusableIndex, build_index, is_being_made
from assistant.shop.search.ranking import Found, rank
from assistant.shop.search.spoken_words import Pronunciations, SpokenWords

MANY_PRODUCTS = 5_000
"""From so many products on an index pays; fewer are searched in memory, one by one."""
CANDIDATES = 200
"""How many the index hands over to be compared closely."""

_BATCH = 2_000


@dataclass(frozen=True)
class Source:
    """The catalog that an index is made of.

    Attributes:
        key: Differs when any product does: a revision, or a checksum.
        products: Reads them; called only to make an index.
        sold: Reads sku → units sold so far; called only then, too.
    """

    key: str
    products: Callable[[], Iterable[Product]] = field(repr=False)
    sold: Callable[[], Mapping[str, int]] = field(default=dict, repr=False)


class ProductSearch:
    """Finds products by words that were heard.

    Args:
        index: The index.
        language: What is spoken.
        lexicon: How words are said.
    """

    def __init__(self, index: ProductIndex, language: Language, lexicon: Pronunciations) -> None:
        self._index = index
        self._spoken = SpokenWords(language, lexicon, index.phones)

    def __len__(self) -> int:
        return len(self._index)

    def search(self, text: str, bought: Collection[str] = (), limit: int = CANDIDATES) -> tuple[Found, ...]:
        """Products that a text may mean, best first.

        Args:
            text: What was heard.
            bought: Skus that the household has bought before; they go before others that fit as well.
            limit: At most so many.
        """
        words = self._spoken.words_of(text)
        candidates = self._candidates(words)
        return rank(words, candidates, self._spoken, bought)[:limit] if candidates else ()

    def near(self, words: Sequence[str]) -> tuple[str, ...]:
        """Skus of the candidates for words, to be compared by somebody else."""
        return tuple(entry.sku for entry in self._candidates(words))

    def _candidates(self, words: Sequence[str]) -> list[Entry]:
        return self._index.candidates(self._spoken.stems(words), self._spoken.sound(words), CANDIDATES)


def open_search(
    folder: Path,
    source: Source,
    language: Language,
    lexicon: Pronunciations,
    progress: Callable[[str], None] = lambda line: None,
) -> ProductSearch:
    """Opens the index of a catalog; makes it when there is none that can be used.

    Args:
        folder: Where indexes are kept; those of other catalogs are deleted from it when a new one is made.
        source: The catalog.
        language: What is spoken.
        lexicon: How words are said.
        progress: Takes a line for a person: why an index is made, and that it takes a while.

    Raises:
        StoreError: The index cannot be written, or the catalog cannot be read.
    """
    key = hashlib.sha256("\0".join((str(FORMAT), source.key, language.code, lexicon.digest)).encode()).hexdigest()[:16]
    place = folder / key
    try:
        return ProductSearch(ProductIndex(place), language, lexicon)
    except UnusableIndex as problem:
        if place.is_dir():
            progress(f"The search index in {place} cannot be used: {problem}. It is made anew.")
        else:
            progress("The search index of this catalog is made; this happens once.")
    spoken = SpokenWords(language, lexicon)
    build_index(place, _batches(source, language, spoken), lambda: spoken.phones)
    _delete_others(place)
    return ProductSearch(ProductIndex(place), language, lexicon)


def candidates_in(
    folder: Path,
    products: Sequence[Product],
    language: Language,
    lexicon: Pronunciations,
    progress: Callable[[str], None] = lambda line: None,
) -> Callable[[Sequence[str]], Collection[str]] | None:
    """What gives the candidates among products that are in memory; None for so few that all of them are compared.

    Args: as for ``open_search``.

    Raises:
        StoreError: The index cannot be written.
    """
    if len(products) < MANY_PRODUCTS:
        return None
    source = Source(_content_key(products, language.code), lambda: products)
    return open_search(folder, source, language, lexicon, progress).near


def _content_key(products: Iterable[Product], language: str) -> str:
    """A checksum of all that is searched: names, brands, options and prices, in this order."""
    digest = hashlib.sha256()
    for product in products:
        values = [(option.name, *(value.value for value in option.values)) for option in product.options]
        names = (product.name(language), *product.spoken_aliases(language))
        digest.update(repr((product.sku, names, product.brand, product.category, values, product.price)).encode())
    return digest.hexdigest()


def _batches(source: Source, language: Language, spoken: SpokenWords) -> Iterator[list[Entry]]:
    sold, products = source.sold(), iter(source.products())
    while batch := tuple(islice(products, _BATCH)):
        yield [replace(entry, sold=sold.get(entry.sku, 0)) for entry in entries_of(batch, language, spoken)]


def _delete_others(place: Path) -> None:
    for other in place.parent.iterdir():
        if other != place and other.is_dir() and not is_being_made(other):
            shutil.rmtree(other, ignore_errors=True)
