"""Something else in place of what was spoken of: which products qualify, and what the dialogue does with them."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from operator import attrgetter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from shops import LANGUAGE, catalog, option, product
from test_dialogue import Talkers, heard, item

from assistant.languages.fact_words import fact_words_of
from assistant.settings import Understand
from assistant.shop.alternatives import alternatives
from assistant.shop.comparing import bigger, biggest, cheaper, cheapest, dearest, smaller, smallest
from assistant.shop.product import Product
from assistant.shop.promotions.pricing import Pricing, Standing
from assistant.shop.promotions.rules import DealPrice, MultiBuy, PriceRules, Promotion, Scope
from assistant.shop.sizes import compared, sizes_of
from assistant.talk.actions import BeginPayment
from assistant.talk.situation import Knowledge, State
from assistant.understand.parser import understand
from assistant.understand.understanding import Brand, Comparison, Context, Expecting, Intent, Unresolved, Wanted

FACTS = {fact.name: fact for fact in fact_words_of(LANGUAGE).facts.values()}
DECAF = {"decaf": "true"}
SHOP = {
    one.sku: one
    for one in (
        product("oat", "oat milk", 300, unit="carton", category="Milk", brand="A", attributes={"vegan": "true"}),
        product("soy", "soy milk", 250, unit="carton", category="Milk", brand="B", attributes={"vegan": "true"}),
        product("cow", "whole milk", 150, unit="carton", category="Milk", brand="B", stock=9),
        product("cow2", "skimmed milk", 140, unit="carton", category="Milk", brand="B"),
        product("tin", "condensed milk", 120, unit="can", category="Milk", brand="B"),
        product("gone", "rice milk", 120, unit="carton", category="Milk", stock=0, attributes={"vegan": "true"}),
        product("hand", "hand milk", 900, category="Care"),
        product("cola", "cola", 170, unit="bottle", category="Drinks", brand="F", attributes={"volume": "1 l"}),
        product("zero", "sugar free cola", 170, unit="bottle", category="Drinks", attributes={"volume": "1 l"}),
        product("fam", "family cola", 290, unit="bottle", category="Drinks", attributes={"volume": "2000 ml"}),
        product("coffee", "ground coffee", 600, category="Coffee", brand="F"),
        product("coffee2", "ground coffee", 900, category="Coffee", brand="H"),
        product("decaf", "mild coffee", 650, category="Coffee", brand="F", attributes=DECAF),
        product("lager", "lager beer", 150, category="Beer", attributes={"age_restricted": "true"}),
        product("free", "free beer", 120, category="Beer", attributes={"alcohol_free": "true"}),
        product("ketchup", "ketchup", 250, options=(option("size", "small", "medium", "large", default="medium"),)),
    )
}


def skus(found) -> list[str]:
    return [one.sku for one in found]


def shopping(*items: str, quantity: int | None = 2) -> Talkers:
    named = tuple(replace(item("oat", quantity), sku=sku, name=SHOP[sku].name("en")) for sku in items)
    return Talkers(products=dict(SHOP)).hear(Intent.ORDER, *named)


def want(talk: Talkers, **wanted: object) -> Talkers:
    return talk.hear(Intent.CHOOSE, wanted=Wanted(**wanted))  # type: ignore[arg-type]


class TestAlternatives:
    def test_are_of_the_same_kind_and_in_stock(self):
        assert set(skus(alternatives(SHOP["cow"], SHOP, "en"))) == {"cow2", "tin", "oat", "soy"}
        assert "hand" not in skus(alternatives(SHOP["cow"], SHOP, "en"))

    def test_keep_what_the_buyer_depends_on(self):
        assert skus(alternatives(SHOP["oat"], SHOP, "en")) == ["soy"]

    def test_nothing_with_alcohol_for_what_has_none_and_the_other_way_round_only_when_asked(self):
        assert skus(alternatives(SHOP["free"], SHOP, "en")) == []
        assert skus(alternatives(SHOP["lager"], SHOP, "en")) == []
        assert skus(alternatives(SHOP["lager"], SHOP, "en", "alcohol_free")) == ["free"]

    def test_most_alike_first(self):
        assert skus(alternatives(SHOP["coffee"], SHOP, "en", "decaf")) == ["coffee2", "decaf"]


class TestComparing:
    def test_prices(self):
        others = [SHOP[sku] for sku in ("soy", "cow", "tin")]
        cost = attrgetter("price")
        assert skus(cheaper(SHOP["oat"].price, others, "carton", cost)) == ["soy", "cow"]
        assert skus(cheaper(SHOP["cow"].price, others, "carton", cost)) == ["tin"]
        assert skus(cheapest(others, cost)) == ["tin"] and skus(cheapest([], cost)) == []
        assert skus(cheapest([SHOP["cola"], SHOP["zero"], SHOP["fam"]], cost)) == ["cola", "zero"]
        assert skus(dearest([SHOP["cola"], SHOP["zero"], SHOP["fam"]], cost)) == ["fam"]

    def test_sizes(self):
        assert compared(SHOP["fam"], SHOP["cola"]) == 1 and compared(SHOP["cola"], SHOP["oat"]) is None
        assert skus(bigger(SHOP["cola"], list(SHOP.values()))) == ["fam"]
        assert skus(smaller(SHOP["fam"], list(SHOP.values()))) == ["cola", "zero"]
        assert skus(biggest([SHOP["cola"], SHOP["fam"]])) == ["fam"]
        assert skus(smallest([SHOP["cola"], SHOP["oat"]])) == []

    @given(st.decimals(min_value=0, max_value=999, places=2), st.sampled_from(["ml", "cl", "l"]))
    def test_a_size_is_the_same_however_it_is_written(self, amount, unit):
        factor = {"ml": 1, "cl": 10, "l": 1000}[unit]
        one = product("one", "one", attributes={"volume": f"{amount} {unit}"})
        assert sizes_of(one) == {"volume": amount * factor}

    @pytest.mark.parametrize("text", ["", "about 1 l", "1 barrel", "l", "1 l or 2 l"])
    def test_what_is_no_size_is_none(self, text):
        assert sizes_of(product("one", "one", attributes={"volume": text})) == {}


class TestReplacing:
    def test_the_only_one_takes_the_place_and_is_read_back(self):
        talk = want(shopping("oat"), comparison=Comparison.CHEAPER)
        assert talk.skus() == {"soy": 2} and talk.state is State.CONFIRMING and "read_back" in talk.said

    def test_several_are_asked_about_and_nothing_changes_before(self):
        talk = want(shopping("cow"), brand=Brand.SAME)
        assert talk.state is State.CHOOSING and talk.said == ["offer.instead"] and talk.skus() == {"cow": 2}
        assert talk.values("offer.instead")["count"] == 3
        assert talk.hear(Intent.DENY).skus() == {"cow": 2} and talk.said[0] == "offer.stays"
        assert talk.state is State.CONFIRMING

    def test_nothing_like_it_changes_nothing(self):
        talk = want(shopping("oat"), comparison=Comparison.DEARER)
        assert talk.said[0] == "offer.none.dearer" and talk.skus() == {"oat": 2} and talk.state is State.CONFIRMING

    def test_another_size_of_the_same(self):
        talk = want(shopping("ketchup"), comparison=Comparison.BIGGER)
        assert [dict(line.options) for line in talk.cart.lines] == [{"size": "large"}]
        assert want(talk, comparison=Comparison.BIGGER).said[0] == "offer.none.bigger"
        assert [dict(line.options) for line in want(talk, comparison=Comparison.SMALLEST).cart.lines] == [
            {"size": "small"}
        ]

    def test_the_same_brand_but_decaf(self):
        talk = want(shopping("coffee", quantity=3), brand=Brand.SAME, fact=FACTS["decaf"])
        assert talk.skus() == {"decaf": 3}

    def test_another_brand_of_the_same_name_goes_before_all_others(self):
        assert want(shopping("coffee"), brand=Brand.OTHER).skus() == {"coffee2": 2}

    def test_what_was_put_in_last_is_meant(self):
        talk = want(shopping("oat", "cola"), fact=FACTS["sugar_free"])
        assert talk.skus() == {"oat": 2, "zero": 2}

    def test_what_was_asked_about_last_is_meant(self):
        talk = shopping("oat", "cola")
        talk.hear(Intent.PRICE, replace(item("oat"), sku="oat"))
        assert want(talk, comparison=Comparison.CHEAPER).skus() == {"soy": 2, "cola": 2}


class TestNotOrderedYet:
    def test_what_was_only_spoken_of_is_offered_never_put_in(self):
        talk = Talkers(products=dict(SHOP)).hear(Intent.PRICE, item("oat"))
        want(talk, comparison=Comparison.CHEAPER)
        assert talk.said == ["offer.instead"] and talk.skus() == {} and talk.state is State.CHOOSING
        assert talk.listen is not None and talk.listen.expecting is Expecting.CONFIRMATION
        assert talk.hear(Intent.CONFIRM).skus() == {"soy": 1} and talk.state is State.CONFIRMING

    def test_another_size_is_only_priced(self):
        talk = Talkers(products=dict(SHOP)).hear(Intent.PRICE, replace(item("oat"), sku="ketchup"))
        assert want(talk, comparison=Comparison.BIGGER).said == ["price"] and talk.skus() == {}

    def test_one_of_several_that_were_spoken_of_is_ordered(self):
        talk = Talkers(products=dict(SHOP)).hear(Intent.PRICE, item("oat"), replace(item("oat"), sku="cola"))
        assert want(talk, place=1).skus() == {"cola": 1} and talk.state is State.CONFIRMING

    @pytest.mark.parametrize("place", [2, 5, -3])
    def test_a_place_that_nothing_has_chooses_nothing(self, place):
        talk = Talkers(products=dict(SHOP)).hear(Intent.PRICE, item("oat"), replace(item("oat"), sku="cola"))
        assert want(talk, place=place).skus() == {} and talk.said[0] == "not_understood"

    def test_nothing_was_spoken_of(self):
        talk = want(Talkers(products=dict(SHOP)), comparison=Comparison.CHEAPER)
        assert talk.skus() == {} and talk.said == ["stock_of_what"]


class TestSoldOut:
    def test_at_most_three_are_offered_and_none_is_put_in(self):
        products = {**SHOP, "cow": replace(SHOP["cow"], stock=0)}
        talk = Talkers(products=products).hear(Intent.ORDER, replace(item("oat", 2), sku="cow"))
        assert talk.said == ["offer.sold_out"] and talk.skus() == {} and talk.values("offer.sold_out")["count"] == 3
        assert talk.hear(Intent.CONFIRM).skus() == {}
        assert talk.hear(Intent.ORDER, replace(item("oat"), sku="cow2")).skus() == {"cow2": 2}

    def test_one_is_offered_for_a_yes_or_a_no(self):
        for answer, bought in ((Intent.CONFIRM, {"soy": 2}), (Intent.DENY, {}), (Intent.UNKNOWN, {})):
            products = {**SHOP, "oat": replace(SHOP["oat"], stock=0)}
            talk = Talkers(products=products).hear(Intent.ORDER, item("oat", 2))
            assert talk.said == ["offer.sold_out"] and talk.skus() == {}
            assert talk.hear(answer).skus() == bought


WANTED = st.one_of(
    st.builds(Wanted, st.sampled_from(Comparison)),
    st.builds(Wanted, fact=st.sampled_from(sorted(FACTS.values(), key=lambda fact: fact.name))),
    st.builds(Wanted, brand=st.sampled_from(Brand)),
    st.builds(Wanted, place=st.integers(-4, 4)),
)


@given(st.lists(WANTED, min_size=1, max_size=6), st.sampled_from(sorted(SHOP)), st.booleans())
def test_comparing_never_pays_and_never_makes_more_of_anything(wishes, sku, ordered):
    event = heard(Intent.ORDER if ordered else Intent.PRICE, replace(item("oat", 2), sku=sku, name=sku))
    talk = Talkers(products=dict(SHOP))(event)
    for wanted in wishes:
        before = sum(talk.skus().values())
        talk.hear(Intent.CHOOSE, wanted=wanted)
        assert not talk.has(BeginPayment) and talk.state is not State.AUTHORISING
        assert sum(talk.skus().values()) <= max(before, 2)
        if not talk.cart and not ordered:
            assert talk.state is not State.CONFIRMING


WORDS: dict[str, Product] = SHOP
SEARCHABLE = catalog(tuple(SHOP.values()))


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("the cheaper one", Wanted(Comparison.CHEAPER)),
        ("do you have a cheaper one", Wanted(Comparison.CHEAPER)),
        ("something cheaper", Wanted(Comparison.CHEAPER)),
        ("the cheapest", Wanted(Comparison.CHEAPEST)),
        ("no a bigger one", Wanted(Comparison.BIGGER)),
        ("a smaller pack", Wanted(Comparison.SMALLER)),
        ("without sugar", Wanted(fact=FACTS["sugar_free"])),
        ("is there one without sugar", Wanted(fact=FACTS["sugar_free"])),
        ("the organic one please", Wanted(fact=FACTS["organic"])),
        ("same brand but decaf", Wanted(fact=FACTS["decaf"], brand=Brand.SAME)),
        ("another brand", Wanted(brand=Brand.OTHER)),
        ("the second one", Wanted(place=1)),
        ("i'll take the last one", Wanted(place=-1)),
    ],
)
def test_what_people_say(text, wanted):
    found = understand([text], SEARCHABLE, LANGUAGE, Context(Expecting.COMMAND, (), ("oat",)), Understand())
    assert (found.intent, found.wanted) == (Intent.CHOOSE, wanted)


def test_an_option_of_what_is_in_the_cart_goes_before():
    tea = product("tea", "milk tea", options=(option("sugar", "sugar", "without sugar"),))
    context = Context(Expecting.CONFIRMATION, (), ("tea",))
    found = understand(["without sugar"], catalog((tea,)), LANGUAGE, context, Understand())
    assert found.intent is Intent.CHANGE_OPTION and dict(found.options) == {"sugar": "without sugar"}


@dataclass
class Bargaining(Talkers):
    """Somebody in a shop with deals: milk of brand A costs members 2.00, condensed milk is two for one."""

    member: bool = True

    @property
    def knowledge(self) -> Knowledge:
        rules = PriceRules(
            "USD",
            promotions=(
                Promotion("club", {"en": "club"}, DealPrice(200), Scope(skus=frozenset({"oat"})), programme="club"),
                Promotion("two", {"en": "two for one"}, MultiBuy(2, 1), Scope(skus=frozenset({"cow"}))),
            ),
        )
        standing = Standing(frozenset({"club"}) if self.member else frozenset())
        return Knowledge(self.products, self.cart, pricing=Pricing(rules, datetime(2026, 5, 4, tzinfo=UTC), standing))


class TestWhatThePersonPays:
    def bargain(self, sku: str, quantity: int, comparison: Comparison, **more: object) -> Bargaining:
        named = replace(item("oat", quantity), sku=sku, name=SHOP[sku].name("en"))
        talk = Bargaining(products=dict(SHOP), **more).hear(Intent.ORDER, named)  # type: ignore[arg-type]
        return want(talk, comparison=comparison)

    def test_a_member_price_makes_it_cheaper(self):
        assert self.bargain("soy", 1, Comparison.CHEAPER).skus() == {"oat": 1}
        assert self.bargain("soy", 1, Comparison.CHEAPER, member=False).said[0] == "offer.none.cheaper"

    def test_what_is_in_the_cart_counts_at_what_it_costs_now(self):
        assert self.bargain("oat", 1, Comparison.DEARER).skus() == {"soy": 1}
        assert self.bargain("oat", 1, Comparison.DEARER, member=False).said[0] == "offer.none.dearer"

    def test_as_many_as_are_wanted_are_compared(self):
        assert self.bargain("cow2", 1, Comparison.CHEAPEST).skus() == {"tin": 1}
        assert self.bargain("cow2", 2, Comparison.CHEAPEST).skus() == {"cow": 2}

    @given(st.sampled_from(["oat", "soy", "cow", "cow2"]), st.integers(1, 6), st.booleans())
    def test_the_cheapest_never_costs_more(self, sku, quantity, member):
        talk = self.bargain(sku, quantity, Comparison.CHEAPEST, member=member)
        before = Bargaining(products=dict(SHOP), member=member)
        named = replace(item("oat", quantity), sku=sku, name=SHOP[sku].name("en"))
        before.hear(Intent.ORDER, named)
        cost = [one.knowledge.bill(one.cart).total for one in (talk, before)]
        assert cost[0] <= cost[1] and (cost[0] < cost[1] or talk.cart == before.cart)

    def test_among_choices(self):
        talk = Bargaining(products=dict(SHOP))
        talk.hear(Intent.ORDER, unresolved=(Unresolved("milk", 1, ("oat", "soy")),))
        assert want(talk, comparison=Comparison.CHEAPEST).skus() == {"oat": 1}
