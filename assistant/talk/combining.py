"""Options that go together: of some products not every combination is sold, and each has a stock of its own. Pure."""

from collections.abc import Mapping

from assistant.shop.cart import Cart
from assistant.shop.product import Option, Product


def apart(product: Product, options: Mapping[str, str]) -> str | None:
    """The group whose value cannot be had with those before it, defaults coming last; None when all go together."""
    defaults = {option.name: option.default for option in product.options if option.default is not None}
    chosen: dict[str, str] = {}
    for name, value in (*options.items(), *((name, value) for name, value in defaults.items() if name not in options)):
        if not product.sells({**chosen, name: value}):
            return name
        chosen[name] = value
    return None


def completed(product: Product, options: Mapping[str, str]) -> dict[str, str]:
    """The options with every required one that leaves no choice."""
    known = dict(options)
    for option in product.options:
        if option.required and option.default is None and option.name not in known:
            values = _sold(product, option, known)
            if len(values) == 1:
                known[option.name] = values[0]
    return known


def values_of(product: Product, option: Option, options: Mapping[str, str]) -> tuple[str, ...]:
    """The values that can be chosen beside ``options``: those in stock, where any is."""
    rest = {name: value for name, value in options.items() if name != option.name}
    sold = _sold(product, option, rest)
    in_stock = tuple(value for value in sold if product.stock_with({**rest, option.name: value}) != 0)
    return in_stock or sold


def other_choice(product: Product, options: Mapping[str, str]) -> str | None:
    """The group of which another value is in stock with the rest of ``options``; None when there is none."""
    for option in reversed(product.options):
        rest = {name: value for name, value in options.items() if name != option.name}
        for value in _sold(product, option, rest):
            if value != options.get(option.name) and product.stock_with({**rest, option.name: value}) != 0:
                return option.name
    return None


def left_beside(product: Product, options: Mapping[str, str], cart: Cart) -> int | None:
    """Units that are left beside those in the cart; None when they are not counted."""
    lines = cart.find(product.sku)
    counts = []
    if product.stock is not None:
        counts.append(product.stock - sum(line.quantity for line in lines))
    variant = product.variant(options)
    if variant is not None and variant.stock is not None:
        counts.append(variant.stock - sum(line.quantity for line in lines if product.variant(line.options) == variant))
    return max(0, min(counts)) if counts else None


def _sold(product: Product, option: Option, options: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(value.value for value in option.values if product.sells({**options, option.name: value.value}))
