"""Products as the shop knows them, whatever feed they came from."""

from collections.abc import Mapping
from dataclasses import dataclass, field

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
        attributes: Facts for advice.
        stock: Units left; None when the shop does not count.
        image: Address of a picture.
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

    def name(self, language: str) -> str:
        """The name in ``language``, else without a language, else in any."""
        return self.names.get(language) or self.names.get("und") or next(iter(self.names.values()))

    def spoken_aliases(self, language: str) -> tuple[str, ...]:
        """Aliases for ``language`` and those without a language."""
        return self.aliases.get(language, ()) + self.aliases.get("und", ())

    def price_with(self, options: Mapping[str, str]) -> Money:
        """Price of one unit with the chosen option values (group name → value)."""
        price = self.price
        for option in self.options:
            chosen = options.get(option.name, option.default)
            for value in option.values:
                if value.value == chosen and value.price_delta:
                    price = price + value.price_delta
        return price
