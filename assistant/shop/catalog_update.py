"""Changes the imported catalog product by product, all changes at once."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Engine, delete, func, insert, select, update

from assistant.errors import CatalogMissing, FeedError
from assistant.shop import schema
from assistant.shop.database import ensure_tables, transaction
from assistant.shop.feed_product import to_feed
from assistant.shop.product import Product

_PORTION = 500
"""Skus of one statement: fewer than any engine's limit on parameters."""


@dataclass(frozen=True)
class CatalogChange:
    """What an update did.

    Attributes:
        added: Products that were not there.
        changed: Products that were put in the place of one with their sku.
        removed: Products that were taken out.
        missing: Skus to be removed that were not there.
        products: Products there are now.
    """

    added: int
    changed: int
    removed: int
    missing: int
    products: int


def update_catalog(
    engine: Engine, products: Sequence[Product], removed: Collection[str], at: datetime
) -> CatalogChange:
    """Puts products into the catalog and takes others out; what is in neither list stays as it is.

    Whoever reads meanwhile sees the catalog before all of it or after. A changed product keeps its place, a new one
    goes to the end; its stock becomes what the product says.

    Raises:
        CatalogMissing: There is no catalog to change.
        FeedError: The products are in another currency than the catalog, or nothing would be left; it stays as it was.
        StoreError: The database refused; the catalog stays as it was.
    """
    ensure_tables(engine, schema.catalogs, schema.products)
    in_use = schema.catalogs.c.name == "in use"
    with transaction(engine) as connection:
        catalog = connection.execute(select(schema.catalogs).where(in_use)).first()
        if catalog is None:
            raise CatalogMissing("There is no catalog to update. Import one first, without --update.")
        if products and products[0].price.currency != catalog.currency:
            raise FeedError(
                f"The catalog is in {catalog.currency}, this update in {products[0].price.currency}. It stays as it was; "
                "to change the currency, import a whole catalog without --update."
            )
        rows = connection.execute(select(schema.products.c.sku, schema.products.c.position))
        places = {sku: position for sku, position in rows}
        gone = [sku for sku in removed if sku in places]
        changed = [product.sku for product in products if product.sku in places]
        end = max(places.values(), default=-1) + 1
        fresh = [product.sku for product in products if product.sku not in places]
        positions = places | {sku: end + number for number, sku in enumerate(fresh)}
        replaced = [*gone, *changed]
        for begin in range(0, len(replaced), _PORTION):
            portion = replaced[begin : begin + _PORTION]
            connection.execute(delete(schema.products).where(schema.products.c.sku.in_(portion)))
        if products:
            connection.execute(
                insert(schema.products),
                [
                    {
                        "sku": product.sku,
                        "position": positions[product.sku],
                        "feed_line": to_feed(replace(product, stock=None)),
                        "stock": product.stock,
                    }
                    for product in products
                ],
            )
        left = int(connection.execute(select(func.count()).select_from(schema.products)).scalar_one())
        if not left:
            raise FeedError("This update would leave no product in the catalog. It stays as it was.")
        connection.execute(update(schema.catalogs).where(in_use).values(revision=catalog.revision + 1, imported_at=at))
    return CatalogChange(len(fresh), len(changed), len(gone), len(removed) - len(gone), left)
