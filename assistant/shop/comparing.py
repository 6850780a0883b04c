"""Which of a product's alternatives somebody means who says how it should be. Pure."""

from collections.abc import Callable, Sequence
from itertools import takewhile

from assistant.shop.money import Money
from assistant.shop.product import Product
from assistant.shop.sizes import compared

Cost = Callable[[Product], Money]
"""What as many of a product as are wanted cost their buyer."""


def cheaper(price: Money, others: Sequence[Product], unit: str, cost: Cost) -> tuple[Product, ...]:
    """Those that cost less, most like it first; of the same unit where there are any."""
    return _same_unit([other for other in others if cost(other) < price], unit)


def dearer(price: Money, others: Sequence[Product], unit: str, cost: Cost) -> tuple[Product, ...]:
    """Those that cost more, most like it first; of the same unit where there are any."""
    return _same_unit([other for other in others if cost(other) > price], unit)


def cheapest(among: Sequence[Product], cost: Cost) -> tuple[Product, ...]:
    """The cheapest; several when they cost the same."""
    ordered = sorted(among, key=lambda product: cost(product).minor)
    return tuple(takewhile(lambda product: cost(product) == cost(ordered[0]), ordered))


def dearest(among: Sequence[Product], cost: Cost) -> tuple[Product, ...]:
    """The dearest; several when they cost the same."""
    highest = max(cost(product).minor for product in among)
    return tuple(product for product in among if cost(product).minor == highest)


def bigger(product: Product, others: Sequence[Product]) -> tuple[Product, ...]:
    """Those that are bigger, most like it first."""
    return tuple(other for other in others if compared(other, product) == 1)


def smaller(product: Product, others: Sequence[Product]) -> tuple[Product, ...]:
    """Those that are smaller, most like it first."""
    return tuple(other for other in others if compared(other, product) == -1)


def biggest(among: Sequence[Product]) -> tuple[Product, ...]:
    """The biggest; several when they are equal, none when some cannot be compared."""
    return _extreme(among, 1)


def smallest(among: Sequence[Product]) -> tuple[Product, ...]:
    """The smallest; several when they are equal, none when some cannot be compared."""
    return _extreme(among, -1)


def _extreme(among: Sequence[Product], sign: int) -> tuple[Product, ...]:
    if any(compared(one, other) is None for one in among for other in among):
        return ()
    return tuple(one for one in among if all(compared(one, other) in (0, sign) for other in among))


def _same_unit(found: Sequence[Product], unit: str) -> tuple[Product, ...]:
    return tuple(other for other in found if other.unit == unit) or tuple(found)
