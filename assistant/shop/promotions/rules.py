"""The rules of a shop's prices: promotions, deposits and taxes. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeAlias

from assistant.shop.product import Product


@dataclass(frozen=True)
class Scope:
    """Which goods a rule is about: those that fit everything that is given; everything when nothing is given.

    Attributes:
        skus: The products themselves.
        categories: Categories with all below them: ``"Dairy"`` holds ``"Dairy/Milk"``.
        brands: Brands.
        sellers: Shops, where several sell together.
    """

    skus: frozenset[str] = frozenset()
    categories: frozenset[str] = frozenset()
    brands: frozenset[str] = frozenset()
    sellers: frozenset[str] = frozenset()

    def covers(self, product: Product) -> bool:
        """Whether the rule is about ``product``; capital letters make no difference, but in a sku."""
        return (
            (not self.skus or product.sku in self.skus)
            and (not self.categories or any(_within(product.category, one) for one in self.categories))
            and (not self.brands or product.brand.casefold() in {brand.casefold() for brand in self.brands})
            and (not self.sellers or product.seller.casefold() in {seller.casefold() for seller in self.sellers})
        )


def _within(category: str, wanted: str) -> bool:
    return f"{category}/".casefold().startswith(f"{wanted}/".casefold())


@dataclass(frozen=True)
class PercentOff:
    """So many hundredths of a percent less (2000 is 20 %); each line of the cart is rounded, halves to the buyer."""

    basis_points: int


@dataclass(frozen=True)
class AmountOff:
    """So many minor units less for each."""

    amount: int


@dataclass(frozen=True)
class DealPrice:
    """So many minor units for each in place of the product's price; what options cost more is added still."""

    price: int


@dataclass(frozen=True)
class MultiBuy:
    """``buy`` for the price of ``pay``: of every ``buy`` of the goods, mixed as they come, the cheapest are free.

    The dearest make the first group, the next dearest the second: no other way to group them saves more.
    """

    buy: int
    pay: int


@dataclass(frozen=True)
class SpendAndSave:
    """``save`` minor units less for whoever spends ``spend``, counted at prices before all promotions.

    Attributes:
        spend: Minor units of the goods in scope.
        save: Minor units, not more than ``spend``.
        repeats: Whether every further ``spend`` saves again.
    """

    spend: int
    save: int
    repeats: bool = False


Deal: TypeAlias = PercentOff | AmountOff | DealPrice | MultiBuy | SpendAndSave


@dataclass(frozen=True)
class Promotion:
    """One promotion.

    Attributes:
        id: The shop's own key.
        names: Language code → what it is called, short enough to be said.
        deal: What is cheaper, and how.
        scope: Which goods.
        begins: From then on; None always.
        ends: Until just before then; None for ever.
        programme: Only for members of it; empty for everybody.
        coupon: Only for who has named this word; empty for everybody.
        uses: Of a coupon, how often one household may use it.
        stacks: Whether it comes on top of the one deal that a line of the cart takes part in.
        excludes: Ids of promotions that it cannot be combined with.
        exclusive: Whether it cannot be combined with any other.
    """

    id: str
    names: Mapping[str, str]
    deal: Deal
    scope: Scope = field(default_factory=Scope)
    begins: datetime | None = None
    ends: datetime | None = None
    programme: str = ""
    coupon: str = ""
    uses: int = 1
    stacks: bool = False
    excludes: frozenset[str] = frozenset()
    exclusive: bool = False

    def name(self, language: str) -> str:
        """What it is called in ``language``, else without a language, else in any."""
        return self.names.get(language) or self.names.get("und") or next(iter(self.names.values()))

    def runs(self, at: datetime) -> bool:
        """Whether it has begun and not ended."""
        return (self.begins is None or self.begins <= at) and (self.ends is None or at < self.ends)

    @property
    def alone(self) -> bool:
        """Whether a line of the cart takes part in this deal or in another one like it, never in both."""
        return not self.stacks and not isinstance(self.deal, SpendAndSave)


@dataclass(frozen=True)
class Deposit:
    """Paid for each of the goods and given back with the empties: never discounted, never taxed.

    Attributes:
        names: Language code → what it is called.
        amount: Minor units for each.
        scope: Which goods.
    """

    names: Mapping[str, str]
    amount: int
    scope: Scope


@dataclass(frozen=True)
class TaxRate:
    """A rate in hundredths of a percent (1900 is 19 %), for the goods in scope."""

    names: Mapping[str, str]
    basis_points: int
    scope: Scope = field(default_factory=Scope)


@dataclass(frozen=True)
class Taxes:
    """Taxes on what the goods cost after promotions.

    Attributes:
        rates: The first that covers a product counts; a product that none covers is not taxed.
        included: Whether prices include them; else they are added.
    """

    rates: tuple[TaxRate, ...] = ()
    included: bool = True

    def rate_of(self, product: Product) -> TaxRate | None:
        """The product's rate, or None."""
        return next((rate for rate in self.rates if rate.scope.covers(product)), None)


@dataclass(frozen=True)
class PriceRules:
    """Everything that makes a cart's price differ from the sum of its products' prices.

    Attributes:
        currency: Of every amount; carts in another one have none of this. Empty when there is nothing.
        promotions: Each id once.
        deposits: The first that covers a product counts.
        taxes: Rates.
    """

    currency: str = ""
    promotions: tuple[Promotion, ...] = ()
    deposits: tuple[Deposit, ...] = ()
    taxes: Taxes = field(default_factory=Taxes)
