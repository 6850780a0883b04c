"""Finding products on sale by words: in memory where they are few, else by the index, without reading all of them."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from assistant.parts import Parts
from assistant.settings import Settings
from assistant.shop.product import Product
from assistant.shop.search.imported import ImportedProducts
from assistant.shop.shelf import Shelf
from assistant.storefront import offer_of

_SPARE = 2
"""Times as many as asked for are looked up, should some not be sold any more."""


@dataclass(frozen=True)
class Hit:
    """A product that words find.

    Attributes:
        product: With what is left of it.
        score: How well it fits the words (0-100).
    """

    product: Product
    score: float


def find_products(
    settings: Settings, state: Path, text: str, most: int, progress: Callable[[str], None] = lambda line: None
) -> tuple[Hit, ...]:
    """Products that a text may mean, best first.

    Args:
        settings: Language, household, database.
        state: The state folder.
        text: What is looked for, as it would be said.
        most: At most so many.
        progress: Takes a line for a person when the index has to be made.

    Raises:
        CatalogMissing: Nothing is on sale.
        StoreError: The database cannot be read, or the index cannot be written.
    """
    offered = offer_of(settings, state, None)
    parts = Parts(settings, offered, state, progress)
    if not isinstance(offered, Shelf) or parts.search is None:
        matches = parts.catalog.search(parts.language.normalise(text).split())[:most]
        return tuple(Hit(parts.catalog.products[match.sku], match.score) for match in matches)
    imported = ImportedProducts(offered.engine)
    found = parts.search.search(text, imported.bought_by(settings.shop.household))
    near = [one for one in found if one.score >= settings.understand.suggestion_minimum][: _SPARE * most]
    products = imported.get([one.sku for one in near])
    return tuple(Hit(products[one.sku], one.score) for one in near if one.sku in products)[:most]


def prepare_search(settings: Settings, state: Path, progress: Callable[[str], None] = lambda line: None) -> None:
    """Makes the index of a large imported catalog now, so that the first search need not wait; of a small one nothing.

    Raises:
        StoreError: The database cannot be read, or the index cannot be written.
    """
    offered = offer_of(settings, state, None)
    if isinstance(offered, Shelf):
        _ = Parts(settings, offered, state, progress).search
