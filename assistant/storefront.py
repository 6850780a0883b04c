"""Opens a household's shop from the settings: the database, the payment provider and the store that settles with it."""

import random
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Engine

from assistant.pay.stripe_api import StripeApi
from assistant.pay.stripe_payments import StripePayments
from assistant.pay.wallet import PaymentProvider, Wallet
from assistant.settings import Settings
from assistant.shop.database import open_database
from assistant.shop.money import Money
from assistant.shop.product import Product
from assistant.shop.store import Store


@dataclass(frozen=True)
class Storefront:
    """A household's shop.

    Attributes:
        engine: The database.
        store: Catalog, cart, orders.
        provider: Sets the money aside; ``store`` takes it, or gives it back.
        wallet: The provider when it is the built-in test wallet, else None.
    """

    engine: Engine
    store: Store
    provider: PaymentProvider
    wallet: Wallet | None = None


def open_storefront(
    settings: Settings,
    state: Path,
    products: Iterable[Product] | None = None,
    randomness: random.Random | None = None,
) -> Storefront:
    """Opens the household's shop in the state folder.

    Args:
        settings: Household, currency, payment provider.
        state: The state folder; made when it is not there.
        products: Sold in place of the imported catalog (see ``Store``).
        randomness: Where order numbers come from; None takes the system's.

    Raises:
        SettingsError: The wallet's currency or opening balance cannot be used.
        StoreError: The database cannot be used.
    """
    household, currency = settings.shop.household, settings.shop.currency
    engine = open_database(state)
    provider: Wallet | StripePayments
    if settings.pay.provider == "stripe":
        provider = StripePayments(engine, household, currency, StripeApi(settings.pay))
    else:
        provider = Wallet(engine, household, Money(settings.pay.opening_balance, currency))
    store = Store(engine, household, provider, currency, products=products, randomness=randomness)
    return Storefront(engine, store, provider, provider if isinstance(provider, Wallet) else None)
