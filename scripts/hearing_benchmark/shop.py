"""Measurements of the whole way from sound to products, as ``voicecart understand`` goes it."""

import tempfile
import time
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from assistant.parts import Parts
from assistant.settings import Hear, Settings
from assistant.shop.feed import read_feed
from assistant.understand.understanding import Context, Expecting, Intent, Understanding
from scripts.hearing_benchmark.engines import Heard
from scripts.hearing_benchmark.grammars import DRINK
from scripts.hearing_benchmark.measuring import Tally
from scripts.hearing_benchmark.recordings import (
    LEVELS,
    VOICES,
    Order,
    Spoken,
    held_out_noises,
    noisy,
    synthesised,
)

COUNTS = (("a", 1), ("two", 2), ("three", 3), ("six", 6), ("twelve", 12))


class Shop:
    """The device's own ears and understanding over one catalog.

    Args:
        model: Acoustic model folder.
        feed: Catalog.
    """

    def __init__(self, model: Path, feed: Path) -> None:
        self.name = feed.stem
        self.products = read_feed(feed).products
        folder = Path(tempfile.mkdtemp(prefix="benchmark-shop-"))
        self._parts = Parts(Settings(hear=Hear(model=str(model.resolve()))), self.products, folder)
        self.understood = Understanding("", Intent.UNKNOWN)

    def hear(self, samples: np.ndarray) -> Heard:
        """Hears a command; what it was understood as is kept in ``understood``."""
        began = time.process_time()
        hearing = self._parts.recogniser.listen(Expecting.COMMAND)
        hearing.accept(samples)
        texts = [hypothesis.text for hypothesis in hearing.finish()]
        self.understood = self._parts.understand(texts, Context())
        return Heard(self.understood.text, time.process_time() - began)

    def bought(self) -> list[tuple[str, int, dict[str, str]]]:
        """Name, quantity and options of what the last command asks for."""
        return [(item.name, item.quantity, dict(item.options)) for item in self.understood.items]


def menu_orders(shop: Shop, orders: list[Order], levels: Iterable[float] = LEVELS) -> dict[str, Tally]:
    """Recorded orders, clean and in noise; right means the drink, its options and nothing else."""
    noises, results = held_out_noises(), {}
    for level in (None, *levels):
        tally = results["clean" if level is None else f"{level} dB"] = Tally()
        for number, order in enumerate(orders):
            samples = order.samples if level is None else noisy(order.samples, noises, level, number)
            options = {slot: value for slot, value in order.slots.items() if slot != DRINK}
            wanted = [(order.slots[DRINK], 1, options)]
            said = " ".join(f"{slot}={value}" for slot, value in sorted(order.slots.items()))
            tally.add(shop, samples, lambda _, wanted=wanted: shop.bought() == wanted, said, words=False)
    return results


def single_items(shop: Shop, folder: Path, count: int = 200, seed: int = 9) -> dict[str, Tally]:
    """Orders of one product by synthetic voices, in quiet and in 10 dB of household noise."""
    generator, noises = np.random.default_rng(seed), held_out_noises()
    results = {"quiet": Tally(), "10 dB": Tally()}
    for number in range(count):
        product = shop.products[generator.integers(len(shop.products))]
        word, quantity = COUNTS[generator.integers(len(COUNTS))]
        text = f"i want {word} {product.name('en')}"
        samples = synthesised(VOICES[number % len(VOICES)], text, folder)
        for condition, tally in results.items():
            heard = samples if condition == "quiet" else noisy(samples, noises, 10, number)
            found = lambda _, sku=product.sku, quantity=quantity: (
                [(item.sku, item.quantity) for item in shop.understood.items] == [(sku, quantity)]
            )
            tally.add(shop, heard, found, text, words=False)
    return results


def rejected(shop: Shop, clips: list[Spoken]) -> Tally:
    """Speech about anything; right means that nothing is bought, paid or cancelled."""
    tally = Tally()
    for clip in clips:
        silent = lambda _: (
            shop.understood.intent is Intent.UNKNOWN
            or not (
                shop.understood.items
                or shop.understood.intent in (Intent.CHECKOUT, Intent.CONFIRM, Intent.CANCEL_ORDER)
            )
        )
        tally.add(shop, clip.samples, silent, clip.text, words=False)
    return tally
