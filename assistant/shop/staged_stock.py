"""What is left of an imported catalog's products, on its way in from elsewhere (compare ``staging.py``)."""

from collections.abc import Mapping
from contextlib import ExitStack

from sqlalchemy import BigInteger, Column, Engine, MetaData, String, Table, insert, select, update

from assistant.shop import schema
from assistant.shop.database import private_change, private_connection, transaction

_staged_stock = Table(
    "staged_stock",
    MetaData(),
    Column("sku", String, primary_key=True),
    Column("stock", BigInteger, nullable=False),
    prefixes=["TEMPORARY"],
)


class StagedStock:
    """Units left by sku, on disk; closing it throws them away.

    Args:
        engine: The shop's database.

    Raises:
        StoreError: The database cannot be used.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        with ExitStack() as stack:
            self._connection = stack.enter_context(private_connection(engine))
            with private_change(self._connection) as connection:
                _staged_stock.create(connection, checkfirst=False)
            self._open = stack.pop_all()

    def __enter__(self) -> "StagedStock":
        return self

    def __exit__(self, *error: object) -> None:
        self._open.close()

    def take(self, stock: Mapping[str, int]) -> None:
        """Takes in some skus, none of them twice.

        Raises:
            StoreError: The disk is full, or the database failed.
        """
        if stock:
            rows = [{"sku": sku, "stock": left} for sku, left in stock.items()]
            with private_change(self._connection) as connection:
                connection.execute(insert(_staged_stock), rows)

    def switch_over(self) -> None:
        """Puts it in the place of all stock, all at once; a product that is not there is not counted any more.

        Raises:
            StoreError: The database refused; the stock stays as it was.
        """
        table = schema.products
        left = select(_staged_stock.c.stock).where(_staged_stock.c.sku == table.c.sku).scalar_subquery()
        with transaction(self._engine, private=self._connection) as connection:
            connection.execute(update(table).where(table.c.stock.is_distinct_from(left)).values(stock=left))
