"""Understanding: what sentences mean."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shops import COFFEE, HOUSEHOLD, LANGUAGE, RESTAURANT, catalog, option, product

from assistant.settings import Understand
from assistant.understand.parser import understand
from assistant.understand.understanding import Comparison, Context, Expecting, Intent, Understanding, Wanted

SHOPS = {"home": catalog(HOUSEHOLD), "cafe": catalog(COFFEE), "restaurant": catalog(RESTAURANT)}
CONFIRMING = Expecting.CONFIRMATION
CHOOSING = Expecting.CHOICE


def hear(text: str, shop: str = "home", expecting: Expecting = Expecting.COMMAND, cart=(), choices=()) -> Understanding:
    context = Context(expecting, tuple(choices), tuple(cart))
    return understand([LANGUAGE.normalise(text)], SHOPS[shop], LANGUAGE, context, Understand())


def bought(understanding: Understanding) -> list[tuple[str, int, dict[str, str]]]:
    return [(item.sku, item.quantity, dict(item.options)) for item in understanding.items]


def test_a_unit_after_and_is_of_what_follows():
    """Also where what was said before could be an option of something."""
    shop = catalog(
        (
            product("lemons", "lemons", unit="bag"),
            product("cucumber", "cucumber", unit="piece"),
            product("honey", "honey", unit="jar"),
            product("tea", "herbal tea", unit="box", options=(option("flavor", "lemon", "honey"),)),
        )
    )
    said = "three lemons and the cucumber and the jar of honey"
    found = understand([said], shop, LANGUAGE, Context(Expecting.COMMAND, (), ()), Understand())
    assert bought(found) == [("lemons", 3, {}), ("cucumber", 1, {}), ("honey", 1, {})]


def test_a_no_that_belongs_to_an_option_denies_nothing():
    found = hear("no ice coke", "restaurant")
    assert (found.intent, bought(found)) == (Intent.ORDER, [("coke", 1, {"ice": "no ice"})])


class TestIntents:
    @pytest.mark.parametrize(
        ("text", "intent"),
        [
            ("check out", Intent.CHECKOUT),
            ("checkout please", Intent.CHECKOUT),
            ("place my order", Intent.CHECKOUT),
            ("I'm ready to pay", Intent.CHECKOUT),
            ("yes", Intent.CONFIRM),
            ("confirm", Intent.CONFIRM),
            ("yes please", Intent.CONFIRM),
            ("that's right", Intent.CONFIRM),
            ("no", Intent.DENY),
            ("no thanks", Intent.DENY),
            ("nope", Intent.DENY),
            ("that's wrong", Intent.DENY),
            ("cancel", Intent.CANCEL),
            ("cancel that please", Intent.CANCEL),
            ("never mind", Intent.CANCEL),
            ("forget it", Intent.CANCEL),
            ("cancel all of this right now I beg you", Intent.CANCEL),
            ("repeat that", Intent.REPEAT),
            ("could you say that again please", Intent.REPEAT),
            ("help", Intent.HELP),
            ("what can I say", Intent.HELP),
            ("where is my order", Intent.ORDER_STATUS),
            ("when will my package arrive", Intent.ORDER_STATUS),
            ("cancel my order", Intent.CANCEL_ORDER),
            ("I want to cancel my last order", Intent.CANCEL_ORDER),
            ("reorder", Intent.REORDER),
            ("order the usual", Intent.USUAL),
            ("the same as last time", Intent.REORDER),
            ("how much is it", Intent.PRICE),
            ("what's in my cart", Intent.WHAT_IS_IN_CART),
            ("stop", Intent.STOP),
            ("please be quiet", Intent.STOP),
            ("um stop", Intent.STOP),
            ("", Intent.UNKNOWN),
            ("[unk]", Intent.UNKNOWN),
            ("did you see the game last night", Intent.UNKNOWN),
            ("the weather is nice today", Intent.UNKNOWN),
        ],
    )
    def test_without_products(self, text, intent):
        found = hear(text)
        assert (found.intent, found.items, found.unresolved) == (intent, (), ())

    @pytest.mark.parametrize(
        ("text", "intent", "items"),
        [
            ("order two cartons of oat milk", Intent.ORDER, [("oat", 2, {})]),
            ("oat milk", Intent.ORDER, [("oat", 1, {})]),
            ("um, could you please get me some oat milk", Intent.ORDER, [("oat", 1, {})]),
            ("I'd like to have a loaf of brown bread please", Intent.ORDER, [("brown", 1, {})]),
            ("we need three bananas and a classic hummus", Intent.ORDER, [("bananas", 3, {}), ("hummus", 1, {})]),
            ("two oat milks and a loaf of brown bread", Intent.ORDER, [("oat", 2, {}), ("brown", 1, {})]),
            ("oat milk, soy milk and ketchup", Intent.ORDER, [("oat", 1, {}), ("soy", 1, {}), ("ketchup", 1, {})]),
            ("the oat milk and the loaf of brown bread", Intent.ORDER, [("oat", 1, {}), ("brown", 1, {})]),
            (
                "three bananas and the ketchup and the loaf of brown bread",
                Intent.ORDER,
                [("bananas", 3, {}), ("ketchup", 1, {}), ("brown", 1, {})],
            ),
            ("two oat milks three colas", Intent.ORDER, [("oat", 2, {}), ("cola", 3, {})]),
            ("a couple of colas", Intent.ORDER, [("cola", 2, {})]),
            ("half a dozen bananas", Intent.ORDER, [("bananas", 6, {})]),
            ("twenty four cans of cola", Intent.ORDER, [("cola", 24, {})]),
            ("a six-pack of cola", Intent.ORDER, [("cola", 6, {})]),
            ("two six packs of Fizzwell cola", Intent.ORDER, [("cola", 12, {})]),
            ("500 grams of jasmine rice", Intent.ORDER, [("rice", 1, {})]),
            ("a kilo of rice", Intent.ORDER, []),
            ("1 kg of jasmine rice", Intent.ORDER, [("rice", 2, {})]),
            ("a loaf tin", Intent.ORDER, [("loaves", 1, {})]),
            ("a large blue t-shirt", Intent.ORDER, [("shirt", 1, {"size": "large", "color": "blue"})]),
            ("big tee in blue", Intent.ORDER, [("shirt", 1, {"size": "large", "color": "blue"})]),
            ("brown bread and a brown mug", Intent.ORDER, [("brown", 1, {}), ("mug", 1, {"color": "brown"})]),
            ("cinnamon toothpaste", Intent.ORDER, [("paste", 1, {"flavor": "cinnamon"})]),
            ("add two bananas to my cart", Intent.ADD_TO_CART, [("bananas", 2, {})]),
            ("put ketchup in the basket", Intent.ADD_TO_CART, [("ketchup", 1, {})]),
            ("put oat milk on my shopping list", Intent.LIST_ADD, [("oat", 1, {})]),
            ("remove the oat milk", Intent.REMOVE, [("oat", 1, {})]),
            ("take the bananas out of my cart", Intent.REMOVE, [("bananas", 1, {})]),
            ("how much is the oat milk", Intent.PRICE, [("oat", 1, {})]),
            ("what does a large t-shirt cost", Intent.PRICE, [("shirt", 1, {"size": "large"})]),
            ("do you have oat milk in stock", Intent.STOCK, [("oat", 1, {})]),
            ("is there any ketchup left", Intent.STOCK, [("ketchup", 1, {})]),
        ],
    )
    def test_with_products(self, text, intent, items):
        found = hear(text)
        assert (found.intent, bought(found)) == (intent, items)

    @pytest.mark.parametrize(
        "words", ["where is order four seven two one", "track order number 4721", "status of order 4721"]
    )
    def test_order_numbers(self, words):
        assert (hear(words).intent, hear(words).order) == (Intent.ORDER_STATUS, "4721")

    def test_commands_go_before_products(self):
        for command in ("cancel", "stop", "help", "repeat", "cancel that"):
            assert hear(command, "restaurant").items == ()


class TestOptions:
    @pytest.mark.parametrize(
        ("text", "items"),
        [
            (
                "a medium dark roast double shot americano with lots of milk and a little bit of sugar",
                [
                    (
                        "americano",
                        1,
                        {
                            "size": "medium",
                            "roast": "dark roast",
                            "shots": "double shot",
                            "milkAmount": "lots of milk",
                            "sugarAmount": "a little bit of sugar",
                        },
                    )
                ],
            ),
            (
                "can I get a double shot dark roast twelve ounce latte with brown sugar and soy milk",
                [
                    (
                        "latte",
                        1,
                        {
                            "shots": "double shot",
                            "roast": "dark roast",
                            "size": "twelve ounce",
                            "sugarAmount": "brown sugar",
                            "milkAmount": "soy milk",
                        },
                    )
                ],
            ),
            (
                "a large iced latte with almond milk",
                [("iced-latte", 1, {"size": "large", "milkAmount": "almond milk"})],
            ),
            ("an almond milk latte", [("latte", 1, {"milkAmount": "almond milk"})]),
            (
                "two small lattes and a large mocha with cream",
                [("latte", 2, {"size": "small"}), ("mocha", 1, {"size": "large", "milkAmount": "cream"})],
            ),
            ("coffee with a lot of milk", [("coffee", 1, {"milkAmount": "a lot of milk"})]),
            ("coffee with lots of milk", [("coffee", 1, {"milkAmount": "lots of milk"})]),
            ("a coffee with a splash of cream", [("coffee", 1, {"milkAmount": "cream"})]),
            ("a medium medium roast house coffee", [("house-coffee", 1, {"size": "medium", "roast": "medium roast"})]),
            ("espresso no sugar", [("espresso", 1, {})]),
            ("a latte, large, with sugar", [("latte", 1, {"size": "large", "sugarAmount": "sugar"})]),
        ],
    )
    def test_coffee(self, text, items):
        found = hear(text, "cafe")
        assert (found.intent, bought(found)) == (Intent.ORDER, items)

    @pytest.mark.parametrize(
        ("text", "items"),
        [
            (
                "a large thin crust pepperoni pizza with mushrooms",
                [("Pepperoni", 1, {"size": "large", "crust": "thin crust", "extra topping": "mushrooms"})],
            ),
            (
                "two big hawaiian pizzas and a coke with no ice",
                [("Hawaiian", 2, {"size": "large"}), ("coke", 1, {"ice": "no ice"})],
            ),
            ("milk tea with oat milk and no sugar", [("tea", 1, {"milk": "oat", "sweetness": "no sugar"})]),
            ("milk tea no milk", [("tea", 1, {"milk": "none"})]),
            (
                "a cheeseburger well done without pickles with ketchup",
                [("burger", 1, {"doneness": "well done", "pickles": "no", "sauce": "ketchup"})],
            ),
            (
                "two vanilla cup ice creams",
                [("ice", 2, {"flavor": "vanilla", "container": "cup"})],
            ),
            (
                "two scoops of vanilla ice cream in a cone",
                [("ice", 1, {"scoops": "2", "flavor": "vanilla", "container": "cone"})],
            ),
            ("12 piece hot wings", [("wings", 1, {"count": "12 piece", "heat": "hot"})]),
        ],
    )
    def test_restaurant(self, text, items):
        assert bought(hear(text, "restaurant")) == items

    def test_an_option_that_the_product_does_not_have_is_reported(self):
        found = hear("a large mug")
        assert bought(found) == [("mug", 1, {"size": "large"})]


class TestUncertain:
    def test_a_tie_is_at_most_three_choices(self):
        found = hear("order two milks")
        (tie,) = found.unresolved
        assert found.intent is Intent.ORDER and tie.candidates == ("oat", "soy", "whole")
        assert (tie.phrase, tie.quantity, tie.quantity_said) == ("milks", 2, True)

    def test_options_are_kept_for_whichever_is_chosen(self):
        (tie,) = hear("a large pizza with olives", "restaurant").unresolved
        assert len(tie.candidates) == 3 and dict(tie.options) == {"size": "large", "extra topping": "olives"}

    def test_nothing_close(self):
        (missing,) = hear("order dragon fruit").unresolved
        assert (missing.phrase, missing.candidates) == ("dragon fruit", ())

    def test_the_nearest_is_suggested(self):
        (missing,) = hear("order organic bananas").unresolved
        assert missing.suggestion == "bananas" and missing.candidates == ()

    def test_spelling_and_sound(self):
        assert bought(hear("order braun bred")) == [("brown", 1, {})]
        assert bought(hear("order oatmilk")) == [("oat", 1, {})]

    def test_certain_and_uncertain_together(self):
        found = hear("two oat milks and a loaf of bread")
        assert bought(found) == [("oat", 2, {})]
        assert found.unresolved[0].candidates == ("brown", "white")

    def test_another_hypothesis_helps_with_products_only(self):
        words = ["order broom fred", "order brown bread"]
        found = understand(words, SHOPS["home"], LANGUAGE, Context(), Understand())
        assert bought(found) == [("brown", 1, {})] and found.text == "order brown bread"
        for first, second in (("blah", "yes"), ("blah", "order oat milk")):
            context = Context(CONFIRMING, (), ("oat",))
            assert understand([first, second], SHOPS["home"], LANGUAGE, context, Understand()).intent is Intent.UNKNOWN


class TestCorrections:
    @pytest.mark.parametrize(
        "words",
        [
            "no three",
            "no, make it three",
            "make it three",
            "three",
            "I said three",
            "no I meant three",
            "actually three",
            "no, three cartons",
            "change it to three",
        ],
    )
    def test_quantities(self, words):
        found = hear(words, expecting=CONFIRMING, cart=["oat"])
        assert (found.intent, found.quantity, found.items) == (Intent.CHANGE_QUANTITY, 3, ())

    @pytest.mark.parametrize(
        ("words", "delta"),
        [("one more", 1), ("two more please", 2), ("another one", 1), ("one less", -1), ("two fewer", -2)],
    )
    def test_relative_quantities(self, words, delta):
        found = hear(words, expecting=CONFIRMING, cart=["oat"])
        assert (found.intent, found.quantity_delta) == (Intent.CHANGE_QUANTITY, delta)

    def test_relative_quantities_of_a_product(self):
        found = hear("one more oat milk", cart=["oat", "brown"])
        assert (found.intent, found.items[0].sku, found.quantity_delta) == (Intent.CHANGE_QUANTITY, "oat", 1)
        assert bought(hear("another oat milk", cart=["brown"])) == [("oat", 1, {})]

    @pytest.mark.parametrize(
        "words",
        ["make it the small one", "the small one", "no, small", "small please", "make it small", "no the small one"],
    )
    def test_options(self, words):
        found = hear(words, "cafe", CONFIRMING, ["latte"])
        assert (found.intent, dict(found.options), found.items) == (Intent.CHANGE_OPTION, {"size": "small"}, ())

    def test_options_of_a_product_that_is_named(self):
        found = hear("make the latte large", "cafe", CONFIRMING, ["latte", "mocha"])
        assert (found.intent, bought(found)) == (Intent.CHANGE_OPTION, [("latte", 1, {"size": "large"})])

    @pytest.mark.parametrize(
        "words",
        [
            "not that, the brown one",
            "no the brown one",
            "no brown",
            "no, brown bread",
            "not the white one, the brown one",
            "not that the brown bread",
        ],
    )
    def test_another_product(self, words):
        found = hear(words, expecting=CONFIRMING, cart=["white"])
        assert (found.intent, [item.sku for item in found.items]) == (Intent.DENY, ["brown"])
        assert not found.items[0].quantity_said

    def test_instead(self):
        for words in ("make it soy milk", "soy milk instead", "the soy one"):
            found = hear(words, expecting=CONFIRMING, cart=["oat"])
            assert (found.intent, [item.sku for item in found.items]) == (Intent.CHANGE_OPTION, ["soy"]), words

    def test_no_and_a_quantity_of_a_product(self):
        found = hear("no, three oat milks", expecting=CONFIRMING, cart=["oat"])
        assert (found.intent, bought(found)) == (Intent.CHANGE_QUANTITY, [("oat", 3, {})])

    def test_not_this(self):
        assert hear("not the oat milk", expecting=CONFIRMING, cart=["oat"]).intent is Intent.REMOVE
        assert hear("not the oat milk", expecting=CONFIRMING, cart=["brown"]).intent is Intent.DENY
        assert hear("don't order the oat milk").intent is Intent.DENY

    def test_removing(self):
        for words in (
            "remove the oat milk",
            "take out the oat milk",
            "I don't want the oat milk",
            "forget the oat milk",
            "cancel the oat milk",
        ):
            assert (hear(words, cart=["oat"]).intent, bought(hear(words, cart=["oat"]))) == (
                Intent.REMOVE,
                [("oat", 1, {})],
            )
        assert hear("remove an oat milk", cart=["oat"]).items[0].quantity_said
        assert not hear("remove the oat milk", cart=["oat"]).items[0].quantity_said
        assert hear("remove it", cart=["oat"]) == Understanding("remove it", Intent.REMOVE)


class TestYes:
    @pytest.mark.parametrize(
        "words",
        [
            "yes",
            "yes please",
            "yeah",
            "sure",
            "okay",
            "confirm",
            "order it",
            "go ahead",
            "do it",
            "that's correct",
            "um yes",
            "yes that's right",
            "buy it",
            "yes confirm",
        ],
    )
    def test_yes(self, words):
        found = hear(words, expecting=CONFIRMING, cart=["oat"])
        assert found == Understanding(LANGUAGE.normalise(words), Intent.CONFIRM)

    @pytest.mark.parametrize(
        "words",
        [
            "yes blah",
            "[unk] yes",
            "yes [unk]",
            "yes no",
            "maybe",
            "okay google",
            "not yes",
            "no yes",
            "yes I don't know",
            "",
        ],
    )
    def test_anything_else_with_it_is_no_yes(self, words):
        context = Context(CONFIRMING, (), ("oat",))
        assert understand([words], SHOPS["home"], LANGUAGE, context, Understand()).intent is not Intent.CONFIRM

    def test_yes_with_more_says_more(self):
        found = hear("yes but make it three", expecting=CONFIRMING, cart=["oat"])
        assert (found.intent, found.quantity) == (Intent.CONFIRM, 3)
        assert bought(hear("yes and a loaf of brown bread", expecting=CONFIRMING, cart=["oat"])) == [("brown", 1, {})]

    def test_yes_before_an_order_is_no_answer(self):
        assert hear("okay two oat milks").intent is Intent.ORDER


class TestChoosing:
    MILKS = ("oat", "soy", "whole")

    @pytest.mark.parametrize(
        ("words", "sku"),
        [
            ("the first one", "oat"),
            ("second please", "soy"),
            ("number three", "whole"),
            ("the last one", "whole"),
            ("soy", "soy"),
            ("the soy one", "soy"),
            ("soy milk please", "soy"),
            ("I'll take the whole milk", "whole"),
            ("give me the second one", "soy"),
            ("hole milk", "whole"),
            ("any of them", "oat"),
        ],
    )
    def test_a_product(self, words, sku):
        found = hear(words, expecting=CHOOSING, choices=self.MILKS)
        assert (found.intent, bought(found)) == (Intent.ORDER, [(sku, 1, {})])

    @pytest.mark.parametrize(
        ("words", "comparison"),
        [("the cheaper one", Comparison.CHEAPEST), ("the most expensive one", Comparison.DEARER)],
    )
    def test_by_what_it_costs_the_person_which_the_dialogue_knows(self, words, comparison):
        found = hear(words, expecting=CHOOSING, choices=self.MILKS)
        assert (found.intent, found.wanted, found.items) == (Intent.CHOOSE, Wanted(comparison), ())

    def test_with_a_quantity(self):
        found = hear("two soy milks", expecting=CHOOSING, choices=self.MILKS)
        assert bought(found) == [("soy", 2, {})] and found.items[0].quantity_said

    def test_not_one_of_them(self):
        assert bought(hear("brown bread", expecting=CHOOSING, choices=self.MILKS)) == [("brown", 1, {})]
        for words, intent in (
            ("no", Intent.DENY),
            ("cancel", Intent.CANCEL),
            ("none of them", Intent.DENY),
            ("stop", Intent.STOP),
        ):
            assert hear(words, expecting=CHOOSING, choices=self.MILKS).intent is intent

    def test_still_a_tie(self):
        found = hear("milk", expecting=CHOOSING, choices=self.MILKS)
        assert found.items == () and found.unresolved[0].candidates == self.MILKS

    @pytest.mark.parametrize(
        "words", ["large", "a large one please", "the large one", "big", "the last one", "I'll take the large one"]
    )
    def test_a_value(self, words):
        found = hear(words, expecting=CHOOSING, choices=("shirt",))
        assert (found.intent, dict(found.options)) == (Intent.CHANGE_OPTION, {"size": "large"})

    def test_values_and_a_quantity(self):
        found = hear("two large blue ones", expecting=CHOOSING, choices=("shirt",))
        assert (dict(found.options), found.quantity) == ({"size": "large", "color": "blue"}, 2)


class TestWhileSpeakingAndPaying:
    @pytest.mark.parametrize(
        ("words", "intent"),
        [("stop", Intent.STOP), ("cancel", Intent.CANCEL), ("yes", Intent.UNKNOWN), ("order oat milk", Intent.UNKNOWN)],
    )
    def test_interruptions(self, words, intent):
        assert hear(words, expecting=Expecting.INTERRUPTION).intent is intent

    @pytest.mark.parametrize(
        ("words", "intent"),
        [
            ("four seven one nine", Intent.UNKNOWN),
            ("two", Intent.UNKNOWN),
            ("yes", Intent.UNKNOWN),
            ("no", Intent.DENY),
            ("stop", Intent.STOP),
            ("cancel my order", Intent.CANCEL_ORDER),
            ("help", Intent.HELP),
        ],
    )
    def test_digits(self, words, intent):
        assert hear(words, expecting=Expecting.DIGITS) == Understanding(words, intent)


ANY_CONTEXT = st.builds(
    Context,
    st.sampled_from(Expecting),
    st.lists(st.sampled_from([*SHOPS["home"].products, "gone"]), max_size=3, unique=True).map(tuple),
    st.lists(st.sampled_from([*SHOPS["home"].products, "gone"]), max_size=3, unique=True).map(tuple),
)
SAID = (
    "yes no not that the a one two more less order cancel add remove make it to oat soy milk bread brown white large "
    "blue t shirt with without of cartons six pack half dozen please how much is [unk] blah first cheaper in my cart"
)
WORDS = st.lists(st.sampled_from(SAID.split()), max_size=9).map(" ".join)


@settings(max_examples=250, deadline=None)
@given(st.lists(WORDS | st.text(max_size=40), max_size=3), ANY_CONTEXT)
def test_any_words_are_understood_somehow_and_always_the_same(hypotheses, context):
    home = SHOPS["home"]
    found = understand(hypotheses, home, LANGUAGE, context, Understand())
    home.readings.clear()
    assert found == understand(hypotheses, home, LANGUAGE, context, Understand())
    assert all(item.quantity >= 1 and item.sku in home.products for item in found.items)
    assert all(len(one.candidates) <= 3 and one.quantity >= 1 for one in found.unresolved)
    if found.intent is Intent.CONFIRM and not found.items and not found.unresolved:
        assert "[unk]" not in found.text.split()
