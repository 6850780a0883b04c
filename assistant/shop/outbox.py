"""Orders that were paid on this device and are to reach the shop's service, each exactly once.

An order is written here in the transaction that takes its payment, so that neither is there without the other. What is
sent is kept as it was first written: the same key always comes with the same body.
"""

import hashlib
import json
import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import Column, ColumnElement, Connection, Engine, Integer, String, Table, Text, insert, select, update

from assistant.errors import PaymentUnavailable
from assistant.shop.database import ensure_tables, reading, transaction
from assistant.shop.household_tables import order_addresses
from assistant.shop.order_book import OrderBook
from assistant.shop.orders import Order
from assistant.shop.promotions.bill import Bill
from assistant.shop.promotions.pricing import sold_on_sale
from assistant.shop.schema import Instant, metadata

_LONGEST_DELAY_SECONDS = 300.0
_LONGEST_REASON = 200

outbox = Table(
    "outbox",
    metadata,
    Column("household", String(64), primary_key=True),
    Column("order_id", String(16), primary_key=True),
    Column("key", String(64), nullable=False),
    Column("body", Text, nullable=False, comment="JSON, as it is sent"),
    Column("state", String(16), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("next_at", Instant, nullable=False, comment="not sent before"),
    Column("number", String(16), comment="the order's number at the shop; null: not known yet"),
    Column("reason", String(_LONGEST_REASON), nullable=False),
)


class Stage(StrEnum):
    """How far an order of the outbox is."""

    WAITING = "waiting"  # to be sent, perhaps again
    DELIVERED = "delivered"  # the shop has it
    REFUSED = "refused"  # the shop does not have it, and will not: to be cancelled here
    OVER = "over"  # nothing more to do


@dataclass(frozen=True)
class Parcel:
    """An order on its way to the shop.

    Attributes:
        order_id: Its number on this device.
        key: Its idempotency key at the shop.
        body: What is sent: JSON.
        stage: How far it is.
        attempts: How often sending it was begun.
        number: Its number at the shop; empty while that is not known.
        reason: Of a refusal, the shop's code and words.
    """

    order_id: str
    key: str
    body: str
    stage: Stage
    attempts: int
    number: str = ""
    reason: str = ""


class Outbox:
    """The outbox of one household.

    Args:
        engine: The shop's database.
        household: Whose.
        clock: The time of day.

    Raises:
        StoreError: The database cannot be used.
    """

    def __init__(
        self, engine: Engine, household: str, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        ensure_tables(engine, outbox, order_addresses)
        self._engine = engine
        self._household = household
        self._clock = clock
        self._book = OrderBook(household, random.SystemRandom())

    def put(self, connection: Connection, order_id: str) -> None:
        """Writes an order into the outbox, within the transaction that takes its payment; a second call does nothing.

        Raises:
            OrderError: There is no such order.
        """
        if connection.execute(select(outbox.c.key).where(self._is(order_id))).first() is not None:
            return
        order = self._book.get(connection, order_id)
        address = connection.execute(
            select(order_addresses.c.name, order_addresses.c.text).where(
                order_addresses.c.household == self._household, order_addresses.c.order_id == order_id
            )
        ).first()
        connection.execute(
            insert(outbox).values(
                household=self._household,
                order_id=order_id,
                key=_key(order),
                body=body_of(Bill(order.total.currency, order.lines, order.charges), address),
                state=Stage.WAITING.value,
                attempts=0,
                next_at=self._clock(),
                reason="",
            )
        )

    def withdraw(self, connection: Connection, order_id: str) -> None:
        """Sends an order no more that was never sent, within the transaction that begins to give its money back.

        Should this device die before that is done, it is done when it runs again. Nothing to do once the shop has
        answered, or for an order that was never in the outbox.

        Raises:
            PaymentUnavailable: It was sent, and it is not known yet whether the shop has it.
        """
        row = connection.execute(select(outbox.c.state, outbox.c.attempts).where(self._is(order_id))).first()
        if row is None or row.state != Stage.WAITING.value:
            return
        if row.attempts:
            raise PaymentUnavailable(
                f"The shop has not said yet whether it has order {order_id}. Try again when it can be reached."
            )
        connection.execute(update(outbox).where(self._is(order_id)).values(state=Stage.REFUSED.value))

    def claim(self) -> Parcel | None:
        """The next order to be sent now; it counts as sent, whatever becomes of this process. None: there is none.

        Raises:
            StoreError: The database cannot be used.
        """
        now = self._clock()
        waiting = (outbox.c.household == self._household) & (outbox.c.state == Stage.WAITING.value)
        due = waiting & (outbox.c.next_at <= now)
        with reading(self._engine) as connection:
            if connection.execute(select(outbox.c.order_id).where(due).limit(1)).first() is None:
                return None
        with transaction(self._engine, self._household) as connection:
            row = connection.execute(select(outbox).where(due).order_by(outbox.c.next_at).limit(1)).first()
            if row is None:
                return None
            # Until the answer is noted nobody else sends it, and this device only after a while.
            later = now + timedelta(seconds=_LONGEST_DELAY_SECONDS)
            changes = {"attempts": row.attempts + 1, "next_at": later}
            connection.execute(update(outbox).where(self._is(row.order_id)).values(changes))
        return replace(_parcel(row), attempts=row.attempts + 1)

    def delay(self, parcel: Parcel, chance: float, reason: str) -> datetime:
        """Sends it again after a while that doubles with each attempt; says when.

        Args:
            parcel: What could not be sent.
            chance: From 0 to 1, at random: takes up to half of the while away, so that a shop which comes back is not
                asked by all its devices at once.
            reason: For people.

        Raises:
            StoreError: The database refused; it is sent again after the longest while.
        """
        seconds = min(_LONGEST_DELAY_SECONDS, 2.0 ** min(parcel.attempts, 20)) * (1 - chance / 2)
        at = self._clock() + timedelta(seconds=seconds)
        self._change(parcel, Stage.WAITING, next_at=at, reason=reason[:_LONGEST_REASON])
        return at

    def move(self, parcel: Parcel, stage: Stage, number: str = "", reason: str = "") -> None:
        """Notes how far it is, and its number when the shop has given it one.

        Raises:
            StoreError: The database refused; it stays as it is.
        """
        more = {"number": number} if number else {}
        self._change(parcel, stage, reason=reason[:_LONGEST_REASON], **more)

    def parcels(self, *stages: Stage) -> tuple[Parcel, ...]:
        """Those that are so far, all when no stage is named.

        Raises:
            StoreError: The database cannot be read.
        """
        wanted = [stage.value for stage in stages or tuple(Stage)]
        mine = (outbox.c.household == self._household) & outbox.c.state.in_(wanted)
        with reading(self._engine) as connection:
            return tuple(_parcel(row) for row in connection.execute(select(outbox).where(mine)))

    def of_order(self, order_id: str) -> Parcel | None:
        """The parcel of an order; None when it was never in the outbox.

        Raises:
            StoreError: The database cannot be read.
        """
        with reading(self._engine) as connection:
            row = connection.execute(select(outbox).where(self._is(order_id))).first()
        return None if row is None else _parcel(row)

    def _change(self, parcel: Parcel, stage: Stage, **values: Any) -> None:
        with transaction(self._engine, self._household) as connection:
            changes = {"state": stage.value} | values
            connection.execute(update(outbox).where(self._is(parcel.order_id)).values(changes))

    def _is(self, order_id: str) -> ColumnElement[bool]:
        return (outbox.c.household == self._household) & (outbox.c.order_id == order_id)


def _key(order: Order) -> str:
    """From the order's own key, which is random, so that no two devices of a household ever make the same."""
    return hashlib.sha256(f"{order.household} {order.id} {order.key}".encode()).hexdigest()[:48]


def body_of(bill: Bill, address: Any | None = None) -> str:
    """What the shop is sent of an order, as JSON: the same order always gives the same text."""
    lines = [{"sku": line.sku, "quantity": line.quantity, "options": dict(line.options)} for line in bill.lines]
    body: dict[str, Any] = {"lines": lines, "total": {"minor": bill.total.minor, "currency": bill.currency}}
    if address is not None:
        body["address"] = {"name": address.name, "text": address.text}
    # The shop knows the lower prices of its feed; which coupons were named only the device knows.
    if promotions := [name for name in bill.promotions if not sold_on_sale(name)]:
        body["promotions"] = promotions
    return json.dumps(body, ensure_ascii=False, sort_keys=True)


def _parcel(row: Any) -> Parcel:
    return Parcel(row.order_id, row.key, row.body, Stage(row.state), row.attempts, row.number or "", row.reason)
