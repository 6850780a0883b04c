"""Stock that is kept for orders which await their payment. Every function works in the caller's transaction.

A reservation lasts until a given moment, so that a device that died keeps nothing for long. It is a promise about the
shelf, not a change of it: ``products.stock`` counts down only when an order is placed, and what is free is the shelf
less the reservations of others.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime

from sqlalchemy import Connection, delete, func, insert, select

from assistant.errors import SoldOut
from assistant.shop.orders import Order
from assistant.shop.schema import products, reservations


def wanted(order: Order) -> Mapping[str, int]:
    """Units of each sku, whatever their options."""
    found: Counter[str] = Counter()
    for line in order.lines:
        found[line.sku] += line.quantity
    return found


def lock_shelf(connection: Connection, skus: Iterable[str]) -> dict[str, int | None]:
    """What stands on the shelf of these skus; nobody else changes or reserves it until the transaction ends.

    Locked in the order of the skus, so that two transactions never wait for each other. A sku that is not sold is left
    out; the stock is None where it is not counted.
    """
    rows = select(products.c.sku, products.c.stock).where(products.c.sku.in_(tuple(skus)))
    return {row.sku: row.stock for row in connection.execute(rows.order_by(products.c.sku).with_for_update())}


def reserve(connection: Connection, order: Order, now: datetime, until: datetime) -> None:
    """Keeps what ``order`` needs, where stock is counted; those whose time has run out are cleared away.

    Raises:
        SoldOut: Something is not sold any more, or not enough of it is free.
    """
    shelf = _enough(connection, order, now)
    counted = [sku for sku in shelf if shelf[sku] is not None]
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
    shelf = _enough(connection, order, now)
    for sku, quantity in wanted(order).items():
        if shelf[sku] is not None:
            left = products.c.stock - quantity
            connection.execute(products.update().where(products.c.sku == sku).values(stock=left))
    release(connection, order)


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


def _enough(connection: Connection, order: Order, now: datetime) -> dict[str, int | None]:
    needs = wanted(order)
    shelf = lock_shelf(connection, needs)
    others = (reservations.c.household != order.household) | (reservations.c.order_id != order.id)
    kept = (
        select(reservations.c.sku, func.sum(reservations.c.quantity))
        .where(reservations.c.sku.in_(tuple(needs)), reservations.c.until > now, others)
        .group_by(reservations.c.sku)
    )
    reserved = {sku: int(quantity) for sku, quantity in connection.execute(kept)}
    for sku, quantity in needs.items():
        if sku not in shelf:
            raise SoldOut(f"{sku} is not sold any more. Nothing was bought.")
        left = shelf[sku]
        if left is not None and (free := max(0, left - reserved.get(sku, 0))) < quantity:
            raise SoldOut(f"Only {free} of {sku} are left, not {quantity}. Nothing was bought.")
    return shelf
