"""Opens a household's shop from the settings: the database, the wallet and the store that settles with it."""

import random
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Engine

from assistant.pay.wallet import Wallet
from assistant.settings import Settings
from assistant.shop.database import open_database
from assistant.shop.money import Money
from assistant.shop.product import Product
from assistant.shop.store import Store


@dataclass(frozen=True)
class Storefront:
    """A household's shop."""

    engine: Engine
    store: Store
    wallet: Wallet


def open_storefront(
    settings: Settings,
    state: Path,
    products: Iterable[Product] | None = None,
    randomness: random.Random | None = None,
) -> Storefront:
    """Opens the household's shop in the state folder.

    Args:
        settings: Household, currency, opening balance.
        state: The state folder; made when it is not there.
        products: Sold in place of the imported catalog (see ``Store``).
        randomness: Where order numbers come from; None takes the system's.

    Raises:
        SettingsError: The wallet's currency or opening balance cannot be used.
        StoreError: The database cannot be used.
    """
    currency = settings.shop.currency
    engine = open_database(state)
    wallet = Wallet(engine, settings.shop.household, Money(settings.pay.opening_balance, currency))
    store = Store(engine, settings.shop.household, wallet, currency, products=products, randomness=randomness)
    return Storefront(engine, store, wallet)
