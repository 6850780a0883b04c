"""Devices that sell for a shop elsewhere: their settings, their shop, their delivery."""

import random
from datetime import UTC, datetime

from household_shop import OPENING

from assistant.errands import Errands
from assistant.pay.wallet import Wallet
from assistant.service.client.delivery import Delivery
from assistant.service.client.serviced_store import ServicedStore
from assistant.settings import Settings, Shop
from assistant.shop.database import open_database
from assistant.storefront import Storefront


class Clock:
    """A time of day that the test moves on."""

    def __init__(self):
        self.now = datetime.now(UTC)

    def __call__(self):
        return self.now


def shop_settings(folder, service, household, address=None, name="speaker"):
    token = folder / "token"
    if not token.exists():
        token.touch(0o600)
        token.write_text(service.devices.add(name, household))
    return Shop(household=household, service=address or service.address, service_token_file=str(token))


def open_speaker(folder, settings, clock=None):
    """A device that sells for the service: its shop, its delivery, and its clock."""
    clock = clock or Clock()
    engine = open_database(folder)
    wallet = Wallet(engine, settings.household, OPENING)
    store = ServicedStore(settings, engine, settings.household, wallet, clock=clock)
    errands = Errands(engine, wallet, Settings(shop=settings))
    delivery = Delivery(store, errands, random.Random(1))
    return Storefront(engine, store, wallet, errands, wallet), delivery, clock
