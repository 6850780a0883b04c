"""A cart's bill: promotions that save most, then deposits and taxes. Pure: the time and the household are given."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from assistant.shop.cart import Cart, CartLine
from assistant.shop.money import Money
from assistant.shop.product import Product
from assistant.shop.promotions.allocation import half_up, share_out
from assistant.shop.promotions.bill import Bill, Charge, ChargeKind
from assistant.shop.promotions.combination import best_combination
from assistant.shop.promotions.deals import Article
from assistant.shop.promotions.rules import DealPrice, PriceRules, Promotion, Scope

_ALL_OF_IT = 10_000  # hundredths of a percent
_KINDS = tuple(ChargeKind)
_SALE = "sale:"


@dataclass(frozen=True)
class Standing:
    """What a household may have.

    Attributes:
        programmes: It is a member of these.
        coupons: Ids of the promotions whose coupon it has named.
        used: Promotion's id → how often a coupon was used in orders that were not taken back.
    """

    programmes: frozenset[str] = frozenset()
    coupons: frozenset[str] = frozenset()
    used: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Pricing:
    """Prices for one household at one moment.

    Attributes:
        rules: Promotions, deposits, taxes.
        at: The moment, with its time zone.
        standing: Memberships and coupons.
    """

    rules: PriceRules = field(default_factory=PriceRules)
    at: datetime = datetime(1970, 1, 1, tzinfo=UTC)
    standing: Standing = field(default_factory=Standing)

    def bill(self, cart: Cart, products: Mapping[str, Product]) -> Bill:
        """What the cart costs.

        Args:
            cart: Its lines at the prices of their products.
            products: The catalog by sku; a line of what is not in it is charged as it stands.
        """
        # Sorted, so that the order in which things were put into the cart never matters.
        order = sorted(range(len(cart.lines)), key=lambda place: (cart.lines[place].sku, cart.lines[place].key.options))
        lines = [cart.lines[place] for place in order]
        goods = [products.get(line.sku) for line in lines]
        found = _Charges(cart.currency, order)
        left = [line.total.minor for line in lines]
        available = (*self._sales(goods, cart.currency), *(self.available() if self._applies(cart.currency) else ()))
        names = {promotion.id: promotion.names for promotion in available}
        for discount in best_combination(_articles(lines, goods, available), available).discounts:
            left[discount.article] -= discount.amount
            name = names[discount.promotion]
            found.add(ChargeKind.DISCOUNT, discount.article, discount.promotion, name, -discount.amount)
        if self._applies(cart.currency):
            self._add_deposits(found, lines, goods)
            self._add_taxes(found, left, goods)
        return Bill(cart.currency, cart.lines, found.sorted())

    def available(self) -> tuple[Promotion, ...]:
        """The promotions that the household may have now."""
        return tuple(
            promotion
            for promotion in self.rules.promotions
            if promotion.runs(self.at)
            and (not promotion.programme or promotion.programme in self.standing.programmes)
            and (not promotion.coupon or (promotion.id in self.standing.coupons and self.left_of(promotion) > 0))
        )

    def left_of(self, promotion: Promotion) -> int:
        """How often the household may still use a coupon."""
        return max(0, promotion.uses - self.standing.used.get(promotion.id, 0))

    def price_of(self, product: Product, options: Mapping[str, str] | None = None) -> Money:
        """What one of a product costs alone, after promotions, without deposit and added tax."""
        line = CartLine(product.sku, product.names, product.price_with(options or {}), 1, options or {}, product.unit)
        return self.bill(Cart(line.unit_price.currency, (line,)), {product.sku: product}).net(0)

    def _applies(self, currency: str) -> bool:
        return currency == self.rules.currency

    def _sales(self, goods: Sequence[Product | None], currency: str) -> tuple[Promotion, ...]:
        """The lower prices that the feed itself announces, as promotions of single products."""
        return tuple(
            sale
            for product in {one.sku: one for one in goods if one is not None}.values()
            if (sale := sale_of(product)) is not None and product.price.currency == currency and sale.runs(self.at)
        )

    def _add_deposits(self, found: "_Charges", lines: Sequence[CartLine], goods: Sequence[Product | None]) -> None:
        for place, (line, product) in enumerate(zip(lines, goods, strict=True)):
            deposit = next((one for one in self.rules.deposits if product and one.scope.covers(product)), None)
            if deposit is not None:
                found.add(ChargeKind.DEPOSIT, place, "", deposit.names, deposit.amount * line.quantity)

    def _add_taxes(self, found: "_Charges", left: Sequence[int], goods: Sequence[Product | None]) -> None:
        taxes = self.rules.taxes
        rates = [taxes.rate_of(product) if product else None for product in goods]
        for rate in taxes.rates:
            places = [place for place, one in enumerate(rates) if one is rate]
            net = [left[place] for place in places]
            # One rounding for each rate over the whole order, as on an invoice; the lines share it.
            if taxes.included:
                kind, tax = (
                    ChargeKind.TAX_INCLUDED,
                    half_up(sum(net) * rate.basis_points, _ALL_OF_IT + rate.basis_points),
                )
            else:
                kind, tax = ChargeKind.TAX, half_up(sum(net) * rate.basis_points, _ALL_OF_IT)
            for place, amount in zip(places, share_out(tax, net), strict=True):
                found.add(kind, place, str(rate.basis_points), rate.names, amount)


def sale_of(product: Product) -> Promotion | None:
    """The lower price that the feed announces for a product, as a promotion; whether it runs now is another matter."""
    if product.sale is None or product.sale.price.currency != product.price.currency:
        return None
    deal, scope = DealPrice(product.sale.price.minor), Scope(skus=frozenset({product.sku}))
    return Promotion(f"{_SALE}{product.sku}", product.names, deal, scope, product.sale.begins, product.sale.ends)


def sold_on_sale(reference: str) -> bool:
    """Whether a discount's reference is that of a lower price that the feed announces."""
    return reference.startswith(_SALE)


def _articles(
    lines: Sequence[CartLine], goods: Sequence[Product | None], promotions: Sequence[Promotion]
) -> tuple[Article, ...]:
    return tuple(
        Article(
            line.unit_price.minor,
            line.quantity,
            product.price.minor if product else line.unit_price.minor,
            frozenset(one.id for one in promotions if product is not None and one.scope.covers(product)),
        )
        for line, product in zip(lines, goods, strict=True)
    )


class _Charges:
    """Charges as they are found; places are those of the sorted lines."""

    def __init__(self, currency: str, order: Sequence[int]) -> None:
        self._currency = currency
        self._order = order
        self._found: list[Charge] = []

    def add(self, kind: ChargeKind, place: int, reference: str, names: Mapping[str, str], amount: int) -> None:
        if amount:
            self._found.append(Charge(kind, self._order[place], reference, names, Money(amount, self._currency)))

    def sorted(self) -> tuple[Charge, ...]:
        """By line; of one line discounts first, as they were found."""
        return tuple(sorted(self._found, key=lambda charge: (charge.line, _KINDS.index(charge.kind))))
