"""Brings the orders of the outbox to the shop, each exactly once, and undoes here what the shop refuses."""

import logging
import random
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime

from assistant.announcements import PRICE_CHANGED
from assistant.errands import Errands
from assistant.errors import PaymentUnavailable, PriceChanged, ServiceUnavailable
from assistant.service.client.serviced_store import ServicedStore
from assistant.service.client.shop_service import Refused, RemoteOrder
from assistant.shop.carrier_events import JOURNEY, CarrierEvent
from assistant.shop.orders import Order, OrderStatus
from assistant.shop.outbox import Parcel, Stage

_log = logging.getLogger("voicecart")

_ENDED = frozenset({OrderStatus.CANCELLED, OrderStatus.REFUNDED})


class Delivery:
    """What a device does about its orders while nobody waits for it.

    Args:
        store: The device's, with outbox and shop.
        errands: Takes carriers' events and notices.
        randomness: Spreads the attempts of many devices.
    """

    def __init__(self, store: ServicedStore, errands: Errands, randomness: random.Random | None = None) -> None:
        self._store = store
        self._outbox = store.outbox
        self._service = store.service
        self._errands = errands
        self._randomness = randomness or random.SystemRandom()
        self._refused = False
        self._noted: set[tuple[str, str]] = set()

    def refused(self) -> bool:
        """Whether the shop has refused an order since this was asked last: what it offers has changed, then."""
        refused, self._refused = self._refused, False
        return refused

    def deliver(self) -> int:
        """Sends what is due, and cancels here what the shop refused; how many orders the shop took.

        Raises:
            SettingsError: As ``send``.
            StoreError: The database cannot be used; nothing is lost.
        """
        taken = self.send()
        self.settle()
        return taken

    def send(self) -> int:
        """Sends what is due; how many orders the shop took.

        Raises:
            SettingsError: Address or token of the shop cannot be used; nothing counts as sent.
            StoreError: The database cannot be used; nothing is lost.
        """
        self._service.check()
        taken = 0
        while (parcel := self._outbox.claim()) is not None:
            try:
                answer = self._service.place(parcel.key, parcel.body)
            except ServiceUnavailable as error:
                again = self._outbox.delay(parcel, self._randomness.random(), error.message)
                _log.warning("order %s waits for the shop until %s: %s", parcel.order_id, again, error.message)
                continue
            if isinstance(answer, Refused):
                _log.warning("the shop refuses order %s: %s", parcel.order_id, answer.message)
                self._refused = True
                self._outbox.move(parcel, Stage.REFUSED, reason=f"{answer.code}: {answer.message}")
            else:
                self._outbox.move(parcel, Stage.DELIVERED, answer.id)
                taken += 1
        return taken

    def settle(self) -> None:
        """Cancels here what the shop refused, and gives the money back.

        Raises:
            StoreError: The database cannot be used; it is done the next time.
        """
        for parcel in self._outbox.parcels(Stage.REFUSED):
            try:
                self._undo(parcel)
            except PaymentUnavailable as error:  # It is tried again; the orders after it need not wait.
                _log.warning("the money of order %s cannot be given back now: %s", parcel.order_id, error.message)

    def take_news(self) -> None:
        """Asks the shop how its orders are, and notes what is new as carriers' events.

        Raises:
            ServiceUnavailable: The shop does not answer.
            StoreError: The database cannot be used.
        """
        parcels = {parcel.number: parcel for parcel in self._outbox.parcels(Stage.DELIVERED)}
        if not parcels:
            return
        here = {order.id: order for order in self._store.orders(None)}
        for remote in self._service.orders():
            parcel = parcels.get(remote.id)
            if parcel is not None and parcel.order_id in here:
                self._note(parcel, here[parcel.order_id], remote)

    def _note(self, parcel: Parcel, order: Order, remote: RemoteOrder) -> None:
        known = {change.status for change in order.history}
        told = {change.status for change in remote.history}
        for event in _events(order.id, remote):
            if (event.status not in known or event.tracking) and (order.id, event.id) not in self._noted:
                self._errands.record_carrier_event(event)
                self._noted.add((order.id, event.id))
        if OrderStatus.CANCELLED in told and OrderStatus.CANCELLED not in known:
            self._outbox.move(parcel, Stage.REFUSED, reason="cancelled by the shop")
            self._undo(parcel)
        elif told & _ENDED:
            self._outbox.move(parcel, Stage.OVER)

    def _undo(self, parcel: Parcel) -> None:
        """Cancels an order here that the shop does not have: the money goes back, and the household is told."""
        with self._store.settling:
            now = self._outbox.of_order(parcel.order_id)
            if now is None or now.stage is not Stage.REFUSED:
                return
            order = self._store.order(parcel.order_id)
            if order.cancellable:
                order = self._store.undo_order(parcel.order_id)
            if order.status is OrderStatus.REFUNDED:
                dearer = now.reason.startswith(f"{PriceChanged.code}:")
                self._errands.notices.put(PRICE_CHANGED if dearer else order.status.value, order.id)
            else:
                _log.error("order %s is %s here, but the shop does not have it", order.id, order.status.words)
            self._outbox.move(parcel, Stage.OVER)


def _events(order_id: str, remote: RemoteOrder) -> Iterator[CarrierEvent]:
    """What the shop tells of a parcel; the carrier's last words are said to be of now, as the newest there are."""
    journey = [change for change in remote.history if change.status in JOURNEY]
    for change in journey:
        yield CarrierEvent(order_id, f"shop {remote.id} {change.status.value}", change.status, change.at)
    if journey and remote.tracking:
        status = journey[-1].status
        name = f"shop {remote.id} {status.value} {zlib.crc32(remote.tracking.encode()):08x}"
        yield CarrierEvent(order_id, name, status, datetime.now(UTC), remote.tracking)
