"""Stock that is kept for orders which await their payment. Every function works in the caller's transaction.

A reservation lasts until a given moment, so that a device that died keeps nothing for long. It is a promise about the
shelf, not a change of it: ``products.stock`` counts down only when an order is placed, and what is free is the shelf
less the reservations of others.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, delete, func, insert, select, update

from assistant.errors import SoldOut
from assistant.shop.cart import CartLine
from assistant.shop.orders import Order
from assistant.shop.schema import order_lines, products, reservations
from assistant.shop.variant_stock import Variants


@dataclass(frozen=True)
class Shelved:
    """What stands on the shelf of one product.

    Attributes:
        stock: Units; None when they are not counted.
        variants: Its combinations of options with their own stock; None where all of them are sold.
    """

    stock: int | None
    variants: Variants | None

    @property
    def counted(self) -> bool:
        """Whether units are counted at all."""
        return self.stock is not None or (self.variants is not None and self.variants.counted)


def wanted(order: Order) -> Mapping[str, int]:
    """Units of each sku, whatever their options."""
    found: Counter[str] = Counter()
    for line in order.lines:
        found[line.sku] += line.quantity
    return found


def lock_shelf(connection: Connection, skus: Iterable[str]) -> dict[str, Shelved]:
    """What stands on the shelf of these skus; nobody else changes or reserves it until the transaction ends.

    Locked in the order of the skus, so that two transactions never wait for each other. A sku that is not sold is left
    out.
    """
    rows = select(products.c.sku, products.c.stock, products.c.feed_line).where(products.c.sku.in_(tuple(skus)))
    found = connection.execute(rows.order_by(products.c.sku).with_for_update())
    return {row.sku: Shelved(row.stock, Variants.of(row.feed_line)) for row in found}


def reserve(connection: Connection, order: Order, now: datetime, until: datetime) -> None:
    """Keeps what ``order`` needs, where stock is counted; those whose time has run out are cleared away.

    Raises:
        SoldOut: Something is not sold any more, or not enough of it is free.
    """
    shelf = _enough(connection, order, now)
    counted = [sku for sku in shelf if shelf[sku].counted]
    if not counted:
        return
    connection.execute(delete(reservations).where(reservations.c.sku.in_(counted), reservations.c.until <= now))
    mine = [
        {"household": order.household, "order_id": order.id, "sku": sku, "quantity": quantity, "until": until}
        for sku, quantity in wanted(order).items()
        if sku in counted
    ]
    connection.execute(insert(reservations), mine)


def take(connection: Connection, order: Order, now: datetime) -> None:
    """Takes what ``order`` needs off the shelf; its reservation is used up, and may have run out before.

    Raises:
        SoldOut: Something is not sold any more, or not enough of it is free.
    """
    _count(connection, _enough(connection, order, now), order.lines, -1)
    release(connection, order)


def put_back(connection: Connection, lines: Sequence[CartLine]) -> None:
    """Puts what was taken back on the shelf; what is not sold any more is passed over."""
    _count(connection, lock_shelf(connection, {line.sku for line in lines}), lines, 1)


def release(connection: Connection, order: Order) -> None:
    """Keeps nothing for ``order`` any more."""
    connection.execute(
        delete(reservations).where(reservations.c.household == order.household, reservations.c.order_id == order.id)
    )


def reserved_by_others(connection: Connection, household: str, now: datetime) -> dict[str, int]:
    """Units of each sku that are kept for orders of other households."""
    kept = (
        select(reservations.c.sku, func.sum(reservations.c.quantity))
        .where(reservations.c.household != household, reservations.c.until > now)
        .group_by(reservations.c.sku)
    )
    return {sku: int(quantity) for sku, quantity in connection.execute(kept)}


def _enough(connection: Connection, order: Order, now: datetime) -> dict[str, Shelved]:
    needs = wanted(order)
    shelf = lock_shelf(connection, needs)
    others = (reservations.c.household != order.household) | (reservations.c.order_id != order.id)
    kept_for = (reservations.c.sku.in_(tuple(needs)), reservations.c.until > now, others)
    kept = select(reservations.c.sku, func.sum(reservations.c.quantity)).where(*kept_for).group_by(reservations.c.sku)
    reserved = {sku: int(quantity) for sku, quantity in connection.execute(kept)}
    for sku, quantity in needs.items():
        if sku not in shelf:
            raise SoldOut(f"{sku} is not sold any more. Nothing was bought.")
        left = shelf[sku].stock
        if left is not None and (free := max(0, left - reserved.get(sku, 0))) < quantity:
            raise SoldOut(f"Only {free} of {sku} are left, not {quantity}. Nothing was bought.")
    _enough_variants(connection, order, shelf, kept_for)
    return shelf


def _enough_variants(
    connection: Connection, order: Order, shelf: Mapping[str, Shelved], kept_for: Sequence[ColumnElement[bool]]
) -> None:
    varied = {sku: one.variants for sku, one in shelf.items() if one.variants is not None}
    if not varied:
        return
    lines, kept = order_lines.c, reservations.c
    same = (lines.household == kept.household) & (lines.order_id == kept.order_id) & (lines.sku == kept.sku)
    reserved = select(lines.sku, lines.options, lines.quantity).join(reservations, same)
    elsewhere: list[Any] = list(connection.execute(reserved.where(kept.sku.in_(tuple(varied)), *kept_for)))
    for sku, variants in varied.items():
        variants.check(
            [(line.options, line.quantity) for line in order.lines if line.sku == sku],
            [(row.options, row.quantity) for row in elsewhere if row.sku == sku],
        )


def _count(connection: Connection, shelf: Mapping[str, Shelved], lines: Sequence[CartLine], sign: int) -> None:
    for sku, one in shelf.items():
        mine = [line for line in lines if line.sku == sku]
        values: dict[str, Any] = {}
        if one.stock is not None:
            values["stock"] = products.c.stock + sign * sum(line.quantity for line in mine)
        if one.variants is not None and one.variants.counted:
            values["feed_line"] = one.variants.counting([(line.options, sign * line.quantity) for line in mine])
        if values:
            connection.execute(update(products).where(products.c.sku == sku).values(values))
