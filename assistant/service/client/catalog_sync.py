"""Keeps this device's catalog, promotions and stock as the shop's are."""

import threading
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from pydantic import ValidationError
from sqlalchemy import Column, Connection, Engine, Integer, String, Table, delete, insert, select, update

from assistant.errors import ServiceUnavailable
from assistant.service.client.shop_service import PromotionsPage, ShopService
from assistant.shop import schema
from assistant.shop.catalog import with_stock
from assistant.shop.database import ensure_tables, reading, transaction
from assistant.shop.feed_product import FeedProduct
from assistant.shop.product import Product
from assistant.shop.product_rows import product_row
from assistant.shop.promotions.price_book import read_rules, switch_rules
from assistant.shop.promotions.rule_entries import RuleDocument
from assistant.shop.promotions.tables import price_rules
from assistant.shop.schema import metadata
from assistant.shop.staged_stock import StagedStock
from assistant.shop.staging import StagedCatalog
from assistant.shop.switching import replace_catalog

_MOST_TRIES = 3
_CHANGING = "The shop changed its catalog while it was being read. Try again."

# One row: what was taken in from the shop, and what it became here.
shop_copies = Table(
    "shop_copies",
    metadata,
    Column("name", String(16), primary_key=True),
    Column("tag", String(64), nullable=False, comment="the shop's, of catalog and promotions together"),
    Column("shop_catalog", Integer, nullable=False, comment="the shop's revision"),
    Column("catalog", Integer, nullable=False, comment="the revision here"),
    Column("rules", Integer, nullable=False, comment="the revision here"),
)


@dataclass(frozen=True)
class NewOffer:
    """What the shop offers now, fetched and not in use yet.

    Attributes:
        tag: Stands for all of it.
        catalog: The shop's revision of its catalog.
        products: With their stock, on disk; None when the catalog in use is still right.
        rules: Promotions, deposits, taxes.
    """

    tag: str
    catalog: int
    products: StagedCatalog | None
    rules: RuleDocument

    def close(self) -> None:
        """Throws away what was fetched."""
        if self.products is not None:
            self.products.close()


class CatalogSync:
    """Takes in what the shop offers: first it is fetched, then catalog and promotions are switched over in one piece.

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
        ensure_tables(engine, shop_copies, schema.catalogs, schema.products, price_rules)
        self._engine = engine
        self._service = service
        self._clock = clock
        self._switching = threading.RLock()

    def sync(self) -> bool:
        """Takes in the shop's catalog and promotions when they changed, and its stock; whether they changed.

        Raises:
            ServiceUnavailable: The shop does not answer, or changes its catalog all the time; what is here stays.
            SettingsError: Address or token of the shop cannot be used.
            StoreError: The database refused; catalog and promotions are the old ones or the new ones.
        """
        with self._switching:
            for _ in range(_MOST_TRIES):
                offer = self.fetch()
                if offer is not None:
                    with closing(offer):
                        self.switch(offer)
                if self.take_stock():
                    return offer is not None
        raise ServiceUnavailable(_CHANGING)

    def fetch(self) -> NewOffer | None:
        """What the shop offers, when that has changed, to be closed afterwards; nothing is changed here.

        Raises:
            ServiceUnavailable: The shop does not answer, or changed its catalog meanwhile.
            SettingsError: Address or token of the shop cannot be used.
            StoreError: The database cannot be read.
        """
        known = self._known()
        page = self._service.promotions(known[0] if known else "")
        if page is None:
            return None
        if known is not None and page.catalog == known[1]:
            return NewOffer(page.tag, page.catalog, None, _rules(page))
        with ExitStack() as unfinished:
            staged = unfinished.enter_context(StagedCatalog(self._engine))
            self._take_products(staged, page.catalog)
            if self._service.promotions(page.tag) is not None:
                raise ServiceUnavailable(_CHANGING)
            offer = NewOffer(page.tag, page.catalog, staged, _rules(page))
            unfinished.pop_all()
        return offer

    def switch(self, offer: NewOffer) -> None:
        """Puts what was fetched in the place of what is in use, all at once.

        Raises:
            StoreError: The database refused; what is in use stays.
        """
        now = self._clock()
        staged = offer.products
        with (
            self._switching,
            transaction(self._engine) if staged is None else staged.switching() as connection,
        ):
            if staged is not None:
                catalog = replace_catalog(connection, staged, now)
            else:
                catalog = connection.execute(select(schema.catalogs.c.revision)).scalar_one()
            rules = switch_rules(connection, offer.rules, now)
            connection.execute(delete(shop_copies))
            row = {"name": "in use", "tag": offer.tag, "shop_catalog": offer.catalog}
            connection.execute(insert(shop_copies).values(row | {"catalog": catalog, "rules": rules}))

    def take_stock(self) -> bool:
        """Puts the shop's stock in the place of this device's; False when the shop's catalog is another one.

        Raises:
            ServiceUnavailable: The shop does not answer.
            StoreError: The database refused; the stock stays as it was.
        """
        known = self._known()
        if known is None:
            return False
        with StagedStock(self._engine) as staged:
            for page in self._stock(known[1]):
                if page is None:
                    return False
                staged.take(page)
            with self._switching:
                staged.switch_over()
        return True

    def take_in(self, skus: Collection[str]) -> None:
        """Brings promotions and these products up to date, for whoever is buying them; a sync does the rest later.

        However large the catalog is, this is soon done.

        Raises:
            ServiceUnavailable: The shop does not answer, or changes its catalog all the time; what is here stays.
            StoreError: The database refused; what is here stays.
        """
        page, products = self._some(skus)
        rules = _rules(page)
        with self._switching:
            known = self._known()
            with transaction(self._engine) as connection:
                changed = _replace(connection, skus, products)
                in_use = schema.catalogs.c.revision
                if changed:
                    connection.execute(update(schema.catalogs).values(revision=in_use + 1))
                revision = connection.execute(select(in_use)).scalar_one()
                numbers = {"catalog": revision, "rules": switch_rules(connection, rules, self._clock())}
                if known is None:
                    connection.execute(delete(shop_copies))
                else:
                    # Without the tag, the next look finds out what else has changed.
                    tag = page.tag if known[1] == page.catalog else ""
                    connection.execute(update(shop_copies).values(numbers | {"tag": tag}))

    def _some(self, skus: Collection[str]) -> tuple[PromotionsPage, tuple[Product, ...]]:
        for _ in range(_MOST_TRIES):
            page = self._service.promotions()
            found, stock = self._service.products(-1, skus), self._service.stock(-1, skus)
            if page is not None and page.catalog == found.revision == stock.revision:
                return page, _understood(found.products, stock.stock)
        raise ServiceUnavailable(_CHANGING)

    def version(self) -> tuple[int, int]:
        """The revisions here of catalog and promotions, whoever changed them; 0 for what is not there.

        Raises:
            StoreError: The database cannot be read.
        """
        with reading(self._engine) as connection:
            catalog = connection.execute(select(schema.catalogs.c.revision)).scalar()
            rules = connection.execute(select(price_rules.c.revision)).scalar()
        return catalog or 0, rules or 0

    def coupons(self) -> frozenset[str]:
        """The words of all coupons that are in use here.

        Raises:
            StoreError: The database cannot be read.
        """
        with reading(self._engine) as connection:
            document = read_rules(connection)[1]
        return frozenset(document.coupons if document else ())

    def _take_products(self, staged: StagedCatalog, revision: int) -> None:
        after: int | None = -1
        while after is not None:
            page = self._service.products(after)
            if page.revision != revision:
                raise ServiceUnavailable(_CHANGING)
            staged.take_products(_understood(page.products, {}))
            after = page.next
        for stock in self._stock(revision):
            if stock is None:
                raise ServiceUnavailable(_CHANGING)
            staged.take_stock(stock)

    def _stock(self, revision: int) -> Iterator[Mapping[str, int] | None]:
        """What is left of each product that is counted, page by page; None when the catalog is of another revision."""
        after: int | None = -1
        while after is not None:
            page = self._service.stock(after)
            if page.revision != revision:
                yield None
                return
            yield page.stock
            after = page.next

    def _known(self) -> tuple[str, int] | None:
        """Tag and catalog of the shop that are in use here; None when something else was imported since, or nothing."""
        copy = shop_copies.c
        found = (
            select(copy.tag, copy.shop_catalog)
            .join(schema.catalogs, schema.catalogs.c.revision == copy.catalog)
            .join(price_rules, price_rules.c.revision == copy.rules)
        )
        with reading(self._engine) as connection:
            row = connection.execute(found).first()
        return None if row is None else (row.tag, row.shop_catalog)


def _understood(lines: Iterable[Any], stock: Mapping[str, int]) -> tuple[Product, ...]:
    try:
        return with_stock((FeedProduct.model_validate(line).to_product() for line in lines), stock)
    except ValidationError as error:
        raise ServiceUnavailable(
            "The shop's catalog has products that this Voicecart does not understand. Update Voicecart."
        ) from error


def _replace(connection: Connection, skus: Collection[str], products: Iterable[Product]) -> bool:
    """Puts products in the place of those of ``skus``; whether more than their stock changed."""
    table, changed = schema.products, False
    mine = table.c.sku.in_(tuple(skus))
    before = {row.sku: row.feed_line for row in connection.execute(select(table).where(mine))}
    for product in products:
        row = product_row(product)
        changed |= before.pop(product.sku, row["feed_line"]) != row["feed_line"]
        connection.execute(update(table).where(table.c.sku == product.sku).values(row))
    connection.execute(delete(table).where(table.c.sku.in_(tuple(before))))
    return changed or bool(before)


def _rules(page: PromotionsPage) -> RuleDocument:
    try:
        rules = RuleDocument.model_validate(page.rules)
        rules.to_rules()
    except ValueError as error:
        raise ServiceUnavailable(
            "The shop has promotions that this Voicecart does not understand. Update Voicecart."
        ) from error
    return rules
