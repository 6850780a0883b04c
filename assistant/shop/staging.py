"""A catalog on its way in: on disk, and in nobody's way until all of it is there.

Its rows are in temporary tables of a connection of its own, so that a feed of any length takes little memory, nobody
waits while it is read, and a process that is killed leaves nothing behind. ``switching.py`` puts it in its place.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from itertools import islice
from typing import Any

from sqlalchemy import (
    JSON,
    Column,
    ColumnElement,
    Connection,
    Engine,
    Integer,
    MetaData,
    String,
    Table,
    bindparam,
    func,
    select,
)
from sqlalchemy import delete as sql_delete
from sqlalchemy import insert as sql_insert
from sqlalchemy import update as sql_update

from assistant.shop import schema
from assistant.shop.database import private_change, private_connection, transaction
from assistant.shop.feed import (
    MOST_LINES,
    Entry,
    GoodLine,
    Problem,
    Removal,
    in_another_currency,
    there_twice,
    too_long,
    without_products,
)
from assistant.shop.product import Product
from assistant.shop.product_rows import product_row

_AT_ONCE = 2_000
_LOOKED_UP = 500
_TABLES = MetaData()

# A product without a currency is one that is removed.
staged_products = Table(
    "staged_products",
    _TABLES,
    Column("number", Integer, primary_key=True, autoincrement=False, comment="its place among the entries"),
    Column("line", Integer, comment="of the feed"),
    Column("currency", String(3)),
    Column("position", Integer, comment="its place in the catalog"),
    *(
        Column(column.name, String if column.name == "sku" else column.type, unique=column.name == "sku")
        for column in schema.products.c
        if column.name != "position"
    ),
    prefixes=["TEMPORARY"],
)

# As JSON, which can hold whatever a bad line does.
_problems = Table(
    "staged_problems",
    _TABLES,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("problem", JSON, nullable=False, comment="line, reason, sku"),
    prefixes=["TEMPORARY"],
)


class StagedCatalog:
    """Products, removals and problems, on disk; closing it, or the end of the process, throws them away.

    Args:
        engine: The shop's database.

    Raises:
        StoreError: The database cannot be used.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._read = 0
        self.currency = ""
        """ISO 4217 code of the products; empty when there is none."""
        with ExitStack() as stack:
            self._connection = stack.enter_context(private_connection(engine))
            with self._changing() as connection:
                _TABLES.create_all(connection, checkfirst=False)
            self._open = stack.pop_all()

    def __enter__(self) -> "StagedCatalog":
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """Throws everything away."""
        self._open.close()

    def take_feed(self, entries: Iterable[Entry], source: str) -> None:
        """Takes in a feed: products in one currency, each sku once; what else there is becomes a problem.

        Args:
            entries: Of any format.
            source: Names the feed in errors.

        Raises:
            FeedError: There is neither a product nor a removal, or there are more than ``MOST_LINES`` entries.
            StoreError: The disk is full, or the database failed.
        """
        remaining = iter(entries)
        while portion := tuple(islice(remaining, _AT_ONCE)):
            if self._read + len(portion) > MOST_LINES:
                raise too_long(source, MOST_LINES)
            self._take(portion)
        self.currency = self._usual_currency()
        self._leave_out_foreign()
        if not self.count() and not self.removals():
            raise without_products(source, next(self.problems(), None))

    def take_products(self, products: Iterable[Product]) -> None:
        """Takes in products of one currency, each sku once.

        Raises:
            StoreError: A sku is there twice, the disk is full, or the database failed.
        """
        remaining = iter(products)
        while portion := tuple(islice(remaining, _AT_ONCE)):
            rows = [_row(self._read + place, None, product) for place, product in enumerate(portion)]
            with self._changing() as connection:
                connection.execute(sql_insert(staged_products), rows)
            self.currency = self.currency or portion[0].price.currency
            self._read += len(portion)

    def take_stock(self, stock: Mapping[str, int]) -> None:
        """Notes what is left of some of the products.

        Raises:
            StoreError: The database failed.
        """
        if not stock:
            return
        noted = sql_update(staged_products).where(staged_products.c.sku == bindparam("of"))
        with self._changing() as connection:
            rows = [{"of": sku, "left": left} for sku, left in stock.items()]
            connection.execute(noted.values(stock=bindparam("left")), rows)

    def count(self) -> int:
        """How many products there are."""
        return self._number_of(staged_products, staged_products.c.currency.is_not(None))

    def removals(self) -> int:
        """How many products are removed."""
        return self._number_of(staged_products, staged_products.c.currency.is_(None))

    def problem_count(self) -> int:
        """How many bad lines there are."""
        return self._number_of(_problems)

    def problems(self) -> Iterator[Problem]:
        """The bad lines, in the feed's order."""
        after = -1
        page = select(_problems.c.number, _problems.c.problem).order_by(_problems.c.number).limit(_AT_ONCE)
        while True:
            with self._changing() as connection:
                rows = connection.execute(page.where(_problems.c.number > after)).all()
            for number, problem in rows:
                after = number
                yield Problem(*problem)
            if len(rows) < _AT_ONCE:
                return

    def switching(self) -> AbstractContextManager[Connection]:
        """The shop's transaction, in which these tables can be read as well.

        Raises:
            StoreError: The database refused; nothing was changed.
        """
        return transaction(self._engine, private=self._connection)

    def _changing(self) -> AbstractContextManager[Connection]:
        return private_change(self._connection)

    def _take(self, portion: Sequence[Entry]) -> None:
        products, removals, problems = [], [], []
        with self._changing() as connection:
            seen = _lines_of(connection, [entry.sku for entry in portion if not isinstance(entry, Problem)])
            for number, entry in enumerate(portion, start=self._read):
                if not isinstance(entry, Problem):
                    if entry.sku in seen:
                        entry = there_twice(entry.line, entry.sku, seen[entry.sku])
                    else:
                        seen[entry.sku] = entry.line
                match entry:
                    case GoodLine(line, product):
                        products.append(_row(number, line, product))
                    case Removal(line, sku):
                        removals.append({"number": number, "line": line, "sku": sku})
                    case Problem():
                        problems.append(_problem_row(number, entry))
            for table, rows in ((staged_products, products), (staged_products, removals), (_problems, problems)):
                if rows:
                    connection.execute(sql_insert(table), rows)
        self._read += len(portion)

    def _usual_currency(self) -> str:
        """What most lines say; of several, what was said first."""
        table = staged_products.c
        usual = select(table.currency).where(table.currency.is_not(None)).group_by(table.currency)
        with self._changing() as connection:
            found = connection.execute(usual.order_by(func.count().desc(), func.min(table.number)).limit(1)).scalar()
        return found or ""

    def _leave_out_foreign(self) -> None:
        table = staged_products.c
        foreign = table.currency != self.currency
        page = select(table.number, table.line, table.sku, table.currency).where(foreign).limit(_AT_ONCE)
        while True:
            with self._changing() as connection:
                rows = connection.execute(page).all()
                if not rows:
                    return
                problems = [
                    _problem_row(row.number, in_another_currency(row.line, row.sku, row.currency, self.currency))
                    for row in rows
                ]
                connection.execute(sql_insert(_problems), problems)
                numbers = [row.number for row in rows]
                connection.execute(sql_delete(staged_products).where(table.number.in_(numbers)))

    def _number_of(self, table: Table, *conditions: ColumnElement[bool]) -> int:
        with self._changing() as connection:
            counted = select(func.count()).select_from(table).where(*conditions)
            return int(connection.execute(counted).scalar_one())


def _row(number: int, line: int | None, product: Product) -> dict[str, Any]:
    return {"number": number, "line": line, "currency": product.price.currency, **product_row(product)}


def _problem_row(number: int, problem: Problem) -> dict[str, Any]:
    return {"number": number, "problem": [problem.line, problem.reason, problem.sku]}


def _lines_of(connection: Connection, skus: Sequence[str]) -> dict[str, int]:
    """The lines of those skus that were taken in before."""
    table = staged_products.c
    found: dict[str, int] = {}
    for begin in range(0, len(skus), _LOOKED_UP):
        there = select(table.sku, table.line).where(table.sku.in_(skus[begin : begin + _LOOKED_UP]))
        found |= {row.sku: row.line for row in connection.execute(there)}
    return found
