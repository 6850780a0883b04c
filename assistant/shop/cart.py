"""The cart: lines of products with chosen options. Pure; every change gives a new cart."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from assistant.shop.money import Money
from assistant.shop.product import Option, Product


@dataclass(frozen=True)
class LineKey:
    """What makes two lines the same: the product and its options, sorted by group."""

    sku: str
    options: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class CartLine:
    """So many of one product with the same options.

    Attributes:
        sku: The product.
        names: Language code → name, as the catalog had it.
        unit_price: Of one, options included.
        quantity: At least 1.
        options: Group name → value, defaults included.
        unit: What one is called, e.g. "carton".

    Raises:
        ValueError: The quantity is below 1.
    """

    sku: str
    names: Mapping[str, str]
    unit_price: Money
    quantity: int = 1
    options: Mapping[str, str] = field(default_factory=dict)
    unit: str = ""

    def __post_init__(self) -> None:
        if self.quantity < 1:
            raise ValueError(f"a line cannot hold {self.quantity} of {self.sku}")

    @property
    def key(self) -> LineKey:
        """What makes it the same line."""
        return LineKey(self.sku, tuple(sorted(self.options.items())))

    @property
    def total(self) -> Money:
        """Price of all of them."""
        return self.unit_price * self.quantity

    def name(self, language: str) -> str:
        """The product's name in ``language``, else without a language, else in any."""
        return self.names.get(language) or self.names.get("und") or next(iter(self.names.values()))

    def to_json(self, language: str) -> dict[str, Any]:
        """The line as events and commands print it; money in minor units."""
        return {
            "sku": self.sku,
            "name": self.name(language),
            "quantity": self.quantity,
            "options": dict(self.options),
            "unit_price": self.unit_price.minor,
            "total": self.total.minor,
        }


@dataclass(frozen=True)
class Cart:
    """What a household is about to buy; true when there is something in it.

    Attributes:
        currency: ISO 4217 code of all lines.
        lines: No two with the same key; the one added or changed last is the last.
    """

    currency: str
    lines: tuple[CartLine, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.lines)

    @property
    def total(self) -> Money:
        """Price of everything."""
        return sum((line.total for line in self.lines), start=Money(0, self.currency))

    def find(self, sku: str) -> tuple[CartLine, ...]:
        """The lines of a product, one for each combination of options."""
        return tuple(line for line in self.lines if line.sku == sku)

    def add(self, line: CartLine) -> "Cart":
        """With ``line``, which joins an equal one and takes its place at the end, at the new line's price.

        Raises:
            ValueError: The line is priced in another currency.
        """
        if line.unit_price.currency != self.currency:
            raise ValueError(f"the cart is in {self.currency}, {line.sku} in {line.unit_price.currency}")
        already = sum(other.quantity for other in self.lines if other.key == line.key)
        return self._without(line.key)._with(replace(line, quantity=line.quantity + already))

    def change_quantity(self, key: LineKey, quantity: int) -> "Cart":
        """With so many of a line, which becomes the last; 0 removes it.

        Raises:
            KeyError: There is no such line.
            ValueError: The quantity is negative.
        """
        if quantity < 0:
            raise ValueError(f"a cart cannot hold {quantity} of {key.sku}")
        line = next((line for line in self.lines if line.key == key), None)
        if line is None:
            raise KeyError(key)
        rest = self._without(key)
        return rest._with(replace(line, quantity=quantity)) if quantity else rest

    def holds(self, lines: Iterable[CartLine]) -> bool:
        """Whether everything in ``lines`` is in it, and so many of it."""
        held = {line.key: line.quantity for line in self.lines}
        return all(held.get(line.key, 0) >= line.quantity for line in lines)

    def take_out(self, lines: Iterable[CartLine]) -> "Cart":
        """Without what ``lines`` hold; what the cart has beyond them stays, in its order."""
        taken = {line.key: line.quantity for line in lines}
        left = ((line, line.quantity - taken.get(line.key, 0)) for line in self.lines)
        return Cart(self.currency, tuple(replace(line, quantity=count) for line, count in left if count > 0))

    def repriced(self, products: Mapping[str, Product]) -> "Cart":
        """At the names and prices of ``products``, without the lines that cannot be bought like this any more."""
        return Cart(
            self.currency, tuple(line for old in self.lines if (line := _as_of_now(old, products, self.currency)))
        )

    def _without(self, key: LineKey) -> "Cart":
        return Cart(self.currency, tuple(line for line in self.lines if line.key != key))

    def _with(self, line: CartLine) -> "Cart":
        return Cart(self.currency, (*self.lines, line))


def _as_of_now(line: CartLine, products: Mapping[str, Product], currency: str) -> CartLine | None:
    product = products.get(line.sku)
    if product is None or product.price.currency != currency:
        return None
    impossible = _impossible(product, line.options) or not product.sells(line.options)
    if impossible or missing_options(product, line.options):
        return None
    # The options stay as they were said: a default that is new in the catalog must not make it another line.
    return replace(line, names=product.names, unit_price=product.price_with(line.options), unit=product.unit)


def line_for(product: Product, quantity: int, options: Mapping[str, str] | None = None) -> CartLine:
    """A line for so many of a product with these options, and the defaults of those that are not chosen.

    Raises:
        ValueError: A quantity below 1, an option that the product does not have, or a required one is missing.
    """
    options = options or {}
    impossible, missing = _impossible(product, options), missing_options(product, options)
    if impossible:
        raise ValueError(f"{product.sku} does not come in {impossible}")
    if missing:
        raise ValueError(f"{product.sku} needs a {missing[0].name}")
    chosen = {option.name: options.get(option.name, option.default) for option in product.options}
    known = {group: value for group, value in chosen.items() if value is not None}
    if not product.sells(known):
        raise ValueError(f"{product.sku} does not come in {known} together")
    return CartLine(product.sku, product.names, product.price_with(known), quantity, known, product.unit)


def missing_options(product: Product, options: Mapping[str, str]) -> tuple[Option, ...]:
    """The required options that are neither chosen nor have a default."""
    return tuple(
        option
        for option in product.options
        if option.required and option.default is None and option.name not in options
    )


def _impossible(product: Product, options: Mapping[str, str]) -> dict[str, str]:
    possible = {option.name: {value.value for value in option.values} for option in product.options}
    return {group: value for group, value in options.items() if value not in possible.get(group, ())}
