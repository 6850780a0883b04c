"""What carriers tell about parcels, and the orders that follow from it.

Events come late, twice and in any order. So an order's journey is not moved by the newest event, but made anew from all
that were ever told: the same events give the same order, whatever order they came in.
"""

import logging
import random
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from sqlalchemy import Connection, Engine, delete, insert, select, update

from assistant.errors import OrderError, PaymentUnavailable
from assistant.shop.database import ensure_tables, reading, transaction
from assistant.shop.household_tables import HOUSEHOLD_TABLES, carrier_events
from assistant.shop.notices import Notice, put_notice
from assistant.shop.order_book import OrderBook
from assistant.shop.orders import Order, OrderStatus, StatusChange
from assistant.shop.payments import Payments
from assistant.shop.returns import refund_order
from assistant.shop.schema import order_history, orders

_log = logging.getLogger(__name__)

JOURNEY = (
    OrderStatus.PACKED,
    OrderStatus.SHIPPED,
    OrderStatus.OUT_FOR_DELIVERY,
    OrderStatus.DELIVERED,
    OrderStatus.RETURNED,
)
"""What a carrier can tell, in the order in which it happens to a parcel."""

ANNOUNCED = (OrderStatus.OUT_FOR_DELIVERY, OrderStatus.DELIVERED)
"""What the household is told without asking."""

LONGEST_ID, LONGEST_TRACKING = 64, 200
_YEARS = range(2000, 2101)


@dataclass(frozen=True)
class CarrierEvent:
    """A parcel has got somewhere.

    Attributes:
        order: The order's number.
        id: The carrier's own key for this event; told twice it counts once.
        status: One of ``JOURNEY``.
        at: When it happened, with its time zone.
        tracking: The carrier's words, such as "arrived at the depot"; may be empty.

    Raises:
        OrderError: Something of it cannot be used.
    """

    order: str
    id: str
    status: OrderStatus
    at: datetime
    tracking: str = ""

    def __post_init__(self) -> None:
        if self.status not in JOURNEY:
            known = ", ".join(JOURNEY)
            raise OrderError(f"A carrier cannot report the status {self.status!r}; it is one of {known}.")
        if not 0 < len(self.id) <= LONGEST_ID:
            raise OrderError(f"A carrier's event needs an id of at most {LONGEST_ID} characters.")
        if not self.order or len(self.tracking) > LONGEST_TRACKING:
            raise OrderError(f"A carrier's event needs an order, and at most {LONGEST_TRACKING} characters of text.")
        if "\0" in self.id + self.order + self.tracking:
            raise OrderError("A carrier's event has characters that are no text.")
        if self.at.year not in _YEARS:
            raise OrderError(f"A carrier's event cannot be of the year {self.at.year}.")
        if self.at.tzinfo is None:
            raise OrderError("The time of a carrier's event needs its time zone, such as 2026-11-11T09:30:00Z.")


def with_journey(order: Order, events: Iterable[CarrierEvent]) -> Order:
    """The order once all ``events`` are known. Pure.

    Each status is reached at the earliest time that was told for it. What the shop itself noted stays: an order that is
    cancelled stays cancelled, and a status that is already in the history keeps its place there.
    """
    times: dict[OrderStatus, datetime] = {}
    noted = [change for change in order.history if change.status in JOURNEY]
    for status, at in [(change.status, change.at) for change in noted] + [(event.status, event.at) for event in events]:
        times[status] = min(at, times.get(status, at))
    statuses = [change.status for change in order.history]
    if OrderStatus.CANCELLED in statuses:
        return order
    begun = tuple(change for change in order.history if change.status not in (*JOURNEY, OrderStatus.REFUNDED))
    journey = tuple(StatusChange(status, times[status]) for status in JOURNEY if status in times)
    ended = tuple(change for change in order.history if change.status is OrderStatus.REFUNDED)
    return replace(order, history=(*begun, *journey, *ended))


def status_of(word: str) -> OrderStatus:
    """The status that a carrier names.

    Raises:
        OrderError: A carrier reports no such status.
    """
    if word not in JOURNEY:
        raise OrderError(f"A carrier cannot report {word!r}; it is one of {', '.join(JOURNEY)}.")
    return OrderStatus(word)


def record_carrier_event(engine: Engine, payments: Payments, household: str, event: CarrierEvent) -> Order:
    """Notes what a carrier tells, and gives the order as it is then.

    Idempotent by its id and independent of the order in which events come. A parcel that came back is refunded;
    should the payment provider not answer, that is made up for at the device's next start.

    Args:
        engine: The shop's database.
        payments: Gives back the money of a parcel that came back.
        household: Whose order.
        event: What is told.

    Raises:
        OrderError: There is no such paid order, or the event's id was used for another event.
        StoreError: The database refused; the event may be told again.
    """
    ensure_tables(engine, *HOUSEHOLD_TABLES)
    book = OrderBook(household, random.SystemRandom())
    with transaction(engine, household) as connection:
        before = book.find(connection, event.order)
        if before is None or not before.paid:
            raise OrderError(f"There is no order {event.order}.")
        after = before
        if _add(connection, household, event):
            after = with_journey(before, _told(connection, household, event.order))
            if after != before:
                _write(connection, after)
            if event.status in ANNOUNCED and after.status is event.status:
                put_notice(connection, household, Notice(event.status.value, event.order, datetime.now(UTC)))
    if after.status is not OrderStatus.RETURNED:
        return after
    try:
        return refund_order(engine, household, payments, event.order)
    except PaymentUnavailable as error:
        _log.warning("order %s came back, its money is not given back yet: %s", event.order, error.message)
        return after


def tracking_texts(engine: Engine, household: str) -> dict[str, str]:
    """Order number → what its carrier said last, of the orders whose carrier said anything.

    Raises:
        StoreError: The database cannot be read.
    """
    ensure_tables(engine, *HOUSEHOLD_TABLES)
    found = select(carrier_events).where(carrier_events.c.household == household, carrier_events.c.tracking != "")
    with reading(engine) as connection:
        return {row.order_id: row.tracking for row in connection.execute(found.order_by(carrier_events.c.at))}


def _add(connection: Connection, household: str, event: CarrierEvent) -> bool:
    """Keeps the event; false when it was told before."""
    mine = (carrier_events.c.household == household) & (carrier_events.c.event_id == event.id)
    row = connection.execute(select(carrier_events).where(mine)).first()
    if row is not None:
        if (row.order_id, row.status) != (event.order, event.status.value):
            raise OrderError(f"The carrier's event {event.id} is known already, for something else.")
        return False
    connection.execute(
        insert(carrier_events).values(
            household=household,
            event_id=event.id,
            order_id=event.order,
            status=event.status.value,
            at=event.at,
            tracking=event.tracking,
        )
    )
    return True


def _told(connection: Connection, household: str, order: str) -> tuple[CarrierEvent, ...]:
    found = select(carrier_events).where(carrier_events.c.household == household, carrier_events.c.order_id == order)
    return tuple(
        CarrierEvent(row.order_id, row.event_id, OrderStatus(row.status), row.at, row.tracking)
        for row in connection.execute(found)
    )


def _write(connection: Connection, order: Order) -> None:
    """Puts the order's history in the place of the old one."""
    mine = (order_history.c.household == order.household) & (order_history.c.order_id == order.id)
    connection.execute(delete(order_history).where(mine))
    connection.execute(
        insert(order_history),
        [
            {
                "household": order.household,
                "order_id": order.id,
                "position": position,
                "status": change.status.value,
                "at": change.at,
            }
            for position, change in enumerate(order.history)
        ],
    )
    this = (orders.c.household == order.household) & (orders.c.id == order.id)
    connection.execute(update(orders).where(this).values(status=order.status.value))
