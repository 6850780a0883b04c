"""Keeps this device's catalog and stock as the shop's are."""

from collections.abc import Callable
from datetime import UTC, datetime

from pydantic import ValidationError
from sqlalchemy import Column, Engine, Integer, String, Table, delete, insert, select, update

from assistant.errors import ServiceUnavailable
from assistant.service.client.shop_service import ShopService
from assistant.shop import schema
from assistant.shop.catalog import ImportedCatalog
from assistant.shop.database import ensure_tables, reading, transaction
from assistant.shop.feed_product import FeedProduct
from assistant.shop.product import Product
from assistant.shop.schema import metadata

_MOST_TRIES = 3

# One row: the shop's revision that was taken in, and the revision it became here.
synced_catalogs = Table(
    "synced_catalogs",
    metadata,
    Column("name", String(16), primary_key=True),
    Column("remote_revision", Integer, nullable=False),
    Column("local_revision", Integer, nullable=False),
)


class CatalogSync:
    """Takes the shop's catalog in.

    Args:
        engine: This device's database.
        service: The shop.
        clock: The time of day.

    Raises:
        StoreError: The database cannot be used.
    """

    def __init__(
        self, engine: Engine, service: ShopService, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        ensure_tables(engine, synced_catalogs)
        self._engine = engine
        self._service = service
        self._clock = clock
        self._catalog = ImportedCatalog(engine)

    def sync(self) -> bool:
        """Takes in the shop's catalog when it changed, and its stock; whether the catalog changed.

        Raises:
            ServiceUnavailable: The shop does not answer, or changes its catalog all the time; this one's stays.
            SettingsError: Address or token of the shop cannot be used.
            StoreError: The database refused; the catalog is the old one or the new one.
        """
        for _ in range(_MOST_TRIES):
            found = self._fetch(self._known())
            changed = found is not None
            if found is not None:
                revision, products = found
                self._catalog.switch(products, self._clock())
                self._remember(revision)
            if self._take_stock():
                return changed
        raise ServiceUnavailable("The shop changed its catalog while it was being read. Try again.")

    def _fetch(self, known: int | None) -> tuple[int, tuple[Product, ...]] | None:
        page = self._service.products(-1, known)
        if page is None:
            return None
        revision, lines = page.revision, [*page.products]
        while page.next is not None:
            page = self._service.products(page.next)
            if page is None or page.revision != revision:
                raise ServiceUnavailable("The shop changed its catalog while it was being read. Try again.")
            lines += page.products
        try:
            return revision, tuple(FeedProduct.model_validate(line).to_product() for line in lines)
        except ValidationError as error:
            raise ServiceUnavailable(
                "The shop's catalog has products that this Voicecart does not understand. Update Voicecart."
            ) from error

    def _take_stock(self) -> bool:
        """Puts the shop's stock in the place of this device's; False when the catalog has changed meanwhile."""
        stock: dict[str, int] = {}
        after: int | None = -1
        while after is not None:
            page = self._service.stock(after)
            if page.revision != self._known():
                return False
            stock |= page.stock
            after = page.next
        table = schema.products.c
        with transaction(self._engine) as connection:
            here = {row.sku: row.stock for row in connection.execute(select(table.sku, table.stock))}
            for sku in here:
                if here[sku] != stock.get(sku):
                    connection.execute(update(schema.products).where(table.sku == sku).values(stock=stock.get(sku)))
        return True

    def _known(self) -> int | None:
        """The shop's revision that is in use here; None when there is none, or something else was imported since."""
        joined = select(synced_catalogs.c.remote_revision).join(
            schema.catalogs, schema.catalogs.c.revision == synced_catalogs.c.local_revision
        )
        with reading(self._engine) as connection:
            found = connection.execute(joined).scalar()
        return None if found is None else int(found)

    def _remember(self, remote: int) -> None:
        with transaction(self._engine) as connection:
            local = connection.execute(select(schema.catalogs.c.revision)).scalar_one()
            connection.execute(delete(synced_catalogs))
            row = {"name": "in use", "remote_revision": remote, "local_revision": local}
            connection.execute(insert(synced_catalogs).values(row))
