"""Believable products, as many as wanted; the same seed always makes the same ones."""

import random
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assistant.shop.money import Money
from assistant.shop.product import Option, OptionValue, Product

PRODUCTS_OF_A_BRAND = 50
"""On average; a few brands sell much more, most of them less."""


@dataclass(frozen=True)
class Range:
    """What a category sells: names are made of a quality, a kind and a thing.

    Attributes:
        category: Its path.
        things: What is sold.
        qualities: Said before the kind; "" for none.
        kinds: Flavour, material or purpose, said before the thing.
        size: The option "size".
        prices: Least and most, in cents.
    """

    category: str
    things: tuple[str, ...]
    qualities: tuple[str, ...]
    kinds: tuple[str, ...]
    size: Option
    prices: tuple[int, int]


def make_products(count: int, seed: int = 7) -> Iterator[Product]:
    """Products with distinct names, brands by a long-tailed distribution, of all categories."""
    randomness = random.Random(seed)
    words = tomllib.loads(Path(__file__).with_name("vocabulary.toml").read_text("utf-8"))
    ranges = [_range(values) for values in words["ranges"]]
    brands = _brands(max(len(words["brands"]), count // PRODUCTS_OF_A_BRAND), words, randomness)
    home = {brand: randomness.sample(ranges, randomness.choice((1, 1, 2, 3))) for brand in brands}
    taken: set[str] = set()
    while len(taken) < count:
        # The square makes the first brands large.
        brand = brands[int(len(brands) * randomness.random() ** 2)]
        sold = randomness.choice(home[brand])
        parts = (randomness.choice(sold.qualities), randomness.choice(sold.kinds), randomness.choice(sold.things))
        name = " ".join(part for part in parts if part)
        if (branded := f"{brand} {name}") in taken:
            continue
        taken.add(branded)
        price = Money(randomness.randint(*sold.prices), "USD")
        sku = f"P{len(taken):07}"
        yield Product(sku, {"en": name}, price, brand, category=sold.category, options=(sold.size,))


def _range(values: dict[str, Any]) -> Range:
    sizes = values["sizes"]
    return Range(
        values["category"],
        tuple(values["things"]),
        ("", *values["qualities"]),
        tuple(values["kinds"]),
        Option("size", tuple(map(OptionValue, sizes)), default=sizes[0]),
        (values["prices"][0], values["prices"][1]),
    )


def _brands(count: int, words: dict[str, Any], randomness: random.Random) -> list[str]:
    found = dict.fromkeys(words["brands"])
    while len(found) < count:
        if randomness.random() < 0.25:
            name = f"{randomness.choice(words['places'])} {randomness.choice(words['nouns'])}"
        else:
            syllables = [
                randomness.choice(words["onsets"])
                + randomness.choice(words["middles"])
                + randomness.choice(words["codas"])
                for _ in range(randomness.choice((1, 1, 2)))
            ]
            name = "".join(syllables) + randomness.choice(words["ends"])
        found[name.title()] = None
    brands = list(found)
    randomness.shuffle(brands)
    return brands
