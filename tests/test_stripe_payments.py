"""Payment by Stripe, through its official library, against a server like Stripe's that runs on this machine."""

import json
import random
import shutil
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest
from household_shop import BREAD, OAT, PRODUCTS, cart_of, dollars
from test_crash import KilledAt, child, ended

from assistant.commands.main import main
from assistant.errands import Errands
from assistant.errors import OrderError, PaymentUnavailable, SettingsError, UsageError
from assistant.household import Household
from assistant.parts import Parts
from assistant.pay.stripe_api import StripeApi
from assistant.pay.stripe_key import KEY_VARIABLE, stripe_key
from assistant.pay.stripe_payments import StripePayments
from assistant.pay.wallet import Answer
from assistant.settings import Pay, Settings
from assistant.settings_file import changed
from assistant.shop.database import open_database, reading, transaction
from assistant.shop.money import Money
from assistant.shop.orders import OrderStatus
from assistant.shop.payments import PaymentState
from assistant.shop.refunds import ReturnedUnits
from assistant.shop.store import Store
from assistant.storefront import Storefront, open_storefront

SECRET = "sk_test_never_to_be_seen"
CART = cart_of((OAT, 1), (BREAD, 2))
TOTAL = dollars("7.40")


class Server:
    """The server, and what a person would see in Stripe's dashboard."""

    def __init__(self) -> None:
        program = Path(__file__).parent / "stripe_server.py"
        command = [sys.executable, str(program)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.address = f"http://127.0.0.1:{int(self._process.stdout.readline())}"

    def ask(self, method, path, values=None):
        body = None if values is None else json.dumps(values).encode()
        headers = {"Authorization": f"Bearer {SECRET}", "Content-Type": "application/json"}
        request = urllib.request.Request(self.address + path, body, headers, method=method)
        with urllib.request.urlopen(request, timeout=20) as answer:
            text = answer.read()
        return json.loads(text) if text else None

    def fails_next(self, path, how):
        self.ask("POST", "/_config/faults", {"path": path, "how": how})

    def card(self, number):
        card = {"number": number, "exp_month": 12, "exp_year": 2040, "cvc": "123"}
        return self.ask("POST", "/v1/payment_methods", {"type": "card", "card": card})["id"]

    def intents(self):
        return self.ask("GET", "/v1/payment_intents?limit=1000")["data"]

    def money(self):
        """What is held and what is kept, in minor units, over all payments."""
        held = sum(intent["amount"] for intent in self.intents() if intent["status"] == "requires_capture")
        charges = [intent["latest_charge"] for intent in self.intents() if intent["status"] == "succeeded"]
        return held, sum(charge["amount"] - charge["amount_refunded"] for charge in charges)

    def given_back(self):
        """The amounts that were given back, in minor units, smallest first."""
        return sorted(refund["amount"] for refund in self.ask("GET", "/v1/refunds?limit=100")["data"])

    def end(self):
        if self._process.poll() is None:
            self._process.stdin.close()
            self._process.wait(20)
            self._process.stdout.close()


@pytest.fixture(scope="module")
def running():
    server = Server()
    yield server
    server.end()


@pytest.fixture
def server(running):
    running.ask("DELETE", "/_config/data")
    return running


def pay_settings(server, **more):
    return Pay(provider="stripe", stripe_address=server.address, **{"stripe_payment_method": "pm_card_visa", **more})


def open_shop(folder, server, **more):
    engine = open_database(folder)
    api = StripeApi(pay_settings(server, **more), {KEY_VARIABLE: SECRET})
    provider = StripePayments(engine, "home", "USD", api)
    store = Store(engine, "home", provider, randomness=random.Random(1))
    return Storefront(engine, store, provider, Errands(engine, provider, Settings()))


@pytest.fixture
def shop(tmp_path, server):
    shop = open_shop(tmp_path, server)
    shop.store.import_catalog(PRODUCTS)
    shop.store.save_cart(CART)
    yield shop
    shop.engine.dispose()


def settle(shop, what, order, *amount):
    with transaction(shop.engine) as connection:
        getattr(shop.provider, what)(connection, "home", order, *amount)


def state(shop, order):
    with reading(shop.engine) as connection:
        return shop.provider.state(connection, "home", order)


def set_aside(shop):
    with reading(shop.engine) as connection:
        return shop.provider.set_aside(connection, "home")


def stock(shop):
    return {product.sku: product.stock for product in shop.store.products()}["bread"]


class TestOnePayment:
    def test_authorise_capture_refund(self, shop, server):
        assert state(shop, "1") is PaymentState.NONE
        assert shop.provider.authorise("1", TOTAL) is Answer.APPROVED
        assert state(shop, "1") is PaymentState.AUTHORISED and set_aside(shop) == ("1",)
        assert server.money() == (740, 0)
        settle(shop, "capture", "1", TOTAL)
        assert state(shop, "1") is PaymentState.CAPTURED and set_aside(shop) == ()
        assert server.money() == (0, 740)
        settle(shop, "refund", "1")
        assert state(shop, "1") is PaymentState.REFUNDED and server.money() == (0, 0)
        (intent,) = server.intents()
        assert (intent["amount"], intent["currency"]) == (740, "usd")
        assert intent["metadata"] == {"voicecart_order": "home 1"} and intent["capture_method"] == "manual"

    def test_everything_is_done_once_however_often_it_is_asked_for(self, shop, server):
        for _ in range(3):
            assert shop.provider.authorise("1", TOTAL) is Answer.APPROVED
        for _ in range(3):
            settle(shop, "capture", "1", TOTAL)
        assert shop.provider.authorise("1", TOTAL) is Answer.APPROVED
        for _ in range(3):
            settle(shop, "refund", "1")
        assert shop.provider.authorise("1", TOTAL) is Answer.REFUSED
        assert len(server.intents()) == 1 and server.money() == (0, 0)

    def test_parts_are_given_back_once_each(self, shop, server):
        shop.provider.authorise("1", TOTAL)
        with pytest.raises(PaymentUnavailable):
            settle(shop, "refund_part", "1", 1, dollars("2.00"))
        settle(shop, "capture", "1", TOTAL)
        for part, amount, kept in ((1, "2.00", 540), (1, "2.00", 540), (2, "3.40", 200), (1, "2.00", 200)):
            settle(shop, "refund_part", "1", part, dollars(amount))
            assert server.money() == (0, kept) and state(shop, "1") is PaymentState.CAPTURED

    def test_after_parts_exactly_the_rest_is_given_back(self, shop, server):
        shop.provider.authorise("1", TOTAL)
        settle(shop, "capture", "1", TOTAL)
        for part, amount in ((1, "2.00"), (2, "3.41")):
            settle(shop, "refund_part", "1", part, dollars(amount))
        for _ in range(2):
            settle(shop, "refund", "1")
            assert state(shop, "1") is PaymentState.REFUNDED and server.money() == (0, 0)
        assert server.given_back() == [199, 200, 341]

    def test_after_parts_that_are_everything_nothing_more_is_asked_for(self, shop, server):
        shop.provider.authorise("1", TOTAL)
        settle(shop, "capture", "1", TOTAL)
        for part, amount in ((1, "7.00"), (2, "0.40")):
            settle(shop, "refund_part", "1", part, dollars(amount))
        settle(shop, "refund", "1")
        assert state(shop, "1") is PaymentState.REFUNDED and server.given_back() == [40, 700]

    @pytest.mark.parametrize("how", ["lost_request", "lost_answer"])
    def test_the_rest_is_given_back_once_though_an_answer_is_lost(self, shop, server, how):
        shop.provider.authorise("1", TOTAL)
        settle(shop, "capture", "1", TOTAL)
        settle(shop, "refund_part", "1", 1, dollars("2.00"))
        server.fails_next("/refunds", how)
        with pytest.raises(PaymentUnavailable):
            settle(shop, "refund", "1")
        settle(shop, "refund", "1")
        assert state(shop, "1") is PaymentState.REFUNDED and server.given_back() == [200, 540]

    def test_a_part_that_somebody_else_gives_back_meanwhile_is_not_given_back_twice(self, shop, server, monkeypatch):
        shop.provider.authorise("1", TOTAL)
        settle(shop, "capture", "1", TOTAL)
        create = type(shop.provider._api._client.v1.refunds).create
        (intent,) = server.intents()

        def later(*given, **more):
            monkeypatch.undo()
            server.ask("POST", "/v1/refunds", {"payment_intent": intent["id"], "amount": 100})
            return create(*given, **more)

        monkeypatch.setattr(type(shop.provider._api._client.v1.refunds), "create", later)
        settle(shop, "refund", "1")
        assert state(shop, "1") is PaymentState.REFUNDED and server.given_back() == [100, 640]

    def test_an_order_of_which_lines_went_back_is_returned_for_the_rest(self, shop, server):
        order = shop.store.begin_order(CART, "key")
        shop.provider.authorise(order.id, order.total)
        shop.store.complete_order(order.id)
        shop.store.move_order(order.id, OrderStatus.DELIVERED)
        shop.errands.returns.return_lines(order.id, (ReturnedUnits(1, 1),))
        assert server.money() == (0, 520)
        shop.errands.returns.return_order(order.id)
        assert shop.store.order(order.id).status is OrderStatus.REFUNDED
        assert server.money() == (0, 0) and server.given_back() == [220, 520]

    def test_lines_that_are_owed_are_given_back_with_the_rest_of_the_order(self, shop, server, monkeypatch):
        order = shop.store.begin_order(CART, "key")
        shop.provider.authorise(order.id, order.total)
        shop.store.complete_order(order.id)
        shop.store.move_order(order.id, OrderStatus.DELIVERED)

        def unreachable(*given):
            raise PaymentUnavailable("Not now.")

        with monkeypatch.context() as patch:
            patch.setattr(StripeApi, "refund_part", unreachable)
            patch.setattr(StripeApi, "look", unreachable)
            for give_back in (
                lambda: shop.errands.returns.return_lines(order.id, (ReturnedUnits(1, 1),)),
                lambda: shop.errands.returns.return_order(order.id),
            ):
                with pytest.raises(PaymentUnavailable):
                    give_back()
            assert shop.errands.returns.recover() == () and server.money() == (0, 740)
        assert shop.errands.returns.recover() == (order.id,) and shop.errands.returns.recover() == ()
        assert shop.store.order(order.id).status is OrderStatus.REFUNDED and server.money() == (0, 0)

    def test_a_void_gives_back_and_ends_it(self, shop, server):
        shop.provider.authorise("1", TOTAL)
        for _ in range(2):
            settle(shop, "void", "1")
        assert state(shop, "1") is PaymentState.VOIDED and server.money() == (0, 0)
        assert shop.provider.authorise("1", TOTAL) is Answer.REFUSED
        for what, amount in (("capture", [TOTAL]), ("refund", [])):
            with pytest.raises(PaymentUnavailable):
                settle(shop, what, "1", *amount)
        settle(shop, "void", "never authorised")

    def test_what_is_captured_is_refunded_not_voided(self, shop, server):
        shop.provider.authorise("1", TOTAL)
        settle(shop, "capture", "1", TOTAL)
        with pytest.raises(PaymentUnavailable, match="only refunded"):
            settle(shop, "void", "1")
        assert server.money() == (0, 740)

    def test_another_amount_and_another_currency(self, shop, server):
        for amount in (Money(100, "EUR"), dollars("0"), dollars("-1")):
            assert shop.provider.authorise("1", amount) is Answer.REFUSED
        assert server.intents() == []
        assert shop.provider.authorise("1", TOTAL) is Answer.APPROVED
        assert shop.provider.authorise("1", dollars("7.41")) is Answer.REFUSED
        with pytest.raises(PaymentUnavailable, match=r"7\.41 USD"):
            settle(shop, "capture", "1", dollars("7.41"))

    def test_two_databases_with_the_same_order_number_pay_both(self, shop, server, tmp_path):
        other = open_shop(tmp_path / "other", server)
        assert shop.provider.authorise("1", TOTAL) is other.provider.authorise("1", TOTAL) is Answer.APPROVED
        assert server.money() == (1480, 0)


class TestDeclines:
    @pytest.mark.parametrize(
        ("number", "answer"),
        [
            ("4000000000009995", Answer.INSUFFICIENT_FUNDS),
            ("4000000000000002", Answer.REFUSED),
            ("4000000000000341", Answer.REFUSED),
            ("4000002500003155", Answer.REFUSED),  # its bank wants to ask the owner on a screen
        ],
    )
    def test_the_bank_says_no(self, server, tmp_path, number, answer):
        shop = open_shop(tmp_path, server, stripe_payment_method=server.card(number))
        shop.store.import_catalog(PRODUCTS)
        order = shop.store.begin_order(CART, "key")
        assert shop.provider.authorise(order.id, TOTAL) is answer
        assert shop.provider.authorise(order.id, TOTAL) is answer
        assert set_aside(shop) == () and server.money() == (0, 0)
        shop.store.abandon_order(order.id)
        assert shop.store.orders() == () and len(server.intents()) == 1

    def test_a_customers_saved_card(self, server, tmp_path):
        card = server.card("4242424242424242")
        customer = server.ask("POST", "/v1/customers", {"payment_method": card})["id"]
        shop = open_shop(tmp_path, server, stripe_payment_method=card, stripe_customer=customer)
        assert shop.provider.authorise("1", TOTAL) is Answer.APPROVED
        assert server.intents()[0]["customer"] == customer

    def test_a_card_that_stripe_does_not_know(self, server, tmp_path):
        shop = open_shop(tmp_path, server, stripe_payment_method="pm_unknown")
        with pytest.raises(PaymentUnavailable, match=r"pay\.stripe_payment_method"):
            shop.provider.authorise("1", TOTAL)


class TestTrouble:
    def test_a_server_that_is_gone_sells_nothing(self, tmp_path):
        server = Server()
        server.end()
        shop = open_shop(tmp_path, server)
        shop.store.import_catalog(PRODUCTS)
        order = shop.store.begin_order(CART, "key")
        with pytest.raises(PaymentUnavailable, match="cannot be reached"):
            shop.provider.authorise(order.id, TOTAL)
        shop.store.abandon_order(order.id)
        assert shop.store.orders() == () and set_aside(shop) == ()

    @pytest.mark.parametrize("how", ["lost_request", "lost_answer", "500"])
    @pytest.mark.parametrize("step", ["/payment_intents", "/confirm"])
    def test_no_answer_while_authorising(self, shop, server, step, how):
        order = shop.store.begin_order(CART, "key")
        server.fails_next(step, how)
        with pytest.raises(PaymentUnavailable, match="Try again later"):
            shop.provider.authorise(order.id, TOTAL)
        shop.store.abandon_order(order.id)
        assert server.money() == (0, 0) and set_aside(shop) == () and shop.store.cart() == CART

    @pytest.mark.parametrize("step", ["/payment_intents", "/confirm"])
    def test_asked_again_after_a_lost_answer_it_is_one_payment(self, shop, server, step):
        server.fails_next(step, "lost_answer")
        with pytest.raises(PaymentUnavailable):
            shop.provider.authorise("1", TOTAL)
        assert shop.provider.authorise("1", TOTAL) is Answer.APPROVED
        assert len(server.intents()) == 1 and server.money() == (740, 0)

    @pytest.mark.parametrize("how", ["lost_request", "lost_answer", "500"])
    def test_no_answer_while_capturing_gives_the_money_back(self, shop, server, how):
        order = shop.store.begin_order(CART, "key")
        shop.provider.authorise(order.id, TOTAL)
        server.fails_next("/capture", how)
        with pytest.raises(PaymentUnavailable):
            shop.store.complete_order(order.id)
        assert server.money() == ((0, 740) if how == "lost_answer" else (740, 0))
        assert stock(shop) == 10 and shop.store.cart() == CART
        shop.store.abandon_order(order.id)
        assert server.money() == (0, 0) and shop.store.orders() == ()

    def test_a_capture_asked_for_again_after_a_lost_answer_is_one(self, shop, server):
        order = shop.store.begin_order(CART, "key")
        shop.provider.authorise(order.id, TOTAL)
        server.fails_next("/capture", "lost_answer")
        with pytest.raises(PaymentUnavailable):
            shop.store.complete_order(order.id)
        assert shop.store.complete_order(order.id).status is OrderStatus.PAID
        assert server.money() == (0, 740)

    def test_a_late_answer_is_none(self, server, tmp_path):
        shop = open_shop(tmp_path, server, stripe_seconds=0.3)
        server.fails_next("/confirm", "late_answer")
        with pytest.raises(PaymentUnavailable, match="cannot be reached"):
            shop.provider.authorise("1", TOTAL)
        patient = open_shop(tmp_path, server)
        patient.store.recover()
        assert server.money() == (0, 0) and set_aside(patient) == ()

    @pytest.mark.parametrize("how", ["401", "403", "429", "503"])
    def test_every_other_refusal_buys_nothing_and_shows_no_key(self, shop, server, how):
        server.fails_next("/confirm", how)
        with pytest.raises(PaymentUnavailable) as refused:
            shop.provider.authorise("1", TOTAL)
        assert "sk_" not in refused.value.message
        settle(shop, "void", "1")
        assert server.money() == (0, 0)

    def test_what_cannot_be_given_back_now_is_given_back_before_the_next_order(self, shop, server):
        order = shop.store.begin_order(CART, "key")
        shop.provider.authorise(order.id, TOTAL)
        server.fails_next("/cancel", "lost_request")
        with pytest.raises(PaymentUnavailable):
            shop.store.abandon_order(order.id)
        assert server.money() == (740, 0) and set_aside(shop) == (order.id,)
        shop.store.begin_order(CART, "next")
        assert server.money() == (0, 0) and set_aside(shop) == ()

    def test_recovery_without_stripe_leaves_it_for_later_and_lets_the_device_start(self, shop, server, tmp_path):
        order = shop.store.begin_order(CART, "key")
        shop.provider.authorise(order.id, TOTAL)
        again = open_shop(tmp_path, server)
        server.fails_next(f"{server.intents()[0]['id']}", "503")
        assert again.store.recover() == () and set_aside(again) == (order.id,)
        assert again.store.recover() == (order.id,) and server.money() == (0, 0)

    @pytest.mark.parametrize("how", ["lost_request", "lost_answer"])
    def test_no_answer_while_refunding(self, shop, server, tmp_path, how):
        order = buy(shop)
        server.fails_next("/refunds", how)
        with pytest.raises(PaymentUnavailable):
            shop.store.cancel_order(order.id)
        assert shop.store.order(order.id).status is OrderStatus.PAID
        again = open_shop(tmp_path, server)
        again.store.recover()
        gone = how == "lost_answer"
        assert again.store.order(order.id).status is (OrderStatus.REFUNDED if gone else OrderStatus.PAID)
        assert server.money() == (0, 0 if gone else 740) and stock(again) == (10 if gone else 8)
        assert set_aside(again) == ()


def buy(shop, key="key"):
    order = shop.store.begin_order(CART, key)
    assert shop.provider.authorise(order.id, order.total) is Answer.APPROVED
    return shop.store.complete_order(order.id)


class TestWholePurchase:
    def test_bought_and_cancelled(self, shop, server):
        order = buy(shop)
        assert order.status is OrderStatus.PAID and server.money() == (0, 740)
        assert not shop.store.cart() and stock(shop) == 8
        assert shop.store.cancel_order(order.id).status is OrderStatus.REFUNDED
        assert server.money() == (0, 0) and stock(shop) == 10
        with pytest.raises(OrderError, match="cannot be cancelled"):
            shop.store.cancel_order(order.id)

    def test_money_that_is_set_aside_too_late_is_given_back(self, shop, server):
        order = shop.store.begin_order(CART, "key")
        shop.store.abandon_order(order.id)
        assert shop.provider.authorise(order.id, TOTAL) is Answer.APPROVED
        with pytest.raises(OrderError, match="given up"):
            shop.store.complete_order(order.id)
        shop.store.abandon_order(order.id)
        assert server.money() == (0, 0)

    def test_too_little_stock_at_the_last_moment_takes_no_money(self, shop, server):
        order = shop.store.begin_order(CART, "key")
        shop.provider.authorise(order.id, TOTAL)
        shop.store.import_catalog([OAT])
        with pytest.raises(OrderError, match="not sold any more"):
            shop.store.complete_order(order.id)
        assert server.money() == (740, 0)
        shop.store.abandon_order(order.id)
        assert server.money() == (0, 0)


class TestKilled:
    """Processes killed, as by ``kill -9``, before and after every statement and every request."""

    def killed_at_every_step(self, folder, tmp_path, server, work, check, stride):
        ways = set()
        for step in range(0, 1000, stride):
            own = shutil.copytree(folder, tmp_path / f"step {step}")

            def run(own=own, step=step):
                shop = open_shop(own, server)
                moments = KilledAt(shop.engine, step)
                for name in ("create", "confirm", "capture", "cancel", "refund", "look"):
                    self.watch(shop.provider._api, name, moments.moment)
                work(shop)

            how = ended(child(run))
            assert how in (0, -signal.SIGKILL)
            crashed = server.money()
            shop = open_shop(own, server)
            shop.store.recover()
            ways.add((crashed, check(shop, server.money())))
            assert set_aside(shop) == () and shop.store.recover() == ()
            shop.engine.dispose()
            if how == 0:
                return ways
            server.ask("DELETE", "/_config/data")
        raise AssertionError("it never ended")

    def watch(self, api, name, moment):
        asked = getattr(api, name)

        def watched(*arguments):
            moment()
            answer = asked(*arguments)
            moment()
            return answer

        setattr(api, name, watched)

    def test_while_buying(self, tmp_path, server):
        folder = tmp_path / "shop"
        shop = open_shop(folder, server)
        shop.store.import_catalog(PRODUCTS)
        shop.store.save_cart(CART)
        shop.engine.dispose()

        def check(shop, money):
            orders = shop.store.orders()
            assert money == ((0, 740) if orders else (0, 0))
            assert stock(shop) == (8 if orders else 10) and bool(shop.store.cart()) is not bool(orders)
            assert all(order.status is OrderStatus.PAID for order in orders)
            return len(orders)

        ways = self.killed_at_every_step(folder, tmp_path, server, buy, check, 1)
        # Killed with money held, with money taken and no order yet, and after everything.
        assert {((0, 0), 0), ((740, 0), 0), ((0, 740), 0), ((0, 740), 1)} == ways

    def test_while_cancelling(self, tmp_path, server):
        # Each round buys first: the server forgets with every round.
        folder = tmp_path / "shop"
        shop = open_shop(folder, server)
        shop.store.import_catalog(PRODUCTS)
        shop.engine.dispose()

        def work(shop):
            shop.store.cancel_order(buy(shop).id)

        def check(shop, money):
            (status,) = [order.status for order in shop.store.orders()] or [None]
            assert money == ((0, 740) if status is OrderStatus.PAID else (0, 0))
            assert stock(shop) == (8 if status is OrderStatus.PAID else 10)
            return status

        ways = self.killed_at_every_step(folder, tmp_path, server, work, check, 3)
        assert ((0, 0), OrderStatus.REFUNDED) in ways and ((0, 740), OrderStatus.PAID) in ways


class TestSetUp:
    def test_the_key_comes_from_the_environment_or_a_private_file(self, tmp_path):
        file = tmp_path / "stripe.key"
        file.write_text(f"{SECRET}\n")
        file.chmod(0o600)
        assert stripe_key(str(file), {}) == SECRET
        assert stripe_key(str(file), {KEY_VARIABLE: "rk_live_other"}) == "rk_live_other"
        file.chmod(0o640)
        with pytest.raises(SettingsError, match="Other users may read"):
            stripe_key(str(file), {})

    @pytest.mark.parametrize("key", ["pk_test_public", "sk_two words", "hunter2", "sk_\u4e2d"])
    def test_what_is_no_key_is_refused_and_not_repeated(self, tmp_path, key):
        with pytest.raises(SettingsError) as refused:
            stripe_key("", {KEY_VARIABLE: key})
        assert key not in refused.value.message
        (tmp_path / "key").write_bytes(b"\xff\xfe")
        (tmp_path / "key").chmod(0o600)
        for file in ("", str(tmp_path / "absent"), str(tmp_path / "key")):
            with pytest.raises(SettingsError):
                stripe_key(file, {})

    @pytest.mark.parametrize(
        ("changes", "currency", "named"),
        [
            ({"stripe_address": "http://pay.example.com"}, "USD", "stripe_address"),
            ({"stripe_address": "ftp://localhost"}, "USD", "stripe_address"),
            ({"stripe_payment_method": ""}, "USD", "stripe_payment_method"),
            ({}, "ISK", "ISK"),
        ],
    )
    def test_what_cannot_work_is_said_before_anything_is_bought(self, tmp_path, changes, currency, named):
        pay = Pay(provider="stripe", **{"stripe_payment_method": "pm_card_visa", **changes})
        provider = StripePayments(open_database(tmp_path), "home", currency, StripeApi(pay, {KEY_VARIABLE: SECRET}))
        with pytest.raises(SettingsError, match=named):
            provider.check()
        with pytest.raises(SettingsError, match=named):
            provider.authorise("1", Money(100, currency))

    def test_chosen_by_the_settings(self, tmp_path, server, monkeypatch):
        monkeypatch.setenv(KEY_VARIABLE, SECRET)
        settings = Settings(pay=pay_settings(server))
        shop = open_storefront(settings, tmp_path)
        assert isinstance(shop.provider, StripePayments) and shop.wallet is None
        shop.provider.check()
        assert shop.provider.authorise("1", TOTAL) is Answer.APPROVED and server.money() == (740, 0)
        assert open_storefront(Settings(), tmp_path).wallet is not None

    def test_the_wallet_command_says_that_the_wallet_is_not_in_use(self, tmp_path, capsys):
        file = tmp_path / "voicecart.toml"
        file.write_text('[pay]\nprovider = "stripe"\n')
        for action in (["balance"], ["history"], ["top-up", "5.00"]):
            assert main(["wallet", *action, "--config", str(file), "--state", str(tmp_path)]) == 2
            assert "wallet is not in use" in capsys.readouterr().err

    def test_fixed_digits_are_for_play_money_only(self, tmp_path, capsys, server):
        settings = Settings(pay=pay_settings(server))
        with pytest.raises(UsageError, match="play money"):
            Household(Parts(settings, PRODUCTS, tmp_path, print), tmp_path, fixed_digits="4719")
        file = tmp_path / "voicecart.toml"
        file.write_text('[pay]\nprovider = "stripe"\n')
        run = ["run", "--wav", "x.wav", "--challenge", "4719", "--config", str(file), "--state", str(tmp_path)]
        assert main(run) == 2
        assert "--challenge" in capsys.readouterr().err

    def test_rehearsals_pay_with_play_money_whatever_the_settings_say(self, tmp_path, server):
        settings = changed(Settings(), {"pay": {"provider": "stripe", "stripe_payment_method": "pm_card_visa"}})
        household = Household(Parts(settings, PRODUCTS, tmp_path, print), tmp_path, play_money=True)
        assert not isinstance(household.provider, StripePayments)
