"""Single lines that go back: asked about, refunded at exactly what they cost, once, whatever dies in between."""

import json
import random
import shutil
import signal
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import pytest
from household_shop import BREAD, LATTE, OAT, OPENING, PRODUCTS, buy, cart_of, dollars, open_shop
from hypothesis import given
from hypothesis import strategies as st
from test_crash import KilledAt, child, ended
from test_dialogue import Talkers, item, line
from test_dialogue import cart_of as cart_with
from test_promotions import NOON, SHOP, cart, deal

from assistant.commands.main import main
from assistant.errands import Errands
from assistant.errors import OrderError, PaymentUnavailable
from assistant.pay.ledger import Account
from assistant.pay.wallet import Wallet
from assistant.settings import Settings
from assistant.shop.cart import Cart
from assistant.shop.database import reading, transaction
from assistant.shop.money import Money
from assistant.shop.orders import Order, OrderStatus, StatusChange
from assistant.shop.payments import PaymentState
from assistant.shop.promotions.bill import Bill, Charge, ChargeKind
from assistant.shop.promotions.pricing import Pricing
from assistant.shop.promotions.rules import (
    Deposit,
    MultiBuy,
    PercentOff,
    PriceRules,
    Scope,
    SpendAndSave,
    Taxes,
    TaxRate,
)
from assistant.shop.receipt import receipt, render_receipt
from assistant.shop.refunds import ReturnedUnits, cost_of_line, left_of, refund_of, refund_of_all
from assistant.storefront import open_storefront
from assistant.talk.actions import ReturnOrder
from assistant.talk.inputs import OrderReturned
from assistant.talk.situation import Knowledge, ReallyReturn, State
from assistant.understand.understanding import Intent, Unresolved

GOODS = cart_of((OAT, 3), (BREAD, 2), (LATTE, 1))
DELIVERED = datetime(2026, 5, 4, 9, tzinfo=UTC)


def order_with(bill: Bill) -> Order:
    return Order("4721", "home", "key", bill.lines, bill.total, (StatusChange(OrderStatus.PAID, NOON),), bill.charges)


RULES = st.builds(
    lambda percent, save, multi, deposit, included, rates: PriceRules(
        "USD",
        (
            deal("percent", PercentOff(percent * 100), scope=Scope(categories=("Pantry",)), stacks=True),
            deal("multi", MultiBuy(*multi), scope=Scope(skus=frozenset({"BEANS", "PASTA"}))),
            deal("save", SpendAndSave(1000, save), scope=Scope()),
        ),
        (Deposit({"en": "deposit"}, deposit, Scope(categories=("Drinks",))),),
        Taxes(rates, included),
    ),
    st.integers(1, 99),
    st.integers(1, 999),
    st.sampled_from([(2, 1), (3, 2), (3, 1)]),
    st.integers(0, 33),
    st.booleans(),
    st.just((TaxRate({"en": "a"}, 1975, Scope(categories=("Pantry", "Drinks"))), TaxRate({"en": "b"}, 725, Scope()))),
)
CARTS = st.dictionaries(st.sampled_from(sorted(SHOP)), st.integers(1, 7), min_size=1).map(lambda q: cart(**q))


class TestRefunds:
    @given(CARTS, RULES, st.randoms(use_true_random=False))
    def test_all_lines_one_by_one_are_the_total_in_any_order_and_in_any_pieces(self, goods, rules, randomness):
        order = order_with(Pricing(rules, NOON).bill(goods, SHOP))
        gone: dict[int, int] = {}
        given_back = 0
        while left := left_of(order, gone):
            one = randomness.choice(left)
            piece = replace(one, quantity=randomness.randint(1, one.quantity))
            refund = refund_of(order, piece)
            assert 0 <= refund.minor <= cost_of_line(order, piece.line).minor
            given_back += refund.minor
            gone[piece.line] = piece.before + piece.quantity
            assert refund_of_all(order, left_of(order, gone)).minor == order.total.minor - given_back
        assert given_back == order.total.minor

    def test_a_whole_line_is_worth_what_it_cost_after_discounts_and_taxes(self):
        charges = (
            Charge(ChargeKind.DISCOUNT, 0, "x", {}, Money(-100, "USD")),
            Charge(ChargeKind.DEPOSIT, 0, "", {}, Money(75, "USD")),
            Charge(ChargeKind.TAX, 0, "700", {}, Money(56, "USD")),
            Charge(ChargeKind.TAX_INCLUDED, 0, "700", {}, Money(9, "USD")),
            Charge(ChargeKind.DISCOUNT, 1, "x", {}, Money(-1, "USD")),
        )
        order = order_with(Bill("USD", GOODS.lines, charges))
        assert refund_of(order, ReturnedUnits(0, 3)) == dollars("9.31")
        assert refund_of(order, ReturnedUnits(1, 2)) == dollars("4.39")


class Shop:
    """A shop with one delivered order of three lines."""

    def __init__(self, folder, **settings: object) -> None:
        self.now = DELIVERED
        self.opened = open_shop(folder, clock=lambda: self.now)
        self.wallet = self.opened.wallet
        self.store = self.opened.store
        self.errands = self.over(self.wallet, **settings)

    def over(self, payments, **settings: object) -> Errands:
        shelve = {"shelve": self.store.put_back} if settings.get("restock") else {}
        return Errands(self.opened.engine, payments, Settings(), lambda: self.now, **shelve)

    def stocked(self) -> "Shop":
        self.store.import_catalog(PRODUCTS)
        self.order = buy(self.opened, GOODS, "key")
        self.store.move_order(self.order.id, OrderStatus.DELIVERED)
        return self

    def give_back(self, *units: ReturnedUnits) -> Order:
        return self.errands.returns.return_lines(self.order.id, units)

    @property
    def paid(self) -> Money:
        return self.wallet.account(Account.SHOP)

    def stock(self) -> int | None:
        return {one.sku: one.stock for one in self.store.products()}["bread"]


@pytest.fixture
def shop(tmp_path, on_each_database):
    return Shop(tmp_path).stocked()


class TestReturns:
    def test_a_line_goes_back_for_what_it_cost_and_the_order_stays_delivered(self, shop):
        assert shop.give_back(ReturnedUnits(1, 2)).status is OrderStatus.DELIVERED
        assert shop.paid == shop.order.total - dollars("4.40")
        assert shop.errands.returns.gone() == {shop.order.id: {1: 2}}

    def test_asked_twice_nothing_happens_twice(self, shop):
        for _ in range(3):
            shop.give_back(ReturnedUnits(0, 2))
        assert shop.paid == shop.order.total - dollars("6.00") and shop.errands.returns.gone()[shop.order.id] == {0: 2}

    @pytest.mark.parametrize(
        "units",
        [
            (ReturnedUnits(0, 4),),
            (ReturnedUnits(0, 1, 1),),
            (ReturnedUnits(7, 1),),
            (ReturnedUnits(0, 0),),
            (ReturnedUnits(0, -1),),
            (ReturnedUnits(0, 1), ReturnedUnits(0, 2)),
            (),
        ],
    )
    def test_what_is_not_there_does_not_go_back(self, shop, units):
        with pytest.raises(OrderError):
            shop.give_back(*units)
        assert shop.paid == shop.order.total and shop.errands.returns.gone() == {}

    def test_not_before_it_is_delivered_nor_too_late(self, shop):
        shop.now = DELIVERED + timedelta(days=31)
        with pytest.raises(OrderError, match="30 days"):
            shop.give_back(ReturnedUnits(0, 1))
        on_its_way = buy(shop.opened, cart_of((OAT, 1)), "another")
        with pytest.raises(OrderError, match="delivered"):
            shop.errands.returns.return_lines(on_its_way.id, (ReturnedUnits(0, 1),))
        assert shop.errands.returns.gone() == {}

    def test_when_the_last_has_gone_back_the_order_has(self, shop):
        shop.give_back(ReturnedUnits(0, 1))
        shop.give_back(ReturnedUnits(2, 1), ReturnedUnits(1, 2))
        assert shop.give_back(ReturnedUnits(0, 2, 1)).status is OrderStatus.REFUNDED
        assert shop.paid.minor == 0 and shop.wallet.balance() == OPENING

    def test_the_rest_of_an_order_goes_back_for_the_rest_of_its_money(self, shop):
        shop.give_back(ReturnedUnits(1, 1))
        assert shop.errands.returns.return_order(shop.order.id).status is OrderStatus.REFUNDED
        assert shop.paid.minor == 0 and shop.wallet.balance() == OPENING

    def test_another_household_is_not_touched(self, shop):
        neighbours = replace(Settings(), shop=replace(Settings().shop, household="x"))
        other = Errands(shop.opened.engine, shop.wallet, neighbours)
        with pytest.raises(OrderError):
            other.returns.return_lines(shop.order.id, (ReturnedUnits(0, 1),))
        assert other.returns.gone() == {} and shop.paid == shop.order.total

    def test_a_payment_gives_back_no_more_than_it_took(self, shop):
        with transaction(shop.opened.engine, "home") as connection:
            for amount in (shop.order.total + dollars("0.01"), dollars("-1.00"), Money(1, "EUR")):
                with pytest.raises(PaymentUnavailable):
                    shop.wallet.refund_part(connection, "home", shop.order.id, 1, amount)
        with transaction(shop.opened.engine, "home") as connection:
            shop.wallet.refund_part(connection, "home", shop.order.id, 1, shop.order.total)
            with pytest.raises(PaymentUnavailable):
                shop.wallet.refund_part(connection, "home", shop.order.id, 2, dollars("0.01"))
            assert shop.wallet.state(connection, "home", shop.order.id) is PaymentState.CAPTURED


class Unreachable(Wallet):
    """A provider that gives nothing back just now."""

    def refund_part(self, *given: object) -> None:
        raise PaymentUnavailable("Not now.")

    def refund(self, *given: object) -> None:
        raise PaymentUnavailable("Not now.")


class TestWhenMoneyMustWait:
    def test_the_return_stands_and_the_money_follows(self, tmp_path):
        shop = Shop(tmp_path).stocked()
        away = shop.over(Unreachable(shop.opened.engine, "home", OPENING))
        event = away.carry_out(ReturnOrder(shop.order.id, (ReturnedUnits(0, 1),)))
        assert isinstance(event, OrderReturned) and not event.settled and event.refund == dollars("3.00")
        assert shop.paid == shop.order.total and away.returns.recover() == ()
        assert shop.errands.returns.recover() == (shop.order.id,) and shop.errands.returns.recover() == ()
        assert shop.paid == shop.order.total - dollars("3.00")

    def test_what_is_owed_is_not_given_back_twice_when_all_goes_back(self, tmp_path):
        shop = Shop(tmp_path).stocked()
        away = shop.over(Unreachable(shop.opened.engine, "home", OPENING))
        away.carry_out(ReturnOrder(shop.order.id, (ReturnedUnits(0, 1),)))
        event = away.carry_out(ReturnOrder(shop.order.id))
        assert isinstance(event, OrderReturned) and event.order.status is OrderStatus.RETURNED and not event.settled
        assert event.refund == shop.order.total - dollars("3.00")
        assert shop.errands.returns.return_order(shop.order.id).status is OrderStatus.REFUNDED
        assert shop.errands.returns.recover() == () and shop.wallet.balance() == OPENING


@pytest.mark.parametrize(("restock", "stock"), [(False, 8), (True, 9)])
def test_stock_is_put_back_as_configured(tmp_path, restock, stock):
    shop = Shop(tmp_path, restock=restock).stocked()
    shop.give_back(ReturnedUnits(1, 1))
    shop.give_back(ReturnedUnits(1, 1))
    assert shop.stock() == stock
    shop.errands.returns.return_order(shop.order.id)
    assert shop.stock() == (10 if restock else 8)


def test_the_setting_decides_what_is_put_back(tmp_path):
    for number, restock in enumerate((False, True)):
        settings = replace(Settings(), shop=replace(Settings().shop, restock_returns=restock))
        opened = open_storefront(settings, tmp_path / str(number), randomness=random.Random(1))
        opened.store.import_catalog(PRODUCTS)
        order = buy(opened, GOODS, "key")
        opened.store.move_order(order.id, OrderStatus.DELIVERED)
        opened.errands.returns.return_lines(order.id, (ReturnedUnits(1, 1),))
        assert {one.sku: one.stock for one in opened.store.products()}["bread"] == (9 if restock else 8)


def test_killed_at_every_step_a_line_goes_back_once_or_not_at_all(tmp_path):
    folder = tmp_path / "shop"
    shop = Shop(folder).stocked()
    total, number = shop.order.total, shop.order.id
    shop.opened.engine.dispose()
    outcomes = []
    for step in range(500):
        own = shutil.copytree(folder, tmp_path / str(step))

        def work(folder=own, step=step):
            dying = Shop(folder, restock=True)
            KilledAt(dying.opened.engine, step)
            dying.errands.returns.return_lines(number, (ReturnedUnits(1, 2),))

        how = ended(child(work))
        assert how in (0, -signal.SIGKILL)
        after = Shop(own, restock=True)
        after.errands.returns.recover()
        gone = after.errands.returns.gone()
        assert gone in ({}, {number: {1: 2}})
        assert after.paid == (total - dollars("4.40") if gone else total) and after.stock() == (10 if gone else 8)
        after.errands.returns.return_lines(number, (ReturnedUnits(1, 2),))
        assert after.paid == total - dollars("4.40") and after.stock() == 10
        outcomes.append(bool(gone))
        after.opened.engine.dispose()
        if how == 0:
            break
    assert outcomes == sorted(outcomes) and outcomes[-1] and not outcomes[0]


# The dialogue.

PAST = order_with(Bill("USD", cart_with(line("oat", 3), line("brown"), line("latte", 1, size="large")).lines))
PAST = replace(PAST, history=(*PAST.history, StatusChange(OrderStatus.DELIVERED, NOON)))


@dataclass
class Returner(Talkers):
    """Somebody with one delivered order."""

    gone: dict[str, dict[int, int]] = field(default_factory=dict)

    @property
    def knowledge(self) -> Knowledge:
        orders = self.orders or (PAST,)
        return Knowledge(self.products, self.cart, orders, now=NOON + timedelta(days=1), gone=self.gone)

    @property
    def asked(self) -> tuple[ReturnedUnits, ...]:
        assert isinstance(self.situation.question, ReallyReturn) and self.state is State.CHOOSING
        assert not self.has(ReturnOrder)
        return self.situation.question.units


class TestDialogue:
    def test_the_line_that_was_named_is_asked_about_and_a_yes_returns_it(self):
        talk = Returner().hear(Intent.RETURN_ORDER, item("brown"))
        assert talk.said == ["returning.really_some"] and talk.asked == (ReturnedUnits(1, 1),)
        assert talk.values("returning.really_some")["total"] == dollars("2.20")
        assert talk.hear(Intent.CONFIRM).actions == (ReturnOrder("4721", (ReturnedUnits(1, 1),)),)

    def test_of_several_it_asks_how_many(self):
        talk = Returner().hear(Intent.RETURN_ORDER, item("oat"))
        assert talk.said == ["returning.how_many"] and talk.asked == (ReturnedUnits(0, 3),)
        assert talk.listen is not None and talk.listen.choices == ("oat",)
        talk.hear(Intent.CHANGE_QUANTITY, quantity=2)
        assert talk.said == ["returning.really_some"] and talk.asked == (ReturnedUnits(0, 2),)
        assert talk.hear(Intent.CONFIRM).actions == (ReturnOrder("4721", (ReturnedUnits(0, 2),)),)

    def test_a_yes_is_no_number(self):
        talk = Returner().hear(Intent.RETURN_ORDER, item("oat")).hear(Intent.CONFIRM)
        assert talk.said == ["not_understood", "returning.how_many"] and talk.asked == (ReturnedUnits(0, 3),)
        assert talk.hear(Intent.CONFIRM, quantity=2).asked == (ReturnedUnits(0, 2),)
        assert talk.hear(Intent.CONFIRM, quantity=1).asked == (ReturnedUnits(0, 1),)

    def test_the_same_product_with_a_number_is_an_answer_too(self):
        talk = Returner().hear(Intent.RETURN_ORDER, item("oat")).hear(Intent.ORDER, item("oat", 1))
        assert talk.asked == (ReturnedUnits(0, 1),) and talk.skus() == {}

    @pytest.mark.parametrize("number", [0, 4, 24])
    def test_more_than_there_is_is_no_answer(self, number):
        talk = Returner().hear(Intent.RETURN_ORDER, item("oat")).hear(Intent.CHANGE_QUANTITY, quantity=number)
        assert talk.said == ["not_understood", "returning.how_many"] and talk.asked == (ReturnedUnits(0, 3),)

    def test_a_number_that_was_said_is_not_asked_for(self):
        talk = Returner().hear(Intent.RETURN_ORDER, item("oat", 2))
        assert talk.said == ["returning.really_some"] and talk.asked == (ReturnedUnits(0, 2),)
        assert Returner().hear(Intent.RETURN_ORDER, item("oat", 4)).said == ["returning.only"]

    def test_what_has_gone_back_does_not_go_again(self):
        talk = Returner(gone={"4721": {0: 2, 1: 1}}).hear(Intent.RETURN_ORDER, item("oat"))
        assert talk.asked == (ReturnedUnits(0, 1, 2),)
        assert Returner(gone={"4721": {1: 1}}).hear(Intent.RETURN_ORDER, item("brown")).said == ["returning.gone"]

    def test_several_products_at_once(self):
        talk = Returner().hear(Intent.RETURN_ORDER, item("oat", 1), item("brown"))
        assert talk.asked == (ReturnedUnits(0, 1), ReturnedUnits(1, 1))

    def test_words_that_several_lines_fit_are_asked_about(self):
        order = replace(PAST, lines=cart_with(line("latte", 1, size="large"), line("latte", 1, size="small")).lines)
        talk = Returner(orders=(order,))
        assert talk.hear(Intent.RETURN_ORDER, item("latte")).said == ["returning.which"] and talk.state is State.DONE
        assert talk.hear(Intent.RETURN_ORDER, item("latte", size="small")).asked == (ReturnedUnits(1, 1),)
        bread = Unresolved("bread", candidates=("white", "brown"))
        assert Returner().hear(Intent.RETURN_ORDER, unresolved=(bread,)).asked == (ReturnedUnits(1, 1),)

    def test_what_was_never_bought_does_not_go_back(self):
        assert Returner().hear(Intent.RETURN_ORDER, item("soy")).said == ["returning.never_bought"]
        assert Returner().hear(Intent.RETURN_ORDER, item("oat"), item("soy")).said == ["returning.never_bought"]

    def test_the_whole_order_is_what_is_left_of_it(self):
        talk = Returner(gone={"4721": {0: 3}}).hear(Intent.RETURN_ORDER)
        assert talk.said == ["returning.really"] and talk.values("returning.really")["total"] == dollars("7.20")
        assert talk.hear(Intent.CONFIRM).actions == (ReturnOrder("4721"),)

    @pytest.mark.parametrize("answer", [Intent.DENY, Intent.CANCEL, Intent.STOP])
    def test_without_a_yes_nothing_goes_back(self, answer):
        assert not Returner().hear(Intent.RETURN_ORDER, item("oat")).hear(answer).has(ReturnOrder)

    @given(
        st.lists(
            st.tuples(
                st.sampled_from([Intent.RETURN_ORDER, Intent.CONFIRM, Intent.CHANGE_QUANTITY, Intent.ORDER]),
                st.sampled_from(["oat", "brown", "latte", "soy"]) | st.none(),
                st.none() | st.integers(0, 5),
            ),
            max_size=8,
        )
    )
    def test_only_what_was_asked_about_goes_back(self, said):
        talk = Returner()
        for intent, sku, number in said:
            before = talk.situation.question
            talk.hear(intent, *((item(sku, number),) if sku else ()), quantity=None if sku else number)
            for action in talk.actions:
                if isinstance(action, ReturnOrder):
                    assert isinstance(before, ReallyReturn) and not before.countable and intent is Intent.CONFIRM
                    assert (action.order, action.units) == (before.order, before.units)
                    left = {one.line: one for one in left_of(PAST, {})}
                    assert all(0 < one.quantity <= left[one.line].quantity for one in action.units)

    def test_the_refund_is_told(self):
        event = OrderReturned(PAST, PAST.lines[:1], dollars("9.00"), settled=True)
        talk = Returner()(event)
        assert talk.said == ["returning.some_done"] and talk.values("returning.some_done")["total"] == dollars("9.00")
        assert Returner()(replace(event, settled=False)).said == ["returning.some_later"]


def test_no_action_of_the_dialogue_is_unknown_to_the_errands(tmp_path):
    shop = Shop(tmp_path).stocked()
    event = shop.errands.carry_out(ReturnOrder(shop.order.id, (ReturnedUnits(1, 1),)))
    assert isinstance(event, OrderReturned) and event.settled and event.refund == dollars("2.20")
    assert [one.quantity for one in event.goods] == [1]
    with reading(shop.opened.engine) as connection:
        assert shop.wallet.state(connection, "home", shop.order.id) is PaymentState.CAPTURED
    known = shop.errands.inform(Knowledge({}, Cart("USD"), shop.store.orders()))
    assert known.gone == {shop.order.id: {1: 1}}


def test_the_receipt_and_the_command_show_what_has_gone_back(tmp_path, capsys):
    shop = Shop(tmp_path).stocked()
    shop.give_back(ReturnedUnits(0, 2))
    printed = render_receipt(receipt(shop.order, "en", UTC, shop.errands.returns.gone()[shop.order.id]))
    assert "2 × oat milk gone back" in printed and "-$6.00" in printed
    assert "gone back" not in render_receipt(receipt(shop.order, "en", UTC))
    shop.opened.engine.dispose()
    assert main(["orders", "show", shop.order.id, "--state", str(tmp_path)]) == 0
    assert "2 × oat milk gone back" in capsys.readouterr().out
    assert main(["orders", "--json", "--state", str(tmp_path)]) == 0
    assert json.loads(capsys.readouterr().out)["returned"] == [{"line": 0, "quantity": 2, "refund": 600}]
