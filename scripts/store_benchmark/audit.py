"""Looks in the database whether orders, money and stock agree, whatever happened before."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import func, select

from assistant.pay import ledger
from assistant.pay.ledger import Account, Movement
from assistant.shop import schema
from assistant.shop.database import reading
from scripts.store_benchmark.clients import Place, opened


@dataclass
class Findings:
    """What is wrong; all of it must be 0.

    Attributes:
        orders: Orders that were paid.
        oversold: Units sold beyond what there was, or missing on the shelf though nobody bought them.
        lost: Orders that a client was told of and that are not paid, or whose money is missing.
        doubled: Orders paid or placed more than once.
        held: Orders whose money is still set aside though they are over.
    """

    orders: int = 0
    oversold: int = 0
    lost: int = 0
    doubled: int = 0
    held: int = 0
    notes: list[str] = field(default_factory=list)

    @property
    def wrong(self) -> int:
        """How much is wrong altogether."""
        return self.oversold + self.lost + self.doubled + self.held

    def add(self, other: "Findings") -> None:
        """Counts the other's too."""
        self.orders += other.orders
        self.oversold += other.oversold
        self.lost += other.lost
        self.doubled += other.doubled
        self.held += other.held
        self.notes += other.notes


def audit(place: Place, told: Mapping[str, Sequence[Mapping[str, Any]]], stock: Mapping[str, int]) -> Findings:
    """Recovers every household as its device's next start does, then compares.

    Args:
        place: The shop.
        told: What each household's client was sold, as it knows.
        stock: What was on the shelf of each sku before the first order.
    """
    found = Findings()
    sold: Counter[str] = Counter()
    for household, orders in told.items():
        with opened(place, household) as (store, wallet, engine):
            store.recover()
            placed = {order.id: order for order in store.orders(None)}
            keys = Counter(order.key for order in placed.values())
            with reading(engine) as connection:
                movements = ledger.movements
                moved = connection.execute(
                    select(movements.c.key, func.count())
                    .where(movements.c.household == household, movements.c.movement == Movement.CAPTURE.value)
                    .group_by(movements.c.key)
                )
                captured = {key: int(count) for key, count in moved}
            for order in placed.values():
                for line in order.lines:
                    sold[line.sku] += line.quantity
            found.orders += len(placed)
            found.lost += sum(one["order"] not in placed or placed[one["order"]].key != one["key"] for one in orders)
            found.lost += len(placed.keys() ^ captured.keys())
            found.doubled += sum(count - 1 for count in (*keys.values(), *captured.values()))
            income = wallet.account(Account.SHOP).minor - sum(order.total.minor for order in placed.values())
            found.held += int(wallet.account(Account.HELD).minor != 0) + int(income != 0)
    with opened(place, next(iter(told))) as (_, _, engine), reading(engine) as connection:
        left = dict(connection.execute(select(schema.products.c.sku, schema.products.c.stock)).all())
        kept = connection.execute(select(func.count()).select_from(schema.reservations)).scalar_one()
    for sku, before in stock.items():
        if difference := abs(before - sold[sku] - left[sku]):
            found.oversold += difference
            found.notes.append(f"{sku}: {before} before, {sold[sku]} sold, {left[sku]} left")
    if kept:
        found.held += kept
        found.notes.append(f"{kept} reservations of orders that are over")
    return found
