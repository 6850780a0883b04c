"""A feed that is sold from without being imported."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, Engine, func, select

from assistant.errors import CatalogMissing, SoldOut
from assistant.shop import schema
from assistant.shop.cart import CartLine
from assistant.shop.catalog import RESERVATION, Catalog, ImportedCatalog, with_stock
from assistant.shop.database import reading
from assistant.shop.orders import Order, OrderStatus
from assistant.shop.product import Product
from assistant.shop.shelf import Shelf


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


def _check_left(line: CartLine, sold: bool, left: int | None) -> None:
    if not sold:
        raise SoldOut(f"{line.sku} is not sold any more. Nothing was bought.")
    if left is not None and left < line.quantity:
        raise SoldOut(f"Only {left} of {line.sku} are left, not {line.quantity}. Nothing was bought.")
