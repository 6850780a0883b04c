"""The imported catalog as search needs it: read piece by piece, however large it is."""

from collections.abc import Collection, Iterator, Mapping

from sqlalchemy import Connection, Engine, func, select

from assistant.errors import StoreError
from assistant.shop import schema
from assistant.shop.catalog import with_stock
from assistant.shop.database import ensure_tables, reading
from assistant.shop.feed_product import FeedProduct
from assistant.shop.product import Product
from assistant.shop.search.product_search import Source

_AT_ONCE = 2_000


class ImportedProducts:
    """The imported catalog.

    Args:
        engine: The shop's database.

    Raises:
        StoreError: The database cannot be used.
    """

    def __init__(self, engine: Engine) -> None:
        ensure_tables(engine, schema.catalogs, schema.products, *schema.STORE_TABLES)
        self._engine = engine

    def source(self) -> Source:
        """The catalog as it is now, to make an index of."""
        with reading(self._engine) as connection:
            key = _key(connection)
        return Source(key, lambda: self._products(key), self._sold)

    def get(self, skus: Collection[str]) -> Mapping[str, Product]:
        """Some products with what is left of them; those that are not sold any more are not among them."""
        with reading(self._engine) as connection:
            rows = connection.execute(select(schema.products).where(schema.products.c.sku.in_(skus))).all()
        left = {row.sku: row.stock for row in rows if row.stock is not None}
        found = with_stock((FeedProduct.model_validate(row.feed_line).to_product() for row in rows), left)
        return {product.sku: product for product in found}

    def bought_by(self, household: str) -> frozenset[str]:
        """Skus of what a household has paid for."""
        lines, orders = schema.order_lines.c, schema.orders.c
        query = select(lines.sku).distinct().join(schema.orders, _SAME_ORDER)
        with reading(self._engine) as connection:
            found = connection.execute(query.where(lines.household == household, orders.paid_at.is_not(None)))
            return frozenset(found.scalars())

    def _products(self, key: str) -> Iterator[Product]:
        query = select(schema.products.c.feed_line).order_by(schema.products.c.position)
        with reading(self._engine) as connection:
            if _key(connection) != key:
                raise StoreError("The catalog was replaced while its search index was made. Try again.")
            for row in connection.execution_options(yield_per=_AT_ONCE).execute(query):
                yield FeedProduct.model_validate(row.feed_line).to_product()

    def _sold(self) -> Mapping[str, int]:
        lines, orders = schema.order_lines.c, schema.orders.c
        query = select(lines.sku, func.sum(lines.quantity)).join(schema.orders, _SAME_ORDER)
        with reading(self._engine) as connection:
            rows = connection.execute(query.where(orders.paid_at.is_not(None)).group_by(lines.sku))
            return {sku: int(quantity) for sku, quantity in rows}


_SAME_ORDER = (schema.orders.c.household == schema.order_lines.c.household) & (
    schema.orders.c.id == schema.order_lines.c.order_id
)


def _key(connection: Connection) -> str:
    row = connection.execute(select(schema.catalogs).where(schema.catalogs.c.name == "in use")).first()
    # The time besides: another database may have the same number of a revision.
    return f"{row.revision} {row.imported_at.isoformat()}" if row else "none"
