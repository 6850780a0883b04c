"""One line of the native feed as pydantic sees it, and its way to and from ``Product``."""

import re
import unicodedata
from collections.abc import Mapping
from typing import Annotated, Any

from babel.numbers import list_currencies
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StrictBool, StrictInt, StrictStr
from pydantic import model_validator as check_whole

from assistant.shop.money import Money
from assistant.shop.product import Option, OptionValue, Product

NO_LANGUAGE = "und"
"""Language key (BCP 47 "undetermined") of text whose language the feed does not say."""

_AMOUNT = re.compile(r"-?[0-9]{1,12}(\.[0-9]{1,6})?")
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*")
_JOINERS = "\u200c\u200d"


def _clean(text: str) -> str:
    """NFC, one blank between words; control characters, escapes and invisible formatting are refused."""
    text = " ".join(unicodedata.normalize("NFC", text).split())
    for character in text:
        if unicodedata.category(character) in ("Cc", "Cf", "Cs", "Co", "Cn") and character not in _JOINERS:
            raise ValueError(f"holds the unprintable character U+{ord(character):04X}")
    return text


def _filled(text: str) -> str:
    if not text:
        raise ValueError("is empty")
    return text


def _language(key: str) -> str:
    if not _LANGUAGE.fullmatch(key):
        raise ValueError(f"{key!a} is not a language code")
    return key


def _amount(text: str) -> str:
    if not _AMOUNT.fullmatch(text):
        raise ValueError(f"{text!a} is not a decimal amount such as '3.99'")
    return text


def _not_negative(amount: str) -> str:
    if amount.startswith("-"):
        raise ValueError(f"{amount} is negative")
    return amount


def _currency(code: str) -> str:
    if code not in list_currencies():
        raise ValueError(f"{code!a} is not a currency code such as 'USD'")
    return code


def _unlabelled(value: Any) -> Any:
    """Text or a list that names no language, filed under ``NO_LANGUAGE``."""
    return {NO_LANGUAGE: value} if isinstance(value, str | list) else value


def _as_object(value: Any) -> Any:
    """An option value given as plain text."""
    return {"value": value} if isinstance(value, str) else value


def _fact(value: Any) -> Any:
    """An attribute as text; numbers and booleans as JSON writes them."""
    match value:
        case bool():
            return str(value).lower()
        case int() | float():
            return str(value)
    return value


_Text = Annotated[StrictStr, AfterValidator(_clean)]
_Filled = Annotated[StrictStr, AfterValidator(_clean), AfterValidator(_filled)]
_Name = Annotated[_Filled, Field(max_length=200)]
_Value = Annotated[_Filled, Field(max_length=100)]
_Language = Annotated[StrictStr, AfterValidator(_language)]
_Names = Annotated[dict[_Language, _Name], Field(min_length=1), BeforeValidator(_unlabelled)]
_Spoken = Annotated[tuple[_Name, ...], Field(max_length=50)]
_Aliases = Annotated[dict[_Language, _Spoken], BeforeValidator(_unlabelled)]
_Amount = Annotated[StrictStr, AfterValidator(_amount)]
_Price = Annotated[_Amount, AfterValidator(_not_negative)]
_Fact = Annotated[_Text, Field(max_length=4000), BeforeValidator(_fact)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class FeedPrice(_Strict):
    """``{"amount": "3.99", "currency": "USD"}``."""

    amount: _Price
    currency: Annotated[StrictStr, AfterValidator(_currency)]

    @check_whole(mode="after")
    def _is_money(self) -> "FeedPrice":
        Money.parse(self.amount, self.currency)
        return self


class FeedOptionValue(_Strict):
    """One value of an option."""

    value: _Value
    aliases: _Spoken = ()
    price_delta: _Amount | None = None


class FeedOption(_Strict):
    """A choice the buyer makes."""

    name: _Value
    required: StrictBool = False
    default: _Value | None = None
    values: tuple[Annotated[FeedOptionValue, BeforeValidator(_as_object)], ...] = Field(min_length=1, max_length=200)

    @check_whole(mode="after")
    def _values_differ(self) -> "FeedOption":
        values = [value.value for value in self.values]
        if twice := _first_repeated(values):
            raise ValueError(f"the value {twice!r} is there twice")
        if self.default is not None and self.default not in values:
            raise ValueError(f"the default {self.default!r} is not one of the values")
        return self


class FeedProduct(_Strict):
    """One line of the feed."""

    sku: _Filled = Field(max_length=64)
    name: _Names
    brand: _Text = Field("", max_length=100)
    aliases: _Aliases = Field(default_factory=dict)
    category: _Text = Field("", max_length=200)
    price: FeedPrice
    unit: _Text = Field("", max_length=40)
    options: tuple[FeedOption, ...] = Field((), max_length=30)
    attributes: dict[_Value, _Fact] = Field(default_factory=dict, max_length=200)
    stock: Annotated[StrictInt, Field(ge=0, le=10**9)] | None = None
    image: _Text = Field("", max_length=2000)

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
        return self

    def _delta(self, option: FeedOption, value: FeedOptionValue) -> Money | None:
        if value.price_delta is None:
            return None
        try:
            return Money.parse(value.price_delta, self.price.currency)
        except ValueError as error:
            raise ValueError(f"options: price_delta of {option.name} {value.value!r}: {error}") from None

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


def _feed_value(value: OptionValue) -> dict[str, Any] | str:
    line: dict[str, Any] = {"value": value.value}
    if value.aliases:
        line["aliases"] = list(value.aliases)
    if value.price_delta is not None:
        line["price_delta"] = value.price_delta.decimal()
    return value.value if len(line) == 1 else line
