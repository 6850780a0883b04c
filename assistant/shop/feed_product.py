"""One line of the native feed as pydantic sees it, and its way to and from ``Product``."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictBool,
    StrictStr,
)
from pydantic import model_validator as check_whole

from assistant.shop.feed_values import (
    NO_LANGUAGE,
    AliasesByLanguage,
    Amount,
    CleanText,
    Description,
    Fact,
    FilledText,
    NamesByLanguage,
    ShortText,
    SignedAmount,
    SpokenNames,
    StockCount,
    as_object,
    currency_code,
)
from assistant.shop.money import Money
from assistant.shop.product import Option, OptionValue, Product, Sale, Variant


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class FeedPrice(_Strict):
    """``{"amount": "3.99", "currency": "USD"}``."""

    amount: Amount
    currency: Annotated[StrictStr, AfterValidator(currency_code)]

    @check_whole(mode="after")
    def _is_money(self) -> "FeedPrice":
        Money.parse(self.amount, self.currency)
        return self


class FeedOptionValue(_Strict):
    """One value of an option."""

    value: ShortText
    aliases: SpokenNames = ()
    price_delta: SignedAmount | None = None


class FeedOption(_Strict):
    """A choice the buyer makes."""

    name: ShortText
    required: StrictBool = False
    default: ShortText | None = None
    values: tuple[Annotated[FeedOptionValue, BeforeValidator(as_object)], ...] = Field(min_length=1, max_length=200)

    @check_whole(mode="after")
    def _values_differ(self) -> "FeedOption":
        values = [value.value for value in self.values]
        if twice := _first_repeated(values):
            raise ValueError(f"the value {twice!r} is there twice")
        if self.default is not None and self.default not in values:
            raise ValueError(f"the default {self.default!r} is not one of the values")
        return self


class FeedVariant(_Strict):
    """One combination of options that is sold."""

    sku: FilledText = Field(max_length=64)
    options: dict[ShortText, ShortText] = Field(min_length=1)
    price: Amount
    stock: StockCount | None = None


class FeedSale(_Strict):
    """A lower price for a while."""

    amount: Amount
    begins: AwareDatetime | None = None
    ends: AwareDatetime | None = None


class FeedProduct(_Strict):
    """One line of the feed."""

    sku: FilledText = Field(max_length=64)
    name: NamesByLanguage
    brand: CleanText = Field("", max_length=100)
    aliases: AliasesByLanguage = Field(default_factory=dict)
    category: CleanText = Field("", max_length=200)
    price: FeedPrice
    unit: CleanText = Field("", max_length=40)
    options: tuple[FeedOption, ...] = Field((), max_length=30)
    attributes: dict[ShortText, Fact] = Field(default_factory=dict, max_length=200)
    stock: StockCount | None = None
    image: CleanText = Field("", max_length=2000)
    description: Description = ""
    variants: tuple[FeedVariant, ...] = Field((), max_length=2000)
    sale: FeedSale | None = None
    seller: CleanText = Field("", max_length=100)
    added: date | None = None
    available_on: date | None = None

    @check_whole(mode="after")
    def _adds_up(self) -> "FeedProduct":
        if twice := _first_repeated([option.name for option in self.options]):
            raise ValueError(f"options: {twice!r} is there twice")
        cheapest = Money.parse(self.price.amount, self.price.currency).minor
        for option in self.options:
            deltas = [self._delta(option, value) for value in option.values]
            cheapest += min(0, *(delta.minor if delta else 0 for delta in deltas))
        if cheapest < 0:
            raise ValueError("options: with these price_delta values the price can become negative")
        self._check_variants()
        if self.sale is not None:
            self._money(self.sale.amount, "sale.amount")
        return self

    def _check_variants(self) -> None:
        groups = {option.name: {value.value for value in option.values} for option in self.options}
        for variant in self.variants:
            self._money(variant.price, f"variants: price of {variant.sku!r}")
            if set(variant.options) != set(groups):
                raise ValueError(f"variants: {variant.sku!r} must name every option of the product, and no other")
            for name, value in variant.options.items():
                if value not in groups[name]:
                    raise ValueError(
                        f"variants: {variant.sku!r} has {name} {value!r}, which is no value of that option"
                    )
        if twice := _first_repeated([variant.sku for variant in self.variants]):
            raise ValueError(f"variants: {twice!r} is there twice")
        if len({tuple(sorted(variant.options.items())) for variant in self.variants}) < len(self.variants):
            raise ValueError("variants: two of them have the same options")

    def _money(self, amount: str, place: str) -> Money:
        try:
            return Money.parse(amount, self.price.currency)
        except ValueError as error:
            raise ValueError(f"{place}: {error}") from None

    def _delta(self, option: FeedOption, value: FeedOptionValue) -> Money | None:
        if value.price_delta is None:
            return None
        try:
            return Money.parse(value.price_delta, self.price.currency)
        except ValueError as error:
            raise ValueError(f"options: price_delta of {option.name} {value.value!r}: {error}") from None

    def _sale(self) -> Sale | None:
        if self.sale is None:
            return None
        return Sale(Money.parse(self.sale.amount, self.price.currency), self.sale.begins, self.sale.ends)

    def to_product(self) -> Product:
        """The product as the shop knows it."""
        return Product(
            sku=self.sku,
            names=dict(self.name),
            price=Money.parse(self.price.amount, self.price.currency),
            brand=self.brand,
            aliases={language: tuple(dict.fromkeys(words)) for language, words in self.aliases.items() if words},
            category=self.category,
            unit=self.unit,
            options=tuple(
                Option(
                    name=option.name,
                    values=tuple(
                        OptionValue(value.value, tuple(dict.fromkeys(value.aliases)), self._delta(option, value))
                        for value in option.values
                    ),
                    required=option.required,
                    default=option.default,
                )
                for option in self.options
            ),
            attributes=dict(self.attributes),
            stock=self.stock,
            image=self.image,
            description=self.description,
            variants=tuple(
                Variant(one.sku, dict(one.options), Money.parse(one.price, self.price.currency), one.stock)
                for one in self.variants
            ),
            sale=self._sale(),
            seller=self.seller,
            added=self.added,
            available_on=self.available_on,
        )


def _first_repeated(names: list[str]) -> str | None:
    seen: set[str] = set()
    for name in names:
        if name.casefold() in seen:
            return name
        seen.add(name.casefold())
    return None


def to_feed(product: Product) -> dict[str, Any]:
    """The feed's line for ``product``, empty fields left out; ``FeedProduct`` reads it back unchanged."""
    line: dict[str, Any] = {"sku": product.sku, "name": _without_label(product.names)}
    line |= {"brand": product.brand, "aliases": _without_label(product.aliases), "category": product.category}
    line |= {"price": {"amount": product.price.decimal(), "currency": product.price.currency}, "unit": product.unit}
    line |= {"options": [_feed_option(option) for option in product.options]}
    line |= {"attributes": dict(product.attributes), "stock": product.stock, "image": product.image}
    line |= {"description": product.description, "variants": [_feed_variant(one) for one in product.variants]}
    line |= {"sale": _feed_sale(product.sale) if product.sale else None, "seller": product.seller}
    dates = {"added": product.added, "available_on": product.available_on}
    line |= {key: day.isoformat() if day else None for key, day in dates.items()}
    return {key: value for key, value in line.items() if value not in ("", None, [], {})}


def _without_label(texts: Mapping[str, Any]) -> Any:
    plain = {language: text if isinstance(text, str) else list(text) for language, text in texts.items()}
    return plain[NO_LANGUAGE] if set(plain) == {NO_LANGUAGE} else plain


def _feed_option(option: Option) -> dict[str, Any]:
    line: dict[str, Any] = {"name": option.name}
    if option.required:
        line["required"] = True
    if option.default is not None:
        line["default"] = option.default
    return line | {"values": [_feed_value(value) for value in option.values]}


def _feed_variant(variant: Variant) -> dict[str, Any]:
    line = {"sku": variant.sku, "options": dict(variant.options), "price": variant.price.decimal()}
    return line if variant.stock is None else line | {"stock": variant.stock}


def _feed_sale(sale: Sale) -> dict[str, Any]:
    times: dict[str, datetime | None] = {"begins": sale.begins, "ends": sale.ends}
    return {"amount": sale.price.decimal()} | {key: at.isoformat() for key, at in times.items() if at}


def _feed_value(value: OptionValue) -> dict[str, Any] | str:
    line: dict[str, Any] = {"value": value.value}
    if value.aliases:
        line["aliases"] = list(value.aliases)
    if value.price_delta is not None:
        line["price_delta"] = value.price_delta.decimal()
    return value.value if len(line) == 1 else line
