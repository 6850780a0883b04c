"""Promotions through the shop: files of them, the bill that an order keeps, coupons, and prices that change."""

import json
import os
import random
import re
import signal
import uuid
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from household_shop import OPENING, check_books, dollars, open_shop
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import update

from assistant.commands.main import main
from assistant.errors import FeedError, PriceChanged
from assistant.pay.wallet import Answer
from assistant.settings import Talk
from assistant.shop import schema
from assistant.shop.cart import Cart, line_for
from assistant.shop.database import open_database
from assistant.shop.orders import OrderStatus
from assistant.shop.product import Product, Sale
from assistant.shop.promotions.bill import ChargeKind
from assistant.shop.promotions.offers import deals, newest
from assistant.shop.promotions.rule_entries import RuleDocument
from assistant.shop.promotions.rule_file import parse_rules, read_rule_file
from assistant.shop.promotions.rules import MultiBuy, PercentOff, SpendAndSave
from assistant.shop.promotions.tables import PRICE_TABLES
from assistant.shop.receipt import receipt, render_receipt
from assistant.talk import inputs
from assistant.talk.actions import AbandonPayment, BeginPayment, Say, UseCoupon
from assistant.talk.dialogue import advance
from assistant.talk.situation import Knowledge, Situation, State
from assistant.understand.understanding import Intent, Understanding

NOON = datetime(2026, 11, 11, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)

COFFEE = Product("COFFEE", {"en": "coffee", "zh": "咖啡"}, dollars("5.00"), category="Coffee", unit="bag")
COLA = Product("COLA", {"en": "cola"}, dollars("1.50"), category="Drinks", unit="bottle")
HONEY = Product("HONEY", {"en": "honey"}, dollars("5.55"), category="Pantry", unit="jar", stock=40)
SOAP = Product("SOAP", {"en": "soap"}, dollars("1.99"), category="Household")
OAT = Product("OAT", {"en": "oat milk"}, dollars("2.49"), sale=Sale(dollars("1.99"), NOON - HOUR, NOON + HOUR))
PRODUCTS = (COFFEE, COLA, HONEY, SOAP, OAT)
BY_SKU = {product.sku: product for product in PRODUCTS}

FILE = """
currency = "USD"
[[promotions]]
id = "coffee-3-2"
name = { en = "three for two on coffee", zh = "咖啡三件付两件" }
multi_buy = { buy = 3, pay = 2 }
categories = ["Coffee"]
ends = 2026-11-11T13:00:00Z
[[promotions]]
id = "spring"
name = "spring ten"
percent_off = 10
coupon = "Spring  Ten"
categories = ["Pantry"]
stacks = true
[[promotions]]
id = "club"
name = "the member price of soap"
price = 1.50
skus = ["SOAP"]
programme = "club"
[[promotions]]
id = "ten"
name = "two off ten"
spend_and_save = { spend = 10.00, save = 2 }
[[deposits]]
name = "bottle deposit"
amount = 0.25
categories = ["Drinks"]
[taxes]
included = false
[[taxes.rates]]
name = "sales tax"
percent = 8.25
categories = ["Household"]
"""


def document(text: str = FILE) -> RuleDocument:
    return parse_rules(text.encode())


def cart_of(**quantities: int) -> Cart:
    cart = Cart("USD")
    for sku, quantity in quantities.items():
        cart = cart.add(line_for(BY_SKU[sku], quantity))
    return cart


class Clock:
    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def shop(tmp_path, clock):
    shop = open_shop(tmp_path, products=PRODUCTS, clock=clock)
    shop.store.prices.switch(document())
    return shop


def pay(shop, order):
    assert shop.wallet.authorise(order.id, order.total) is Answer.APPROVED
    return shop.store.complete_order(order.id)


class TestFile:
    def test_a_file_becomes_rules(self):
        rules = document().to_rules()
        coffee, spring, _, ten = rules.promotions
        assert (coffee.deal, coffee.name("zh"), coffee.ends) == (MultiBuy(3, 2), "咖啡三件付两件", NOON + HOUR)
        assert (spring.deal, spring.coupon, spring.stacks) == (PercentOff(1000), "spring ten", True)
        assert ten.deal == SpendAndSave(1000, 200)
        assert (rules.deposits[0].amount, rules.taxes.rates[0].basis_points, rules.taxes.included) == (25, 825, False)

    def test_what_is_kept_in_the_database_is_the_same(self, shop, tmp_path):
        assert shop.store.prices.rules() == document().to_rules()
        assert open_shop(tmp_path).store.prices.rules() == document().to_rules()

    @pytest.mark.parametrize(
        ("promotion", "complaint"),
        [
            ("percent_off = 101", "promotion 1 (a): percent_off: 101 is not a percentage"),
            ("percent_off = 33.333", "at most two decimals"),
            ("percent_off = 10\nprice = 1", "exactly one of"),
            ("", "found none"),
            ("amount_off = 0.505", "amount_off: 0.505 has more decimals than USD has"),
            ("amount_off = -1", "-1 is negative"),
            ("amount_off = 0", "amount_off: it is nothing"),
            ("price = nan", "not a decimal amount"),
            ("multi_buy = { buy = 2, pay = 2 }", "saves nothing"),
            ("spend_and_save = { spend = 1, save = 2 }", "saves more than is spent"),
            ("price = 1\nstacks = true", "only percent_off and amount_off"),
            ("price = 1\nuses = 2", "only a coupon"),
            ('price = 1\ncoupon = "spring10"', "words as they are said"),
            ("price = 1\nbegins = 2026-11-11", "its time zone"),
            ("price = 1\nends = 2026-11-11T10:00:00", "its time zone"),
            ("price = 1\nbegins = 2026-11-11T10:00:00Z\nends = 2026-11-11T10:00:00Z", "ends before it begins"),
            ('price = 1\nexcludes = ["b"]', "excludes 'b', which is not there"),
            ("price = 1\ncolour = 1", "colour: there is no such key"),
            ('price = 1\n[[promotions]]\nid = "a"\nname = "a"\nprice = 1', "promotion 2 (a): there is another one"),
        ],
    )
    def test_a_bad_entry_is_named(self, promotion, complaint):
        with pytest.raises(FeedError) as caught:
            document(f'currency = "USD"\n[[promotions]]\nid = "a"\nname = "a"\n{promotion}\n')
        assert complaint in caught.value.message and "nothing was changed" in caught.value.message

    def test_what_is_no_file_of_promotions(self, tmp_path):
        for content in (
            b"",
            b"currency = 'XXQ'",
            b"x =",
            b"\xff\xfe",
            b"promotions = 3\ncurrency = 'USD'",
            b"[" * 5000,
        ):
            with pytest.raises(FeedError):
                parse_rules(content)
        with pytest.raises(FeedError, match="Cannot read"):
            read_rule_file(tmp_path / "nothing.toml")

    @given(st.binary(max_size=200) | st.text(max_size=100).map(str.encode))
    def test_no_content_breaks_the_reader(self, content):
        try:
            parse_rules(content)
        except FeedError as error:
            assert error.message

    def test_every_amount_is_exact(self):
        for minor in range(1, 2000):
            text = f'currency = "USD"\n[[deposits]]\nname = "d"\namount = {minor // 100}.{minor % 100:02d}\n'
            assert document(text).to_rules().deposits[0].amount == minor


class TestOrders:
    def test_one_bill_is_agreed_authorised_captured_and_kept(self, shop):
        cart = cart_of(COFFEE=3, COLA=2, SOAP=1)
        shop.store.save_cart(cart)
        bill = shop.store.prices.pricing().bill(cart, BY_SKU)
        # 15.00 - 5.00, 3.00 + 0.50, 1.99 - share of 2.00 off, + 8.25 %.
        order = shop.store.begin_order(cart, "key", bill.total)
        assert order.bill == bill and order.total == bill.total
        placed = pay(shop, order)
        assert shop.wallet.balance() == OPENING - bill.total
        assert shop.store.order(placed.id).bill == bill and not shop.store.cart()
        check_books(shop)
        shop.store.cancel_order(placed.id)
        assert shop.wallet.balance() == OPENING
        check_books(shop)

    def test_another_total_than_the_one_agreed_on_is_no_order(self, shop, clock):
        cart = cart_of(COFFEE=3)
        agreed = shop.store.prices.pricing().bill(cart, BY_SKU).total
        clock.now = NOON + HOUR
        with pytest.raises(PriceChanged) as caught:
            shop.store.begin_order(cart, "key", agreed)
        assert "it is 13.00 USD now, not 8.00 USD" in caught.value.message
        assert shop.store.orders() == () and shop.store.recover() == ()
        assert shop.store.begin_order(cart, "key", dollars("13.00")).total == dollars("13.00")

    def test_a_deal_that_ends_while_the_digits_are_said_still_counts(self, shop, clock):
        cart = cart_of(OAT=2)
        order = shop.store.begin_order(cart, "key", dollars("3.98"))
        clock.now = NOON + 2 * HOUR
        assert shop.store.begin_order(cart, "key") == order
        assert pay(shop, order).total == dollars("3.98")
        assert shop.store.prices.pricing().bill(cart, BY_SKU).total == dollars("4.98")

    def test_killed_after_it_was_begun_an_order_keeps_its_bill(self, tmp_path):
        shop = open_shop(tmp_path)
        shop.store.import_catalog(PRODUCTS)
        shop.store.prices.switch(document(FILE.replace("ends = 2026-11-11T13:00:00Z", "")))
        cart = cart_of(COFFEE=3, COLA=2)
        shop.store.save_cart(cart)
        shop.engine.dispose()
        process = os.fork()
        if not process:
            shop = open_shop(tmp_path)
            order = shop.store.begin_order(cart, "key", dollars("11.50"))
            shop.wallet.authorise(order.id, order.total)
            os.kill(os.getpid(), signal.SIGKILL)
        assert os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]) == -signal.SIGKILL
        shop = open_shop(tmp_path)
        shop.store.prices.switch(document('currency = "USD"'))
        order = shop.store.begin_order(cart, "key")
        assert order.total == dollars("11.50") == order.bill.total
        kinds = [charge.kind for charge in order.charges]
        assert kinds == [ChargeKind.DISCOUNT, ChargeKind.DISCOUNT, ChargeKind.DISCOUNT, ChargeKind.DEPOSIT]
        placed = shop.store.complete_order(order.id)
        assert placed.bill == order.bill and shop.wallet.balance() == OPENING - order.total
        check_books(shop)

    def test_an_order_of_an_older_database_has_its_total_and_no_charges(self, tmp_path):
        shop = open_shop(tmp_path, products=PRODUCTS)
        placed = pay(shop, shop.store.begin_order(cart_of(HONEY=2), "key"))
        with shop.engine.begin() as connection:
            schema.metadata.drop_all(connection, tables=PRICE_TABLES)
            connection.execute(update(schema.schema_version).values(version=2))
        shop.engine.dispose()
        open_database(tmp_path).dispose()
        order = open_shop(tmp_path).store.order(placed.id)
        assert order.charges == () and order.total == order.bill.total == dollars("11.10") - dollars("2.00") * 0


class TestCoupons:
    def test_a_coupon_counts_once_it_is_named_until_it_is_used_up(self, shop):
        cart = cart_of(HONEY=1)
        assert shop.store.begin_order(cart, "before").total == dollars("5.55")
        shop.store.prices.name_coupon("spring")
        shop.store.prices.name_coupon("spring")
        order = shop.store.begin_order(cart, "first")
        assert order.total == dollars("4.99")  # 55.5 off: the half goes to the buyer
        # An order that awaits its payment holds the coupon.
        assert shop.store.begin_order(cart, "second").total == dollars("5.55")
        shop.store.abandon_order(order.id)
        placed = pay(shop, shop.store.begin_order(cart, "third", dollars("4.99")))
        assert shop.store.begin_order(cart, "fourth").total == dollars("5.55")
        shop.store.cancel_order(placed.id)
        assert shop.store.begin_order(cart, "fifth").total == dollars("4.99")

    def test_a_coupon_is_one_household_s(self, shop, tmp_path, clock):
        shop.store.prices.name_coupon("spring")
        neighbour = open_shop(tmp_path, "neighbour", products=PRODUCTS, clock=clock)
        assert neighbour.store.begin_order(cart_of(HONEY=1), "key").total == dollars("5.55")

    def test_members_pay_the_member_price(self, tmp_path, clock):
        for number, (programmes, total) in enumerate((((), "2.15"), (("club",), "1.62"))):
            member = open_shop(tmp_path, f"home {number}", products=PRODUCTS, clock=clock, programmes=programmes)
            member.store.prices.switch(document())
            assert member.store.begin_order(cart_of(SOAP=1), "key").total == dollars(total)


def amount(text: str) -> Decimal:
    return Decimal(re.sub(r"[^\d.-]", "", text))


class TestReceipt:
    def test_a_receipt_names_everything(self, shop):
        order = pay(shop, shop.store.begin_order(cart_of(COFFEE=3, COLA=2, SOAP=1), "key"))
        printed = render_receipt(receipt(order, "en", UTC))
        for words in ("Subtotal", "three for two on coffee", "two off ten", "bottle deposit", "sales tax", "Total"):
            assert words in printed, printed

    def test_included_taxes_are_told_and_not_added(self, shop):
        shop.store.prices.switch(document(FILE.replace("included = false", "included = true")))
        found = receipt(shop.store.begin_order(cart_of(SOAP=1), "key"), "en", UTC)
        assert (found.total, found.charges, found.included) == ("$1.99", (), (("including sales tax", "$0.15"),))

    def test_without_promotions_it_is_as_it_always_was(self, shop):
        found = receipt(shop.store.begin_order(cart_of(HONEY=1), "key"), "en", UTC)
        assert (found.charges, found.included, found.total) == ((), (), "$5.55")


CARTS = st.dictionaries(st.sampled_from(sorted(BY_SKU)), st.integers(1, 6), min_size=1)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(CARTS, st.booleans(), st.booleans(), st.integers(-2, 2), st.randoms(use_true_random=False))
def test_every_receipt_adds_up_and_no_order_of_things_matters(tmp_path, quantities, coupon, member, hours, chance):
    clock = Clock()
    clock.now = NOON + hours * HOUR
    household = uuid.uuid4().hex
    programmes = ("club",) if member else ()
    shop = open_shop(tmp_path, household, products=PRODUCTS, clock=clock, programmes=programmes)
    if shop.store.prices.rules() != document().to_rules():
        shop.store.prices.switch(document())
    if coupon:
        shop.store.prices.name_coupon("spring")
    cart = cart_of(**quantities)
    lines = list(cart.lines)
    chance.shuffle(lines)
    pricing = shop.store.prices.pricing()
    assert pricing.bill(Cart("USD", tuple(lines)), BY_SKU).total == pricing.bill(cart, BY_SKU).total
    order = pay(shop, shop.store.begin_order(cart, "key", pricing.bill(cart, BY_SKU).total))
    assert order.total == order.bill.total and order.total.minor >= 0
    assert shop.wallet.balance() == OPENING - order.total
    found = receipt(shop.store.order(order.id), "en", UTC)
    goods = sum(amount(line.total) for line in found.lines)
    charges = dict(found.charges)
    assert goods == amount(charges.pop("Subtotal", str(goods)))
    assert goods + sum(map(amount, charges.values())) == amount(found.total) == Decimal(order.total.decimal())
    shop.store.cancel_order(order.id)
    assert shop.wallet.balance() == OPENING
    shop.engine.dispose()


class Talker:
    """A dialogue with a shop whose clock can be moved."""

    def __init__(self, shop, clock, cart: Cart) -> None:
        self.shop, self.clock, self.cart = shop, clock, cart
        self.situation, self.actions = Situation(), ()

    def __call__(self, event) -> list[str]:
        knowledge = Knowledge(BY_SKU, self.cart, now=self.clock(), pricing=self.shop.store.prices.pricing())
        self.situation, self.actions = advance(self.situation, event, knowledge, Talk())
        return [action.template for action in self.actions if isinstance(action, Say)]

    def hear(self, intent: Intent, **more) -> list[str]:
        return self(inputs.Heard(Understanding("words", intent, **more)))

    def value(self, template: str, name: str):
        return next(a.values[name] for a in self.actions if isinstance(a, Say) and a.template == template)


class TestTalk:
    def test_a_price_that_changes_after_the_read_back_is_read_back_again(self, shop, clock):
        talk = Talker(shop, clock, cart_of(COFFEE=3))
        talk.hear(Intent.CHECKOUT)
        total = talk.value("read_back", "total")
        assert (total.amount, total.reasons) == (dollars("8.00"), ("three for two on coffee", "two off ten"))
        clock.now = NOON + HOUR
        assert talk.hear(Intent.CONFIRM) == ["price_changed", "read_back"]
        assert not any(isinstance(action, BeginPayment) for action in talk.actions)
        assert talk.value("read_back", "total").amount == dollars("13.00")
        talk.hear(Intent.CONFIRM)
        assert talk.actions == (BeginPayment(talk.cart, dollars("13.00")),)

    def test_a_price_that_the_shop_finds_changed_is_read_back_again_too(self, shop, clock):
        talk = Talker(shop, clock, cart_of(COFFEE=3))
        talk.hear(Intent.CHECKOUT)
        talk.hear(Intent.CONFIRM)
        clock.now = NOON + HOUR
        assert talk(inputs.PriceChanged()) == ["price_changed", "read_back"]
        assert isinstance(talk.actions[0], AbandonPayment) and talk.situation.state is State.CONFIRMING
        assert talk.situation.agreed == dollars("13.00")

    def test_a_coupon_by_its_words_and_nothing_like_them(self, shop, clock):
        talk = Talker(shop, clock, cart_of(HONEY=1))
        assert talk.hear(Intent.COUPON) == ["promotions.which_coupon"]
        assert talk.hear(Intent.COUPON, coupon="spring tent") == ["promotions.no_coupon"]
        talk.hear(Intent.COUPON, coupon="spring ten")
        assert talk.actions == (UseCoupon("spring"),)
        shop.store.prices.name_coupon("spring")
        assert talk(inputs.CouponNamed("spring")) == ["promotions.coupon"]
        pay(shop, shop.store.begin_order(talk.cart, "key", dollars("4.99")))
        assert talk.hear(Intent.COUPON, coupon="spring ten") == ["promotions.coupon_used"]

    def test_what_is_bought_here_is_told_first_and_why(self, shop, clock):
        found = deals(shop.store.prices.pricing(), BY_SKU, ["SOAP"])
        assert [deal.promotion.id for deal in found] == ["ten", "coffee-3-2", "sale:OAT"]
        assert [deal.bought.sku if deal.bought else None for deal in found] == ["SOAP", None, None]
        talk = Talker(shop, clock, Cart("USD"))
        said = talk.hear(Intent.OFFERS)
        assert said == ["promotions.deal", "promotions.ends", "promotions.price", "promotions.ends", "promotions.deal"]

    def test_what_is_sold_out_is_neither_a_deal_nor_new(self, shop):
        gone = {"OAT": replace(OAT, stock=0, added=NOON.date())}
        assert deals(shop.store.prices.pricing(), gone, ()) == ()
        assert newest(gone.values(), NOON.date()) == ()

    def test_what_is_new_comes_newest_first(self):
        days = (0, 5, 30, 31)
        products = [replace(SOAP, sku=str(day), added=NOON.date() - timedelta(days=day)) for day in days]
        random.Random(1).shuffle(products)
        assert [product.sku for product in newest(products, NOON.date())] == ["0", "5", "30"]


class TestCommands:
    def test_a_file_is_imported_and_shown(self, tmp_path, capsys):
        file = tmp_path / "promotions.toml"
        file.write_text(FILE, "utf-8")
        state = ["--state", str(tmp_path / "state")]
        assert main(["promotions", "import", str(file), "--json", *state]) == 0
        assert json.loads(capsys.readouterr().out) == {
            "promotions": 4, "deposits": 1, "tax_rates": 1, "currency": "USD",
        }  # fmt: skip
        assert main(["promotions", "--json", *state]) == 0
        rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
        assert [row["kind"] for row in rows] == ["promotion"] * 4 + ["deposit", "tax"]
        assert main(["promotions", *state]) == 0
        assert "3 for" in capsys.readouterr().out

    def test_a_bad_file_changes_neither_catalog_nor_rules(self, tmp_path, capsys):
        bad, feed = tmp_path / "bad.toml", tmp_path / "feed.jsonl"
        bad.write_text('currency = "USD"\n[[promotions]]\nid = "x"\nname = "x"\n', "utf-8")
        feed.write_text('{"sku": "a", "name": "tea", "price": {"amount": "1", "currency": "USD"}}\n', "utf-8")
        state = ["--state", str(tmp_path / "state")]
        assert main(["catalog", "import", str(feed), "--promotions", str(bad), *state]) == 2
        assert "promotion 1 (x)" in capsys.readouterr().err
        store = open_shop(tmp_path / "state").store
        assert store.prices.rules().promotions == ()
        bad.write_text('currency = "EUR"\n', "utf-8")
        assert main(["catalog", "import", str(feed), "--promotions", str(bad), *state]) == 2
        assert main(["catalog", "import", str(feed), *state]) == 0
        assert main(["promotions", "import", str(bad), *state]) == 2
        assert capsys.readouterr().err.count("The promotions are in EUR, the catalog is in USD") == 2
        feed.write_text(feed.read_text("utf-8").replace("USD", "EUR"), "utf-8")
        assert main(["catalog", "import", str(feed), "--promotions", str(bad), *state]) == 0
        feed.write_text(feed.read_text("utf-8").replace("EUR", "USD"), "utf-8")
        assert main(["catalog", "import", str(feed), *state]) == 0
        assert "in use are in EUR: none of them counts in USD" in capsys.readouterr().err
        assert {one.price.currency for one in store.products()} == {"USD"}
        assert main(["promotions", "show", str(bad), *state]) == 2


def test_a_returned_order_gives_back_what_was_paid(shop, clock):
    order = pay(shop, shop.store.begin_order(cart_of(COFFEE=3), "key"))
    for status in (OrderStatus.SHIPPED, OrderStatus.DELIVERED):
        shop.store.move_order(order.id, status)
    returns = shop.errands.returns
    returns._clock = clock
    assert returns.return_order(order.id).total == dollars("8.00")
    assert shop.wallet.balance() == OPENING
