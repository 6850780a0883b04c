"""The shop of one household: catalog, cart, orders and shopping list, in the database."""

import random
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, Engine

from assistant.errors import OrderError
from assistant.shop import schema
from assistant.shop.cart import Cart, CartLine
from assistant.shop.cart_rows import read_cart, write_cart
from assistant.shop.catalog import RESERVATION, ImportedCatalog
from assistant.shop.database import ensure_tables, reading, transaction
from assistant.shop.feed_catalog import choose_catalog
from assistant.shop.money import Money
from assistant.shop.order_book import OrderBook
from assistant.shop.orders import Order, OrderStatus
from assistant.shop.payments import Payments
from assistant.shop.product import Product
from assistant.shop.promotions.price_book import PriceBook
from assistant.shop.settlement import Settlement
from assistant.shop.shelf import Shelf
from assistant.shop.shopping_list import ListEntry, append_entry, read_entries


class Store:
    """What the conversation and the commands know of the shop.

    Args:
        engine: The shop's database.
        household: Whose cart, orders and list.
        payments: Settles what the payment authority has set aside.
        currency: Of an empty cart while there is no catalog, ISO 4217.
        products: Sold in place of the imported catalog, without being imported (see ``choose_catalog``).
        randomness: Where order numbers come from.
        clock: The time of day.
        programmes: The household is a member of these, for member prices.
        reservation: How long stock is kept for an order that awaits its payment.

    Raises:
        StoreError: The database cannot be used.
    """

    def __init__(
        self,
        engine: Engine,
        household: str,
        payments: Payments,
        currency: str = "USD",
        *,
        products: Iterable[Product] | Shelf | None = None,
        randomness: random.Random | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        programmes: Iterable[str] = (),
        reservation: timedelta = RESERVATION,
    ) -> None:
        self._engine = engine
        self._household = household
        self._payments = payments
        self._currency = currency
        self._clock = clock
        self._book = OrderBook(household, randomness or random.SystemRandom())
        ensure_tables(engine, *schema.STORE_TABLES)
        self._catalog = choose_catalog(engine, household, products, reservation, clock)
        self._settlement = Settlement(engine, household, payments, self._book, self._catalog, clock)
        self.prices = PriceBook(engine, household, programmes, clock)

    def import_catalog(self, products: Iterable[Product]) -> int:
        """Puts ``products`` in the place of the imported catalog, all at once; how many there are.

        Raises:
            FeedError: There is no product; the old catalog stays.
            StoreError: The database refused; the old catalog stays.
        """
        return ImportedCatalog(self._engine).switch(products, self._clock())

    def products(self) -> tuple[Product, ...]:
        """Everything on sale, in the feed's order; ``stock`` is what is left now.

        Raises:
            CatalogMissing: Nothing was imported.
            StoreError: The database cannot be read.
        """
        return self._catalog.products()

    def shelf(self) -> Mapping[str, Product]:
        """What is on sale now by sku; of a large catalog, iterating gives what the household knows (see ``Shelf``).

        Raises:
            CatalogMissing: Nothing was imported.
            StoreError: The database cannot be read.
        """
        return self._catalog.shelf()

    def cart(self) -> Cart:
        """The household's cart.

        Raises:
            StoreError: The database cannot be read.
        """
        with reading(self._engine) as connection:
            cart = read_cart(connection, self._household)
        return cart or Cart(self._catalog.currency() or self._currency)

    def save_cart(self, cart: Cart) -> None:
        """Puts ``cart`` in the place of the household's cart.

        Raises:
            OrderError: It holds more than can be ordered.
            StoreError: The database refused; the old cart stays.
        """
        with transaction(self._engine, self._household) as connection:
            write_cart(connection, self._household, cart)

    def begin_order(
        self, cart: Cart, key: str, total: Money | None = None, coupons: Collection[str] | None = None
    ) -> Order:
        """Commits an order for ``cart`` that awaits its payment. The cart itself stays until the order is paid.

        What this device could not settle with the payment provider earlier is tried again first.

        Args:
            cart: What the person has confirmed.
            key: Idempotency key: a second call with it gives the same order, whatever has become of it.
            total: What the person has confirmed to pay; None takes what the shop asks for now.
            coupons: Promotions whose coupon counts as named; None takes those that the household has named here.

        Raises:
            OrderError: The cart is empty, or the key belongs to an order of something else.
            PriceChanged: The shop asks for another total; there is no order.
            SoldOut: Something is not sold any more, or not enough of it is free; there is no order.
            StoreError: The database refused; there is no order.
        """
        if not cart:
            raise OrderError("An empty cart cannot be ordered.")
        self._settlement.try_again()
        with transaction(self._engine, self._household) as connection:
            if (before := self._book.find_key(connection, key)) is None:
                bill = self.prices.agreed(connection, cart, self._catalog, total, coupons)
                order = self._book.add(connection, bill, key, self._clock())
                self._catalog.reserve(connection, order)
                return order
            if before.lines != cart.lines:
                raise OrderError("That order was begun already, with another cart.")
            return before

    def complete_order(self, order_id: str, *, of_cart: bool = False) -> Order:
        """Takes the payment, places the order, takes the stock, and takes what was bought out of the cart.

        All of it happens or nothing. A second call gives the order as it is.

        Args:
            order_id: An order that awaits its payment.
            of_cart: Whether the cart must still hold what was ordered: when two pay for one cart, it is bought once.

        Raises:
            OrderError: No such order, it was given up, something is not sold or not in stock any more, or is not in the
                cart any more.
            PaymentUnavailable: The order's total is not set aside.
            StoreError: The database refused.
        """
        with transaction(self._engine, self._household) as connection:
            order = self._book.get(connection, order_id)
            if order.paid:
                return order
            if order.status is not OrderStatus.AWAITING_PAYMENT:
                raise OrderError(f"Order {order_id} was given up. Nothing was bought.")
            cart = read_cart(connection, self._household)
            if of_cart and (cart is None or not cart.holds(order.lines)):
                raise OrderError("The cart has changed since it was read back. Nothing was bought.")
            self._catalog.take(connection, order)
            self._payments.capture(connection, self._household, order_id, order.total)
            order = self._book.move(connection, order, OrderStatus.PLACED, OrderStatus.PAID, at=self._clock())
            if cart:
                write_cart(connection, self._household, cart.take_out(order.lines))
            return order

    def abandon_order(self, order_id: str) -> None:
        """Gives up an order that awaits its payment, and gives back what is set aside for it.

        A paid order stays as it is, as does one that was given up before.

        Raises:
            OrderError: No such order.
            PaymentUnavailable: The payment cannot be given back now; the order still awaits it.
            StoreError: The database refused; the next start gives it up.
        """
        with self._settlement.remembering(order_id), transaction(self._engine, self._household) as connection:
            self._settlement.give_up(connection, self._book.get(connection, order_id))

    def cancel_order(self, order_id: str) -> Order:
        """Cancels a paid order that is not on its way yet: the money goes back, the stock too.

        Raises:
            OrderError: No such order, or it is too late.
            PaymentUnavailable: The money cannot be given back now; the order stays.
            StoreError: The database refused; the order stays.
        """
        with transaction(self._engine, self._household) as connection:
            self._cancellable(connection, order_id)
            # Committed before money moves: a provider that is far away may give it back just when this device dies.
            self._payments.begin_refund(connection, self._household, order_id)
        with self._settlement.remembering(order_id), transaction(self._engine, self._household) as connection:
            order = self._cancellable(connection, order_id)
            self._payments.refund(connection, self._household, order_id)
            return self._settlement.cancelled(connection, order)

    def put_back(self, connection: Connection, lines: Sequence[CartLine]) -> None:
        """Puts goods back in stock, where it is counted, in the caller's transaction."""
        self._catalog.put_back(connection, lines)

    def move_order(self, order_id: str, status: OrderStatus) -> Order:
        """Notes that an order was packed, shipped, delivered.

        Raises:
            OrderError: No such order, or that cannot be its next status.
            StoreError: The database refused; the order stays.
        """
        with transaction(self._engine, self._household) as connection:
            return self._book.move(connection, self._book.get(connection, order_id), status, at=self._clock())

    def recover(self) -> tuple[str, ...]:
        """Gives up what a device that died left unpaid, and finishes its refunds; the numbers of those orders.

        For the start of a device, before it takes orders. Should another device of the household be paying just then,
        its payment fails and nothing is bought. What the payment provider cannot settle now stays for later.

        Raises:
            StoreError: The database refused.
        """
        with reading(self._engine) as connection:
            held = self._payments.set_aside(connection, self._household)
            waiting = dict.fromkeys((*self._book.awaiting(connection), *held))
        return self._settlement.settle(waiting)

    def orders(self, limit: int | None = 100) -> tuple[Order, ...]:
        """The orders that were paid, newest first.

        Raises:
            StoreError: The database cannot be read.
        """
        with reading(self._engine) as connection:
            return self._book.paid(connection, limit)

    def order(self, order_id: str) -> Order:
        """One order that was paid.

        Raises:
            OrderError: There is none of that number.
            StoreError: The database cannot be read.
        """
        with reading(self._engine) as connection:
            order = self._book.get(connection, order_id)
        if not order.paid:
            raise OrderError(f"There is no order {order_id}.")
        return order

    def add_to_list(self, text: str, sku: str | None = None, quantity: int = 1, person: str | None = None) -> None:
        """Puts something on the shopping list of a person, or on the household's.

        Raises:
            StoreError: The database refused; the list stays as it is.
        """
        with transaction(self._engine, self._household) as connection:
            append_entry(connection, self._household, ListEntry(text, sku, quantity, self._clock(), person))

    def shopping_list(self) -> tuple[ListEntry, ...]:
        """What is on all shopping lists of the household, oldest first.

        Raises:
            StoreError: The database cannot be read.
        """
        with reading(self._engine) as connection:
            return read_entries(connection, self._household)

    def _cancellable(self, connection: Connection, order_id: str) -> Order:
        order = self._book.get(connection, order_id)
        if not order.cancellable:
            raise OrderError(f"Order {order_id} is {order.status.words} and cannot be cancelled any more.")
        return order
