from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from household_shop import (
    BREAD,
    LATTE,
    OAT,
    OPENING,
    PRODUCTS,
    ROAST,
    SIZE,
    buy,
    cart_of,
    check_books,
    dollars,
    open_shop,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from assistant.errors import CatalogMissing, FeedError, OrderError, PaymentUnavailable, SoldOut, StoreError
from assistant.pay.ledger import Account
from assistant.pay.wallet import Answer
from assistant.shop import schema
from assistant.shop.cart import Cart, CartLine, line_for
from assistant.shop.catalog import RESERVATION
from assistant.shop.database import reading
from assistant.shop.feed import read_feed
from assistant.shop.money import Money
from assistant.shop.orders import OrderStatus
from assistant.shop.product import Product
from assistant.shop.receipt import receipt, render_receipt

on_each_database = pytest.mark.usefixtures("on_each_database")


@pytest.fixture
def shop(tmp_path):
    shop = open_shop(tmp_path)
    shop.store.import_catalog(PRODUCTS)
    yield shop
    check_books(shop)
    shop.engine.dispose()


@pytest.fixture(scope="module")
def one_store(tmp_path_factory):
    """A store for all examples of a property."""
    return open_shop(tmp_path_factory.mktemp("one")).store


def stock(shop, sku="bread"):
    return {product.sku: product.stock for product in shop.store.products()}[sku]


@on_each_database
class TestCatalog:
    def test_products_come_back_as_they_were_imported(self, shop):
        assert shop.store.products() == PRODUCTS

    def test_without_an_import_there_is_none(self, tmp_path):
        shop = open_shop(tmp_path)
        with pytest.raises(CatalogMissing, match="voicecart catalog import"):
            shop.store.products()
        assert shop.store.cart() == Cart("USD")

    def test_another_process_sees_the_new_catalog_at_once_and_never_a_mixture(self, shop, tmp_path):
        other = open_shop(tmp_path)
        assert other.store.products() == PRODUCTS
        with reading(other.engine) as connection:
            before = connection.execute(select(schema.products.c.sku)).scalars().all()
            shop.store.import_catalog([replace(OAT, price=dollars("9.00"))])
            assert connection.execute(select(schema.products.c.sku)).scalars().all() == before
        assert other.store.products() == (replace(OAT, price=dollars("9.00")),)

    def test_a_feed_with_bad_lines_keeps_the_good_ones(self, shop, tmp_path):
        path = tmp_path / "feed.jsonl"
        good = '{"sku": "tea", "name": "tea", "price": {"amount": "1.00", "currency": "USD"}}'
        path.write_text(f"{good}\nrubbish\n" + good.replace('"tea"', '"mint"') + "\n")
        feed = read_feed(path)
        assert shop.store.import_catalog(feed.products) == 2
        assert [product.sku for product in shop.store.products()] == ["tea", "mint"]
        assert [problem.line for problem in feed.problems] == [2]

    def test_a_feed_without_a_product_leaves_the_old_catalog(self, shop):
        with pytest.raises(FeedError):
            shop.store.import_catalog([])
        assert shop.store.products() == PRODUCTS

    def test_an_import_that_fails_halfway_leaves_the_old_catalog(self, shop):
        with pytest.raises(StoreError):
            shop.store.import_catalog([replace(OAT, sku="new"), BREAD, BREAD])
        assert shop.store.products() == PRODUCTS

    def test_the_currency_of_an_empty_cart_is_the_catalog_s(self, shop):
        shop.store.import_catalog([Product("tea", {"en": "tea"}, Money(100, "EUR"))])
        assert shop.store.cart() == Cart("EUR")


@on_each_database
class TestCart:
    def test_it_is_kept_as_it_is(self, shop, tmp_path):
        cart = cart_of((LATTE, 2), (OAT, 1), (BREAD, 3))
        shop.store.save_cart(cart)
        assert open_shop(tmp_path).store.cart() == cart
        shop.store.save_cart(Cart("USD"))
        assert shop.store.cart() == Cart("USD")

    def test_households_have_their_own(self, shop, tmp_path):
        shop.store.save_cart(cart_of((OAT, 1)))
        neighbour = open_shop(tmp_path, "neighbour")
        assert not neighbour.store.cart() and neighbour.store.orders() == ()
        order = buy(shop, cart_of((OAT, 1)), "k")
        for act in (neighbour.store.order, neighbour.store.cancel_order, neighbour.store.complete_order):
            with pytest.raises(OrderError, match="no order"):
                act(order.id)
        assert buy(neighbour, cart_of((OAT, 2)), "k").total == dollars("6.00")
        check_books(neighbour, "neighbour")

    def test_a_quantity_beyond_all_reason_is_refused(self, shop):
        shop.store.save_cart(cart_of((OAT, 1)))
        with pytest.raises(OrderError, match="more than can be ordered"):
            shop.store.save_cart(cart_of((OAT, 10**20)))
        assert shop.store.cart() == cart_of((OAT, 1))

    def test_the_shopping_list(self, shop, tmp_path):
        shop.store.add_to_list("dragon fruit")
        shop.store.add_to_list("oat milk", "oat", 2)
        entries = open_shop(tmp_path).store.shopping_list()
        assert [(entry.text, entry.sku, entry.quantity) for entry in entries] == [
            ("dragon fruit", None, 1),
            ("oat milk", "oat", 2),
        ]
        assert open_shop(tmp_path, "neighbour").store.shopping_list() == ()


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.builds(
            CartLine,
            st.text(min_size=1, max_size=5),
            st.dictionaries(st.sampled_from(["en", "zh", "und"]), st.text(max_size=5), min_size=1),
            st.builds(Money, st.integers(0, 10**12), st.just("USD")),
            st.integers(1, 10**6),
            st.dictionaries(st.text(max_size=5), st.text(max_size=5), max_size=2),
            st.text(max_size=5),
        ),
        max_size=4,
        unique_by=lambda line: line.key,
    )
)
def test_any_cart_comes_back_equal(one_store, lines):
    cart = Cart("USD", tuple(lines))
    one_store.save_cart(cart)
    assert one_store.cart() == cart


@on_each_database
class TestOrders:
    def test_the_way_of_an_order(self, shop):
        cart = cart_of((OAT, 2), (BREAD, 3))
        shop.store.save_cart(cart)
        order = shop.store.begin_order(cart, "key")
        assert order.status is OrderStatus.AWAITING_PAYMENT and order.total == dollars("12.60")
        assert shop.store.cart() == cart and shop.store.orders() == () and stock(shop) == 10
        assert shop.wallet.authorise(order.id, order.total) is Answer.APPROVED
        placed = shop.store.complete_order(order.id)
        assert [change.status for change in placed.history] == ["awaiting_payment", "placed", "paid"]
        assert shop.store.orders() == (placed,) and shop.store.order(order.id) == placed
        assert not shop.store.cart() and stock(shop) == 7
        assert shop.wallet.account(Account.SHOP) == dollars("12.60")

    def test_the_same_key_is_the_same_order(self, shop):
        cart = cart_of((OAT, 2))
        order = shop.store.begin_order(cart, "key")
        assert shop.store.begin_order(cart, "key") == order
        with pytest.raises(OrderError, match="another cart"):
            shop.store.begin_order(cart_of((OAT, 3)), "key")
        shop.wallet.authorise(order.id, order.total)
        placed = shop.store.complete_order(order.id)
        assert shop.store.complete_order(order.id) == placed == shop.store.begin_order(cart, "key")
        assert shop.wallet.balance() == OPENING - dollars("6.00") and len(shop.store.orders()) == 1

    def test_nothing_is_placed_without_exactly_its_payment(self, shop):
        order = shop.store.begin_order(cart_of((BREAD, 2)), "key")
        for amount in (None, dollars("4.39")):
            if amount:
                shop.wallet.authorise(order.id, amount)
            with pytest.raises(PaymentUnavailable):
                shop.store.complete_order(order.id)
            assert shop.store.orders() == () and stock(shop) == 10
        shop.store.abandon_order(order.id)

    def test_an_abandoned_order_gives_the_money_back_and_keeps_the_cart(self, shop):
        cart = cart_of((OAT, 2))
        shop.store.save_cart(cart)
        order = shop.store.begin_order(cart, "key")
        shop.wallet.authorise(order.id, order.total)
        shop.store.abandon_order(order.id)
        shop.store.abandon_order(order.id)
        assert shop.wallet.balance() == OPENING and shop.store.cart() == cart and shop.store.orders() == ()
        with pytest.raises(OrderError, match="given up"):
            shop.store.complete_order(order.id)
        with pytest.raises(OrderError, match="no order"):
            shop.store.order(order.id)

    def test_money_that_is_set_aside_too_late_is_given_back(self, shop):
        order = shop.store.begin_order(cart_of((OAT, 2)), "key")
        shop.store.abandon_order(order.id)
        assert shop.wallet.authorise(order.id, order.total) is Answer.APPROVED
        with pytest.raises(OrderError, match="given up"):
            shop.store.complete_order(order.id)
        shop.store.abandon_order(order.id)
        assert shop.wallet.balance() == OPENING

    def test_a_paid_order_is_not_abandoned(self, shop):
        placed = buy(shop, cart_of((OAT, 1)), "key")
        shop.store.abandon_order(placed.id)
        assert shop.store.order(placed.id) == placed

    def test_only_what_was_bought_leaves_the_cart(self, shop):
        order = shop.store.begin_order(cart_of((OAT, 2)), "key")
        shop.store.save_cart(cart_of((OAT, 3), (BREAD, 1)))
        shop.wallet.authorise(order.id, order.total)
        shop.store.complete_order(order.id)
        assert shop.store.cart() == cart_of((OAT, 1), (BREAD, 1))

    def test_stock_is_kept_for_an_order_that_awaits_its_payment(self, shop, tmp_path):
        neighbour = open_shop(tmp_path, "neighbour", seed=2)
        order = shop.store.begin_order(cart_of((OAT, 1), (BREAD, 6)), "key")
        assert stock(shop) == 10 and stock(neighbour) == 4
        with pytest.raises(SoldOut, match="Only 4 of bread"):
            neighbour.store.begin_order(cart_of((BREAD, 5)), "other")
        shop.store.abandon_order(order.id)
        assert stock(neighbour) == 10
        placed = buy(neighbour, cart_of((BREAD, 9)), "more")
        assert stock(shop) == stock(neighbour) == 1
        with pytest.raises(SoldOut, match="Only 1 of bread"):
            shop.store.begin_order(cart_of((BREAD, 2)), "again")
        neighbour.store.cancel_order(placed.id)
        assert stock(shop) == 10

    def test_two_combinations_of_one_product_share_its_stock(self, shop):
        latte = replace(LATTE, stock=3)
        shop.store.import_catalog([latte])
        small, large = (line_for(latte, 2, {"size": size}) for size in ("small", "large"))
        with pytest.raises(SoldOut, match="Only 3 of latte"):
            shop.store.begin_order(Cart("USD").add(small).add(large), "key")

    def test_too_little_stock_after_the_reservation_ran_out_is_no_order(self, shop, tmp_path):
        now = datetime.now(UTC)
        later = open_shop(tmp_path, seed=2, clock=lambda: now + RESERVATION + timedelta(seconds=1))
        cart = cart_of((OAT, 1), (BREAD, 6))
        order = shop.store.begin_order(cart, "key")
        shop.wallet.authorise(order.id, order.total)
        assert stock(later) == 10
        buy(later, cart_of((BREAD, 5)), "other")
        shop.store.save_cart(cart)
        with pytest.raises(OrderError, match="Only 5 of bread"):
            shop.store.complete_order(order.id)
        shop.store.abandon_order(order.id)
        assert stock(shop) == 5 and shop.wallet.balance() == OPENING - dollars("11.00") and shop.store.cart() == cart

    def test_what_is_no_longer_sold_is_no_order(self, shop):
        order = shop.store.begin_order(cart_of((BREAD, 1)), "key")
        shop.wallet.authorise(order.id, order.total)
        shop.store.import_catalog([OAT])
        with pytest.raises(OrderError, match="not sold any more"):
            shop.store.complete_order(order.id)
        shop.store.abandon_order(order.id)

    def test_what_is_no_longer_sold_with_these_options_is_no_order(self, shop):
        smaller = replace(LATTE, options=(replace(SIZE, values=SIZE.values[:1]), ROAST))
        shop.store.import_catalog([OAT, smaller])
        with pytest.raises(SoldOut, match="latte is not sold with"):
            shop.store.begin_order(cart_of((OAT, 1), (LATTE, 1)), "key")
        assert shop.store.recover() == () and shop.wallet.balance() == OPENING

    def test_cancelling_gives_back_money_and_stock_once(self, shop):
        placed = buy(shop, cart_of((BREAD, 4)), "key")
        cancelled = shop.store.cancel_order(placed.id)
        assert cancelled.status is OrderStatus.REFUNDED and shop.store.orders() == (cancelled,)
        assert stock(shop) == 10 and shop.wallet.balance() == OPENING
        with pytest.raises(OrderError, match="cannot be cancelled"):
            shop.store.cancel_order(placed.id)
        assert stock(shop) == 10 and shop.wallet.balance() == OPENING

    def test_what_is_on_its_way_is_not_cancelled(self, shop):
        placed = buy(shop, cart_of((OAT, 1)), "key")
        for status in (OrderStatus.PACKED, OrderStatus.SHIPPED):
            shop.store.move_order(placed.id, status)
        with pytest.raises(OrderError, match="is shipped and cannot be cancelled"):
            shop.store.cancel_order(placed.id)
        with pytest.raises(OrderError, match="cannot become paid"):
            shop.store.move_order(placed.id, OrderStatus.PAID)

    def test_orders_that_are_not_paid_cannot_be_cancelled(self, shop):
        order = shop.store.begin_order(cart_of((OAT, 1)), "key")
        with pytest.raises(OrderError, match="awaiting payment"):
            shop.store.cancel_order(order.id)

    def test_an_empty_cart_is_no_order(self, shop):
        with pytest.raises(OrderError, match="empty cart"):
            shop.store.begin_order(Cart("USD"), "key")

    def test_newest_first_and_numbers_that_can_be_said(self, shop):
        bought = [buy(shop, cart_of((OAT, 1)), f"key {number}").id for number in range(30)]
        assert [order.id for order in shop.store.orders()] == bought[::-1]
        assert [order.id for order in shop.store.orders(limit=2)] == bought[:-3:-1]
        assert len(set(bought)) == 30
        for number in bought:
            assert len(number) == 4 and number.isdecimal() and number[0] != "0"
            assert all(one != other for one, other in pairwise(number))

    def test_recovery_gives_up_what_was_left(self, shop, tmp_path):
        kept = buy(shop, cart_of((OAT, 1)), "kept")
        begun = shop.store.begin_order(cart_of((OAT, 2)), "begun")
        held = shop.store.begin_order(cart_of((BREAD, 2)), "held")
        shop.wallet.authorise(held.id, held.total)
        late = shop.store.begin_order(cart_of((OAT, 3)), "late")
        shop.store.abandon_order(late.id)
        shop.wallet.authorise(late.id, late.total)
        neighbour = open_shop(tmp_path, "neighbour")
        waiting = neighbour.store.begin_order(cart_of((OAT, 1)), "k")
        again = open_shop(tmp_path)
        assert set(again.store.recover()) == {begun.id, held.id, late.id}
        assert again.store.recover() == ()
        assert again.store.orders() == (kept,) and again.wallet.balance() == OPENING - kept.total
        assert neighbour.store.begin_order(cart_of((OAT, 1)), "k") == waiting


@on_each_database
class TestFeedThatIsNotImported:
    def test_it_is_sold_from_and_counted(self, tmp_path):
        shop = open_shop(tmp_path, products=PRODUCTS)
        assert shop.store.products() == PRODUCTS
        order = buy(shop, cart_of((BREAD, 4)), "one")
        assert stock(shop) == 6
        with pytest.raises(SoldOut, match="Only 6"):
            shop.store.begin_order(cart_of((BREAD, 7)), "two")
        shop.store.cancel_order(order.id)
        assert stock(shop) == 10
        buy(shop, cart_of((BREAD, 3)), "three")
        assert stock(shop) == 7
        check_books(shop)
        # Opened again, the feed's own figures hold; what was bought before is none of its business.
        assert stock(open_shop(tmp_path, products=PRODUCTS)) == 10
        with pytest.raises(CatalogMissing):
            open_shop(tmp_path).store.products()

    def test_the_imported_products_are_the_imported_catalog(self, shop, tmp_path):
        buy(shop, cart_of((BREAD, 4)), "one")
        again = open_shop(tmp_path, products=shop.store.products())
        assert stock(again) == 6
        buy(again, cart_of((BREAD, 1)), "two")
        assert stock(shop) == 5


ACTIONS = st.lists(
    st.tuples(
        st.sampled_from(["begin", "authorise", "complete", "abandon", "cancel", "pack", "recover", "restart"]),
        st.integers(0, 3),
        st.integers(1, 4),
    ),
    max_size=25,
)


@settings(max_examples=25, deadline=None)
@given(ACTIONS)
def test_whatever_happens_in_whatever_order_books_and_stock_agree(tmp_path_factory, actions):
    folder = tmp_path_factory.mktemp("shop")
    shop = open_shop(folder)
    shop.store.import_catalog(PRODUCTS)
    orders = {}
    for number, (action, which, quantity) in enumerate(actions):
        order = orders.get(which)
        try:
            match action:
                case "begin":
                    orders[which] = shop.store.begin_order(cart_of((BREAD, quantity), (OAT, 1)), f"key {number}")
                case "authorise" if order:
                    shop.wallet.authorise(order.id, order.total)
                case "complete" if order:
                    shop.store.complete_order(order.id)
                case "abandon" if order:
                    shop.store.abandon_order(order.id)
                case "cancel" if order:
                    shop.store.cancel_order(order.id)
                case "pack" if order:
                    shop.store.move_order(order.id, OrderStatus.PACKED)
                case "recover":
                    shop.store.recover()
                case "restart":
                    shop.engine.dispose()
                    shop = open_shop(folder)
                    shop.store.recover()
        except (OrderError, PaymentUnavailable):
            pass
        sold = sum(
            line.quantity
            for order in shop.store.orders()
            if order.status is not OrderStatus.REFUNDED
            for line in order.lines
            if line.sku == "bread"
        )
        assert stock(shop) == 10 - sold >= 0
    shop.store.recover()
    check_books(shop)
    assert shop.wallet.account(Account.HELD).minor == 0
    shop.engine.dispose()


def test_the_receipt_in_words(shop):
    placed = buy(shop, cart_of((OAT, 2), (LATTE, 1)), "key")
    at = datetime(2026, 1, 2, 15, 4, 5, tzinfo=UTC)
    placed = replace(placed, id="4721", history=tuple(replace(change, at=at) for change in placed.history))
    text = render_receipt(receipt(placed, "en", UTC), width=40)
    assert text.splitlines() == [
        "Order 4721",
        "─" * 40,
        "oat milk                           $6.00",
        "  2 × $3.00",
        "latte                              $4.50",
        "  1 × $4.50",
        "  size: large",
        "  roast: light",
        "─" * 40,
        "Total                             $10.50",
        "─" * 40,
        "awaiting payment Jan 2, 2026, 3:04:05 PM",
        "placed           Jan 2, 2026, 3:04:05 PM",
        "paid             Jan 2, 2026, 3:04:05 PM",
    ]


def test_a_name_longer_than_the_receipt_has_a_line_of_its_own(shop):
    long = replace(OAT, names={"en": "very " * 10 + "long"})
    shop.store.import_catalog([long])
    lines = render_receipt(receipt(buy(shop, cart_of((long, 1)), "k"), "en", UTC), width=30).splitlines()
    assert lines[2] == long.name("en") and lines[3] == "$3.00".rjust(30)
    assert line_for(long, 1).name("en") in lines[2]
