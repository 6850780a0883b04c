"""Takes the orders of one household that its devices were paid: each once, at the shop's own price, or not at all."""

import hashlib
import json
import random
from collections import Counter
from collections.abc import Callable, Iterable
from datetime import datetime

from sqlalchemy import Column, Engine, String, Table, insert, select

from assistant.errors import OrderConflict, OrderError, PriceChanged, SoldOut
from assistant.service.http.answers import Missing
from assistant.service.http.bodies import WantedOrder
from assistant.shop.addresses import Address, AddressBook
from assistant.shop.cart import Cart, line_for
from assistant.shop.database import ensure_tables, reading, transaction
from assistant.shop.feed_product import FeedProduct
from assistant.shop.order_book import OrderBook
from assistant.shop.orders import Order, OrderStatus
from assistant.shop.product import Product
from assistant.shop.promotions.bill import Bill
from assistant.shop.reservations import reserved_by_others
from assistant.shop.schema import Instant, metadata, products
from assistant.shop.store import Store
from assistant.shop.variant_stock import Variants

# What a key was first used for: with it comes that order or none.
order_requests = Table(
    "order_requests",
    metadata,
    Column("household", String(64), primary_key=True),
    Column("key", String(64), primary_key=True),
    Column("body_hash", String(64), nullable=False, comment="SHA-256, in hexadecimal digits"),
    Column("at", Instant, nullable=False),
)


class OrderDesk:
    """The orders of one household.

    What becomes of a key is decided once, by the state of its order in the database: paid, or given up. So requests
    that come twice, at the same time, or again after the server died all get the same answer. An order whose server
    died before it was decided awaits the request's next coming.

    Args:
        engine: The shop's database.
        household: Whose.
        store: The household's.
        addresses: The household's.
        clock: The time of day.

    Raises:
        StoreError: The database cannot be used.
    """

    def __init__(
        self, engine: Engine, household: str, store: Store, addresses: AddressBook, clock: Callable[[], datetime]
    ) -> None:
        ensure_tables(engine, order_requests)
        self._engine = engine
        self._household = household
        self._store = store
        self._addresses = addresses
        self._clock = clock
        self._book = OrderBook(household, random.SystemRandom())

    def place(self, key: str, wanted: WantedOrder) -> tuple[Order, bool]:
        """The paid order of this key, and whether this request made it.

        Raises:
            OrderConflict: The key was used for something else.
            PriceChanged: The total is not the shop's; there is no order, and never will be one of this key.
            SoldOut: Something is not sold like this, or not enough is left; as above.
            StoreError: The database refused: ask again.
        """
        self._bind(key, wanted)
        before = self._find(key)
        order = before or self._begin(key, wanted)
        if order.status is OrderStatus.AWAITING_PAYMENT and wanted.address is not None:
            self._addresses.send(order.id, Address(wanted.address.name, wanted.address.text))
        if order.status is OrderStatus.AWAITING_PAYMENT and _agrees(order, wanted):
            try:
                return self._store.complete_order(order.id), True
            except OrderError:
                pass  # too little is left, or another request decided meanwhile: the database knows
        if order.status is OrderStatus.AWAITING_PAYMENT:
            self._store.abandon_order(order.id)
            order = self._find(key) or order
        if order.paid:
            return order, before is None
        if not _agrees(order, wanted):
            raise PriceChanged(f"This costs {_words(order)} now. Nothing was bought.")
        raise SoldOut("Not enough of it is left. Nothing was bought.")

    def quote(self, wanted: WantedOrder) -> Bill:
        """What an order would cost now; nothing is placed or kept.

        Raises:
            SoldOut: Something is not sold, not sold like this, or not enough is left.
            StoreError: The database cannot be read.
        """
        cart = self._cart(wanted)
        needs = Counter[str]()
        for line in cart.lines:
            needs[line.sku] += line.quantity
        counted = select(products.c.sku, products.c.stock).where(products.c.sku.in_(tuple(needs)))
        with reading(self._engine) as connection:
            stock = {row.sku: row.stock for row in connection.execute(counted) if row.stock is not None}
            kept = reserved_by_others(connection, self._household, self._clock()) if stock else {}
        for sku, left in stock.items():
            if (free := max(0, left - kept.get(sku, 0))) < needs[sku]:
                raise SoldOut(f"Only {free} of {sku} are left, not {needs[sku]}. Nothing was bought.")
        sold = self._products(needs)
        for sku, product in sold.items():
            if variants := Variants.of_product(product):
                variants.check([(line.options, line.quantity) for line in cart.find(sku)], ())
        return self._store.prices.pricing(wanted.promotions).bill(cart, sold)

    def orders(self, limit: int) -> tuple[Order, ...]:
        """The household's paid orders, newest first.

        Raises:
            StoreError: The database cannot be read.
        """
        return self._store.orders(limit)

    def order(self, order_id: str) -> Order:
        """One paid order.

        Raises:
            Missing: The household has none of that number.
            StoreError: The database cannot be read.
        """
        with reading(self._engine) as connection:
            order = self._book.find(connection, order_id)
        if order is None or not order.paid:
            raise Missing(f"There is no order {order_id}.")
        return order

    def cancel(self, order_id: str) -> Order:
        """Cancels an order that is not on its way yet; one that was cancelled before stays so.

        Raises:
            Missing: The household has none of that number.
            OrderError: It is too late.
            StoreError: The database refused; the order stays.
        """
        order = self.order(order_id)
        if any(change.status is OrderStatus.CANCELLED for change in order.history):
            return order
        return self._store.cancel_order(order_id)

    def _bind(self, key: str, wanted: WantedOrder) -> None:
        # Without promotions as before there were any: an order that was begun then is the same order still.
        fields = wanted.model_dump(mode="json", exclude=None if wanted.promotions else {"promotions"})
        body = hashlib.sha256(json.dumps(fields, sort_keys=True).encode()).hexdigest()
        mine = (order_requests.c.household == self._household) & (order_requests.c.key == key)
        with transaction(self._engine, self._household) as connection:
            first = connection.execute(select(order_requests.c.body_hash).where(mine)).scalar()
            if first is None:
                row = {"household": self._household, "key": key, "body_hash": body, "at": self._clock()}
                connection.execute(insert(order_requests).values(row))
            elif first != body:
                raise OrderConflict("This Idempotency-Key was used for another order. Use a new key for a new order.")

    def _find(self, key: str) -> Order | None:
        with reading(self._engine) as connection:
            return self._book.find_key(connection, key)

    def _begin(self, key: str, wanted: WantedOrder) -> Order:
        cart = self._cart(wanted)
        try:
            return self._store.begin_order(cart, key, coupons=wanted.promotions)
        except OrderError as error:
            # Another request with this key may have begun it meanwhile, at another price.
            order = self._find(key)
            if order is None:
                raise SoldOut(error.message) from error
            return order

    def _cart(self, wanted: WantedOrder) -> Cart:
        sold = self._products(line.sku for line in wanted.lines)
        cart = Cart(wanted.total.currency)
        for line in wanted.lines:
            if line.sku not in sold:
                raise SoldOut(f"{line.sku} is not sold any more. Nothing was bought.")
            try:
                cart = cart.add(line_for(sold[line.sku], line.quantity, line.options))
            except ValueError as error:
                raise SoldOut(f"Not sold like this: {error}. Nothing was bought.") from error
        return cart

    def _products(self, skus: Iterable[str]) -> dict[str, Product]:
        found = select(products.c.feed_line).where(products.c.sku.in_(set(skus)))
        with reading(self._engine) as connection:
            lines = connection.execute(found).scalars().all()
        return {product.sku: product for product in (FeedProduct.model_validate(line).to_product() for line in lines)}


def _agrees(order: Order, wanted: WantedOrder) -> bool:
    return (order.total.minor, order.total.currency) == (wanted.total.minor, wanted.total.currency)


def _words(order: Order) -> str:
    return f"{order.total.decimal()} {order.total.currency}"
