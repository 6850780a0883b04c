"""The catalog: what is sold, and how much of it is left."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Protocol

from sqlalchemy import Connection, Engine, delete, func, insert, select, update

from assistant.errors import CatalogMissing, FeedError, OrderError
from assistant.shop import schema
from assistant.shop.cart import CartLine
from assistant.shop.database import ensure_tables, reading, transaction
from assistant.shop.feed_product import FeedProduct, to_feed
from assistant.shop.orders import OrderStatus
from assistant.shop.product import Product

_IN_USE = schema.catalogs.c.name == "in use"


class Catalog(Protocol):
    """Products on sale with their stock."""

    def products(self) -> tuple[Product, ...]:
        """Everything on sale, in the feed's order; ``stock`` is what is left now.

        Raises:
            CatalogMissing: There is none.
        """
        ...

    def find(self, connection: Connection, skus: Iterable[str]) -> Mapping[str, Product]:
        """The products of these skus as the caller's transaction sees them; those that are not sold are left out."""
        ...

    def take(self, connection: Connection, lines: Sequence[CartLine]) -> None:
        """Takes what is bought off the shelf.

        Raises:
            OrderError: Something is not sold any more, or not enough of it is left.
        """
        ...

    def put_back(self, connection: Connection, lines: Sequence[CartLine]) -> None:
        """Puts what was taken back on the shelf; what is not sold any more is passed over."""
        ...


class ImportedCatalog:
    """The catalog in the database.

    Args:
        engine: The shop's database.

    Raises:
        StoreError: The database cannot be used.
    """

    def __init__(self, engine: Engine) -> None:
        ensure_tables(engine, schema.catalogs, schema.products)
        self._engine = engine
        self._revision: int | None = None
        self._left: dict[str, int] = {}
        self._products: tuple[Product, ...] = ()

    def switch(self, products: Sequence[Product], at: datetime) -> int:
        """Puts ``products`` in the place of the catalog, all at once; how many there are.

        Whoever reads meanwhile sees the old catalog or the new one, never a mixture.

        Raises:
            FeedError: There is no product; the old catalog stays.
            StoreError: The database refused; the old catalog stays.
        """
        rows = [
            {
                "sku": product.sku,
                "position": position,
                "feed_line": to_feed(replace(product, stock=None)),
                "stock": product.stock,
            }
            for position, product in enumerate(products)
        ]
        if not rows:
            raise FeedError("There is no product in this catalog; the old one stays.")
        with transaction(self._engine) as connection:
            revision = (self._read_revision(connection) or 0) + 1
            connection.execute(delete(schema.products))
            connection.execute(insert(schema.products), rows)
            connection.execute(delete(schema.catalogs).where(_IN_USE))
            connection.execute(
                insert(schema.catalogs).values(
                    name="in use", revision=revision, currency=products[0].price.currency, imported_at=at
                )
            )
        return len(rows)

    def products(self) -> tuple[Product, ...]:
        """Everything on sale; the products are read again only after an import, the stock always."""
        with reading(self._engine) as connection:
            revision = self._read_revision(connection)
            if revision is None:
                raise CatalogMissing("There is no catalog yet. Import one: 'voicecart catalog import FEED'.")
            counted = select(schema.products.c.sku, schema.products.c.stock).where(schema.products.c.stock.is_not(None))
            left = {sku: stock for sku, stock in connection.execute(counted)}
            if revision != self._revision:
                self._products = with_stock(_read_products(connection), left)
            elif left != self._left:
                self._products = with_stock(self._products, left)
            self._revision, self._left = revision, left
            return self._products

    def find(self, connection: Connection, skus: Iterable[str]) -> Mapping[str, Product]:
        """The products of these skus; their stock is not looked up."""
        rows = connection.execute(
            select(schema.products.c.feed_line).where(schema.products.c.sku.in_(tuple(dict.fromkeys(skus))))
        )
        return {product.sku: product for product in map(_product, rows.scalars())}

    def take(self, connection: Connection, lines: Sequence[CartLine]) -> None:
        """Counts the stock down where it is counted."""
        for line in lines:
            product = schema.products.c.sku == line.sku
            row = connection.execute(select(schema.products.c.stock).where(product)).first()
            _check_left(line, row is not None, None if row is None else row.stock)
            if row is not None and row.stock is not None:
                connection.execute(update(schema.products).where(product).values(stock=row.stock - line.quantity))

    def put_back(self, connection: Connection, lines: Sequence[CartLine]) -> None:
        """Counts the stock up where it is counted."""
        for line in lines:
            connection.execute(
                update(schema.products)
                .where(schema.products.c.sku == line.sku, schema.products.c.stock.is_not(None))
                .values(stock=schema.products.c.stock + line.quantity)
            )

    @staticmethod
    def _read_revision(connection: Connection) -> int | None:
        return connection.execute(select(schema.catalogs.c.revision).where(_IN_USE)).scalar()


class FeedCatalog:
    """A feed that is sold from without being imported.

    Its stock is what the feed says less what the household has bought since.

    Args:
        engine: The shop's database, with its tables.
        household: Whose orders count.
        products: The feed's products.
    """

    def __init__(self, engine: Engine, household: str, products: Iterable[Product]) -> None:
        self._engine = engine
        self._household = household
        self._products = tuple(products)
        with reading(engine) as connection:
            newest = select(func.coalesce(func.max(schema.orders.c.number), 0)).where(
                schema.orders.c.household == household
            )
            self._before = int(connection.execute(newest).scalar_one())

    def products(self) -> tuple[Product, ...]:
        """The feed's products with what is left of them."""
        if not self._products:
            raise CatalogMissing("There is no product in this catalog.")
        with reading(self._engine) as connection:
            return with_stock(self._products, self._left(connection))

    def find(self, connection: Connection, skus: Iterable[str]) -> Mapping[str, Product]:
        """The feed's products of these skus, with the stock that the feed says."""
        wanted = frozenset(skus)
        return {product.sku: product for product in self._products if product.sku in wanted}

    def take(self, connection: Connection, lines: Sequence[CartLine]) -> None:
        """Only looks whether enough is left: the order itself counts it down."""
        sold, left = {product.sku for product in self._products}, self._left(connection)
        for line in lines:
            _check_left(line, line.sku in sold, left.get(line.sku))
            if line.sku in left:
                left[line.sku] -= line.quantity

    def put_back(self, connection: Connection, lines: Sequence[CartLine]) -> None:
        """A cancelled order does not count any more: nothing to do."""

    def _left(self, connection: Connection) -> dict[str, int]:
        orders, lines = schema.orders.c, schema.order_lines.c
        bought = connection.execute(
            select(lines.sku, func.sum(lines.quantity))
            .join(schema.orders, (orders.household == lines.household) & (orders.id == lines.order_id))
            .where(
                orders.household == self._household,
                orders.number > self._before,
                orders.paid_at.is_not(None),
                orders.status.not_in([OrderStatus.CANCELLED.value, OrderStatus.REFUNDED.value]),
            )
            .group_by(lines.sku)
        )
        taken = {sku: int(quantity) for sku, quantity in bought}
        return {
            product.sku: max(0, product.stock - taken.get(product.sku, 0))
            for product in self._products
            if product.stock is not None
        }


def choose_catalog(engine: Engine, household: str, products: Iterable[Product] | None) -> Catalog:
    """The imported catalog when ``products`` are None or the same but for their stock, else one of ``products``."""
    imported = ImportedCatalog(engine)
    if products is None:
        return imported
    offered = tuple(products)
    try:
        same = with_stock(imported.products(), {}) == with_stock(offered, {})
    except CatalogMissing:
        same = False
    return imported if same else FeedCatalog(engine, household, offered)


def currency_on_sale(catalog: Catalog) -> str:
    """ISO 4217 code of what is on sale; empty when there is no catalog."""
    try:
        return catalog.products()[0].price.currency
    except CatalogMissing:
        return ""


def with_stock(products: Iterable[Product], left: Mapping[str, int]) -> tuple[Product, ...]:
    """The products with so many left of each; those that are not in ``left`` are not counted."""
    return tuple(
        product if product.stock == left.get(product.sku) else replace(product, stock=left.get(product.sku))
        for product in products
    )


def _read_products(connection: Connection) -> tuple[Product, ...]:
    rows = connection.execute(select(schema.products.c.feed_line).order_by(schema.products.c.position))
    return tuple(_product(row.feed_line) for row in rows)


def _product(feed_line: Any) -> Product:
    return FeedProduct.model_validate(feed_line).to_product()


def _check_left(line: CartLine, sold: bool, left: int | None) -> None:
    if not sold:
        raise OrderError(f"{line.sku} is not sold any more. Nothing was bought.")
    if left is not None and left < line.quantity:
        raise OrderError(f"Only {left} of {line.sku} are left, not {line.quantity}. Nothing was bought.")
