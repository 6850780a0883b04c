"""The catalog: what is sold, and how much of it is left."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Protocol

from sqlalchemy import Connection, Engine, func, select

from assistant.errors import CatalogMissing
from assistant.shop import reservations, schema
from assistant.shop.cart import CartLine
from assistant.shop.database import ensure_tables, reading
from assistant.shop.orders import Order
from assistant.shop.product import Product
from assistant.shop.product_rows import product_of
from assistant.shop.shelf import Shelf
from assistant.shop.staging import StagedCatalog
from assistant.shop.switching import switch_over

RESERVATION = timedelta(minutes=5)
"""How long stock is kept for an order that awaits its payment, when nobody says otherwise."""

_AT_ONCE = 2_000
_IN_USE = schema.catalogs.c.name == "in use"


class Catalog(Protocol):
    """Products on sale with their stock."""

    def products(self) -> tuple[Product, ...]:
        """Everything on sale, in the feed's order; ``stock`` is what is left now.

        Raises:
            CatalogMissing: There is none.
        """
        ...

    def shelf(self) -> Mapping[str, Product]:
        """What is on sale now by sku; where that is too much to be read at once, read when it is asked for.

        Raises:
            CatalogMissing: There is none.
        """
        ...

    def currency(self) -> str:
        """ISO 4217 code of what is on sale; empty when there is no catalog."""
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
        shelf: Gives the products when there are too many of them to be read at once.

    Raises:
        StoreError: The database cannot be used.
    """

    def __init__(
        self,
        engine: Engine,
        household: str = "",
        reservation: timedelta = RESERVATION,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        shelf: Shelf | None = None,
    ) -> None:
        ensure_tables(engine, schema.catalogs, schema.products, schema.orders, schema.reservations)
        self._engine = engine
        self._household = household
        self._reservation = reservation
        self._clock = clock
        self._shelf = shelf
        self._revision: int | None = None
        self._left: dict[str, int] = {}
        self._products: tuple[Product, ...] = ()

    def switch(self, products: Iterable[Product], at: datetime) -> int:
        """Puts ``products`` in the place of the catalog, all at once; how many there are.

        Raises:
            FeedError: There is no product; the old catalog stays.
            StoreError: The database refused; the old catalog stays.
        """
        with StagedCatalog(self._engine) as staged:
            staged.take_products(products)
            return switch_over(staged, at)

    def count(self) -> int:
        """How many products are on sale."""
        with reading(self._engine) as connection:
            return int(connection.execute(select(func.count(schema.products.c.sku))).scalar_one())

    def sold_out(self) -> int:
        """How many of them are sold out, or kept for orders of others."""
        table = schema.products.c
        with reading(self._engine) as connection:
            kept = reservations.reserved_by_others(connection, self._household, self._clock())
            gone = int(connection.execute(select(func.count(table.sku)).where(table.stock == 0)).scalar_one())
            reserved = table.sku.in_(select(schema.reservations.c.sku))
            some = select(table.sku, table.stock).where(table.stock > 0, reserved)
            return gone + sum(1 for sku, stock in connection.execute(some) if stock <= kept.get(sku, 0))

    def each(self) -> Iterator[Product]:
        """Everything on sale, one after the other, without what is left of it; the feed's order."""
        lines = select(schema.products.c.feed_line).order_by(schema.products.c.position)
        with reading(self._engine) as connection:
            for line in connection.execution_options(yield_per=_AT_ONCE).execute(lines).scalars():
                yield product_of(line)

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
                self._products = with_stock(self._with_variants(connection, left), left)
            self._revision, self._left = revision, left
            return self._products

    def shelf(self) -> Mapping[str, Product]:
        """What is on sale now by sku."""
        return self._shelf.fresh() if self._shelf is not None else {one.sku: one for one in self.products()}

    def currency(self) -> str:
        """ISO 4217 code of what is on sale; empty when nothing was imported."""
        with reading(self._engine) as connection:
            return connection.execute(select(schema.catalogs.c.currency).where(_IN_USE)).scalar() or ""

    def find(self, connection: Connection, skus: Iterable[str]) -> Mapping[str, Product]:
        """The products of these skus; their stock is not looked up."""
        rows = connection.execute(
            select(schema.products.c.feed_line).where(schema.products.c.sku.in_(tuple(dict.fromkeys(skus))))
        )
        return {product.sku: product for product in map(product_of, rows.scalars())}

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
        reservations.put_back(connection, lines)

    def _with_variants(self, connection: Connection, left: Mapping[str, int]) -> tuple[Product, ...]:
        """The products, those of whose variants other numbers are left read again."""
        changed = [one.sku for one in self._products if one.variants and left.get(one.sku) != self._left.get(one.sku)]
        anew = self.find(connection, changed) if changed else {}
        return tuple(anew.get(product.sku, product) for product in self._products)

    @staticmethod
    def _read_revision(connection: Connection) -> int | None:
        return connection.execute(select(schema.catalogs.c.revision).where(_IN_USE)).scalar()


def with_stock(products: Iterable[Product], left: Mapping[str, int]) -> tuple[Product, ...]:
    """The products with so many left of each; those that are not in ``left`` are not counted."""
    return tuple(
        product if product.stock == left.get(product.sku) else replace(product, stock=left.get(product.sku))
        for product in products
    )


def _read_products(connection: Connection) -> tuple[Product, ...]:
    rows = connection.execute(select(schema.products.c.feed_line).order_by(schema.products.c.position))
    return tuple(product_of(row.feed_line) for row in rows)
