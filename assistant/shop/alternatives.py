"""Products that may take another's place: of the same kind, and fit for whoever wanted the other. Pure."""

from collections.abc import Iterable, Mapping

from assistant.shop.product import Product

_KEPT = (
    "vegan", "vegetarian", "lactose_free", "dairy_free", "gluten_free", "sugar_free", "alcohol_free", "nut_free",
    "peanut_free", "egg_free", "soy_free", "halal", "kosher",
)  # fmt: skip
"""What is true of a product must be true of whatever is offered in its place."""
_NEVER = ("age_restricted",)
_ONLY_IF_ASKED = ("alcohol_free", "decaf")
"""What is not true of a product must not be true of whatever is offered in its place; the latter may be asked for."""


def alternatives(
    product: Product, products: Mapping[str, Product], language: str, asked: str = ""
) -> tuple[Product, ...]:
    """Products of the same kind that are in stock, most like it first.

    Args:
        product: What is sold out, or not what was meant.
        products: The catalog; ``stock`` is what is free now.
        language: Whose names tell what a product is.
        asked: The fact that was asked for ("decaf"); empty when none was.
    """
    own = _words(product, language)
    avoided = (*_NEVER, *(name for name in _ONLY_IF_ASKED if name != asked))
    found = [
        (_rank(product, own, other, language), place, other)
        for place, other in enumerate(products.values())
        if other.sku != product.sku and _alike(product, other, language) and _bearable(product, other, avoided)
    ]
    return tuple(other for _, _, other in sorted(found, key=lambda one: one[:2]))


def _rank(product: Product, own: frozenset[str], other: Product, language: str) -> tuple[int, int, int]:
    shared = len(own & _words(other, language))
    return -shared, int(other.unit != product.unit), abs(other.price.minor - product.price.minor)


def _alike(product: Product, other: Product, language: str) -> bool:
    """Whether both are the same kind of thing: their names end alike, and the shop keeps them together."""
    heads = _heads(product, language) & _heads(other, language)
    return bool(heads) and product.category == other.category and product.price.currency == other.price.currency


def _bearable(product: Product, other: Product, avoided: Iterable[str]) -> bool:
    if other.stock is not None and other.stock <= 0:
        return False
    kept = all(_true(other, name) for name in _KEPT if _true(product, name))
    return kept and not any(_true(other, name) for name in avoided if not _true(product, name))


def _true(product: Product, name: str) -> bool:
    return product.attributes.get(name, "").casefold() in ("true", "yes")


def _names(product: Product, language: str) -> Iterable[str]:
    return (product.name(language).casefold(), *(name.casefold() for name in product.spoken_aliases(language)))


def _heads(product: Product, language: str) -> frozenset[str]:
    """What the product is: the last word of its names, without a plural; of names without blanks, the last sign."""
    return frozenset(_singular(name.split()[-1]) for name in _names(product, language) if name.split())


def _words(product: Product, language: str) -> frozenset[str]:
    return frozenset(_singular(word) for name in _names(product, language) for word in name.split())


def _singular(word: str) -> str:
    if not word.isascii():
        return word[-1]
    return word.removesuffix("s") if len(word) > 3 else word
