"""A catalog and what a feed changes about it. Pure."""

from collections.abc import Iterable

from assistant.errors import FeedError
from assistant.shop.feed import FeedResult
from assistant.shop.product import Product


def updated(products: Iterable[Product], feed: FeedResult) -> tuple[Product, ...]:
    """The catalog after an update: products keep their places, new ones come last, removed ones go.

    Args:
        products: The catalog so far.
        feed: Products that are new or changed, and skus that are removed; one that is not there is removed already.

    Raises:
        FeedError: The feed is in another currency than the catalog, or nothing would be left.
    """
    catalog = {product.sku: product for product in products}
    currency = next((product.price.currency for product in catalog.values()), feed.currency)
    if feed.currency and feed.currency != currency:
        raise FeedError(f"The catalog is in {currency}, the update in {feed.currency}. Import the whole feed instead.")
    catalog |= {product.sku: product for product in feed.products}
    left = tuple(product for sku, product in catalog.items() if sku not in feed.removed)
    if not left:
        raise FeedError("The update removes every product, so the catalog stays as it was.")
    return left
