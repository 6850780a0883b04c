"""What the device says of its own accord: news about orders and stock, each once, and never in the quiet hours."""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime

from assistant.errands import Errands
from assistant.pay.policy import is_quiet
from assistant.shop.product import Product
from assistant.shop.store import Store
from assistant.talk.actions import Say, Spelled
from assistant.talk.replies import Replies
from assistant.talk.wording import amounts_of


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
            template, order = f"announcement.{notice.kind}", orders.get(notice.subject)
            # What has moved on since then is no news: "out for delivery" after it was delivered.
            current = order is not None and order.status.value == notice.kind and self._replies.knows(template)
            if notices.claim(notice) and current and order is not None:
                items = amounts_of(order.lines, self._language)
                said.append(self._replies.render(Say(template, {"number": Spelled(order.id), "items": items})))
        return (*said, *self._restocked())

    def _restocked(self) -> Iterator[str]:
        """What the household waits for and the shop has again."""
        alerts = self._errands.stock_alerts
        awaited = alerts.waiting()
        products: Mapping[str, Product] = self._store.shelf() if awaited else {}
        for sku in awaited:
            product = products.get(sku)
            if product is not None and (product.stock is None or product.stock > 0) and alerts.claim(sku):
                yield self._replies.render(Say("announcement.back_in_stock", {"name": product.name(self._language)}))
