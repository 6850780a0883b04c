"""Products as the shop knows them, whatever feed they came from."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

from assistant.shop.money import Money


@dataclass(frozen=True)
class OptionValue:
    """One value of an option.

    Attributes:
        value: Its name, e.g. ``"large"``.
        aliases: Other ways to say it.
        price_delta: Added to the product's price; may be negative.
    """

    value: str
    aliases: tuple[str, ...] = ()
    price_delta: Money | None = None


@dataclass(frozen=True)
class Option:
    """A choice the buyer makes, e.g. size.

    Attributes:
        name: The group's name.
        values: At least one.
        required: Whether an order must name it (when there is no default).
        default: The value taken when none is named, or None.
    """

    name: str
    values: tuple[OptionValue, ...]
    required: bool = False
    default: str | None = None


@dataclass(frozen=True)
class Variant:
    """One combination of options that is sold, where not all of them are, or their prices do not simply add up.

    Attributes:
        sku: The shop's own key of this combination.
        options: Group name → value, for every option of the product.
        price: Of one unit.
        stock: Units left; None when the shop does not count.
    """

    sku: str
    options: Mapping[str, str]
    price: Money
    stock: int | None = None


@dataclass(frozen=True)
class Sale:
    """A lower price for a while, as the feed announces it.

    Attributes:
        price: Of one unit without options.
        begins: From then on; None when it has begun.
        ends: Until then; None when no end is known.
    """

    price: Money
    begins: datetime | None = None
    ends: datetime | None = None


@dataclass(frozen=True)
class Product:
    """One product of the catalog.

    Attributes:
        sku: The shop's own key.
        names: Language code → name; at least one. ``"und"`` where the feed does not say the language.
        price: Of one unit without options.
        brand: Empty when unbranded.
        aliases: Language code → other names.
        category: Free text, may hold a path.
        unit: What one is called, e.g. "carton".
        options: Choices.
        attributes: Facts for advice, name → value.
        stock: Units left; None when the shop does not count.
        image: Address of a picture.
        description: Plain text for advice.
        variants: The combinations of options that are sold; empty when all of them are.
        sale: A lower price for a while; whoever has a clock applies it.
        seller: The shop that sells it, where several sell together; empty otherwise.
        added: Since when it is sold; None when that is not known.
        available_on: Of a pre-order, when it is sent out; None for what is sent at once.
    """

    sku: str
    names: Mapping[str, str]
    price: Money
    brand: str = ""
    aliases: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    category: str = ""
    unit: str = ""
    options: tuple[Option, ...] = ()
    attributes: Mapping[str, str] = field(default_factory=dict)
    stock: int | None = None
    image: str = ""
    description: str = ""
    variants: tuple[Variant, ...] = ()
    sale: Sale | None = None
    seller: str = ""
    added: date | None = None
    available_on: date | None = None

    def name(self, language: str) -> str:
        """The name in ``language``, else without a language, else in any."""
        return self.names.get(language) or self.names.get("und") or next(iter(self.names.values()))

    def spoken_aliases(self, language: str) -> tuple[str, ...]:
        """Aliases for ``language`` and those without a language."""
        return self.aliases.get(language, ()) + self.aliases.get("und", ())

    def price_with(self, options: Mapping[str, str]) -> Money:
        """Price of one unit with the chosen option values (group name → value)."""
        if variant := self.variant(options):
            return variant.price
        price = self.price
        for option in self.options:
            chosen = options.get(option.name, option.default)
            for value in option.values:
                if value.value == chosen and value.price_delta:
                    price = price + value.price_delta
        return price

    def variant(self, options: Mapping[str, str]) -> Variant | None:
        """The combination that the options (group name → value) choose; None when they leave it open or none fits."""
        if not self.variants:
            return None
        defaults = {option.name: option.default for option in self.options if option.default is not None}
        chosen = defaults | dict(options)
        return next(
            (one for one in self.variants if all(chosen.get(name) == value for name, value in one.options.items())),
            None,
        )

    def sells(self, options: Mapping[str, str]) -> bool:
        """Whether the options (group name → value) can be had together, as far as they are chosen."""
        return not self.variants or any(
            all(options.get(name, value) == value for name, value in variant.options.items())
            for variant in self.variants
        )

    def stock_with(self, options: Mapping[str, str]) -> int | None:
        """Units left with the options (group name → value): 0 for what is not sold; None when not counted."""
        if variant := self.variant(options):
            return variant.stock
        return self.stock if self.sells(options) else 0
