"""Search over an index that is made when it is missing, damaged or of another catalog."""

import hashlib
import shutil
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import count, islice
from pathlib import Path

from assistant.languages.language import Language
from assistant.shop.product import Product
from assistant.shop.search.entry import Entry, entries_of
from assistant.shop.search.index import FORMAT, ProductIndex, UnusableIndex, build_index, is_being_made
from assistant.shop.search.ranking import Found, rank
from assistant.shop.search.spoken_words import Pronunciations, SpokenWords
from assistant.understand.catalog_words import CatalogWords, WordCounts

CANDIDATES = 200
"""How many the index hands over to be compared closely."""
MOST_CALLED = 50
"""How many products of the same name are told apart."""

_BATCH = 2_000
_TOLD_EVERY = 50
"""Batches."""


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
        self._language = language
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
        return self.compare(self._spoken.words_of(text), bought)[:limit]

    def compare(self, words: Sequence[str], bought: Collection[str] = ()) -> tuple[Found, ...]:
        """As ``search``, for words that are heard already."""
        candidates = self._candidates(words)
        return rank(words, candidates, self._spoken, bought) if candidates else ()

    def called(self, stems: Sequence[str], bought: Collection[str] = ()) -> tuple[str, ...]:
        """Skus of products with a name of exactly these stems: those bought before first, then what sells best."""
        entries = self._index.called(stems, MOST_CALLED)
        entries.sort(key=lambda entry: (entry.sku not in bought, -entry.sold, entry.price, entry.sku))
        return tuple(entry.sku for entry in entries)

    def like(self, product: Product, wanted: str = "") -> tuple[str, ...]:
        """Skus of products of the same kind: of its category, and with a last word of its names; the likest first.

        Half of them are found by its name with the brand, half without: neither its own brand nor another is missed.

        Args:
            product: What others may take the place of.
            wanted: Words that the others should have as well.
        """
        code, words_of, stems = self._language.code, self._spoken.words_of, self._spoken.stems
        names = [words for name in (product.name(code), *product.spoken_aliases(code)) if (words := words_of(name))]
        heads = stems([words[-1] for words in names])
        if not heads:
            return ()
        category, brand = stems(words_of(product.category)), stems(words_of(product.brand))
        own = dict.fromkeys(stems([*words_of(wanted), *(word for words in names for word in words)]))
        without = [stem for stem in own if stem not in brand]
        found = [
            entry.sku
            for shared in ((*own, *brand), without)
            for entry in self._index.akin(heads, category, shared, CANDIDATES // 2)
        ]
        return tuple(sku for sku in dict.fromkeys(found) if sku != product.sku)

    @cached_property
    def words(self) -> CatalogWords:
        """The words of all products."""
        return self._index.words()

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
    spoken, counts = SpokenWords(language, lexicon), WordCounts(language)
    build_index(place, _batches(source, language, spoken, counts, progress), lambda: spoken.phones, counts.words)
    _delete_others(place)
    return ProductSearch(ProductIndex(place), language, lexicon)


def source_of(products: Sequence[Product], language: str) -> Source:
    """Products that are in memory, to make an index of."""
    return Source(_content_key(products, language), lambda: products)


def _content_key(products: Iterable[Product], language: str) -> str:
    """A checksum of all that is searched: names, brands, options and prices, in this order."""
    digest = hashlib.sha256()
    for product in products:
        values = [(option.name, *(value.value for value in option.values)) for option in product.options]
        names = (product.name(language), *product.spoken_aliases(language))
        digest.update(repr((product.sku, names, product.brand, product.category, values, product.price)).encode())
    return digest.hexdigest()


def _batches(
    source: Source, language: Language, spoken: SpokenWords, counts: WordCounts, progress: Callable[[str], None]
) -> Iterator[list[Entry]]:
    sold, products = source.sold(), iter(source.products())
    for number in count(1):
        batch = tuple(islice(products, _BATCH))
        if not batch:
            return
        counts.add(batch)
        yield [replace(entry, sold=sold.get(entry.sku, 0)) for entry in entries_of(batch, language, spoken)]
        if number % _TOLD_EVERY == 0:
            progress(f"{number * _BATCH:,} products are in it.")


def _delete_others(place: Path) -> None:
    for other in place.parent.iterdir():
        if other != place and other.is_dir() and not is_being_made(other):
            shutil.rmtree(other, ignore_errors=True)
