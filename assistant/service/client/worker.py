"""The thread of a running device that keeps it and the shop in step."""

import logging
import threading
import time
from collections.abc import Callable

from assistant.errors import VoicecartError
from assistant.service.client.catalog_sync import CatalogSync, NewOffer
from assistant.service.client.delivery import Delivery
from assistant.service.daemon import Running

_log = logging.getLogger("voicecart")

_LOOK_SECONDS = 2.0
_STOP_SECONDS = 5.0


class ServiceWorker:
    """Sends orders as soon as they are paid; every so often asks for news of orders and for what the shop offers.

    While a conversation is open no catalog is fetched, which takes its time, and none is switched over.

    Args:
        delivery: Sends orders, and asks for news.
        sync: Takes in catalog, promotions and stock.
        every_seconds: Between two looks at the shop; it is looked at at once when it has refused an order.
        changed: Called when there are words that the device has to learn: another catalog, other coupons.
        clock: A monotonic clock, seconds.
        engaged: Whether a conversation is open.
    """

    def __init__(
        self,
        delivery: Delivery,
        sync: CatalogSync,
        every_seconds: float,
        changed: Callable[[], None] = lambda: None,
        clock: Callable[[], float] = time.monotonic,
        engaged: Callable[[], bool] = lambda: False,
    ) -> None:
        self._delivery = delivery
        self._sync = sync
        self._every = every_seconds
        self._changed = changed
        self._clock = clock
        self._engaged = engaged
        self._next = clock() + every_seconds
        self._due = False
        self._offer: NewOffer | None = None
        self._version, self._coupons = sync.version(), sync.coupons()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="shop service", daemon=True)

    def start(self) -> None:
        """Begins to work."""
        self._thread.start()

    def stop(self) -> None:
        """Ends once the request under way has ended; what was not finished is done after the next start."""
        self._stopping.set()
        self._thread.join(_STOP_SECONDS)

    def work(self) -> None:
        """One round. What goes wrong is logged: a shop that is away must not silence the device."""
        self._attempt(self._delivery.send)
        if self._clock() >= self._next or self._delivery.refused():
            self._next = self._clock() + self._every
            self._attempt(self._delivery.take_news)
            self._due = True
        if self._due and not self._engaged():
            self._due = False
            self._attempt(self._look)
        if self._offer is not None and not self._engaged():
            self._attempt(self._switch)
        # Afterwards, so that the household is told the price of now.
        self._attempt(self._delivery.settle)
        self._attempt(self._learn)

    def _run(self) -> None:
        while not self._stopping.wait(_LOOK_SECONDS):
            self.work()

    def _look(self) -> None:
        self._forget_offer()
        self._offer = self._sync.fetch()
        if self._offer is None:
            self._sync.take_stock()

    def _switch(self) -> None:
        assert self._offer is not None
        self._sync.switch(self._offer)
        self._forget_offer()
        _log.info("the shop has a new catalog or new promotions")
        self._sync.take_stock()

    def _forget_offer(self) -> None:
        if self._offer is not None:
            self._offer.close()
            self._offer = None

    def _learn(self) -> None:
        """Looks at what is in use, whoever put it there: this worker, a purchase that met a new price, a command."""
        version = self._sync.version()
        if version == self._version:
            return
        coupons = self._sync.coupons()
        new_words = (version[0], coupons) != (self._version[0], self._coupons)
        self._version, self._coupons = version, coupons
        if new_words:
            self._changed()

    def _attempt(self, step: Callable[[], object]) -> None:
        try:
            step()
        except VoicecartError as error:
            _log.warning("shop service code=%s message=%r", error.code, error.message)
        except Exception:
            _log.exception("shop service")


class ServicedDevice:
    """A device and the worker that runs as long as it does (``Running``).

    Args:
        device: Hears and sells.
        worker: Keeps it and the shop in step.
    """

    def __init__(self, device: Running, worker: ServiceWorker) -> None:
        self._device = device
        self._worker = worker

    def run(self) -> None:
        """Runs until its source ends or ``leave`` was called."""
        self._worker.start()
        try:
            self._device.run()
        finally:
            self._worker.stop()

    @property
    def engaged(self) -> bool:
        """Whether a conversation is open."""
        return self._device.engaged

    def leave(self) -> None:
        """Ends ``run`` once the sentence being spoken is finished."""
        self._device.leave()

    def retire(self) -> None:
        """Ends ``run`` once no conversation is open."""
        self._device.retire()

    def push_to_talk(self) -> None:
        """Opens the ears as the wake phrase does."""
        self._device.push_to_talk()
