"""The stock of single combinations of options: it stands in the feed line, whose row is locked with the shelf. Pure."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from assistant.errors import SoldOut
from assistant.shop.feed_product import to_feed
from assistant.shop.product import Product
from assistant.shop.product_rows import product_of

Units: TypeAlias = Iterable[tuple[Mapping[str, str], int]]
"""Options (group name → value), and so many with them."""


@dataclass(frozen=True)
class Variants:
    """The combinations of options that a product is sold in.

    Attributes:
        feed_line: The product's line of the feed, with what is left of each.
        product: The product of that line.
    """

    feed_line: Mapping[str, Any]
    product: Product

    @classmethod
    def of(cls, feed_line: Mapping[str, Any]) -> "Variants | None":
        """Those of a feed line; None where all combinations are sold."""
        return cls(feed_line, product_of(feed_line)) if feed_line.get("variants") else None

    @classmethod
    def of_product(cls, product: Product) -> "Variants | None":
        """Those of a product; None where all combinations are sold."""
        return cls(to_feed(product), product) if product.variants else None

    @property
    def counted(self) -> bool:
        """Whether the units of any combination are counted."""
        return any(variant.stock is not None for variant in self.product.variants)

    def check(self, wanted: Units, reserved: Units) -> None:
        """Whether what is wanted can be had beside what is kept for others.

        Raises:
            SoldOut: A combination is not sold, or not enough of it is free.
        """
        needs, kept = Counter[str](), self._by_sku(reserved)
        for options, quantity in wanted:
            variant = self.product.variant(options)
            if variant is None:
                raise SoldOut(f"{self.product.sku} is not sold with {dict(options)}. Nothing was bought.")
            needs[variant.sku] += quantity
            if variant.stock is None:
                continue
            free = max(0, variant.stock - kept[variant.sku])
            if free < needs[variant.sku]:
                raise SoldOut(f"Only {free} of {variant.sku} are left, not {needs[variant.sku]}. Nothing was bought.")

    def counting(self, changes: Units) -> dict[str, Any]:
        """The feed line with so many more of each combination, or fewer; what is not counted stays so."""
        by_sku = self._by_sku(changes)
        variants = [
            line if line.get("stock") is None else {**line, "stock": max(0, line["stock"] + by_sku[line["sku"]])}
            for line in self.feed_line["variants"]
        ]
        return {**self.feed_line, "variants": variants}

    def _by_sku(self, units: Units) -> Counter[str]:
        found = Counter[str]()
        for options, quantity in units:
            if variant := self.product.variant(options):
                found[variant.sku] += quantity
        return found
