"""The entries of a promotions file as pydantic sees them, and their way to the rules of prices."""

from collections.abc import Collection
from decimal import Decimal
from typing import Annotated, Any

from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, StrictBool, StrictInt
from pydantic import model_validator as check_whole

from assistant.shop.feed_values import Amount, CleanText, FilledText, NamesByLanguage, ShortText, currency_code
from assistant.shop.money import Money
from assistant.shop.promotions.rules import (
    AmountOff,
    Deal,
    DealPrice,
    Deposit,
    MultiBuy,
    PercentOff,
    PriceRules,
    Promotion,
    Scope,
    SpendAndSave,
    Taxes,
    TaxRate,
)

_DEALS = ("percent_off", "amount_off", "price", "multi_buy", "spend_and_save")


def _as_text(value: Any) -> Any:
    """A number as it stands in the file; TOML's decimals come as text already (see ``rule_file``)."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _percent(text: str) -> str:
    if not 0 < Decimal(text) <= 100 or _basis_points(text) * 100 != Decimal(text) * 10_000:
        raise ValueError(f"{text} is not a percentage above 0 and up to 100 with at most two decimals")
    return text


def _basis_points(text: str) -> int:
    return int(Decimal(text) * 100)


def _spoken(text: str) -> str:
    """A coupon in words that can be heard: no digits, no signs."""
    words = text.casefold().split()
    if not words or not all(word.replace("'", "").isalpha() for word in words):
        raise ValueError(f"{text!r} must be words as they are said, such as 'spring ten', without digits")
    return " ".join(words)


Price = Annotated[Amount, BeforeValidator(_as_text)]
Percent = Annotated[Amount, AfterValidator(_percent), BeforeValidator(_as_text)]
Texts = Annotated[tuple[ShortText, ...], Field(max_length=10_000)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Scoped(_Strict):
    skus: Texts = ()
    categories: Texts = ()
    brands: Texts = ()
    sellers: Texts = ()

    @property
    def scope(self) -> Scope:
        """Which goods."""
        return Scope(*(frozenset(one) for one in (self.skus, self.categories, self.brands, self.sellers)))


class MultiBuyEntry(_Strict):
    """``{ buy = 3, pay = 2 }``."""

    buy: Annotated[StrictInt, Field(ge=2, le=1000)]
    pay: Annotated[StrictInt, Field(ge=1)]

    @check_whole(mode="after")
    def _saves(self) -> "MultiBuyEntry":
        if self.pay >= self.buy:
            raise ValueError(f"{self.buy} for the price of {self.pay} saves nothing")
        return self


class SpendAndSaveEntry(_Strict):
    """``{ spend = 30.00, save = 5.00, repeats = true }``."""

    spend: Price
    save: Price
    repeats: StrictBool = False


class PromotionEntry(_Scoped):
    """One of ``[[promotions]]``."""

    id: FilledText = Field(max_length=64)
    name: NamesByLanguage
    percent_off: Percent | None = None
    amount_off: Price | None = None
    price: Price | None = None
    multi_buy: MultiBuyEntry | None = None
    spend_and_save: SpendAndSaveEntry | None = None
    begins: AwareDatetime | None = None
    ends: AwareDatetime | None = None
    programme: CleanText = Field("", max_length=64)
    coupon: Annotated[FilledText, AfterValidator(_spoken), Field(max_length=64)] | None = None
    uses: Annotated[StrictInt, Field(ge=1, le=1_000_000)] = 1
    stacks: StrictBool = False
    excludes: Texts = ()
    exclusive: StrictBool = False

    @check_whole(mode="after")
    def _is_one_deal(self) -> "PromotionEntry":
        given = [name for name in _DEALS if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError(f"give exactly one of {', '.join(_DEALS)}; found {', '.join(given) or 'none'}")
        if self.begins and self.ends and self.ends <= self.begins:
            raise ValueError("ends: it ends before it begins")
        if self.stacks and given[0] not in ("percent_off", "amount_off"):
            raise ValueError("stacks: only percent_off and amount_off come on top of another deal")
        if self.uses != 1 and self.coupon is None:
            raise ValueError("uses: only a coupon is used so many times")
        if self.id.startswith("sale:"):
            raise ValueError("id: what begins with 'sale:' is kept for the sale prices of the feed")
        return self

    def deal(self, currency: str) -> Deal:
        """What is cheaper.

        Raises:
            ValueError: An amount is none of the currency, or makes no sense.
        """
        if self.percent_off is not None:
            return PercentOff(_basis_points(self.percent_off))
        if self.amount_off is not None:
            return AmountOff(_positive("amount_off", self.amount_off, currency))
        if self.price is not None:
            return DealPrice(Money.parse(self.price, currency).minor)
        if self.multi_buy is not None:
            return MultiBuy(self.multi_buy.buy, self.multi_buy.pay)
        assert self.spend_and_save is not None
        spend = _positive("spend_and_save.spend", self.spend_and_save.spend, currency)
        save = _positive("spend_and_save.save", self.spend_and_save.save, currency)
        if save > spend:
            raise ValueError("spend_and_save: it saves more than is spent")
        return SpendAndSave(spend, save, self.spend_and_save.repeats)

    def to_promotion(self, currency: str) -> Promotion:
        """The promotion; raises ``ValueError`` like ``deal``."""
        return Promotion(
            self.id,
            dict(self.name),
            self.deal(currency),
            self.scope,
            self.begins,
            self.ends,
            self.programme,
            self.coupon or "",
            self.uses,
            self.stacks,
            frozenset(self.excludes),
            self.exclusive,
        )


class DepositEntry(_Scoped):
    """One of ``[[deposits]]``."""

    name: NamesByLanguage
    amount: Price

    def to_deposit(self, currency: str) -> Deposit:
        """The deposit; raises ``ValueError`` when the amount is none of the currency."""
        return Deposit(dict(self.name), _positive("amount", self.amount, currency), self.scope)


class TaxRateEntry(_Scoped):
    """One of ``[[taxes.rates]]``."""

    name: NamesByLanguage
    percent: Percent

    def to_rate(self) -> TaxRate:
        """The rate."""
        return TaxRate(dict(self.name), _basis_points(self.percent), self.scope)


class TaxesEntry(_Strict):
    """``[taxes]``."""

    included: StrictBool
    rates: tuple[TaxRateEntry, ...] = Field(min_length=1, max_length=100)


class RuleDocument(_Strict):
    """A whole promotions file."""

    currency: Annotated[FilledText, AfterValidator(currency_code)]
    promotions: tuple[PromotionEntry, ...] = Field((), max_length=10_000)
    deposits: tuple[DepositEntry, ...] = Field((), max_length=1000)
    taxes: TaxesEntry | None = None

    @property
    def coupons(self) -> tuple[str, ...]:
        """The words of all coupons."""
        return tuple(entry.coupon for entry in self.promotions if entry.coupon)

    def for_members(self, programmes: Collection[str]) -> "RuleDocument":
        """The rules as they are for members of these programmes: what is for others alone is not among them."""
        kept = (one for one in self.promotions if not one.programme or one.programme in programmes)
        return self.model_copy(update={"promotions": tuple(one.model_copy(update={"programme": ""}) for one in kept)})

    def to_rules(self) -> PriceRules:
        """The rules of prices.

        Raises:
            ValueError: An amount is none of the currency; see ``problems`` for all that is wrong.
        """
        return PriceRules(
            self.currency,
            tuple(entry.to_promotion(self.currency) for entry in self.promotions),
            tuple(entry.to_deposit(self.currency) for entry in self.deposits),
            Taxes(tuple(rate.to_rate() for rate in self.taxes.rates), self.taxes.included) if self.taxes else Taxes(),
        )


def _positive(name: str, amount: str, currency: str) -> int:
    try:
        minor = Money.parse(amount, currency).minor
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from None
    if not minor:
        raise ValueError(f"{name}: it is nothing")
    return minor
