"""A household is told once what it waits for is back in stock; nothing is ever bought by it."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from household_shop import OAT, buy, cart_of, open_shop
from shops import LANGUAGE, catalog, product
from test_dialogue import UNKNOWN_FRUIT, Talkers, heard, item

from assistant.announcements import Announcer
from assistant.languages.language import load_language
from assistant.settings import Understand
from assistant.shop.stock_alerts import StockAlerts
from assistant.talk.actions import TellWhenBack
from assistant.talk.inputs import Heard
from assistant.talk.replies import Replies
from assistant.talk.situation import State
from assistant.understand.parser import understand
from assistant.understand.understanding import Context, Expecting, Intent, Unresolved

SHOP = {
    one.sku: one
    for one in (
        product("oat", "oat milk", unit="carton", category="Milk"),
        product("soy", "soy milk", unit="carton", category="Milk"),
        product("nut", "hazelnut milk", unit="carton", category="Milk", stock=0),
        product("fish", "fish flakes", unit="can", category="Pets", stock=0),
        product("salt", "table salt", unit="box", category="Spices"),
    )
}

CATALOG = catalog(tuple(SHOP.values()))


def named(sku: str):
    return replace(item("oat"), sku=sku, name=SHOP[sku].name("en"))


def talkers(**more: object) -> Talkers:
    return Talkers(products=dict(SHOP), **more)  # type: ignore[arg-type]


def alerts(talk: Talkers) -> list[str]:
    return [action.sku for action in talk.actions if isinstance(action, TellWhenBack)]


class TestAsking:
    def test_what_is_sold_out_is_remembered_and_confirmed(self):
        talk = talkers().hear(Intent.STOCK_ALERT, named("nut"))
        assert alerts(talk) == ["nut"] and talk.said == ["restocking.remembered"] and talk.state is State.DONE
        assert talk.values("restocking.remembered")["names"] == ("hazelnut milk",) and talk.skus() == {}

    def test_what_is_in_stock_is_said_to_be_and_nothing_is_remembered(self):
        talk = talkers().hear(Intent.STOCK_ALERT, named("salt"))
        assert alerts(talk) == [] and talk.said == ["restocking.in_stock"]

    def test_of_several_that_tie_those_that_are_sold_out_are_meant(self):
        tie = Unresolved("milk", candidates=("oat", "soy", "nut"))
        assert alerts(talkers().hear(Intent.STOCK_ALERT, unresolved=(tie,))) == ["nut"]

    def test_a_guess_is_not_remembered(self):
        guess = Unresolved("hazel mick", suggestion="nut")
        for unknown in (guess, UNKNOWN_FRUIT):
            talk = talkers().hear(Intent.STOCK_ALERT, unresolved=(unknown,))
            assert alerts(talk) == [] and talk.said == ["not_found"]

    def test_without_anything_spoken_of_it_asks(self):
        talk = talkers().hear(Intent.STOCK_ALERT)
        assert alerts(talk) == [] and talk.said == ["stock_of_what"]


class TestIt:
    def test_is_what_was_just_said_to_be_sold_out(self):
        talk = talkers().hear(Intent.ORDER, named("fish"))
        assert talk.said == ["restocking.sold_out"]
        assert alerts(talk.hear(Intent.STOCK_ALERT)) == ["fish"] and talk.skus() == {}

    def test_is_what_was_asked_about(self):
        assert alerts(talkers().hear(Intent.STOCK, named("nut")).hear(Intent.STOCK_ALERT)) == ["nut"]

    def test_is_what_alternatives_were_offered_for_and_ends_the_offer(self):
        talk = talkers().hear(Intent.ORDER, named("nut"))
        assert talk.said == ["offer.sold_out"] and talk.state is State.CHOOSING
        talk.hear(Intent.STOCK_ALERT)
        assert alerts(talk) == ["nut"] and talk.said == ["restocking.remembered"]
        assert talk.state is State.DONE and talk.skus() == {}
        assert alerts(talk.hear(Intent.STOCK_ALERT)) == ["nut"]

    def test_is_what_was_sold_out_once_the_alternatives_are_denied(self):
        talk = talkers().hear(Intent.ORDER, named("nut")).hear(Intent.DENY)
        assert alerts(talk.hear(Intent.STOCK_ALERT)) == ["nut"]

    def test_is_the_alternative_that_was_taken(self):
        talk = talkers().hear(Intent.ORDER, named("nut")).hear(Intent.CONFIRM, named("soy"))
        assert talk.skus() == {"soy": 1}
        talk.hear(Intent.STOCK_ALERT)
        assert alerts(talk) == [] and talk.said[0] == "restocking.in_stock" and talk.state is State.CONFIRMING

    def test_what_else_was_ordered_goes_on(self):
        talk = talkers().hear(Intent.ORDER, named("nut"), named("salt")).hear(Intent.STOCK_ALERT)
        assert alerts(talk) == ["nut"] and talk.skus() == {"salt": 1} and talk.state is State.CONFIRMING

    def test_another_product_leaves_the_offer_open(self):
        talk = talkers().hear(Intent.ORDER, named("nut")).hear(Intent.STOCK_ALERT, named("fish"))
        assert alerts(talk) == ["fish"] and talk.state is State.CHOOSING and talk.said[-1] == "offer.sold_out"


@pytest.mark.parametrize(
    ("words", "skus"),
    [
        ("tell me when the hazelnut milk is back", ["nut"]),
        ("let me know when hazelnut milk is in stock again", ["nut"]),
        ("please tell me when the fish flakes are available again", ["fish"]),
        ("could you let me know when the fish flakes are back in stock please", ["fish"]),
        ("tell me when you have hazelnut milk again", ["nut"]),
        ("let me know when it is in stock again", []),
        ("tell me when it's back", []),
        ("can you tell me when they are available again", []),
    ],
)
@pytest.mark.parametrize(
    "context",
    [
        Context(),
        Context(Expecting.CHOICE, ("oat", "soy")),
        Context(Expecting.CONFIRMATION, ("oat",)),
        Context(cart=("oat",)),
    ],
    ids=["nothing", "choice", "confirmation", "cart"],
)
def test_the_words_for_it(words, skus, context):
    found = understand([words], CATALOG, LANGUAGE, context, Understand())
    assert found.intent is Intent.STOCK_ALERT
    assert [item.sku for item in found.items] == skus and not found.unresolved


@pytest.mark.parametrize("words", ["don't tell me when it's back", "tell me when my order arrives", "is it back"])
def test_other_words_ask_for_nothing(words):
    found = understand([words], CATALOG, LANGUAGE, Context(), Understand())
    assert alerts(talkers()(Heard(found))) == []


def test_nothing_is_remembered_while_somebody_pays():
    found = understand(["tell me when it's back"], CATALOG, LANGUAGE, Context(Expecting.DIGITS), Understand())
    assert found.intent is Intent.UNKNOWN
    paying = talkers().hear(Intent.ORDER, named("salt")).hear(Intent.CONFIRM)
    assert paying.state is State.AUTHORISING
    assert alerts(paying(heard(Intent.STOCK_ALERT, named("nut")))) == []


class TestTelling:
    def test_when_a_cancelled_order_is_put_back(self, tmp_path):
        shop = open_shop(tmp_path / "state")
        shop.store.import_catalog([replace(OAT, stock=1)])
        order = buy(shop, cart_of((OAT, 1)), "key")
        shop.errands.carry_out(TellWhenBack(OAT.sku))
        assert self.announcer(shop).due() == ()
        shop.store.cancel_order(order.id)
        assert self.announcer(shop).due() == ("You wanted to know: oat milk is back in stock.",)

    @staticmethod
    def announcer(shop, quiet: str = "") -> Announcer:
        noon = datetime(2026, 11, 11, 12, tzinfo=UTC)
        return Announcer(shop.store, shop.errands, Replies(load_language("en")), "en", quiet, lambda: noon)

    def test_once_and_only_when_it_is_back(self, tmp_path, on_each_database):
        shop = open_shop(tmp_path / "state")
        shop.store.import_catalog([replace(OAT, stock=0)])
        for _ in range(2):
            shop.errands.carry_out(TellWhenBack(OAT.sku))
        assert shop.errands.stock_alerts.waiting() == (OAT.sku,) and self.announcer(shop).due() == ()
        shop.store.import_catalog([replace(OAT, stock=2)])
        assert self.announcer(open_shop(tmp_path / "state"), "00:00-23:59").due() == ()
        assert self.announcer(shop).due() == ("You wanted to know: oat milk is back in stock.",)
        assert self.announcer(shop).due() == self.announcer(open_shop(tmp_path / "state")).due() == ()

    def test_what_the_shop_sells_no_more_is_still_waited_for(self, tmp_path):
        shop = open_shop(tmp_path / "state")
        shop.store.import_catalog([OAT])
        shop.errands.carry_out(TellWhenBack("ghost"))
        assert self.announcer(shop).due() == () and shop.errands.stock_alerts.waiting() == ("ghost",)

    def test_each_household_waits_for_its_own_and_one_device_ends_it(self, tmp_path, on_each_database):
        shop = open_shop(tmp_path / "state")
        ours, neighbours = shop.errands.stock_alerts, StockAlerts(shop.engine, "neighbour")
        ours.add("oat")
        neighbours.add("oat")
        assert ours.claim("oat") and not ours.claim("oat")
        assert ours.waiting() == () and neighbours.waiting() == ("oat",)
