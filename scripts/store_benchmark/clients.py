"""Clients: processes that each buy for a household of their own, all from the same few products."""

import contextlib
import json
import os
import random
import signal
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from assistant.errors import SoldOut, StoreError
from assistant.pay.wallet import Answer, Wallet
from assistant.shop.cart import Cart, line_for
from assistant.shop.database import open_database
from assistant.shop.money import Money
from assistant.shop.product import Product
from assistant.shop.store import Store

OPENING = Money(10**12, "USD")
_PATIENCE_SECONDS = 60.0  # a server that is started again lets nobody in for a while
_BETWEEN_SECONDS = 0.05
_Result = TypeVar("_Result")


@dataclass(frozen=True)
class Place:
    """Where the shop is kept.

    Attributes:
        folder: The state folder.
        address: Of a PostgreSQL server; empty for a file in the folder.
    """

    folder: Path
    address: str = ""


def products(count: int, stock: int) -> tuple[Product, ...]:
    """Products that everybody wants."""
    return tuple(
        Product(f"sku {number}", {"en": f"thing {number}"}, Money(199 + number, "USD"), stock=stock)
        for number in range(count)
    )


@contextlib.contextmanager
def opened(place: Place, household: str) -> Iterator[tuple[Store, Wallet, Any]]:
    """A household's shop, closed again afterwards: no connection may be carried into a child."""
    engine = open_database(place.folder, 30.0, place.address)
    try:
        wallet = Wallet(engine, household, OPENING)
        yield Store(engine, household, wallet), wallet, engine
    finally:
        engine.dispose()


def persistently(act: Callable[[], _Result]) -> _Result:
    """Does it until the database answers: everything the shop does may be done again with the same key."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while True:
        try:
            return act()
        except StoreError:
            if time.monotonic() > deadline:
                raise
            time.sleep(_BETWEEN_SECONDS)


def purchase(store: Store, wallet: Wallet, cart: Cart, key: str) -> str:
    """One whole purchase, whatever fails meanwhile; the order's number.

    Raises:
        SoldOut: Not enough is free.
    """
    order = persistently(lambda: store.begin_order(cart, key))
    assert persistently(lambda: wallet.authorise(order.id, order.total)) is Answer.APPROVED
    return persistently(lambda: store.complete_order(order.id)).id


class Client:
    """A process that buys until it is told to stop, finds everything sold out, or is killed.

    Args:
        place: The shop.
        household: Whose.
        shelf: What it buys from, a piece or two at a time.
        seed: Of its choices.
    """

    def __init__(self, place: Place, household: str, shelf: tuple[Product, ...], seed: int) -> None:
        self.household = household
        self._told, speaking = os.pipe()
        waiting, self._starter = os.pipe()
        self.process = os.fork()
        if self.process:
            os.close(speaking)
            os.close(waiting)
            return
        status = 1
        try:
            os.close(self._told)
            os.close(self._starter)
            _buy(place, household, shelf, random.Random(seed), waiting, speaking)
            status = 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(status)

    def await_ready(self) -> None:
        """Waits until it has opened its shop."""
        assert os.read(self._told, 6) == b"ready\n", f"{self.household} did not come up"

    def start(self, seconds: float) -> None:
        """Lets it buy for so long."""
        os.write(self._starter, str(seconds).encode())
        os.close(self._starter)

    def kill(self) -> None:
        """Ends it as ``kill -9`` does."""
        os.kill(self.process, signal.SIGKILL)

    def result(self) -> tuple[list[dict[str, Any]], int]:
        """What it was sold, order by order, until its end; and how it ended: 0, or minus the signal."""
        with os.fdopen(self._told, "rb") as told:
            lines = told.read().splitlines(keepends=True)
        status = os.waitstatus_to_exitcode(os.waitpid(self.process, 0)[1])
        # A line that is cut off was never told.
        return [json.loads(line) for line in lines if line.endswith(b"\n")], status


def _buy(
    place: Place, household: str, shelf: tuple[Product, ...], chance: random.Random, waiting: int, speaking: int
) -> None:
    with opened(place, household) as (store, wallet, _):
        os.write(speaking, b"ready\n")
        seconds = float(os.read(waiting, 32))
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            product = chance.choice(shelf)
            cart = Cart("USD").add(line_for(product, chance.randint(1, 2)))
            key, begun = f"{chance.getrandbits(128):032x}", time.monotonic()
            try:
                number = purchase(store, wallet, cart, key)
            except SoldOut:
                if all(one.stock == 0 for one in persistently(store.products)):
                    return
                continue
            told = {"order": number, "key": key, "begun": begun, "ended": time.monotonic()}
            os.write(speaking, json.dumps(told).encode() + b"\n")
