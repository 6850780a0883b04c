"""What is on sale in a catalog that is too large to be read: by sku, when it is asked for."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Engine, Row, func, select

from assistant.shop import reservations, schema
from assistant.shop.database import ensure_tables, reading
from assistant.shop.product import Product
from assistant.shop.product_rows import product_of

_AT_ONCE = 500
_REMEMBERED = 5_000


class Shelf(Mapping[str, Product]):
    """The imported catalog's products by sku, each with what is left of it, as it is when it is first asked for.

    Any product can be looked up; iterating gives those that the household knows: what it has on its list, what it has
    bought, and what all households buy most. A name alone tells too little among so many: each begins with the brand.

    Args:
        engine: The shop's database.
        household: Whose view it is: what is kept for its own orders is there for it.
        most: At most so many products are given by iterating.
        clock: The time of day.

    Raises:
        StoreError: The database cannot be used.
    """

    def __init__(
        self,
        engine: Engine,
        household: str,
        most: int,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        ensure_tables(engine, schema.catalogs, schema.products, *schema.STORE_TABLES)
        self.engine = engine
        self._household = household
        self._most = most
        self._clock = clock
        self._found: dict[str, Product | None] = {}
        self._known: tuple[str, ...] | None = None

    def count(self) -> int:
        """How many products are on sale, known or not."""
        with reading(self.engine) as connection:
            return int(connection.execute(select(func.count(schema.products.c.sku))).scalar_one())

    def fresh(self) -> "Shelf":
        """The shelf as it is now."""
        return Shelf(self.engine, self._household, self._most, self._clock)

    def over(self, engine: Engine) -> "Shelf":
        """The same shelf in another database."""
        return Shelf(engine, self._household, self._most, self._clock)

    def __getitem__(self, sku: str) -> Product:
        if sku not in self._found:
            with reading(self.engine) as connection:
                self._read(connection, (sku,))
        product = self._found[sku]
        if product is None:
            raise KeyError(sku)
        return product

    def __iter__(self) -> Iterator[str]:
        """Skus of what the household knows: its list first, then what it has bought lately, then what sells best."""
        if self._known is None:
            with reading(self.engine) as connection:
                skus = _known(connection, self._household, self._most)
                self._read(connection, skus)
            self._known = tuple(sku for sku in skus if self._found.get(sku) is not None)
        return iter(self._known)

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def some(self, skus: Iterable[str]) -> dict[str, Product]:
        """Some products at once, in this order; what is not sold is left out."""
        wanted = tuple(dict.fromkeys(skus))
        with reading(self.engine) as connection:
            self._read(connection, [sku for sku in wanted if sku not in self._found])
        return {sku: product for sku in wanted if (product := self.get(sku)) is not None}

    def _read(self, connection: Connection, skus: Sequence[str]) -> None:
        if len(self._found) + len(skus) > max(_REMEMBERED, 2 * self._most):
            self._found.clear()
        table = schema.products.c
        kept = reservations.reserved_by_others(connection, self._household, self._clock())
        for begin in range(0, len(skus), _AT_ONCE):
            some = skus[begin : begin + _AT_ONCE]
            self._found |= dict.fromkeys(some)
            rows = connection.execute(select(table.sku, table.feed_line, table.stock).where(table.sku.in_(some)))
            self._found |= {row.sku: _product(row, kept.get(row.sku, 0)) for row in rows}


def with_full_name(product: Product) -> Product:
    """The product with its brand before every name: among very many, a name alone tells too little."""
    return replace(product, names={code: _full(name, product.brand) for code, name in product.names.items()})


def _product(row: Row[Any, Any, Any], kept: int) -> Product:
    product = with_full_name(product_of(row.feed_line))
    return replace(product, stock=None if row.stock is None else max(0, row.stock - kept))


def _full(name: str, brand: str) -> str:
    return name if not brand or brand.casefold() in name.casefold() else f"{brand} {name}"


def _known(connection: Connection, household: str, most: int) -> tuple[str, ...]:
    entries, lines, orders = schema.list_entries.c, schema.order_lines.c, schema.orders.c
    paid = schema.order_lines.join(schema.orders, (orders.household == lines.household) & (orders.id == lines.order_id))
    sold = select(lines.sku).select_from(paid).where(orders.paid_at.is_not(None)).group_by(lines.sku).limit(most)
    queries: Iterable[Any] = (
        select(entries.sku).where(entries.household == household, entries.sku.is_not(None)).limit(most),
        sold.where(lines.household == household).order_by(func.max(orders.number).desc(), lines.sku),
        sold.order_by(func.sum(lines.quantity).desc(), lines.sku),
    )
    found = dict.fromkeys(sku for query in queries for sku in connection.execute(query).scalars())
    return tuple(found)[:most]
