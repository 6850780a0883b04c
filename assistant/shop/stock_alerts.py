"""Products that a household waits for: it is told once when the shop has them again."""

from collections.abc import Callable
from datetime import UTC, datetime

from sqlalchemy import ColumnElement, Engine, delete, insert, select

from assistant.shop.database import ensure_tables, reading, transaction
from assistant.shop.household_tables import stock_alerts


class StockAlerts:
    """The sold-out products that one household waits for.

    An alert waits for stock, not for an event: whether an import, a sync with the shop, a cancelled order or a
    reservation that ran out brings the product back makes no difference.

    Args:
        engine: The shop's database.
        household: Whose.
        clock: The time of day.

    Raises:
        StoreError: The database cannot be used.
    """

    def __init__(
        self, engine: Engine, household: str, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        ensure_tables(engine, stock_alerts)
        self._engine = engine
        self._household = household
        self._clock = clock

    def add(self, sku: str) -> None:
        """Waits for a product; asking for it twice changes nothing.

        Raises:
            StoreError: The database refused.
        """
        same = select(stock_alerts.c.asked_at).where(*self._one(sku))
        with transaction(self._engine, self._household) as connection:
            if connection.execute(same).first() is None:
                values = {"household": self._household, "sku": sku, "asked_at": self._clock()}
                connection.execute(insert(stock_alerts).values(**values))

    def waiting(self) -> tuple[str, ...]:
        """The products that are waited for, by sku, in the order in which they were asked for.

        Raises:
            StoreError: The database cannot be read.
        """
        found = select(stock_alerts.c.sku).where(stock_alerts.c.household == self._household)
        with reading(self._engine) as connection:
            rows = connection.execute(found.order_by(stock_alerts.c.asked_at, stock_alerts.c.sku))
            return tuple(row.sku for row in rows)

    def claim(self, sku: str) -> bool:
        """Ends the wait, to say that the product is back; false when another device of the household has done so.

        Raises:
            StoreError: The database refused; the household still waits.
        """
        with transaction(self._engine, self._household) as connection:
            return connection.execute(delete(stock_alerts).where(*self._one(sku))).rowcount == 1

    def _one(self, sku: str) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
        return stock_alerts.c.household == self._household, stock_alerts.c.sku == sku
