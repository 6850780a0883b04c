"""Products of which not every combination of options is sold, each with a stock of its own."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from household_shop import OPENING, PRODUCTS, buy, dollars, open_shop
from spoken_shop import SpokenShop

from assistant.errors import SoldOut
from assistant.parts import Parts
from assistant.service.http.bodies import WantedOrder
from assistant.service.http.order_desk import OrderDesk
from assistant.settings import Settings
from assistant.shop.addresses import AddressBook
from assistant.shop.cart import Cart, line_for
from assistant.shop.feeds.reading import open_feed
from assistant.shop.product import Option, OptionValue, Product, Variant

on_each_database = pytest.mark.usefixtures("on_each_database")

SIZE = Option("size", (OptionValue("small"), OptionValue("large")), required=True)
COLOR = Option("color", (OptionValue("red"), OptionValue("blue")), required=True)


def variant(size: str, color: str, price: str, stock: int | None) -> Variant:
    return Variant(f"{size}-{color}", {"size": size, "color": color}, dollars(price), stock)


TEE = Product(
    "tee",
    {"en": "cotton tee"},
    dollars("10.00"),
    category="Clothes",
    options=(SIZE, COLOR),
    stock=5,
    variants=(
        variant("small", "red", "10.00", 3),
        variant("small", "blue", "11.00", 2),
        variant("large", "red", "12.50", 0),
    ),
)


def tees(quantity: int, size: str, color: str) -> Cart:
    return Cart("USD").add(line_for(TEE, quantity, {"size": size, "color": color}))


def stocks(shop) -> dict[str, int | None]:
    (tee,) = (product for product in shop.store.products() if product.sku == "tee")
    return {"tee": tee.stock} | {one.sku: one.stock for one in tee.variants}


@pytest.fixture
def shop(tmp_path):
    shop = open_shop(tmp_path)
    shop.store.import_catalog((*PRODUCTS, TEE))
    yield shop
    shop.engine.dispose()


@on_each_database
class TestStock:
    def test_each_combination_is_counted_down_and_put_back(self, shop):
        order = buy(shop, tees(2, "small", "red"), "first")
        assert stocks(shop) == {"tee": 3, "small-red": 1, "small-blue": 2, "large-red": 0}
        shop.store.cancel_order(order.id)
        assert stocks(shop) == {"tee": 5, "small-red": 3, "small-blue": 2, "large-red": 0}

    @pytest.mark.parametrize("quantity, size", [(1, "large"), (4, "small")])
    def test_no_more_of_a_combination_is_sold_than_there_is(self, shop, quantity, size):
        with pytest.raises(SoldOut, match=f"of {size}-red are left"):
            shop.store.begin_order(tees(quantity, size, "red"), "key")
        assert stocks(shop)["tee"] == 5

    def test_what_another_household_is_paying_for_is_not_there(self, shop, tmp_path):
        other = open_shop(tmp_path, "other")
        other.store.begin_order(tees(2, "small", "red"), "theirs")
        with pytest.raises(SoldOut, match="Only 1 of small-red"):
            shop.store.begin_order(tees(2, "small", "red"), "mine")
        order = shop.store.begin_order(tees(2, "small", "blue"), "blue")
        assert order.total == dollars("22.00")

    def test_a_combination_that_is_not_sold_is_not_sold(self, shop):
        line = replace(tees(1, "small", "red").lines[0], options={"size": "large", "color": "blue"})
        with pytest.raises(SoldOut, match="not sold"):
            shop.store.begin_order(Cart("USD", (line,)), "key")
        with pytest.raises(ValueError, match="together"):
            line_for(TEE, 1, {"size": "large", "color": "blue"})

    def test_a_combination_that_is_counted_beside_one_that_is_not(self, shop):
        endless = replace(TEE.variants[1], stock=None)
        shop.store.import_catalog([replace(TEE, stock=None, variants=(TEE.variants[0], endless, TEE.variants[2]))])
        buy(shop, tees(50, "small", "blue"), "many")
        with pytest.raises(SoldOut, match="Only 3 of small-red"):
            shop.store.begin_order(tees(4, "small", "red"), "key")

    def test_many_households_at_once_get_no_more_than_there_is(self, tmp_path, shop):
        def want(number: int) -> bool:
            mine = open_shop(tmp_path, f"household {number}", seed=number)
            try:
                buy(mine, tees(1, "small", "red"), f"key {number}")
            except SoldOut:
                return False
            finally:
                mine.engine.dispose()
            return True

        with ThreadPoolExecutor(2) as pool:
            assert sum(pool.map(want, range(4))) == 3
        assert stocks(shop) == {"tee": 2, "small-red": 0, "small-blue": 2, "large-red": 0}

    def test_two_lines_of_a_product_are_counted_apart(self, shop):
        cart = tees(3, "small", "red").add(tees(2, "small", "blue").lines[0])
        order = buy(shop, cart, "both")
        assert order.total == dollars("52.00")
        assert stocks(shop) == {"tee": 0, "small-red": 0, "small-blue": 0, "large-red": 0}


@on_each_database
def test_the_service_quotes_nothing_that_it_would_not_sell(shop):
    desk = OrderDesk(shop.engine, "home", shop.store, AddressBook(shop.engine, "home"), lambda: datetime.now(UTC))

    def wanted(quantity: int, size: str, color: str) -> WantedOrder:
        line = {"sku": "tee", "quantity": quantity, "options": {"size": size, "color": color}}
        return WantedOrder.model_validate({"lines": [line], "total": {"minor": 1, "currency": "USD"}})

    assert desk.quote(wanted(3, "small", "red")).total == dollars("30.00")
    for refused in (wanted(1, "large", "red"), wanted(4, "small", "red"), wanted(1, "large", "blue")):
        with pytest.raises(SoldOut):
            desk.quote(refused)


def test_a_feed_that_is_not_imported_counts_them_too(tmp_path):
    shop = open_shop(tmp_path, products=(TEE,))
    buy(shop, tees(2, "small", "red"), "first")
    assert stocks(shop) == {"tee": 3, "small-red": 1, "small-blue": 2, "large-red": 0}
    with pytest.raises(SoldOut, match="Only 1 of small-red"):
        shop.store.begin_order(tees(2, "small", "red"), "second")


class TestTalk:
    @pytest.fixture
    def talk(self, tmp_path):
        shop = open_shop(tmp_path)
        shop.store.import_catalog((TEE,))
        parts = Parts(Settings(), (TEE,), tmp_path, lambda line: None)
        return SpokenShop(tmp_path, shop, "home", parts)

    def test_only_what_is_sold_is_read_out_and_what_leaves_no_choice_is_not_asked(self, talk):
        assert talk.say("order a small cotton tee") == "Which color for cotton tee: red or blue?"
        assert "one cotton tee, small, blue. The total is eleven dollars" in talk.say("blue")

    def test_a_combination_that_is_sold_out_is_never_put_in(self, talk):
        said = talk.say("order a large cotton tee")
        assert "cotton tee in large and red is out of stock. Which size for cotton tee: small?" in said
        assert "one cotton tee, small, red. The total is ten dollars" in talk.say("yes")

    def test_a_combination_that_is_not_sold_is_asked_about(self, talk):
        said = talk.say("order a large blue cotton tee")
        assert "Cotton tee doesn't come in large and blue together. Which color for cotton tee: red?" in said
        assert talk.conversation._store.cart() == Cart("USD")

    def test_no_more_is_taken_than_is_left_of_it(self, talk):
        assert "There are only three left of cotton tee" in talk.say("order four small red cotton tees")

    def test_a_change_that_is_not_sold_leaves_the_cart(self, talk):
        talk.say("order two small blue cotton tees")
        said = talk.say("make it large")
        assert "together" in said or "out of stock" in said
        assert talk.conversation._store.cart().total == dollars("22.00")


SHOPIFY = (
    "Handle,Title,Option1 Name,Option1 Value,Option2 Name,Option2 Value,Variant SKU,Variant Inventory Tracker,"
    "Variant Inventory Qty,Variant Price\n"
    "tee,Cotton Tee,Size,Small,Color,Red,T-S-R,shopify,3,10.00\n"
    "tee,,,Large,,Red,T-L-R,shopify,0,12.50\n"
)


def test_what_an_imported_table_has_none_of_is_not_sold(tmp_path):
    path = tmp_path / "shop.csv"
    path.write_text(SHOPIFY)
    shop = open_shop(tmp_path)
    shop.store.import_catalog(open_feed(path).products)
    parts = Parts(Settings(), shop.store.products(), tmp_path, lambda line: None)
    talk = SpokenShop(tmp_path, shop, "home", parts)
    assert "out of stock" in talk.say("order a large cotton tee")
    assert "one Cotton Tee, Small, Red. The total is ten dollars" in talk.say("order a small cotton tee")
    talk.say("yes")
    assert "Thank you" in talk.repeat_digits()
    assert shop.wallet.balance() == OPENING - dollars("10.00")
