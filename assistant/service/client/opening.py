"""Puts the worker of a device together that sells for a shop elsewhere."""

import logging
from collections.abc import Callable
from pathlib import Path

from assistant.errors import VoicecartError
from assistant.household import Household
from assistant.service.client.catalog_sync import CatalogSync
from assistant.service.client.delivery import Delivery
from assistant.service.client.serviced_store import ServicedStore
from assistant.service.client.shop_service import ShopService
from assistant.service.client.worker import ServicedDevice, ServiceWorker
from assistant.service.daemon import Running
from assistant.settings import Settings
from assistant.storefront import open_shop_database

_log = logging.getLogger("voicecart")


def open_sync(settings: Settings, state: Path) -> CatalogSync:
    """What takes in the catalog of the shop that the settings name.

    Raises:
        StoreError: The database cannot be used.
    """
    service = ShopService(settings.shop.service, settings.shop.service_token_file)
    return CatalogSync(open_shop_database(settings, state), service)


def sync_at_start(settings: Settings, state: Path) -> None:
    """Takes in the shop's catalog; a shop that is away leaves the one that was taken in before."""
    try:
        open_sync(settings, state).sync()
    except VoicecartError as error:
        _log.warning("the catalog was not taken in: code=%s message=%r", error.code, error.message)


def with_service(device: Running, household: Household, settings: Settings, changed: Callable[[], None]) -> Running:
    """The device with a worker beside it that delivers its orders; the device itself when it sells its own.

    Args:
        device: Hears and sells.
        household: Whose orders.
        settings: How often the shop is asked.
        changed: Called when there are words to be learnt.

    Raises:
        StoreError: The database cannot be used.
    """
    if not isinstance(household.store, ServicedStore):
        return device
    store, every = household.store, settings.shop.service_minutes * 60
    delivery = Delivery(store, household.errands)
    worker = ServiceWorker(delivery, store.sync, every, changed, engaged=lambda: device.engaged)
    return ServicedDevice(device, worker)
