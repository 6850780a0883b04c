"""What people say to a shop, in their words: choosing, offers, questions, orders, habits, where it goes. Typed."""

from datetime import UTC, datetime, timedelta

import pytest
from household_shop import open_shop
from shops import LANGUAGE
from spoken_shop import SpokenShop

from assistant.parts import Parts
from assistant.settings import Settings, Talk
from assistant.shop.addresses import AddressBook
from assistant.shop.feeds.reading import open_feed
from assistant.shop.orders import OrderStatus
from assistant.storefront import shipped_catalog
from assistant.understand.understanding import Context, Intent


@pytest.fixture(scope="module")
def parts(tmp_path_factory):
    products = open_feed(shipped_catalog()).products
    settings = Settings(talk=Talk(recommendations=False))
    return Parts(settings, products, tmp_path_factory.mktemp("parts"), lambda line: None, ("spring ten",), ("grandma",))


DIGITS = dict(zip("0123456789", LANGUAGE.normalise("0 1 2 3 4 5 6 7 8 9").split(), strict=True))


class Talking(SpokenShop):
    """A conversation over the household shop; the shop beside it."""

    def __init__(self, folder, parts) -> None:
        self.shop = open_shop(folder)
        self.shop.store.import_catalog(parts.products)
        super().__init__(folder, self.shop, "home", parts)

    def says(self, text: str) -> str:
        return self.say(LANGUAGE.normalise(text))

    @property
    def cart(self) -> dict[str, int]:
        return {line.sku: line.quantity for line in self.shop.store.cart().lines}

    def buy(self, *texts: str) -> str:
        """The number of the order that the sentences make."""
        for text in (*texts, "yes"):
            self.says(text)
        assert "Thank you" in self.repeat_digits()
        return self.shop.store.orders()[0].id


@pytest.fixture
def talk(tmp_path, parts):
    talking = Talking(tmp_path, parts)
    yield talking
    talking.shop.engine.dispose()


UNDERSTOOD = {
    Intent.CHOOSE: """
        a larger one; make it a bigger one; do you have it in a bigger size; the smallest; the one without sugar;
        same without sugar; but without sugar; decaf instead; the same decaf; have you got anything cheaper;
        i'll take the cheaper one; i'll have the second one; take the first one; what other brands do you have;
        do you have other brands; a different one; same brand but decaf; another brand; the biggest""",
    Intent.PRICE: "which one is cheaper; which is the cheapest; how much is oat milk",
    Intent.OFFERS: """
        what's on offer?; any deals on coffee; are there any discounts on coffee; anything on sale; any special offers;
        what are today's deals; tell me the offers; is the ground coffee reduced; any bargains""",
    Intent.WHATS_NEW: "what's new?; anything new; any new products",
    Intent.ORDER_STATUS: """
        where's my order?; has it shipped; when does it arrive; is it here yet; when is it coming; where are my matches;
        where's the oat milk i ordered; when will my oat milk arrive; has my oat milk arrived; is my parcel here""",
    Intent.CANCEL_ORDER: "cancel order; cancel my order; i don't want my order anymore",
    Intent.RETURN_ORDER: """
        return the matches; return it; i want to return it; send it back; can i return the matches;
        i'd like to return the matches; i want to give the matches back; return everything""",
    Intent.USUAL: "order the usual; the usual order; get me the usual; my usual",
    Intent.REORDER: """
        buy the coffee again; i want the coffee again; reorder the coffee; the same coffee again; buy the same coffee;
        buy the coffee i had last time""",
    Intent.RUNNING_LOW: """
        what do we need; what's running low; what do you recommend; any recommendations; can you recommend something;
        are we running out of anything; what should i reorder;
        are we running out of oat milk; when will i run out of oat milk; do we need oat milk""",
    Intent.ASK: """
        how many wash loads does it have; how many wash loads does the laundry detergent have; is the second one vegan;
        tell me more; tell me more about the first one; how do they differ; which one is gluten free;
        what's the difference between the two of them; is it suitable for vegans; any nuts in it;
        are any of them vegan; how big is the second one; is it gluten free?; how many wash loads?""",
    Intent.STOCK: "what coffee do you have; do you have oat milk",
    Intent.STOCK_ALERT: "let me know when hazelnut milk is available; remind me when it's back; notify me",
    Intent.LIST_ADD: "put it on my list; add that to my shopping list",
    Intent.LIST_READ: "read my list; read me our shopping list",
    Intent.LIST_BUY: "buy my list; order our list",
    Intent.DELIVER: """
        deliver it to grandma; can you deliver it to grandma; i want it delivered to grandma;
        where will it be delivered; what addresses do you have""",
    Intent.COUPON: "use the code spring ten; redeem spring ten",
}
SENTENCES = [(intent, one.strip()) for intent, many in UNDERSTOOD.items() for one in many.split(";")]


@pytest.mark.parametrize("intent, sentence", SENTENCES, ids=[sentence for _, sentence in SENTENCES])
def test_it_is_understood(parts, intent, sentence):
    assert parts.understand([LANGUAGE.normalise(sentence)], Context()).intent is intent


@pytest.mark.parametrize("text", ["where is the bathroom", "do we need a passport", "where's my mind"])
def test_talk_that_is_not_for_the_shop_is_no_order_of_anything(parts, text):
    found = parts.understand([LANGUAGE.normalise(text)], Context())
    assert found.intent not in (Intent.ORDER_STATUS, Intent.RUNNING_LOW) and not found.items


class TestChoosing:
    def test_another_of_the_choices_takes_the_place_of_the_one_that_was_taken(self, talk):
        talk.says("order two bags of ground coffee")
        assert "That's two bags of Black Heron ground coffee" in talk.says("the second")
        assert "That's two bags of Morning Finch ground coffee" in talk.says("no, the first one")
        assert sum(talk.cart.values()) == 2 and len(talk.cart) == 1

    def test_the_one_that_was_taken_again_changes_nothing(self, talk):
        talk.says("order a bag of ground coffee")
        talk.says("the second")
        assert "nine dollars and forty nine cents. Shall" in talk.says("the second one")

    def test_a_question_which_is_cheaper_takes_nothing(self, talk):
        talk.says("order a bag of ground coffee")
        said = talk.says("which one is cheaper")
        assert "Morning Finch" in said and "six dollars" in said and "Which one would you like" in said
        assert talk.cart == {}

    def test_one_without_sugar_replaces_what_was_ordered(self, talk):
        talk.says("order two bottles of cola")
        assert "That's two bottles of sugar free cola. The total" in talk.says("the one without sugar")
        assert list(talk.cart.values()) == [2]

    def test_a_larger_one_is_no_lager(self, talk):
        talk.says("order a bottle of ketchup")
        assert "ketchup, large" in talk.says("a larger one")
        assert "ketchup, large" in talk.says("make it a bigger one")
        assert len(talk.cart) == 1

    def test_a_question_about_deals_orders_nothing(self, talk):
        assert "deal" in talk.says("any deals on coffee")
        assert talk.cart == {}

    def test_products_of_one_name_are_told_apart_by_their_brand(self, talk):
        said = talk.says("how much is ground coffee")
        assert "Morning Finch ground coffee costs" in said and "Black Heron ground coffee costs" in said
        said = talk.says("do you have ground coffee")
        assert "of Morning Finch ground coffee" in said and "of Black Heron ground coffee" in said
        assert "Black Heron ground coffee is five hundred grams" in talk.says("how big is ground coffee")


class TestAdvice:
    def test_about_one_of_the_choices(self, talk):
        talk.says("order a bag of ground coffee")
        said = talk.says("is the second one organic")
        assert "Yes, ground coffee is organic" in said and "Which one would you like" in said
        assert "don't know" in talk.says("is the first one organic")
        assert "Which product do you mean" in talk.says("is the third one organic")
        assert talk.cart == {}

    def test_wash_loads(self, talk):
        assert "good for thirty washes" in talk.says("how many wash loads does the laundry detergent have")
        assert "good for thirty washes" in talk.says("how many wash loads?")


class TestOrders:
    def test_one_of_them_by_what_was_ordered(self, talk):
        matches = talk.buy("order a box of matches")
        talk.buy("order a carton of oat milk")
        assert "oat milk" in talk.says("where's my order?")
        said = talk.says("where are my matches")
        assert ", ".join(DIGITS[digit] for digit in matches) in said and "matches" in said
        assert "no order with" in talk.says("where are my bananas")

    def test_cancelling_after_it_was_kept(self, talk):
        order = talk.buy("order a box of matches")
        assert "Are you sure" in talk.says("cancel it")
        assert "stays" in talk.says("no")
        assert "Are you sure" in talk.says("cancel it")
        assert "is cancelled" in talk.says("yes")
        assert talk.shop.store.order(order).status is OrderStatus.REFUNDED

    def test_nothing_is_called_cancelled_that_stays_in_the_cart(self, talk):
        talk.says("add oat milk to my cart")
        assert talk.says("cancel it") == "Nothing was bought. Your cart is kept."

    def test_returning_it(self, talk):
        order = talk.buy("order a box of matches")
        talk.shop.store.move_order(order, OrderStatus.DELIVERED)
        assert "Return the order of one box of matches" in talk.says("i want to return it")
        assert "You get" in talk.says("yes")
        assert talk.shop.store.order(order).status is OrderStatus.REFUNDED


class TestHabits:
    def test_when_something_runs_out(self, talk, monkeypatch):
        now = datetime.now(UTC)
        for days in (20, 10, 0):
            monkeypatch.setattr(talk.shop.store, "_clock", lambda days=days: now - timedelta(days=days))
            talk.buy("order a carton of oat milk")
        assert "oat milk about every ten days, so there should be some until" in talk.says("do we need oat milk")
        assert "don't know yet when you will run out of matches" in talk.says("are we running out of matches")

    def test_what_was_spoken_of_goes_on_the_list(self, talk):
        talk.says("how much is honey")
        assert "honey" in talk.says("put it on my list")
        assert "honey" in talk.says("read my list") and talk.cart == {}


def test_where_it_goes(talk):
    book = AddressBook(talk.shop.engine, "home")
    book.add("home", "5 Elm Street")
    book.add("grandma", "2 Oak Lane")
    said = talk.says("where will it be delivered")
    assert "It goes to home, 5 Elm Street" in said and "I know home and grandma" in said
    talk.says("order a box of matches")
    assert "It goes to grandma, 2 Oak Lane" in talk.says("deliver it to grandma instead")
