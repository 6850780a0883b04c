"""The catalog: what is sold, and how much of it is left."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from sqlalchemy import Connection, Engine, delete, func, insert, select, update

from assistant.errors import CatalogMissing, FeedError, SoldOut
from assistant.shop import reservations, schema
from assistant.shop.cart import CartLine
from assistant.shop.database import ensure_tables, reading, transaction
from assistant.shop.feed_product import FeedProduct, to_feed
from assistant.shop.orders import Order, OrderStatus
from assistant.shop.product import Product

RESERVATION = timedelta(minutes=5)
"""How long stock is kept for an order that awaits its payment, when nobody says otherwise."""

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

    def reserve(self, connection: Connection, order: Order) -> None:
        """Keeps what an order needs while it awaits its payment, for a while.

        Raises:
            SoldOut: Something is not sold any more, or not enough of it is free.
        """
        ...

    def take(self, connection: Connection, order: Order) -> None:
        """Takes what is bought off the shelf.

        Raises:
            SoldOut: Something is not sold any more, or not enough of it is free.
        """
        ...

    def release(self, connection: Connection, order: Order) -> None:
        """Keeps nothing for an order any more that was given up."""
        ...

    def put_back(self, connection: Connection, lines: Sequence[CartLine]) -> None:
        """Puts what was taken back on the shelf; what is not sold any more is passed over."""
        ...


class ImportedCatalog:
    """The catalog in the database.

    Args:
        engine: The shop's database.
        household: Whose view of the stock: what is kept for its own orders is there for it.
        reservation: How long stock is kept for an order that awaits its payment.
        clock: The time of day.

    Raises:
        StoreError: The database cannot be used.
    """

    def __init__(
        self,
        engine: Engine,
        household: str = "",
        reservation: timedelta = RESERVATION,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        ensure_tables(engine, schema.catalogs, schema.products, schema.orders, schema.reservations)
        self._engine = engine
        self._household = household
        self._reservation = reservation
        self._clock = clock
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
            kept = reservations.reserved_by_others(connection, self._household, self._clock())
            left = {sku: max(0, stock - kept.get(sku, 0)) for sku, stock in connection.execute(counted)}
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

    def reserve(self, connection: Connection, order: Order) -> None:
        """Keeps what an order needs where stock is counted."""
        now = self._clock()
        reservations.reserve(connection, order, now, now + self._reservation)

    def take(self, connection: Connection, order: Order) -> None:
        """Counts the stock down where it is counted."""
        reservations.take(connection, order, self._clock())

    def release(self, connection: Connection, order: Order) -> None:
        """Keeps nothing for the order any more."""
        reservations.release(connection, order)

    def put_back(self, connection: Connection, lines: Sequence[CartLine]) -> None:
        """Counts the stock up where it is counted."""
        reservations.lock_shelf(connection, {line.sku for line in lines})
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

    def reserve(self, connection: Connection, order: Order) -> None:
        """Only looks whether enough is left: nobody else sells from this feed."""
        self.take(connection, order)

    def release(self, connection: Connection, order: Order) -> None:
        """Nothing was kept: nothing to do."""

    def take(self, connection: Connection, order: Order) -> None:
        """Only looks whether enough is left: the order itself counts it down."""
        sold, left = {product.sku for product in self._products}, self._left(connection)
        for line in order.lines:
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


def choose_catalog(
    engine: Engine,
    household: str,
    products: Iterable[Product] | None,
    reservation: timedelta = RESERVATION,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> Catalog:
    """The imported catalog when ``products`` are None or the same but for their stock, else one of ``products``."""
    imported = ImportedCatalog(engine, household, reservation, clock)
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
        raise SoldOut(f"{line.sku} is not sold any more. Nothing was bought.")
    if left is not None and left < line.quantity:
        raise SoldOut(f"Only {left} of {line.sku} are left, not {line.quantity}. Nothing was bought.")
