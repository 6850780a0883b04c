"""Finding products on sale by words: in memory where they are few, else by the index, without reading all of them."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from assistant.hear.lexicon import Lexicon
from assistant.languages.language import load_language
from assistant.models import find_model
from assistant.parts import Parts
from assistant.settings import Settings
from assistant.shop.product import Product
from assistant.shop.search.imported import ImportedProducts
from assistant.shop.search.product_search import MANY_PRODUCTS, ProductSearch, open_search
from assistant.storefront import open_shop_database, products_for

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
    imported = ImportedProducts(open_shop_database(settings, state))
    if imported.count() < MANY_PRODUCTS:
        parts = Parts(settings, products_for(settings, state, None), state, progress)
        matches = parts.catalog.search(parts.language.normalise(text).split())[:most]
        return tuple(Hit(parts.catalog.products[match.sku], match.score) for match in matches)
    found = _open(settings, state, imported, progress).search(text, imported.bought_by(settings.shop.household))
    near = [one for one in found if one.score >= settings.understand.suggestion_minimum][: _SPARE * most]
    products = imported.get([one.sku for one in near])
    return tuple(Hit(products[one.sku], one.score) for one in near if one.sku in products)[:most]


def prepare_search(settings: Settings, state: Path, progress: Callable[[str], None] = lambda line: None) -> None:
    """Makes the index of a large imported catalog now, so that the first search need not wait; of a small one nothing.

    Raises:
        StoreError: The database cannot be read, or the index cannot be written.
    """
    imported = ImportedProducts(open_shop_database(settings, state))
    if imported.count() >= MANY_PRODUCTS:
        _open(settings, state, imported, progress)


def _open(
    settings: Settings, state: Path, imported: ImportedProducts, progress: Callable[[str], None]
) -> ProductSearch:
    language = load_language(settings.understand.language)
    lexicon = Lexicon(find_model(language.lexicon), state / "pronunciations")
    return open_search(state / "search" / "imported", imported.source(), language, lexicon, progress)
