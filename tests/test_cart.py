from dataclasses import replace
from itertools import pairwise

import pytest
from household_shop import BREAD, LATTE, OAT, PRODUCTS, cart_of, dollars
from hypothesis import given
from hypothesis import strategies as st

from assistant.errors import OrderError
from assistant.shop.cart import Cart, CartLine, LineKey, line_for, missing_options
from assistant.shop.money import Money
from assistant.shop.orders import FOLLOWING, Order, OrderStatus, StatusChange
from assistant.shop.product import Product

QUANTITIES = st.integers(1, 50)
LINES = st.one_of(
    st.builds(line_for, st.sampled_from([OAT, BREAD]), QUANTITIES),
    st.builds(
        lambda quantity, size, roast: line_for(LATTE, quantity, {"size": size} | roast),
        QUANTITIES,
        st.sampled_from(["small", "large"]),
        st.just({}) | st.sampled_from([{"roast": "light"}, {"roast": "dark"}]),
    ),
)
CATALOG = {product.sku: product for product in PRODUCTS}


def contents(cart: Cart) -> dict[LineKey, int]:
    return {line.key: line.quantity for line in cart.lines}


def filled(lines: list[CartLine]) -> Cart:
    cart = Cart("USD")
    for line in lines:
        cart = cart.add(line)
    return cart


@st.composite
def changes(draw):
    """A cart after any sequence of changes."""
    cart = Cart("USD")
    for _ in range(draw(st.integers(0, 12))):
        change = draw(st.sampled_from(["add", "change", "take out", "reprice"]))
        if change == "add":
            cart = cart.add(draw(LINES))
        elif change == "change" and cart:
            cart = cart.change_quantity(draw(st.sampled_from(cart.lines)).key, draw(st.integers(0, 60)))
        elif change == "take out":
            cart = cart.take_out(draw(st.lists(LINES, max_size=3)))
        elif change == "reprice":
            cart = cart.repriced(CATALOG)
    return cart


@given(changes())
def test_a_cart_is_never_negative_and_its_total_adds_up(cart):
    assert all(line.quantity >= 1 and line.unit_price.minor >= 0 for line in cart.lines)
    assert len({line.key for line in cart.lines}) == len(cart.lines)
    assert cart.total == Money(sum(line.unit_price.minor * line.quantity for line in cart.lines), "USD")
    assert cart.total.minor >= 0 and bool(cart) == bool(cart.lines)
    assert all(line.total == CATALOG[line.sku].price_with(line.options) * line.quantity for line in cart.lines)


@given(st.lists(LINES, max_size=8), st.randoms(use_true_random=False))
def test_the_order_of_adding_does_not_matter(lines, shuffling):
    before = filled(lines)
    shuffling.shuffle(lines)
    after = filled(lines)
    assert contents(before) == contents(after) and before.total == after.total


@given(changes(), LINES)
def test_what_is_added_is_the_last_line_and_can_be_taken_out_again(cart, line):
    more = cart.add(line)
    assert more.lines[-1].key == line.key
    assert more.total.minor == cart.total.minor + line.total.minor
    assert contents(more.take_out([line])) == contents(cart)


@given(changes())
def test_repricing_at_the_same_prices_changes_nothing(cart):
    assert cart.repriced(CATALOG) == cart
    assert cart.take_out(cart.lines) == Cart("USD")
    assert not cart.repriced({})


def test_a_changed_line_comes_into_focus_and_zero_removes_it():
    cart = cart_of((OAT, 2), (BREAD, 1))
    assert [line.sku for line in cart.change_quantity(LineKey("oat"), 3).lines] == ["bread", "oat"]
    assert [line.sku for line in cart.change_quantity(LineKey("oat"), 0).lines] == ["bread"]


def test_what_makes_no_sense_is_refused():
    cart = cart_of((OAT, 2))
    with pytest.raises(KeyError):
        cart.change_quantity(LineKey("bread"), 1)
    with pytest.raises(ValueError, match="cannot hold -1"):
        cart.change_quantity(LineKey("oat"), -1)
    with pytest.raises(ValueError, match="cannot hold 0"):
        line_for(OAT, 0)
    with pytest.raises(ValueError, match="the cart is in USD"):
        cart.add(line_for(Product("tea", {"en": "tea"}, Money(1, "EUR")), 1))
    with pytest.raises(ValueError, match="needs a size"):
        line_for(LATTE, 1)
    with pytest.raises(ValueError, match="does not come in"):
        line_for(LATTE, 1, {"size": "huge"})
    with pytest.raises(ValueError, match="does not come in"):
        line_for(OAT, 1, {"size": "large"})


def test_options_have_defaults_prices_and_no_order():
    line = line_for(LATTE, 2, {"size": "large"})
    assert dict(line.options) == {"size": "large", "roast": "light"} and line.total == dollars("9.00")
    dark = line_for(LATTE, 1, {"roast": "dark", "size": "large"})
    assert dark.unit_price == dollars("4.25") and dark.key == line_for(LATTE, 5, {"size": "large", "roast": "dark"}).key
    assert [option.name for option in missing_options(LATTE, {})] == ["size"]
    assert missing_options(LATTE, {"size": "small"}) == ()


def test_repricing_takes_new_names_and_prices_and_drops_what_is_gone():
    cart = cart_of((OAT, 2), (LATTE, 1), (BREAD, 1))
    dearer = replace(OAT, price=dollars("3.50"), names={"en": "oat drink"})
    one_size = replace(LATTE, options=LATTE.options[1:])
    abroad = replace(BREAD, price=Money(200, "EUR"))
    now = cart.repriced({"oat": dearer, "latte": one_size, "bread": abroad})
    (line,) = now.lines
    assert line.name("en") == "oat drink" and line.total == dollars("7.00")
    new_option = replace(LATTE, options=(*LATTE.options, replace(LATTE.options[1], name="milk")))
    assert cart.repriced({"latte": new_option}).find("latte") == cart.find("latte")


def test_names_and_json():
    line = line_for(OAT, 2)
    assert (line.name("zh"), line.name("fr"), line_for(BREAD, 1).name("en")) == ("燕麦奶", "oat milk", "brown bread")
    assert line.to_json("en") == {
        "sku": "oat",
        "name": "oat milk",
        "quantity": 2,
        "options": {},
        "unit_price": 300,
        "total": 600,
    }


# Orders.


def order_in(status: OrderStatus, moment) -> Order:
    cart = cart_of((OAT, 2))
    return Order("4721", "home", "key", cart.lines, cart.total, (StatusChange(status, moment),))


@given(st.lists(st.sampled_from(OrderStatus), max_size=12), st.datetimes(timezones=st.timezones()))
def test_an_order_only_moves_where_its_status_allows(path, moment):
    order = order_in(OrderStatus.AWAITING_PAYMENT, moment)
    for status in path:
        if status in FOLLOWING[order.status]:
            order = order.moved(status, moment)
            assert order.status is status
        else:
            with pytest.raises(OrderError, match="cannot become"):
                order.moved(status, moment)
    statuses = [change.status for change in order.history]
    assert all(after in FOLLOWING[before] for before, after in pairwise(statuses))
    assert order.paid == (OrderStatus.PAID in statuses)
    if order.paid:
        assert statuses[:3] == [OrderStatus.AWAITING_PAYMENT, OrderStatus.PLACED, OrderStatus.PAID]


def test_every_status_has_followers_and_none_leads_back():
    assert set(FOLLOWING) == set(OrderStatus)
    later: dict[OrderStatus, set[OrderStatus]] = {}

    def reach(status: OrderStatus) -> set[OrderStatus]:
        if status not in later:
            later[status] = set()
            later[status] = {after for next_one in FOLLOWING[status] for after in {next_one, *reach(next_one)}}
        return later[status]

    assert all(status not in reach(status) for status in OrderStatus)
