"""A product as a row of the catalog: its feed line, and in columns what is looked for among very many products."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from assistant.shop.feed_product import FeedProduct, to_feed
from assistant.shop.product import Product, Sale

FIRST_MOMENT = datetime(1, 1, 2, tzinfo=UTC)
LAST_MOMENT = datetime(9999, 12, 30, tzinfo=UTC)
"""A day within what a date can be, so that a sale of any time zone has its place between them. A sale without an end
lasts until then: the index has all sales in the order in which they end."""


def product_row(product: Product, place: int | None = None) -> dict[str, Any]:
    """Column → value. The feed line is without the stock, which changes by itself; that of single variants is in it.

    Args:
        product: The product.
        place: Where it stands in the feed; None leaves that column out.
    """
    row: dict[str, Any] = {
        "sku": product.sku,
        "feed_line": to_feed(replace(product, stock=None)),
        "stock": product.stock,
        "brand": product.brand.casefold() or None,
        "category": product.category.casefold() or None,
        "seller": product.seller.casefold() or None,
        "added": product.added,
        **_sale_columns(product.sale),
    }
    return row if place is None else row | {"position": place}


def product_of(line: Any) -> Product:
    """The product of a feed line."""
    return FeedProduct.model_validate(line).to_product()


def _sale_columns(sale: Sale | None) -> dict[str, datetime | None]:
    if sale is None:
        return {"sale_begins": None, "sale_ends": None}
    begins, ends = sale.begins or FIRST_MOMENT, sale.ends or LAST_MOMENT
    return {"sale_begins": max(begins, FIRST_MOMENT), "sale_ends": min(ends, LAST_MOMENT)}
