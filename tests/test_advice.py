"""Questions about products: answered from the shop's data, or honestly not at all; nothing changes."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from shops import LANGUAGE, catalog, option, product
from test_dialogue import Talkers, item

from assistant.languages.fact_words import fact_words_of
from assistant.languages.measures import say_value
from assistant.settings import Understand
from assistant.shop.facts import holds
from assistant.talk.actions import BeginPayment, ChangeCart, Say
from assistant.talk.replies import Replies
from assistant.talk.situation import State
from assistant.understand.parser import understand
from assistant.understand.understanding import Context, Inquiry, Intent

FACTS = {fact.name: fact for fact in fact_words_of(LANGUAGE).facts.values()}
REPLIES = Replies(LANGUAGE)
OAT = {"vegan": "true", "volume": "1 l", "ingredients": "water, oats, coconut milk", "fat": "1.5 %", "alcohol": "0 %"}
PRODUCTS = {
    one.sku: one
    for one in (
        product("oat", "oat milk", 300, unit="carton", brand="Grovewell", attributes=OAT),
        product("cow", "whole milk", 150, unit="carton", attributes={"allergens": "milk", "fat": "3.5 %"}),
        product("bread", "white bread", 200, unit="loaf", attributes={"allergens": "wheat"}),
        product("plain", "pretzels", 200),
        product("soap", "laundry soap", 700, unit="bottle", attributes={"washes": "30"}, description="For clothes."),
        product("shirt", "shirt", 999, options=(option("size", "small", "large", default="small"),)),
        product("beer", "beer", 150, attributes={"alcohol": "4.8 %"}),
        product("cookie", "cookies", 150, attributes={"ingredients": "oats, cocoa butter, peanut butter"}),
    )
}
CATALOG = catalog(tuple(PRODUCTS.values()))


def asked(text: str, *spoken_of: str) -> list[str]:
    """What is said to a question after a question for these products' price."""
    talk = Talkers(products=dict(PRODUCTS))
    if spoken_of:
        talk.hear(Intent.PRICE, *(replace(item("oat"), sku=sku) for sku in spoken_of))
    found = understand([text], CATALOG, LANGUAGE, Context(), Understand())
    assert found.intent is Intent.ASK, found
    talk.hear(found.intent, *found.items, unresolved=found.unresolved, inquiry=found.inquiry)
    assert talk.skus() == {} and talk.state is not State.CONFIRMING
    return [REPLIES.render(action) for action in talk.actions if isinstance(action, Say)]


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("is oat milk vegan", "Yes, oat milk is vegan."),
        ("is white bread gluten free", "No, white bread is not gluten free."),
        ("is whole milk dairy free", "No, whole milk is not dairy free."),
        ("is oat milk gluten free", "I don't know: the shop doesn't say whether oat milk is gluten free."),
        ("are the cookies dairy free", "I don't know: the shop doesn't say whether cookies is dairy free."),
        ("do the cookies contain milk", "The shop's list of what is in cookies doesn't name milk."),
        ("does whole milk contain milk", "Yes, whole milk contains milk."),
        ("is there lactose in oat milk", "No, oat milk is lactose free."),
        ("is there gluten in pretzels", "I don't know: the shop doesn't say whether pretzels contains gluten."),
        ("is beer alcohol free", "No, beer is not alcohol free."),
        ("how big is oat milk", "One carton of oat milk is one liter."),
        ("what size is the shirt", "Shirt comes in small and large."),
        ("how much fat is in whole milk", "Whole milk: three point five percent fat."),
        ("how many washes does laundry soap do", "One bottle of laundry soap is good for thirty washes."),
        ("how many washes does oat milk do", "I don't know: the shop doesn't say that about oat milk."),
        ("what's in oat milk", "In oat milk: water, oats, coconut milk."),
        ("what's in white bread", "The shop doesn't say what is in white bread, only that there is wheat."),
        ("who makes oat milk", "Oat milk is made by Grovewell."),
        ("who makes pretzels", "I don't know: the shop doesn't say that about pretzels."),
        ("where do pretzels come from", "I don't know: the shop doesn't say that about pretzels."),
        ("tell me about laundry soap", "Laundry soap: For clothes. It costs seven dollars."),
        ("tell me about pretzels", "Pretzels costs two dollars. The shop says nothing more about it."),
    ],
)
def test_answers(text, answer):
    assert asked(text) == [answer]


def test_it_is_what_was_spoken_of_last():
    assert asked("is it vegan", "oat") == ["Yes, oat milk is vegan."]
    assert asked("how big is it") == ["Which product do you mean?"]


def test_differences():
    said = asked("what's the difference", "oat", "cow")
    assert said[0] == "Oat milk costs three dollars, whole milk one dollar and fifty cents."
    assert "Oat milk has one point five percent fat, whole milk three point five percent." in said
    assert "Oat milk is dairy free, whole milk is not." in said and len(said) <= 4
    assert asked("what's the difference", "oat")[0].startswith("I need two products")
    assert asked("what's the difference between white bread and pretzels")[0].startswith("The shop names no difference")


@given(
    st.sampled_from(sorted(PRODUCTS)),
    st.sampled_from(
        ["fact", "contains", "size", "count", "washes", "contents", "maker", "origin", "energy", "difference",
         "description", "storage", "amount"]
    ),
    st.sampled_from(sorted(FACTS)),
    st.sampled_from(list(State)),
)  # fmt: skip
def test_a_question_changes_neither_cart_nor_money_and_always_has_an_answer(sku, topic, fact, state):
    talk = Talkers(products=dict(PRODUCTS))
    if state is State.CONFIRMING:
        talk.hear(Intent.ORDER, replace(item("oat", 2), sku=sku))
    before = talk.cart
    inquiry = Inquiry(topic, (FACTS[fact],), "fat", "fat")
    talk.hear(Intent.ASK, replace(item("oat"), sku=sku), inquiry=inquiry)
    assert talk.cart == before and not talk.has(ChangeCart) and not talk.has(BeginPayment)
    said = [REPLIES.render(action) for action in talk.actions if isinstance(action, Say)]
    assert said and all(said)


def test_what_the_shop_states_goes_before_what_follows_from_something_else():
    one = product("one", "vegan cookies", attributes={"vegan": "false", "dairy_free": "true"})
    assert holds(one, FACTS["vegan"], "en") is False
    assert holds(one, FACTS["lactose_free"], "en") is True
    assert holds(product("two", "lactose free milk", attributes={"allergens": "milk"}), FACTS["lactose_free"], "en")
    assert holds(product("three", "milk", attributes={"vegan": "perhaps"}), FACTS["vegan"], "en") is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("1 l", "one liter"),
        ("1.5 l", "one point five liters"),
        ("500 g", "five hundred grams"),
        ("3.5 %", "three point five percent"),
        ("40", "forty"),
        ("wheat flour, water", "wheat flour, water"),
        ("1 barrel", "1 barrel"),
    ],
)
def test_values_are_said_as_people_say_them(text, said):
    assert say_value(text, LANGUAGE) == said
