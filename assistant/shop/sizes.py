"""How big products are, as far as their attributes and options say. Pure."""

import re
from collections.abc import Mapping
from decimal import Decimal

from assistant.shop.product import Option, Product

_UNITS = {
    "mg": Decimal("0.001"), "g": Decimal(1), "kg": Decimal(1000),
    "ml": Decimal(1), "cl": Decimal(10), "l": Decimal(1000),
    "mm": Decimal("0.1"), "cm": Decimal(1), "m": Decimal(100),
    "w": Decimal(1), "": Decimal(1),
}  # fmt: skip
_ATTRIBUTES = ("volume", "weight", "count", "length", "watts")
_MEASURE = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([a-z]*)\s*", re.IGNORECASE)
_GROUPS = frozenset({"size", "pack", "volume", "weight", "length"})


def sizes_of(product: Product) -> Mapping[str, Decimal]:
    """Attribute → size, in grams, millilitres, centimetres, watts or pieces; only what can be read as such."""
    found = {}
    for name in _ATTRIBUTES:
        match = _MEASURE.fullmatch(product.attributes.get(name, ""))
        if match and match[2].lower() in _UNITS:
            found[name] = Decimal(match[1]) * _UNITS[match[2].lower()]
    return found


def compared(first: Product, second: Product) -> int | None:
    """1 when the first is bigger, -1 when it is smaller, 0 when equal; None when they cannot be compared."""
    ones, others = sizes_of(first), sizes_of(second)
    common = next((name for name in _ATTRIBUTES if name in ones and name in others), None)
    if common is None:
        return None
    return (ones[common] > others[common]) - (ones[common] < others[common])


def size_option(product: Product) -> Option | None:
    """The option that chooses between sizes, its values from small to big as the feed lists them; None without one."""
    return next((option for option in product.options if option.name.casefold() in _GROUPS), None)
