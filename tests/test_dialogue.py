"""The dialogue: what it does, step by step, and what it never does."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assistant.settings import Talk
from assistant.shop.cart import Cart, line_for
from assistant.shop.money import Money
from assistant.shop.orders import Order, OrderStatus, StatusChange
from assistant.shop.product import Option, OptionValue, Product
from assistant.talk.actions import (
    AbandonPayment,
    Action,
    AddToList,
    BeginPayment,
    CancelOrder,
    ChangeCart,
    EndConversation,
    Identify,
    Listen,
    RequestChallenge,
    Say,
)
from assistant.talk.dialogue import advance, answers_challenge
from assistant.talk.inputs import (
    ChallengeIssued,
    Failed,
    Heard,
    Identified,
    Input,
    Left,
    NotHeard,
    OrderCancelled,
    Paid,
    PaymentDeclined,
    PaymentUnavailable,
    PriceChanged,
    Silence,
    Woken,
)
from assistant.talk.situation import Knowledge, Situation, State
from assistant.talk.transitions import KINDS, ROWS, TABLE
from assistant.understand.understanding import Expecting, Intent, Item, Understanding, Unresolved

TALK = Talk()


def dollars(amount: str) -> Money:
    return Money.parse(amount, "USD")


def product(sku: str, name: str, price: str, **more: object) -> Product:
    return Product(sku, {"en": name}, dollars(price), **more)  # type: ignore[arg-type]


SIZE = Option("size", (OptionValue("small"), OptionValue("large", price_delta=dollars("1.00"))), required=True)
ROAST = Option("roast", (OptionValue("light"), OptionValue("dark")), default="light")
PRODUCTS = {
    one.sku: one
    for one in (
        product("oat", "oat milk", "3.00", unit="carton"),
        product("soy", "soy milk", "2.50", unit="carton"),
        product("cow", "whole milk", "1.50", unit="carton", stock=10),
        product("white", "white bread", "2.00", unit="loaf", stock=3),
        product("brown", "brown bread", "2.20", unit="loaf"),
        product("gone", "rye bread", "2.20", unit="loaf", stock=0),
        product("latte", "latte", "4.00", options=(SIZE, ROAST)),
        Product("euro", {"en": "baguette"}, Money(200, "EUR")),
    )
}


def line(sku: str, quantity: int = 1, **options: str):
    return line_for(PRODUCTS[sku], quantity, options)


def cart_of(*lines) -> Cart:
    cart = Cart("USD")
    for one in lines:
        cart = cart.add(one)
    return cart


def order_of(number: str, cart: Cart, status: OrderStatus = OrderStatus.PAID) -> Order:
    return Order(
        number, "home", number, cart.lines, cart.total, (StatusChange(status, datetime(2026, 1, 1, tzinfo=UTC)),)
    )


def item(sku: str, quantity: int | None = None, **options: str) -> Item:
    return Item(sku, PRODUCTS[sku].name("en"), quantity or 1, options, 100.0, quantity is not None)


def heard(intent: Intent, *items: Item, **more: object) -> Heard:
    unresolved = tuple(more.pop("unresolved", ()))  # type: ignore[arg-type]
    return Heard(Understanding("words", intent, items, unresolved, **more))  # type: ignore[arg-type]


@dataclass
class Talkers:
    """A conversation with a shop that does as it is told."""

    cart: Cart = field(default_factory=lambda: Cart("USD"))
    products: dict[str, Product] = field(default_factory=lambda: dict(PRODUCTS))
    orders: tuple[Order, ...] = ()
    obstacle: str | None = None
    situation: Situation = field(default_factory=Situation)
    actions: tuple[Action, ...] = ()

    @property
    def knowledge(self) -> Knowledge:
        return Knowledge(self.products, self.cart, self.orders, obstacle=self.obstacle)

    def __call__(self, event: Input) -> "Talkers":
        self.situation, self.actions = advance(self.situation, event, self.knowledge, TALK)
        for action in self.actions:
            if isinstance(action, ChangeCart):
                self.cart = action.cart
        return self

    def hear(self, intent: Intent, *items: Item, **more: object) -> "Talkers":
        return self(heard(intent, *items, **more))

    @property
    def state(self) -> State:
        return self.situation.state

    @property
    def said(self) -> list[str]:
        return [action.template for action in self.actions if isinstance(action, Say)]

    def values(self, template: str) -> dict[str, object]:
        return next(dict(a.values) for a in self.actions if isinstance(a, Say) and a.template == template)

    @property
    def listen(self) -> Listen | None:
        return next((action for action in self.actions if isinstance(action, Listen)), None)

    def has(self, kind: type) -> bool:
        return any(isinstance(action, kind) for action in self.actions)

    def skus(self) -> dict[str, int]:
        return {one.sku: one.quantity for one in self.cart.lines}


def confirming(*items: Item, **more: object) -> Talkers:
    talk = Talkers(**more).hear(Intent.ORDER, *(items or (item("oat", 2),)))  # type: ignore[arg-type]
    assert talk.state is State.CONFIRMING
    return talk


def authorising(**more: object) -> Talkers:
    talk = confirming(**more).hear(Intent.CONFIRM)
    assert talk.state is State.AUTHORISING
    return talk(ChallengeIssued("4721"))


UNKNOWN_FRUIT = Unresolved("dragon fruit")
SOME_MILK = Unresolved("milk", 2, ("oat", "soy", "cow"), quantity_said=True)
NEARLY_BREAD = Unresolved("braun bred", suggestion="brown")


class TestTable:
    def test_every_state_knows_every_kind_of_input(self):
        assert set(TABLE) == {(state, kind) for state in State for kind in KINDS}

    def test_every_row_is_used(self):
        assert [row for row in ROWS if row not in TABLE.values()] == []

    def test_only_a_confirmation_of_the_read_back_leads_to_authorising(self):
        sources = {
            (state, kind)
            for (state, kind), row in TABLE.items()
            if State.AUTHORISING in row.to and state is not State.AUTHORISING
        }
        harmless = {(s, k) for s in State for k in (ChallengeIssued, PaymentDeclined, PaymentUnavailable, PriceChanged)}
        assert sources - harmless == {(State.CONFIRMING, Intent.CONFIRM)}


class TestOrdering:
    def test_the_read_back_has_quantity_product_options_and_total(self):
        talk = confirming(item("latte", 2, size="large"))
        values = talk.values("read_back")
        (amount,) = values["items"]
        assert (amount.quantity, amount.name) == (2, "latte")
        assert {(option.group, option.value) for option in amount.options} == {("size", "large"), ("roast", "light")}
        assert values["total"] == dollars("10.00")
        assert talk.listen == Listen(Expecting.CONFIRMATION)
        assert talk.skus() == {"latte": 2}

    def test_yes_pays_for_what_was_read_back(self):
        talk = confirming().hear(Intent.CONFIRM)
        assert talk.actions == (BeginPayment(talk.cart, talk.cart.total),)
        assert talk.state is State.AUTHORISING
        talk(ChallengeIssued("4721"))
        assert talk.said == ["challenge"] and talk.listen == Listen(Expecting.DIGITS)
        order = order_of("4721", talk.cart)
        talk.cart = Cart("USD")
        talk(Paid(order))
        assert talk.said == ["placed"] and talk.state is State.DONE and not talk.has(AbandonPayment)

    def test_several_items_are_read_back_together(self):
        talk = confirming(item("oat", 2), item("brown"))
        assert talk.skus() == {"oat": 2, "brown": 1}
        assert len(talk.values("read_back")["items"]) == 2

    def test_the_earlier_cart_is_read_back_too(self):
        talk = confirming(item("oat", 2), cart=cart_of(line("soy")))
        assert [amount.name for amount in talk.values("read_back")["items"]] == ["soy milk", "oat milk"]

    def test_add_to_cart_does_not_go_to_payment(self):
        talk = Talkers().hear(Intent.ADD_TO_CART, item("oat", 2))
        assert talk.state is State.DONE and talk.said == ["added"] and talk.skus() == {"oat": 2}
        talk.hear(Intent.CONFIRM)
        assert not talk.has(BeginPayment)

    def test_checkout_reads_the_cart_back(self):
        talk = Talkers(cart=cart_of(line("oat", 2))).hear(Intent.CHECKOUT)
        assert talk.state is State.CONFIRMING and talk.said == ["read_back"]

    def test_checkout_of_nothing_asks_what_to_order(self):
        talk = Talkers().hear(Intent.CHECKOUT)
        assert talk.state is State.LISTENING and talk.said == ["what_to_order"]

    def test_an_unusual_quantity_is_asked_about(self):
        talk = Talkers().hear(Intent.ORDER, item("oat", 50))
        assert talk.said == ["really_so_many"] and talk.skus() == {}
        assert replace(talk.situation) and talk.hear(Intent.CONFIRM).skus() == {"oat": 50}
        talk = Talkers().hear(Intent.ORDER, item("oat", 50)).hear(Intent.CHANGE_QUANTITY, quantity=15)
        assert talk.skus() == {"oat": 15} and talk.state is State.CONFIRMING
        talk = Talkers().hear(Intent.ORDER, item("oat", 50)).hear(Intent.DENY)
        assert talk.said == ["left_out"] and talk.skus() == {} and talk.state is State.DONE

    def test_too_little_stock_is_said(self):
        talk = Talkers().hear(Intent.ORDER, item("white", 5))
        assert talk.said == ["take_what_is_left"] and talk.values("take_what_is_left")["count"] == 3
        assert talk.hear(Intent.CONFIRM).skus() == {"white": 3}
        only = {"gone": PRODUCTS["gone"]}
        talk = Talkers(products=only).hear(Intent.ORDER, item("gone"))
        assert talk.said == ["restocking.sold_out"] and talk.skus() == {} and talk.state is State.DONE

    def test_stock_counts_what_is_in_the_cart_already(self):
        talk = Talkers(cart=cart_of(line("white", 2))).hear(Intent.ORDER, item("white", 2))
        assert talk.values("take_what_is_left")["count"] == 1

    def test_a_cart_from_yesterday_is_read_back_at_the_prices_and_stock_of_today(self):
        cheap = replace(PRODUCTS["oat"], price=dollars("1.00"))
        old = cart_of(line_for(cheap, 2), line("white", 3), line("brown"))
        today = {**PRODUCTS, "white": replace(PRODUCTS["white"], stock=1)}
        del today["brown"]
        talk = Talkers(cart=old, products=today).hear(Intent.CHECKOUT)
        assert talk.said == ["no_longer_sold", "price_changed", "reduced_to_stock", "read_back"]
        assert talk.values("read_back")["total"] == dollars("8.00") and talk.skus() == {"oat": 2, "white": 1}

    def test_a_price_that_changes_after_the_read_back_is_read_back_again(self):
        talk = confirming()
        talk.products["oat"] = replace(PRODUCTS["oat"], price=dollars("30.00"))
        talk.hear(Intent.CONFIRM)
        assert not talk.has(BeginPayment) and talk.said[-1] == "read_back"
        assert talk.values("read_back")["total"] == dollars("60.00")
        assert talk.hear(Intent.CONFIRM).has(BeginPayment)

    def test_another_currency_is_refused(self):
        assert Talkers().hear(Intent.ORDER, item("euro")).said == ["not_sold_here"]

    def test_without_a_voice_the_cart_is_kept(self):
        talk = Talkers(obstacle="nobody_enrolled").hear(Intent.ORDER, item("oat", 2))
        assert talk.said == ["cart", "declined.nobody_enrolled", "cart_kept"]
        assert talk.state is State.DONE and talk.skus() == {"oat": 2}


class TestQuestions:
    def test_a_tie_is_read_out_and_chosen_from(self):
        talk = Talkers().hear(Intent.ORDER, unresolved=(SOME_MILK,))
        assert talk.state is State.CHOOSING
        assert talk.listen == Listen(Expecting.CHOICE, ("oat", "soy", "cow"))
        talk.hear(Intent.ORDER, item("soy"))
        assert talk.state is State.CONFIRMING and talk.skus() == {"soy": 2}

    def test_at_most_three_choices(self):
        tie = Unresolved("something", candidates=("oat", "soy", "cow", "white", "brown"))
        assert len(Talkers().hear(Intent.ORDER, unresolved=(tie,)).listen.choices) == 3

    def test_yes_chooses_none_of_several(self):
        talk = Talkers().hear(Intent.ORDER, unresolved=(SOME_MILK,)).hear(Intent.CONFIRM)
        assert talk.state is State.CHOOSING and talk.said == ["not_understood", "which_product"]

    def test_no_leaves_it_out_and_the_rest_goes_on(self):
        talk = Talkers().hear(Intent.ORDER, item("brown"), unresolved=(SOME_MILK,))
        assert talk.skus() == {"brown": 1}
        talk.hear(Intent.DENY)
        assert talk.said == ["left_out", "read_back"] and talk.skus() == {"brown": 1}

    def test_a_required_option_is_asked_for(self):
        talk = Talkers().hear(Intent.ORDER, item("latte", 2))
        assert talk.said == ["which_option"] and talk.listen == Listen(Expecting.CHOICE, ("latte",))
        talk.hear(Intent.CHANGE_OPTION, options={"size": "small"})
        assert talk.state is State.CONFIRMING and dict(talk.cart.lines[0].options) == {
            "size": "small",
            "roast": "light",
        }

    def test_an_option_may_tell_the_choices_apart(self):
        tie = Unresolved("drink", candidates=("latte", "oat"))
        talk = Talkers().hear(Intent.ORDER, unresolved=(tie,)).hear(Intent.CHANGE_OPTION, options={"size": "large"})
        assert talk.skus() == {"latte": 1}

    def test_a_suggestion_is_taken_with_yes_only(self):
        talk = Talkers().hear(Intent.ORDER, unresolved=(NEARLY_BREAD,))
        assert talk.said == ["take_suggestion"] and talk.skus() == {}
        assert talk.hear(Intent.UNKNOWN).skus() == {}
        assert talk.hear(Intent.CONFIRM).skus() == {"brown": 1}
        talk = Talkers().hear(Intent.ORDER, unresolved=(NEARLY_BREAD,)).hear(Intent.DENY, item("brown"))
        assert talk.skus() == {} and talk.state is State.DONE

    def test_nothing_close_is_said(self):
        talk = Talkers(cart=cart_of(line("soy"))).hear(Intent.ORDER, unresolved=(UNKNOWN_FRUIT,))
        assert talk.said == ["not_found"] and talk.state is State.DONE

    def test_another_product_in_place_of_the_question(self):
        talk = Talkers().hear(Intent.ORDER, unresolved=(SOME_MILK,)).hear(Intent.DENY, item("brown", 1))
        assert talk.skus() == {"brown": 1}

    def test_questions_one_after_the_other(self):
        talk = Talkers().hear(Intent.ORDER, item("latte"), unresolved=(SOME_MILK,))
        talk.hear(Intent.CHANGE_OPTION, options={"size": "large"})
        assert talk.said == ["which_product"]
        talk.hear(Intent.ORDER, item("oat"))
        assert talk.skus() == {"latte": 1, "oat": 2} and talk.state is State.CONFIRMING

    def test_asides_keep_the_question(self):
        talk = Talkers().hear(Intent.ORDER, unresolved=(SOME_MILK,))
        for intent in (Intent.PRICE, Intent.HELP, Intent.WHAT_IS_IN_CART, Intent.REPEAT, Intent.CHECKOUT):
            talk.hear(intent)
            assert talk.state is State.CHOOSING and talk.said[-1] == "which_product"

    def test_leaving_out_what_is_asked_about(self):
        talk = Talkers().hear(Intent.ORDER, item("brown"), unresolved=(SOME_MILK,)).hear(Intent.REMOVE)
        assert talk.said == ["left_out", "read_back"]
        talk = Talkers().hear(Intent.ORDER, item("brown"), unresolved=(SOME_MILK,)).hear(Intent.REMOVE, item("brown"))
        assert talk.said == ["removed", "which_product"] and talk.skus() == {}

    def test_a_quantity_changes_what_is_asked_about(self):
        talk = Talkers().hear(Intent.ORDER, item("latte")).hear(Intent.CHANGE_QUANTITY, quantity=3)
        assert talk.said == ["which_option"]
        assert talk.hear(Intent.CHANGE_OPTION, options={"size": "small"}).skus() == {"latte": 3}


class TestCorrections:
    @pytest.mark.parametrize("intent", [Intent.CHANGE_QUANTITY, Intent.DENY, Intent.CONFIRM])
    def test_no_three(self, intent):
        talk = confirming().hear(intent, quantity=3)
        assert talk.skus() == {"oat": 3} and talk.said == ["read_back"] and not talk.has(BeginPayment)

    def test_one_more(self):
        assert confirming().hear(Intent.CHANGE_QUANTITY, quantity_delta=1).skus() == {"oat": 3}
        assert confirming().hear(Intent.CHANGE_QUANTITY, item("oat"), quantity_delta=-1).skus() == {"oat": 1}

    def test_none_at_all(self):
        talk = confirming().hear(Intent.CHANGE_QUANTITY, quantity_delta=-2)
        assert talk.skus() == {} and talk.state is State.DONE

    def test_make_it_small(self):
        talk = confirming(item("latte", 2, size="large")).hear(Intent.CHANGE_OPTION, options={"size": "small"})
        assert talk.cart.lines[0].options["size"] == "small" and talk.values("read_back")["total"] == dollars("8.00")

    def test_an_option_goes_to_the_line_that_has_it(self):
        talk = confirming(item("latte", 1, size="large"), item("oat"))
        talk.hear(Intent.CHANGE_OPTION, options={"size": "small"})
        assert [one.options.get("size") for one in talk.cart.find("latte")] == ["small"]

    def test_an_option_that_there_is_not(self):
        talk = confirming(item("latte", 1, size="large"))
        before = talk.cart
        talk.hear(Intent.CHANGE_OPTION, options={"size": "huge"})
        assert talk.said == ["option_unknown", "read_back"] and talk.cart == before
        talk.hear(Intent.CHANGE_OPTION, item("latte", size="huge"))
        assert talk.said == ["option_unknown", "read_back"] and talk.cart == before

    def test_not_that_the_brown_one(self):
        talk = confirming(item("white", 2)).hear(Intent.DENY, item("brown"))
        assert talk.skus() == {"brown": 2} and talk.said == ["read_back"]

    def test_not_that_but_something_that_ties(self):
        talk = confirming(item("white", 3)).hear(Intent.DENY, unresolved=(replace(SOME_MILK, quantity_said=False),))
        assert talk.state is State.CHOOSING and talk.skus() == {"white": 3}
        assert talk.hear(Intent.ORDER, item("oat")).skus() == {"oat": 3}

    def test_not_that_but_something_that_there_is_not_keeps_the_line(self):
        talk = confirming(item("white", 3)).hear(Intent.DENY, unresolved=(UNKNOWN_FRUIT,))
        assert talk.said == ["not_found", "read_back"] and talk.skus() == {"white": 3}

    def test_remove(self):
        talk = confirming(item("oat", 2), item("brown")).hear(Intent.REMOVE, item("oat"))
        assert talk.skus() == {"brown": 1} and talk.said == ["removed", "read_back"]
        assert talk.hear(Intent.REMOVE).said == ["removed", "cart_empty"]
        assert talk.state is State.DONE

    def test_remove_some_of_them(self):
        assert confirming(item("oat", 3)).hear(Intent.REMOVE, item("oat", 1)).skus() == {"oat": 2}

    def test_remove_what_is_not_there(self):
        assert confirming().hear(Intent.REMOVE, item("brown")).said == ["not_in_cart", "read_back"]

    def test_a_tie_of_which_one_is_in_the_cart(self):
        assert confirming().hear(Intent.REMOVE, unresolved=(replace(SOME_MILK, quantity_said=False),)).skus() == {}

    def test_more_items(self):
        for intent in (Intent.ORDER, Intent.ADD_TO_CART, Intent.CONFIRM):
            talk = confirming().hear(intent, item("brown"))
            assert talk.skus() == {"oat": 2, "brown": 1} and talk.said == ["read_back"]

    def test_an_order_that_is_said_again_is_not_doubled(self):
        talk = confirming(cart=cart_of(line("oat", 1)))
        assert talk.skus() == {"oat": 3}
        assert talk.hear(Intent.ORDER, item("oat", 2)).skus() == {"oat": 3}
        assert talk.hear(Intent.ADD_TO_CART, item("oat", 1)).skus() == {"oat": 4}

    def test_an_unusual_correction_that_is_denied_keeps_the_line(self):
        talk = confirming().hear(Intent.CHANGE_QUANTITY, quantity=50)
        assert talk.said == ["really_so_many"]
        assert talk.hear(Intent.DENY).skus() == {"oat": 2} and talk.said == ["left_out", "read_back"]

    def test_no_asks_what_to_change(self):
        talk = confirming().hear(Intent.DENY)
        assert talk.state is State.LISTENING and talk.said == ["what_to_change"] and talk.skus() == {"oat": 2}
        assert talk.hear(Intent.CHANGE_QUANTITY, quantity=1).said == ["read_back"]
        talk = confirming().hear(Intent.DENY).hear(Intent.DENY)
        assert talk.said == ["okay", "cart_kept"] and talk.has(EndConversation)

    def test_yes_after_no_is_no_confirmation(self):
        talk = confirming().hear(Intent.DENY).hear(Intent.CONFIRM)
        assert not talk.has(BeginPayment) and talk.state is State.LISTENING

    def test_of_the_kept_cart(self):
        talk = Talkers(cart=cart_of(line("oat", 2))).hear(Intent.CHANGE_QUANTITY, quantity=3)
        assert talk.state is State.DONE and talk.said == ["cart"] and talk.skus() == {"oat": 3}

    def test_while_authorising(self):
        talk = authorising().hear(Intent.CHANGE_QUANTITY, quantity=1)
        assert talk.actions[0] == AbandonPayment() and talk.said == ["read_back"] and talk.skus() == {"oat": 1}


class TestAuthorising:
    def test_no_answer_means_one_new_challenge_then_no_purchase(self):
        talk = authorising()(Silence())
        assert talk.has(RequestChallenge) and talk.listen is None
        talk(ChallengeIssued("8350"))(Silence())
        assert talk.said == ["declined.no_answer", "nothing_bought", "cart_kept"]
        assert talk.actions[0] == AbandonPayment() and talk.has(EndConversation) and talk.skus() == {"oat": 2}

    def test_digits_are_never_said_again(self):
        talk = authorising().hear(Intent.REPEAT)
        assert talk.said == ["help.authorising"] and talk.has(RequestChallenge)

    def test_a_decline_that_may_be_tried_again(self):
        talk = authorising()(PaymentDeclined("wrong_digits", retry=True))
        assert talk.said == ["declined.wrong_digits"] and talk.has(RequestChallenge)
        talk(ChallengeIssued("8350"))
        assert talk.said == ["challenge"] and talk.state is State.AUTHORISING

    @pytest.mark.parametrize(
        "event", [PaymentDeclined("other_voice"), PaymentUnavailable(), Failed("store_failed")], ids=str
    )
    def test_a_failure_keeps_the_cart(self, event):
        talk = authorising()(event)
        assert talk.actions[0] == AbandonPayment() and talk.said[-2:] == ["nothing_bought", "cart_kept"]
        assert talk.skus() == {"oat": 2} and talk.state in (State.IDLE, State.DONE)

    def test_no_goes_back_to_the_cart(self):
        talk = authorising().hear(Intent.DENY)
        assert talk.actions[0] == AbandonPayment() and talk.said == ["what_to_change"]

    def test_words_that_belong_to_the_dialogue(self):
        mine = {intent for intent in Intent if not answers_challenge(Understanding("", intent))}
        assert mine == {Intent.STOP, Intent.CANCEL, Intent.CANCEL_ORDER, Intent.DENY, Intent.REPEAT, Intent.HELP}

    def test_a_challenge_that_comes_too_late_is_given_up(self):
        talk = Talkers()(ChallengeIssued("4721"))
        assert talk.actions == (AbandonPayment(),)


def every_state() -> dict[str, Talkers]:
    return {
        "idle": Talkers(cart=cart_of(line("soy"))),
        "listening": Talkers(cart=cart_of(line("soy")))(Woken()),
        "choosing": Talkers(cart=cart_of(line("soy"))).hear(Intent.ORDER, item("brown"), unresolved=(SOME_MILK,)),
        "confirming": confirming(cart=cart_of(line("soy"))),
        "authorising": authorising(cart=cart_of(line("soy"))),
        "done": Talkers(cart=cart_of(line("soy"))).hear(Intent.WHAT_IS_IN_CART),
    }


STATES = [str(state) for state in State]


class TestEverywhere:
    def test_the_states_are_what_they_are_called(self):
        assert {name: str(talk.state) for name, talk in every_state().items()} == {name: name for name in STATES}

    @pytest.mark.parametrize("state", STATES)
    def test_stop_ends_it_with_nothing_bought(self, state):
        talk = every_state()[state]
        before = talk.cart
        talk.hear(Intent.STOP)
        assert talk.has(EndConversation) and talk.state is State.IDLE and talk.cart == before
        assert not talk.has(BeginPayment) and talk.has(AbandonPayment) == (state == "authorising")

    @pytest.mark.parametrize("state", STATES)
    def test_cancel_takes_back_what_was_ordered(self, state):
        talk = every_state()[state].hear(Intent.CANCEL)
        assert talk.skus() == {"soy": 1} and talk.state is State.DONE
        assert talk.has(AbandonPayment) == (state == "authorising")
        assert ("cancelled" in talk.said) == (state in ("choosing", "confirming", "authorising"))

    @pytest.mark.parametrize("state", STATES)
    def test_help(self, state):
        assert every_state()[state].hear(Intent.HELP).said[0] == f"help.{state}"

    @pytest.mark.parametrize("state", ["listening", "choosing", "confirming"])
    def test_silence_is_asked_about_twice_then_it_ends(self, state):
        talk = every_state()[state]
        before = talk.cart
        for _ in range(TALK.reprompts):
            talk(Silence())
            assert talk.said[0] == "still_there" and talk.listen and str(talk.state) == state
        talk(Silence())
        assert talk.has(EndConversation) and talk.cart == before

    @pytest.mark.parametrize("state", ["listening", "choosing", "confirming"])
    @pytest.mark.parametrize("event", [NotHeard(), heard(Intent.UNKNOWN)], ids=["not heard", "unknown"])
    def test_gibberish_is_asked_about_twice_then_it_ends(self, state, event):
        talk = every_state()[state]
        for _ in range(TALK.reprompts):
            assert talk(event).listen
        assert talk(event).has(EndConversation)

    @pytest.mark.parametrize("state", ["choosing", "confirming"])
    def test_repeat_says_the_same_again(self, state):
        talk = every_state()[state]
        said, listen = talk.said, talk.listen
        talk.hear(Intent.REPEAT)
        assert (talk.said, talk.listen, str(talk.state)) == (said, listen, state)

    def test_repeat_of_an_answer(self):
        talk = Talkers(cart=cart_of(line("soy"))).hear(Intent.WHAT_IS_IN_CART)
        said = talk.said
        assert talk.hear(Intent.REPEAT).said == said
        assert Talkers().hear(Intent.REPEAT).said == ["nothing_to_repeat"]

    @pytest.mark.parametrize("state", STATES)
    def test_leaving_is_silent(self, state):
        talk = every_state()[state](Left())
        assert talk.said == [] and talk.has(EndConversation)
        assert talk.has(AbandonPayment) == (state == "authorising")

    def test_the_wake_phrase_alone(self):
        talk = Talkers()(Woken())
        assert talk.said == ["greeting"] and talk.listen == Listen(Expecting.COMMAND)

    def test_follow_up_silence_is_no_matter(self):
        talk = Talkers(cart=cart_of(line("soy"))).hear(Intent.WHAT_IS_IN_CART)
        assert talk.listen == Listen(Expecting.COMMAND, optional=True)
        assert talk(Silence()).actions == (EndConversation(),)

    def test_unknown_never_confirms(self):
        assert not confirming().hear(Intent.UNKNOWN).has(BeginPayment)


class TestAsides:
    def test_prices(self):
        talk = Talkers().hear(Intent.PRICE, item("latte", size="large"), unresolved=(SOME_MILK,))
        assert talk.said == ["price", "price", "price", "price"] and talk.values("price")["price"] == dollars("5.00")
        assert Talkers().hear(Intent.PRICE, item("latte")).said == ["price_from"]
        assert Talkers().hear(Intent.PRICE, unresolved=(NEARLY_BREAD,)).said == ["not_found", "price"]

    def test_prices_while_confirming_end_with_the_read_back(self):
        for intent in (Intent.PRICE, Intent.STOCK):
            talk = confirming().hear(intent, item("brown"))
            assert talk.said[-1] == "read_back" and talk.state is State.CONFIRMING

    def test_stock(self):
        talk = Talkers().hear(Intent.STOCK, item("white"), item("gone"), item("oat"))
        assert talk.said == ["stock_left", "out_of_stock", "in_stock"]

    def test_order_status(self):
        newest, older = (
            order_of("4721", cart_of(line("oat"))),
            order_of("8350", cart_of(line("soy")), OrderStatus.SHIPPED),
        )
        talk = Talkers(orders=(newest, older))
        assert talk.hear(Intent.ORDER_STATUS).said == ["status.paid"]
        assert talk.hear(Intent.ORDER_STATUS, order="8350").said == ["status.shipped"]
        assert talk.hear(Intent.ORDER_STATUS, order="1111").said == ["no_such_order"]
        assert Talkers().hear(Intent.ORDER_STATUS).said == ["no_orders"]

    def test_cancelling_an_order_is_confirmed(self):
        order = order_of("4721", cart_of(line("oat")))
        talk = Talkers(orders=(order,)).hear(Intent.CANCEL_ORDER)
        assert talk.said == ["really_cancel"] and talk.listen == Listen(Expecting.CONFIRMATION)
        assert talk.hear(Intent.CONFIRM).actions == (CancelOrder("4721"),)
        assert talk(OrderCancelled(order)).said == ["order_cancelled"]
        for other in (Intent.DENY, Intent.CANCEL):
            talk = Talkers(orders=(order,)).hear(Intent.CANCEL_ORDER).hear(other)
            assert talk.said == ["order_stays"] and not talk.has(CancelOrder)
        assert not Talkers(orders=(order,)).hear(Intent.CANCEL_ORDER).hear(Intent.UNKNOWN).has(CancelOrder)

    def test_a_shipped_order_cannot_be_cancelled(self):
        order = order_of("4721", cart_of(line("oat")), OrderStatus.SHIPPED)
        assert Talkers(orders=(order,)).hear(Intent.CANCEL_ORDER).said == ["too_late_to_cancel", "status.shipped"]

    def test_cancel_right_after_an_order_asks_about_it(self):
        talk = authorising()
        order = order_of("4721", talk.cart)
        talk.cart, talk.orders = Cart("USD"), (order,)
        assert talk(Paid(order)).hear(Intent.CANCEL).said == ["really_cancel"]

    def test_cancel_my_order_while_confirming_cancels_what_is_being_ordered(self):
        earlier = order_of("4721", cart_of(line("oat")))
        talk = confirming(orders=(earlier,)).hear(Intent.CANCEL_ORDER)
        assert talk.said == ["cancelled"] and not talk.has(CancelOrder) and talk.skus() == {}

    def test_reorder(self):
        talk = Talkers(orders=(order_of("4721", cart_of(line("oat", 2), line("latte", 1, size="large"))),))
        talk.hear(Intent.REORDER)
        assert talk.state is State.CONFIRMING and talk.skus() == {"oat": 2, "latte": 1}
        assert Talkers().hear(Intent.REORDER).said == ["no_orders"]

    def test_the_shopping_list(self):
        talk = Talkers().hear(Intent.LIST_ADD, item("oat", 2), unresolved=(UNKNOWN_FRUIT,))
        assert talk.actions[:2] == (AddToList("oat milk", "oat", 2), AddToList("dragon fruit"))
        assert talk.said == ["listed"] and talk.skus() == {}

    def test_who_speaks_is_told_and_what_was_open_stays_open(self):
        talk = Talkers().hear(Intent.ORDER, item("oat", 2)).hear(Intent.WHO_SPEAKS)
        assert talk.actions == (Identify(),) and talk.state is State.CONFIRMING
        assert talk(Identified("anna")).said == ["identified", "read_back"]
        assert talk.values("identified") == {"name": "anna"}
        assert talk.state is State.CONFIRMING and talk.skus() == {"oat": 2}
        assert Talkers().hear(Intent.WHO_SPEAKS)(Identified(None)).said == ["unidentified"]

    def test_who_speaks_pays_nothing(self):
        talk = Talkers().hear(Intent.ORDER, item("oat", 2)).hear(Intent.CONFIRM)(ChallengeIssued("8350"))
        assert not talk.hear(Intent.WHO_SPEAKS).has(Identify) and talk.has(RequestChallenge)
        talk(Identified("anna"))
        assert talk.actions[0] == AbandonPayment() and not talk.has(BeginPayment)


# Random conversations.

SKUS = st.sampled_from([*PRODUCTS, "nothing"])
QUANTITIES = st.integers(1, 60)
OPTIONS = st.dictionaries(st.sampled_from(["size", "roast", "color"]), st.sampled_from(["small", "large", "dark", "x"]))
ITEMS = st.builds(Item, SKUS, st.just("thing"), QUANTITIES, OPTIONS, st.just(90.0), st.booleans())
UNRESOLVED = st.builds(
    Unresolved,
    st.just("words"),
    QUANTITIES,
    st.lists(SKUS, max_size=4, unique=True).map(tuple),
    st.none() | SKUS,
    OPTIONS,
    st.booleans(),
)
UNDERSTANDINGS = st.builds(
    Understanding,
    st.just("words"),
    st.sampled_from(Intent) | st.sampled_from([Intent.ORDER, Intent.CONFIRM]),
    st.lists(ITEMS, max_size=2).map(tuple),
    st.just(()) | st.lists(UNRESOLVED, max_size=2).map(tuple),
    st.none() | st.integers(0, 60),
    st.integers(-3, 3),
    OPTIONS,
    st.none() | st.sampled_from(["4721", "1111"]),
)
PLAIN = st.sampled_from([*Intent, *[Intent.CONFIRM] * 8]).map(lambda intent: heard(intent))
ORDERS = st.builds(
    lambda sku, n: heard(Intent.ORDER, item(sku, n)), st.sampled_from(["oat", "white", "latte"]), QUANTITIES
)
PAST = order_of("4721", cart_of(line("oat", 2), line("latte", 1, size="large")))
EVENTS = (
    st.builds(Heard, UNDERSTANDINGS)
    | PLAIN
    | ORDERS
    | st.sampled_from(
        [
            Woken(),
            NotHeard(),
            Silence(),
            Left(),
            ChallengeIssued("4721"),
            PaymentDeclined("wrong_digits", retry=True),
            PaymentDeclined("other_voice"),
            PaymentUnavailable(),
            Paid(PAST),
            OrderCancelled(PAST),
            Identified("anna"),
            Identified(None),
            Failed("store_failed"),
        ]
    )
)
SILENT = (Silence(), NotHeard(), heard(Intent.UNKNOWN))


def ends_well(talk: Talkers) -> bool:
    """Whether somebody goes on: the person, or whoever carries out the last action."""
    last = talk.actions[-1] if talk.actions else None
    answered = BeginPayment | RequestChallenge | CancelOrder | AbandonPayment | Identify
    return last is None or isinstance(last, Listen | EndConversation | answered)


@settings(max_examples=300, deadline=None)
@given(st.lists(EVENTS, max_size=25), st.none() | st.just("nobody_enrolled"))
def test_nothing_is_paid_without_a_yes_to_exactly_what_was_read_back(events, obstacle):
    talk = Talkers(orders=(PAST,), obstacle=obstacle)
    heard_last: tuple[str, object, object] | None = None
    for event in events:
        cart_before = talk.cart
        talk(event)
        again = advance(talk.situation, event, talk.knowledge, TALK)
        assert again == advance(talk.situation, event, talk.knowledge, TALK), "pure"
        for action in talk.actions:
            if isinstance(action, BeginPayment):
                assert isinstance(event, Heard) and event.understanding.intent is Intent.CONFIRM
                assert heard_last is not None
                template, contents, total = heard_last
                assert template == "read_back" and obstacle is None
                assert action.cart == cart_before and total == action.cart.total
                assert [(a.quantity, a.name) for a in contents] == [
                    (one.quantity, one.name("en")) for one in action.cart.lines
                ]
                assert [{o.group: o.value for o in a.options} for a in contents] == [
                    dict(one.options) for one in action.cart.lines
                ]
        if talk.state is State.CONFIRMING and talk.said:
            assert talk.said[-1] == "read_back" and isinstance(talk.actions[-1], Listen)
        assert ends_well(talk)
        spoken = [action for action in talk.actions if isinstance(action, Say)]
        if spoken:
            heard_last = (spoken[-1].template, spoken[-1].values.get("items"), spoken[-1].values.get("total"))


@settings(max_examples=200, deadline=None)
@given(st.lists(EVENTS, max_size=20), st.lists(st.sampled_from([Silence(), Left(), heard(Intent.CONFIRM)]), max_size=5))
def test_nothing_happens_after_stop(events, later):
    talk = Talkers(orders=(PAST,))
    for event in events:
        talk(event)
    paying, cart = talk.state is State.AUTHORISING, talk.cart
    talk.hear(Intent.STOP)
    assert talk.state is State.IDLE and talk.has(EndConversation) and talk.has(AbandonPayment) == paying
    for event in later:
        talk(event)
        assert not talk.has(BeginPayment) and not talk.has(ChangeCart) and not talk.has(CancelOrder)
    assert talk.cart == cart


@settings(max_examples=200, deadline=None)
@given(st.lists(EVENTS, max_size=20), st.sampled_from(SILENT))
def test_silence_always_ends_it_and_keeps_the_cart(events, nothing):
    talk = Talkers(orders=(PAST,))
    for event in events:
        talk(event)
    lines = {(one.key, one.quantity) for one in talk.cart.lines}
    for _ in range(TALK.reprompts + 2):
        if talk.has(EndConversation):
            break
        talk(nothing)
        assert not talk.has(BeginPayment) and not talk.has(CancelOrder)
        if talk.has(RequestChallenge):
            talk(ChallengeIssued("8350"))
    assert talk.has(EndConversation) and talk.state is State.IDLE
    assert {(one.key, one.quantity) for one in talk.cart.lines} == lines


@settings(max_examples=200, deadline=None)
@given(st.lists(EVENTS, max_size=20))
def test_leaving_authorising_without_payment_gives_it_up(events):
    talk = Talkers(orders=(PAST,))
    for event in events:
        before = talk.state
        talk(event)
        if before is State.AUTHORISING and talk.state is not State.AUTHORISING:
            assert isinstance(event, Paid) or talk.actions[0] == AbandonPayment()
