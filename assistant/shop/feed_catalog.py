"""A feed that is sold from without being imported."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, Engine, func, select

from assistant.errors import CatalogMissing, SoldOut
from assistant.shop import reservations, schema
from assistant.shop.cart import CartLine
from assistant.shop.catalog import RESERVATION, Catalog, ImportedCatalog, with_stock
from assistant.shop.database import reading
from assistant.shop.orders import Order, OrderStatus
from assistant.shop.product import Product
from assistant.shop.product_rows import product_of
from assistant.shop.shelf import Shelf
from assistant.shop.variant_stock import Variants


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
            return tuple(self._left(connection).values())

    def shelf(self) -> Mapping[str, Product]:
        """The feed's products with what is left of them, by sku."""
        return {product.sku: product for product in self.products()}

    def currency(self) -> str:
        """ISO 4217 code of the feed; empty when it has no product."""
        return next((product.price.currency for product in self._products), "")

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
        left = self._left(connection)
        for sku, quantity in reservations.wanted(order).items():
            if sku not in left:
                raise SoldOut(f"{sku} is not sold any more. Nothing was bought.")
            if (stock := left[sku].stock) is not None and stock < quantity:
                raise SoldOut(f"Only {stock} of {sku} are left, not {quantity}. Nothing was bought.")
            if variants := Variants.of_product(left[sku]):
                variants.check([(line.options, line.quantity) for line in order.lines if line.sku == sku], ())

    def put_back(self, connection: Connection, lines: Sequence[CartLine]) -> None:
        """A cancelled order does not count any more: nothing to do."""

    def _left(self, connection: Connection) -> dict[str, Product]:
        """The products with what is left of them, by sku."""
        orders, lines = schema.orders.c, schema.order_lines.c
        bought: dict[str, list[tuple[Mapping[str, str], int]]] = {}
        rows = connection.execute(
            select(lines.sku, lines.options, lines.quantity)
            .join(schema.orders, (orders.household == lines.household) & (orders.id == lines.order_id))
            .where(
                orders.household == self._household,
                orders.number > self._before,
                orders.paid_at.is_not(None),
                orders.status.not_in([OrderStatus.CANCELLED.value, OrderStatus.REFUNDED.value]),
            )
        )
        for row in rows:
            bought.setdefault(row.sku, []).append((row.options, -row.quantity))
        return {one.sku: _less(one, bought[one.sku]) if one.sku in bought else one for one in self._products}


def choose_catalog(
    engine: Engine,
    household: str,
    products: Iterable[Product] | Shelf | None,
    reservation: timedelta = RESERVATION,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> Catalog:
    """The imported catalog when ``products`` are None, its shelf, or the same but for their stock; else one of them."""
    if isinstance(products, Shelf):
        return ImportedCatalog(engine, household, reservation, clock, products)
    imported = ImportedCatalog(engine, household, reservation, clock)
    if products is None:
        return imported
    offered = tuple(products)
    try:
        same = with_stock(imported.products(), {}) == with_stock(offered, {})
    except CatalogMissing:
        same = False
    return imported if same else FeedCatalog(engine, household, offered)


def _less(product: Product, taken: Sequence[tuple[Mapping[str, str], int]]) -> Product:
    left = product.stock if product.stock is None else max(0, product.stock + sum(count for _, count in taken))
    if variants := Variants.of_product(product):
        product = product_of(variants.counting(taken))
    return replace(product, stock=left)
