"""What an order's products demand of whoever pays for them. Pure.

The household states it in its settings and the shop in its feed; what either demands, the other cannot lift. Whatever
cannot be understood demands everything.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from assistant.settings import Pay
from assistant.shop.cart import CartLine
from assistant.shop.money import Money
from assistant.shop.product import Product

MINIMUM_AGE = "minimum_age"
"""Attribute of a product that only people of that age may buy; 0 is everybody."""

GUARDED_ABOVE = "guarded_above"
"""Attribute of a product: the amount, as decimal text, above which it is guarded in one order."""

_PATH = re.compile(r"\s*[/>]\s*")


@dataclass(frozen=True)
class Demands:
    """What an order demands besides an enrolled voice.

    Attributes:
        adult: Something in it is age-restricted: an adult orders it and pays with their own voice.
        guarded: It holds much of something valuable: the longest challenge, and no PIN.
    """

    adult: bool = False
    guarded: bool = False

    @property
    def voice(self) -> bool:
        """Whether nothing but a voice will do."""
        return self.adult or self.guarded


NO_DEMANDS = Demands()
"""An enrolled voice is enough."""


def demands_of(lines: Iterable[CartLine], products: Mapping[str, Product], settings: Pay) -> Demands:
    """What these lines of an order demand.

    Args:
        lines: What is bought.
        products: The catalog by sku; a product that is not in it demands everything.
        settings: The household's categories.
    """
    held = tuple(lines)
    if any(line.sku not in products for line in held):
        return Demands(adult=True, guarded=True)
    known = {line.sku: products[line.sku] for line in held}
    return Demands(
        adult=any(_age_restricted(product, settings) for product in known.values()),
        guarded=any(
            _spent(held, {sku for sku, product in known.items() if belongs(product.category, category)}) > most
            for category, most in settings.guarded_categories
        )
        or any(_beyond(_spent(held, {sku}), product) for sku, product in known.items()),
    )


def belongs(category: str, wanted: str) -> bool:
    """Whether a category such as ``"Drinks/Alcohol"`` lies in ``wanted``: some of its parts, each by its beginning.

    ``"alcohol"`` holds ``"Drinks/Alcohol"`` and ``"Beverages > Alcoholic beverages"``, and not
    ``"Drinks/Non-alcoholic"``.
    """
    parts, beginnings = (_PATH.split(text.strip().casefold()) for text in (category, wanted))
    return bool(wanted.strip()) and any(
        all(part.startswith(beginning) for part, beginning in zip(parts[place:], beginnings, strict=False))
        for place in range(len(parts) - len(beginnings) + 1)
    )


def _age_restricted(product: Product, settings: Pay) -> bool:
    age = product.attributes.get(MINIMUM_AGE, "0").strip()
    stated = not (age.isascii() and age.isdecimal()) or int(age) > 0
    return stated or any(belongs(product.category, category) for category in settings.adult_categories)


def _beyond(spent: int, product: Product) -> bool:
    most = product.attributes.get(GUARDED_ABOVE)
    if most is None:
        return False
    try:
        return spent > Money.parse(most.strip(), product.price.currency).minor
    except ValueError:
        return True


def _spent(lines: Iterable[CartLine], skus: Iterable[str]) -> int:
    wanted = frozenset(skus)
    return sum(line.total.minor for line in lines if line.sku in wanted)
