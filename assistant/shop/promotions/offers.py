"""What is worth telling a household: the deals it may have now, and what the shop sells since lately. Pure."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from assistant.shop.product import Product
from assistant.shop.promotions.pricing import Pricing, sale_of
from assistant.shop.promotions.rules import Promotion

NEW_DAYS = 30
"""So many days after it was added a product is new."""

_NEVER = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Deal:
    """A promotion that runs now.

    Attributes:
        promotion: What it is.
        on_sale: The product, where it is the lower price that the feed announces for it.
        bought: A product that it covers and that the household has bought before: why it is told.
    """

    promotion: Promotion
    on_sale: Product | None = None
    bought: Product | None = None


def deals(pricing: Pricing, products: Mapping[str, Product], bought: Collection[str]) -> tuple[Deal, ...]:
    """The deals that the household may have now: those on what it has bought before, then those that end soonest.

    Args:
        pricing: Rules, household and moment.
        products: What is sold, by sku; a deal on nothing that is in stock is none.
        bought: Skus.
    """
    on_shelf = [product for product in products.values() if product.stock != 0]
    known = [products[sku] for sku in dict.fromkeys(bought) if sku in products and products[sku].stock != 0]
    found = [
        Deal(promotion, bought=next((product for product in known if promotion.scope.covers(product)), None))
        for promotion in pricing.available()
        if any(promotion.scope.covers(product) for product in on_shelf)
    ]
    found += [
        Deal(sale, product, product if product.sku in bought else None)
        for product in on_shelf
        if (sale := _sale_now(product, pricing.at)) is not None
    ]
    return tuple(sorted(found, key=lambda deal: (deal.bought is None, deal.promotion.ends or _NEVER)))


def deals_on(pricing: Pricing, product: Product) -> tuple[Promotion, ...]:
    """The deals that the household may have on one product now, but for the feed's own lower price."""
    return tuple(promotion for promotion in pricing.available() if promotion.scope.covers(product))


def newest(products: Iterable[Product], today: date) -> tuple[Product, ...]:
    """What was added lately and is in stock, the newest first."""
    since = today - timedelta(days=NEW_DAYS)
    found = [product for product in products if product.added and product.added >= since and product.stock != 0]
    return tuple(sorted(found, key=lambda product: product.added or since, reverse=True))


def _sale_now(product: Product, at: datetime) -> Promotion | None:
    sale = sale_of(product)
    return sale if sale is not None and sale.runs(at) else None
