"""What the device says of its own accord: news about orders and stock, each once, and never in the quiet hours."""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any

from assistant.errands import Errands
from assistant.pay.policy import is_quiet
from assistant.shop.cart import Cart
from assistant.shop.money import Money
from assistant.shop.orders import Order, OrderStatus
from assistant.shop.product import Product
from assistant.shop.store import Store
from assistant.talk.actions import Say, Spelled
from assistant.talk.replies import Replies
from assistant.talk.wording import amounts_of

PRICE_CHANGED = "price_changed"
"""The kind of notice of an order that was undone because the shop asks another price."""


class Announcer:
    """Turns waiting notices into sentences.

    Args:
        store: Knows the orders and the stock.
        errands: Keeps the notices, and what the household waits for.
        replies: The sentences.
        language: Of product names.
        quiet_hours: When nothing is said, such as ``"22:00-07:00"``; empty is never.
        clock: The household's time of day.
    """

    def __init__(
        self,
        store: Store,
        errands: Errands,
        replies: Replies,
        language: str,
        quiet_hours: str,
        clock: Callable[[], datetime],
    ) -> None:
        self._store = store
        self._errands = errands
        self._replies = replies
        self._language = language
        self._quiet_hours = quiet_hours
        self._clock = clock

    def due(self) -> tuple[str, ...]:
        """What is to be said now; it counts as said.

        Raises:
            StoreError: The database cannot be used.
        """
        if is_quiet(self._clock().timetz().replace(tzinfo=None), self._quiet_hours):
            return ()
        notices = self._errands.notices
        orders = {order.id: order for order in self._store.orders()}
        said = []
        for notice in notices.waiting():
            order = orders.get(notice.subject)
            sentence = None if order is None else self._news(notice.kind, order)
            if notices.claim(notice) and sentence is not None:
                said.append(self._replies.render(sentence))
        return (*said, *self._restocked())

    def _news(self, kind: str, order: Order) -> Say | None:
        """What a notice says; None where things have moved on since then: "out for delivery" after it was delivered."""
        status = OrderStatus.REFUNDED.value if kind == PRICE_CHANGED else kind
        if order.status.value != status or not self._replies.knows(f"announcement.{kind}"):
            return None
        values: dict[str, Any] = {"number": Spelled(order.id), "items": amounts_of(order.lines, self._language)}
        if kind != PRICE_CHANGED:
            return Say(f"announcement.{kind}", values)
        total = self._total_now(order)
        # What is not sold any more, or costs what it did, has no new price to be told.
        known = total is not None and total != order.total
        return Say("announcement.price_changed", values | {"total": total}) if known else self._news(status, order)

    def _total_now(self, order: Order) -> Money | None:
        """What the same goods cost now; None when not all of them are sold like this."""
        shelf = self._store.shelf()
        cart = Cart(order.total.currency, order.lines).repriced(shelf)
        if len(cart.lines) != len(order.lines):
            return None
        return self._store.prices.pricing().bill(cart, shelf).total

    def _restocked(self) -> Iterator[str]:
        """What the household waits for and the shop has again."""
        alerts = self._errands.stock_alerts
        awaited = alerts.waiting()
        products: Mapping[str, Product] = self._store.shelf() if awaited else {}
        for sku in awaited:
            product = products.get(sku)
            if product is not None and (product.stock is None or product.stock > 0) and alerts.claim(sku):
                yield self._replies.render(Say("announcement.back_in_stock", {"name": product.name(self._language)}))
