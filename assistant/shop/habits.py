"""What a household's past orders say: its usual, what runs out when, what goes together. Pure."""

import itertools
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from statistics import median, median_low

from assistant.shop.cart import Cart, CartLine, LineKey
from assistant.shop.orders import Order, OrderStatus
from assistant.shop.product import Product

FEWEST_ORDERS = 3
"""Below so many orders a household has no habits yet, only a past."""
RECENT_ORDERS = 10
"""How many of the newest orders tell what is usual."""
FEWEST_PURCHASES = 3
"""Purchases of a product, on different days, that a prediction needs: two intervals that can agree."""
MOST_SPREAD = 0.5
"""How far intervals may lie from their median, as a part of it; wilder ones predict nothing."""
FEWEST_TOGETHER = 3
"""Orders in which two products must have come together."""
LEAST_CONFIDENCE = 0.6
"""Part of the orders with the one that must also hold the other."""


@dataclass(frozen=True)
class RunOut:
    """When a product will be used up.

    Attributes:
        line: What was bought last of it.
        every_days: How many days as much as that lasts.
        due: When it is used up.
        evidence: How many purchases say so.
    """

    line: CartLine
    every_days: float
    due: datetime
    evidence: int


@dataclass(frozen=True)
class Recommendation:
    """Something the household may want with what is in its cart.

    Attributes:
        line: The product, with the quantity and the options that are usual.
        reason: ``"together"`` (bought with what is in the cart) or ``"due"`` (used up by now).
        evidence: How many orders say so.
    """

    line: CartLine
    reason: str
    evidence: int


def kept(orders: Sequence[Order]) -> tuple[Order, ...]:
    """The orders that tell a habit: what was cancelled or returned does not."""
    gone = (OrderStatus.CANCELLED, OrderStatus.RETURNED, OrderStatus.REFUNDED)
    return tuple(order for order in orders if order.status not in gone)


def the_usual(orders: Sequence[Order]) -> tuple[CartLine, ...]:
    """What at least half of the newest orders hold, as many as is usual, the most frequent first.

    Args:
        orders: Newest first.

    Returns:
        Nothing when there are fewer than ``FEWEST_ORDERS``, or none is like another.
    """
    recent = kept(orders)[:RECENT_ORDERS]
    if len(recent) < FEWEST_ORDERS:
        return ()
    found: dict[LineKey, list[CartLine]] = {}
    for order in recent:
        for line in order.lines:
            found.setdefault(line.key, []).append(line)
    usual = [lines for lines in found.values() if 2 * len(lines) >= len(recent)]
    return tuple(_typical(lines) for lines in sorted(usual, key=lambda lines: -len(lines)))


def bought_last(orders: Sequence[Order], skus: Sequence[str]) -> CartLine | None:
    """The newest line of any of these products; ``orders`` newest first."""
    return next((line for order in orders for line in order.lines if line.sku in skus), None)


def run_out(orders: Sequence[Order], sku: str) -> RunOut | None:
    """When a product is used up, or None when the past does not tell.

    The days between two purchases, divided by how many were bought at the first, are what one of them lasts; the median
    of that, times what was bought last, gives the due date.

    Args:
        orders: Newest first.
        sku: The product, whatever its options.
    """
    days: dict[object, tuple[datetime, int, CartLine]] = {}
    for order in reversed(kept(orders)):
        lines = [line for line in order.lines if line.sku == sku]
        if lines:
            at = order.history[0].at
            before = days.get(at.date())
            count = sum(line.quantity for line in lines) + (before[1] if before else 0)
            days[at.date()] = (before[0] if before else at, count, lines[-1])
    purchases = list(days.values())
    if len(purchases) < FEWEST_PURCHASES:
        return None
    lasting = [(later[0] - earlier[0]).total_seconds() / earlier[1] for earlier, later in itertools.pairwise(purchases)]
    usual = median(lasting)
    if any(abs(one - usual) > MOST_SPREAD * usual for one in lasting):
        return None
    at, count, line = purchases[-1]
    every = timedelta(seconds=usual * count)
    return RunOut(line, every.total_seconds() / 86_400, at + every, len(purchases))


def running_out(orders: Sequence[Order], now: datetime) -> tuple[RunOut, ...]:
    """Everything that is used up by ``now``, what is overdue longest first.

    What is overdue by more than it ever lasted is passed over: the household has stopped buying it.
    """
    skus = dict.fromkeys(line.sku for order in kept(orders) for line in order.lines)
    found = [one for sku in skus if (one := run_out(orders, sku)) is not None]
    due = [one for one in found if one.due <= now <= one.due + timedelta(days=one.every_days)]
    return tuple(sorted(due, key=lambda one: one.due))


def recommend(
    cart: Cart, orders: Sequence[Order], products: Mapping[str, Product], now: datetime
) -> Recommendation | None:
    """The one thing that the past says most surely is missing in the cart, or None.

    Args:
        cart: What is about to be bought.
        orders: Newest first.
        products: What can be bought, by sku.
        now: The time of day.
    """
    past = kept(orders)
    held = {line.sku for line in cart.lines}
    if not held or len(past) < FEWEST_ORDERS:
        return None
    together = _bought_together(held, past)
    for sku, count in together.most_common():
        lines = [line for order in past for line in order.lines if line.sku == sku]
        if _can_be_bought(lines[0], products, cart):
            return Recommendation(_typical(lines), "together", count)
    for one in running_out(past, now):
        if one.line.sku not in held and _can_be_bought(one.line, products, cart):
            return Recommendation(one.line, "due", one.evidence)
    return None


def _bought_together(held: set[str], past: Sequence[Order]) -> Counter[str]:
    """Products that most orders with something of the cart hold too → in how many."""
    found: Counter[str] = Counter()
    for sku in sorted(held):
        with_it = [{line.sku for line in order.lines} for order in past if any(one.sku == sku for one in order.lines)]
        others = Counter(other for skus in with_it for other in skus if other not in held)
        for other, count in others.items():
            if count >= FEWEST_TOGETHER and count >= LEAST_CONFIDENCE * len(with_it):
                found[other] = max(found[other], count)
    return found


def _can_be_bought(line: CartLine, products: Mapping[str, Product], cart: Cart) -> bool:
    product = products.get(line.sku)
    return product is not None and product.stock != 0 and product.price.currency == cart.currency


def _typical(lines: Sequence[CartLine]) -> CartLine:
    """The newest of the lines, as many as is usual; ``lines`` newest first."""
    return replace(lines[0], quantity=median_low([line.quantity for line in lines]))
