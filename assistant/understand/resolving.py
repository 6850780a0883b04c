"""From an item as it was said to a product of the catalog, or to what has to be asked."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from assistant.settings import Understand
from assistant.understand.catalog_index import Match, SearchableCatalog
from assistant.understand.item_reading import Reading
from assistant.understand.product_phrases import Naming
from assistant.understand.quantities import fit_measure, quantities_of
from assistant.understand.understanding import Item, Unresolved

_MOST_CANDIDATES = 3
_SURE = 100.0


@dataclass(frozen=True)
class Resolved:
    """What readings came to.

    Attributes:
        items: Certain products.
        unresolved: What names no product, or several.
        quantity: Of readings without a product: a bare number.
        options: Of readings without a product: bare options.
        pronoun: Whether "one" stood for a product.
        unknown: How many words were not understood.
    """

    items: tuple[Item, ...] = ()
    unresolved: tuple[Unresolved, ...] = ()
    quantity: int | None = None
    options: dict[str, str] = field(default_factory=dict)
    pronoun: bool = False
    unknown: int = 0

    @property
    def empty(self) -> bool:
        """Whether no product was named at all."""
        return not self.items and not self.unresolved

    @property
    def promising(self) -> bool:
        """Whether there is a product, a choice of products or at least a suggestion."""
        return bool(self.items) or any(one.candidates or one.suggestion for one in self.unresolved)


class Resolver:
    """Finds the products of readings.

    Args:
        catalog: The products.
        settings: How sure a match must be.
    """

    def __init__(self, catalog: SearchableCatalog, settings: Understand) -> None:
        self._catalog = catalog
        self._settings = settings

    def resolve(self, readings: Sequence[Reading]) -> Resolved:
        """All items of an utterance."""
        items: list[Item] = []
        unresolved: list[Unresolved] = []
        quantity: int | None = None
        options: dict[str, str] = {}
        for reading in readings:
            if reading.bare:
                quantity = _count(reading) if reading.said else quantity
                options |= self.foreign_options(reading.options)
                continue
            found = self._find(reading)
            if isinstance(found, Item):
                items.append(found)
            else:
                unresolved.append(found)
        return Resolved(
            tuple(items),
            tuple(unresolved),
            quantity,
            options,
            any(reading.pronoun for reading in readings),
            sum(reading.unknown for reading in readings),
        )

    def foreign_options(self, phrases: Sequence[tuple[str, ...]]) -> dict[str, str]:
        """Options as the first product that has them all calls them, else each as any product calls it."""
        for sku in self._catalog.products:
            found = self._catalog.options_of(sku, phrases)
            if found is not None:
                return found
        options: dict[str, str] = {}
        for phrase in phrases:
            options |= next(
                filter(None, (self._catalog.options_of(sku, (phrase,)) for sku in self._catalog.products)), {}
            )
        return options

    def item(self, sku: str, reading: Reading, score: float = _SURE) -> Item:
        """The product with the quantity and the options of a reading."""
        product = self._catalog.products[sku]
        options = self._catalog.options_of(sku, reading.options)
        if options is None:
            options = self._each_option(sku, reading)
        quantity, said = _count(reading), reading.said
        if reading.measure is not None:
            fitted = fit_measure(product, reading.measure, quantities_of(self._catalog.language))
            quantity, said = (fitted[0], True) if fitted else (1, False)
            options = {**options, **(fitted[1] if fitted else {})}
        if reading.pack > 1 and product.attributes.get("count") == str(reading.pack):
            quantity = reading.quantity or 1
        return Item(sku, product.name(self._catalog.language.code), max(1, quantity), options, score, said)

    def _each_option(self, sku: str, reading: Reading) -> dict[str, str]:
        """The options that the product has, and those that only others have."""
        options: dict[str, str] = {}
        for phrase in reading.options:
            own = self._catalog.options_of(sku, (phrase,))
            options = {**(self.foreign_options((phrase,)) if own is None else own), **options}
        return options

    def _find(self, reading: Reading) -> Item | Unresolved:
        skus = self._fitting(reading.skus, reading)
        if skus and not reading.unknown:
            if len(skus) == 1:
                return self.item(skus[0], reading, self._exact_score(skus[0], reading))
            return self._tie(reading, skus)
        matches = self._search(reading)
        best = matches[0].score if matches else 0.0
        if best < self._settings.score_minimum and reading.spoken != reading.words:
            # What looked like an option of something may be part of a name that the shop does not know.
            reading = replace(reading, words=reading.spoken, options=(), skus=())
            matches = self._search(reading)
            best = matches[0].score if matches else 0.0
        if best >= self._settings.score_minimum:
            close = [match.sku for match in matches if best - match.score < self._settings.score_margin]
            close = list(self._fitting(tuple(close), reading))
            if len(close) == 1:
                return self.item(close[0], reading, best)
            return self._tie(reading, tuple(close))
        suggestion = matches[0].sku if matches and best >= self._settings.suggestion_minimum else None
        return self._unresolved(reading, (), suggestion)

    def _search(self, reading: Reading) -> tuple[Match, ...]:
        """Products near the words; words for options count where the product lacks the option."""
        return self._catalog.search(reading.words, reading.brand or None)

    def _exact_score(self, sku: str, reading: Reading) -> float:
        stems = self._catalog.language.forms.stem_all(reading.words)
        generic = self._catalog.by_words.get(stems, {}).get(sku) is Naming.GENERIC
        return next((match.score for match in self._search(reading) if match.sku == sku), _SURE) if generic else _SURE

    def _fitting(self, skus: tuple[str, ...], reading: Reading) -> tuple[str, ...]:
        """Those of several products that fit brand, options and unit best."""
        products = self._catalog.products
        by_brand = [sku for sku in skus if sku in reading.brand]
        skus = tuple(by_brand) or skus
        by_options = [sku for sku in skus if self._catalog.options_of(sku, reading.options) is not None]
        skus = tuple(by_options) or skus
        if reading.unit:
            by_unit = [sku for sku in skus if sku in self._catalog.units.get(reading.unit, ())]
            skus = tuple(by_unit) or skus
        if reading.measure:
            quantities = quantities_of(self._catalog.language)
            by_measure = [sku for sku in skus if fit_measure(products[sku], reading.measure, quantities)]
            skus = tuple(by_measure) or skus
        return skus

    def _tie(self, reading: Reading, skus: tuple[str, ...]) -> Unresolved:
        return self._unresolved(reading, skus[:_MOST_CANDIDATES], None)

    def _unresolved(self, reading: Reading, candidates: tuple[str, ...], suggestion: str | None) -> Unresolved:
        known = [self._catalog.options_of(sku, reading.options) for sku in candidates]
        options = next((found for found in known if found), None)
        if options is None:
            options = self.foreign_options(reading.options)
        phrase = " ".join(reading.words)
        return Unresolved(phrase, max(1, _count(reading)), candidates, suggestion, options, reading.said)


def _count(reading: Reading) -> int:
    return (reading.quantity or 1) * reading.pack
