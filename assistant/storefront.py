"""Opens a household's shop from the settings: the database, the payment provider and the store that settles with it."""

import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from sqlalchemy import Connection, Engine

from assistant.errands import Errands
from assistant.errors import CatalogMissing
from assistant.pay.stripe_api import StripeApi
from assistant.pay.stripe_payments import StripePayments
from assistant.pay.wallet import PaymentProvider, Wallet
from assistant.settings import Settings
from assistant.shop.addresses import AddressBook
from assistant.shop.cart import CartLine
from assistant.shop.catalog import ImportedCatalog
from assistant.shop.database import open_database
from assistant.shop.feeds.reading import open_feed
from assistant.shop.money import Money
from assistant.shop.product import Product
from assistant.shop.promotions.price_book import PriceBook
from assistant.shop.shelf import Shelf
from assistant.shop.store import Store


@dataclass(frozen=True)
class Storefront:
    """A household's shop.

    Attributes:
        engine: The database.
        store: Catalog, cart, orders.
        provider: Sets the money aside; ``store`` takes it, or gives it back.
        wallet: The provider when it is the built-in test wallet, else None.
        errands: Returns, shopping list, addresses, notices.
    """

    engine: Engine
    store: Store
    provider: PaymentProvider
    errands: Errands
    wallet: Wallet | None = None


def open_storefront(
    settings: Settings,
    state: Path,
    products: Iterable[Product] | Shelf | None = None,
    randomness: random.Random | None = None,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> Storefront:
    """Opens the household's shop in the state folder.

    Args:
        settings: Household, currency, payment provider.
        state: The state folder; made when it is not there.
        products: Sold in place of the imported catalog (see ``Store``).
        randomness: Where order numbers come from; None takes the system's.
        clock: The household's time of day.

    Raises:
        SettingsError: The wallet's currency or opening balance cannot be used.
        StoreError: The database cannot be used.
    """
    household, currency = settings.shop.household, settings.shop.currency
    engine = open_shop_database(settings, state)
    provider: Wallet | StripePayments
    if settings.pay.provider == "stripe":
        provider = StripePayments(engine, household, currency, StripeApi(settings.pay))
    else:
        provider = Wallet(engine, household, Money(settings.pay.opening_balance, currency))
    open_store: Callable[..., Store] = Store
    if settings.shop.service:
        from assistant.service.client.serviced_store import ServicedStore

        open_store = partial(ServicedStore, settings.shop)
    store = open_store(
        engine,
        household,
        provider,
        currency,
        products=products,
        randomness=randomness,
        programmes=settings.shop.programmes,
        reservation=timedelta(seconds=settings.shop.reservation_seconds),
    )
    shelve = store.put_back if settings.shop.restock_returns else _leave
    errands = Errands(engine, provider, settings, clock, shelve)
    return Storefront(engine, store, provider, errands, provider if isinstance(provider, Wallet) else None)


def _leave(connection: Connection, lines: Sequence[CartLine]) -> None:
    """What came back is looked at by a person first."""


def open_shop_database(settings: Settings, state: Path) -> Engine:
    """The database that the settings name.

    Raises:
        StoreError: It cannot be used.
    """
    return open_database(state, address=settings.shop.database)


def products_for(
    settings: Settings,
    state: Path,
    feed: Path | None,
    report: Callable[[str], None] = lambda line: None,
) -> tuple[Product, ...]:
    """What is sold: the feed when one is named, else what was imported, else the household shop that is shipped.

    Args:
        settings: Which database.
        state: The state folder.
        feed: A feed to sell from without importing it.
        report: Takes a line for a person about every line of the feed that is left out.

    Raises:
        FeedError: The feed cannot be read or holds no product.
        CatalogMissing: Nothing was imported, and the shipped catalog is not there.
        StoreError: The database cannot be read.
    """
    if feed is not None:
        found = open_feed(feed)
        for problem in found.problems:
            report(f"{feed}, line {problem.line}, is left out: {problem.reason}")
        return found.products
    try:
        return ImportedCatalog(open_shop_database(settings, state)).products()
    except CatalogMissing:
        if not shipped_catalog().is_file():
            raise
        return open_feed(shipped_catalog()).products


def summary_of(settings: Settings, state: Path) -> tuple[int, str, int]:
    """Of what is sold without a feed being named: how many products, in which currency, how many of them sold out.

    Raises:
        CatalogMissing: Nothing was imported, and the shipped catalog is not there.
        StoreError: The database cannot be read.
    """
    catalog = ImportedCatalog(open_shop_database(settings, state))
    if currency := catalog.currency():
        return catalog.count(), currency, catalog.sold_out()
    products = products_for(settings, state, None)
    return len(products), products[0].price.currency, sum(product.stock == 0 for product in products)


def offer_of(
    settings: Settings,
    state: Path,
    feed: Path | None,
    report: Callable[[str], None] = lambda line: None,
) -> tuple[Product, ...] | Shelf:
    """As ``products_for``, but of a large imported catalog only its shelf, from which products are taken one by one.

    Raises:
        FeedError: The feed cannot be read or holds no product.
        CatalogMissing: Nothing was imported, and the shipped catalog is not there.
        StoreError: The database cannot be read.
    """
    if feed is None:
        engine, known = open_shop_database(settings, state), settings.understand.known_products
        shelf = Shelf(engine, settings.shop.household, known)
        if shelf.count() >= settings.understand.many_products:
            return shelf
    return products_for(settings, state, feed, report)


def coupons_for(settings: Settings, state: Path) -> tuple[str, ...]:
    """The words of all coupons of the promotions in use, whenever they may be used.

    Raises:
        StoreError: The database cannot be read.
    """
    rules = PriceBook(open_shop_database(settings, state), settings.shop.household).rules()
    return tuple(promotion.coupon for promotion in rules.promotions if promotion.coupon)


def places_for(settings: Settings, state: Path) -> tuple[str, ...]:
    """What the household calls its addresses.

    Raises:
        StoreError: The database cannot be read.
    """
    book = AddressBook(open_shop_database(settings, state), settings.shop.household)
    return tuple(address.name for address in book.all())


def shipped_catalog() -> Path:
    """The household shop that comes with the repository."""
    return Path(__file__).parent.parent / "catalog" / "household.jsonl"
