"""What a large catalog is asked about as a whole: what is on offer, what is new, what may take another's place."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path

import pytest
from databases import open_engine
from household_shop import check_books, open_shop
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from shops import LANGUAGE, product
from spoken_shop import SpokenShop
from sqlalchemy import Engine, select, text, update

from assistant.errors import StoreError
from assistant.parts import Parts
from assistant.service.client.catalog_sync import _replace
from assistant.settings import Settings, Talk, Understand
from assistant.shop import schema
from assistant.shop.alternatives import alternatives
from assistant.shop.catalog import ImportedCatalog
from assistant.shop.database import reading, schema_change, transaction
from assistant.shop.money import Money
from assistant.shop.orders import OrderStatus
from assistant.shop.product import Product, Sale
from assistant.shop.product_rows import product_row
from assistant.shop.promotions.offers import deals, newest
from assistant.shop.promotions.pricing import Pricing
from assistant.shop.promotions.rule_file import parse_rules
from assistant.shop.promotions.rules import PercentOff, PriceRules, Promotion, Scope
from assistant.shop.shelf import Shelf
from assistant.shop.shortlists import MOST_FOUND, MOST_TOLD, Shortlists
from assistant.talk.actions import Say
from scripts.search_benchmark.products import make_products

on_each_database = pytest.mark.usefixtures("on_each_database")

NOW = datetime(2026, 11, 11, 12, tzinfo=UTC)
TODAY = NOW.date()
DAY = timedelta(days=1)
MANY = Settings(understand=Understand(many_products=10, known_products=4), talk=Talk(recommendations=False))
INVENTED = tuple(make_products(400))


def shelf_of(engine: Engine, products: Sequence[Product]) -> Shelf:
    ImportedCatalog(engine).switch(products, NOW)
    return Shelf(engine, "home", 4)


def shortlists_of(engine: Engine, products: Sequence[Product]) -> Shortlists:
    return Shortlists(shelf_of(engine, products), lambda product, wanted: ())


def promotion(number: int, scope: Scope, ends: datetime | None = None) -> Promotion:
    return Promotion(f"p{number}", {"en": f"deal {number}"}, PercentOff(1000), scope, ends=ends)


def pricing(*promotions: Promotion) -> Pricing:
    return Pricing(PriceRules("USD", promotions), NOW)


def sale(begins: datetime | None = None, ends: datetime | None = None) -> Sale:
    return Sale(Money(1, "USD"), begins, ends)


# Scopes: the database finds what the rule covers.

CATEGORIES = ("Dairy", "Dairy/Milk", "dairy/milk/Oat", "Dairyland", "Dairy-Free", "Dairy0", "Öl/Äpfel", "ÖL", "")
BRANDS, SELLERS = ("Müller", "MÜLLER", "mueller", ""), ("Larder", "larder", "Roastery", "")
GOODS = tuple(
    product(f"s{place}", f"thing {place}", category=category, brand=BRANDS[place % 4], seller=SELLERS[place // 3 % 4])
    for place, category in enumerate(CATEGORIES * 3)
)
scopes = st.builds(
    Scope,
    st.frozensets(st.sampled_from([*(one.sku for one in GOODS[::4]), "gone"]), max_size=3),
    st.frozensets(st.sampled_from([*CATEGORIES[:-1], "dairy/", "Öl", "none"]), max_size=3),
    st.frozensets(st.sampled_from(["müller", "Mueller", "none"]), max_size=2),
    st.frozensets(st.sampled_from(["LARDER", "none"]), max_size=2),
)


@pytest.fixture
def goods(tmp_path: Path, on_each_database: str) -> Shortlists:
    return shortlists_of(open_engine(tmp_path), GOODS)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(scope=scopes)
def test_a_deal_is_found_when_and_only_when_it_covers_something(goods: Shortlists, scope: Scope) -> None:
    found = goods.on_offer(pricing(promotion(1, scope)), ())
    assert all(scope.covers(one) for one in found.values())
    assert bool(found) == any(scope.covers(one) for one in GOODS)


@on_each_database
class TestOffers:
    def test_they_are_those_of_the_whole_catalog_what_was_bought_first(self, tmp_path: Path):
        hidden = product("hidden", "hidden thing", category="Far/Away", brand="Rare", sale=sale(NOW - DAY, NOW + DAY))
        products = (*INVENTED, hidden, product("bought", "bought thing", sale=sale(None, NOW + 9 * DAY)))
        rules = pricing(
            promotion(1, Scope(brands=frozenset({"rare"})), NOW + 2 * DAY),
            promotion(2, Scope(categories=frozenset({"far"})), NOW + 3 * DAY),
            promotion(3, Scope(skus=frozenset({INVENTED[300].sku})), NOW + 4 * DAY),
            promotion(4, Scope(brands=frozenset({"nobody's"})), NOW + DAY),
            promotion(5, Scope()),
        )
        shortlists = shortlists_of(open_engine(tmp_path), products)
        told = deals(rules, shortlists.on_offer(rules, ("bought", "gone")), ("bought", "gone"))
        assert [one.promotion.id for one in told] == ["sale:bought", "p5", "sale:hidden", "p1", "p2", "p3"]
        assert [one.bought and one.bought.sku for one in told][:3] == ["bought", "bought", None]
        whole = {one.sku: one for one in products}
        assert [one.promotion.id for one in deals(rules, whole, ("bought",))] == [one.promotion.id for one in told]

    def test_what_is_sold_out_is_not_on_offer(self, tmp_path: Path):
        products = (product("a", "thing", brand="Rare", stock=0), product("b", "other", stock=0, sale=sale()))
        rules = pricing(promotion(1, Scope(brands=frozenset({"Rare"}))))
        assert shortlists_of(open_engine(tmp_path), products).on_offer(rules, ()) == {}

    def test_sales_run_when_the_feed_says(self, tmp_path: Path):
        west, east = timezone(-timedelta(hours=12)), timezone(timedelta(hours=14))
        products = (
            product("ended", "a", sale=sale(None, NOW)),
            product("coming", "b", sale=sale(NOW + DAY, NOW + 2 * DAY)),
            product("late", "c", sale=sale(NOW, NOW + 2 * DAY)),
            product("soon", "d", sale=sale(NOW - DAY, NOW + DAY)),
            product("always", "e", sale=sale()),
            product("long", "f", sale=sale(datetime.min.replace(tzinfo=east), datetime.max.replace(tzinfo=west))),
        )
        found = shortlists_of(open_engine(tmp_path), products).on_offer(pricing(), ())
        assert list(found) == ["soon", "late", "always", "long"]

    def test_of_very_many_only_the_first_are_looked_up(self, tmp_path: Path):
        ends = [NOW + (place + 1) * DAY for place in range(60)]
        products = [product(f"s{place}", f"thing {place}", sale=sale(None, end)) for place, end in enumerate(ends)]
        promotions = [
            promotion(place, Scope(skus=frozenset({f"s{59 - place}"})), end) for place, end in enumerate(ends)
        ]
        found = shortlists_of(open_engine(tmp_path), products).on_offer(pricing(*promotions), ())
        assert set(found) == {f"s{place}" for place in (*range(MOST_FOUND), *range(60 - MOST_TOLD, 60))}


@on_each_database
class TestNew:
    def test_it_is_the_newest_of_the_whole_catalog(self, tmp_path: Path):
        days = [TODAY - timedelta(days=place % 40) for place in range(len(INVENTED))]
        products = [replace(one, added=day) for one, day in zip(INVENTED, days, strict=True)]
        products[0] = replace(products[0], stock=0)
        products[40], products[41] = replace(products[40], added=None), replace(products[41], stock=2)
        found = newest(shortlists_of(open_engine(tmp_path), products).new(TODAY).values(), TODAY)
        wanted = newest(products, TODAY)[:MOST_FOUND]
        assert [one.sku for one in found] == [one.sku for one in wanted]

    def test_nothing_is_new(self, tmp_path: Path):
        products = (product("old", "old thing", added=TODAY - timedelta(days=31)), product("undated", "thing"))
        assert shortlists_of(open_engine(tmp_path), products).new(TODAY) == {}


# What may take another's place.

FREE = {"gluten_free": "true"}
LOAVES = tuple(
    product(f"bread{place}", f"{kind} bread", 200 + place, category="Bakery/Bread", unit="loaf", attributes=facts)
    for place, (kind, facts) in enumerate(
        [("brown", FREE), ("white", {}), ("gluten free white", FREE), ("rye", {}), ("gluten free seeded", FREE)]
    )
)
OTHERS = (
    product("tin", "bread tin", category="Bakery/Bread"),
    product("ginger", "ginger bread", category="Sweets"),
    product("gone", "gluten free brown bread", category="Bakery/Bread", attributes=FREE, stock=0),
    product("beer", "bread", category="Bakery/Bread", attributes=FREE | {"age_restricted": "true"}),
)


@pytest.fixture(scope="module")
def bakery(tmp_path_factory: pytest.TempPathFactory) -> tuple[Shelf, Shortlists]:
    folder = tmp_path_factory.mktemp("bakery")
    shelf = shelf_of(open_engine(folder), (*INVENTED, *LOAVES, *OTHERS))
    shortlists = Parts(MANY, shelf, folder).shortlists(shelf)
    assert shortlists is not None
    return shelf, shortlists


class TestLike:
    def test_they_are_of_its_kind_and_safe_for_whoever_wanted_it(self, bakery: tuple[Shelf, Shortlists]):
        shelf, shortlists = bakery
        assert list(shelf) == [], "the household knows none of them"
        one = shelf["bread0"]
        assert {found.sku for found in alternatives(one, shortlists.like(one), "en")} == {"bread2", "bread4"}

    def test_the_best_of_all_products_are_among_them(self, bakery: tuple[Shelf, Shortlists]):
        shelf, shortlists = bakery
        everything = shelf.some(other.sku for other in INVENTED)
        for one in list(everything.values())[::23]:
            found, wanted = (alternatives(one, among, "en") for among in (shortlists.like(one), everything))
            assert [other.sku for other in found][:3] == [other.sku for other in wanted][:3]

    def test_words_that_are_wanted_besides_are_looked_for(self, tmp_path: Path):
        engine = open_engine(tmp_path)
        kinds = [f"{one} {other}" for one in "abcdefghijklmnopqrst" for other in ("plain", "fine", "coarse", "old")]
        plain = [product(f"w{place}", f"white {kind} bread", category="Bread") for place, kind in enumerate(kinds * 4)]
        shelf = shelf_of(engine, (*plain, product("one", "spelt sourdough bread", category="Bread")))
        shortlists = Parts(MANY, shelf, tmp_path).shortlists(shelf)
        assert shortlists is not None
        assert "one" not in shortlists.like(shelf["w0"])
        assert "one" in shortlists.like(shelf["w0"], "spelt")

    def test_whatever_a_product_is_called(self, tmp_path: Path):
        strange = ("!!!", "½", "бублик", "a" * 90)
        odd = [product(name[:9], name, category=name) for name in strange]
        shelf = shelf_of(open_engine(tmp_path), (*INVENTED, *odd))
        shortlists = Parts(MANY, shelf, tmp_path).shortlists(shelf)
        assert shortlists is not None
        for one in odd:
            assert alternatives(one, shortlists.like(one, one.name("en")), "en") == ()


def test_a_small_catalog_has_none(tmp_path: Path):
    parts = Parts(Settings(), LOAVES, tmp_path)
    assert parts.shortlists({one.sku: one for one in LOAVES}) is None


# Rows.


@on_each_database
def test_an_older_catalog_is_brought_up_to_date(tmp_path: Path):
    engine = open_engine(tmp_path)
    dated = product("dated", "thing", brand="MÜLLER", category="A/B", seller="S", added=TODAY, sale=sale(None, NOW))
    far = timezone(-timedelta(hours=12))
    ImportedCatalog(engine).switch((*GOODS, dated, product("far", "x", sale=sale(NOW.astimezone(far)))), NOW)
    columns = [schema.products.c[name] for name in ("sku", "brand", "category", "seller", "added")]
    columns += [schema.products.c.sale_begins, schema.products.c.sale_ends]
    with reading(engine) as connection:
        wanted = set(connection.execute(select(*columns)).all())
    with schema_change(engine) as connection:
        for name in ("brand", "category", "seller", "added", "sale_ends"):
            connection.execute(text(f"drop index ix_products_{name}"))
        for column in columns[1:]:
            connection.execute(text(f"alter table products drop column {column.name}"))
        connection.execute(update(schema.schema_version).values(version=4))
    engine.dispose()
    engine = open_engine(tmp_path)
    with reading(engine) as connection:
        assert set(connection.execute(select(*columns)).all()) == wanted
        assert ("dated", "müller", "a/b", "s", TODAY) in {row[:5] for row in wanted}
    assert list(Shortlists(Shelf(engine, "home", 4), lambda product, wanted: ()).new(TODAY)) == ["dated"]


def test_what_is_taken_over_before_a_purchase_is_found_too(tmp_path: Path):
    shortlists = shortlists_of(open_engine(tmp_path), (*GOODS, INVENTED[0]))
    engine = open_engine(tmp_path)
    with transaction(engine) as connection:
        assert _replace(connection, [INVENTED[0].sku], [replace(INVENTED[0], added=TODAY, stock=3)])
    assert [one.stock for one in shortlists.new(TODAY).values()] == [3]


def test_a_row_names_every_column():
    assert set(product_row(GOODS[0], 0)) == {column.name for column in schema.products.c}


# Conversations.


class LargeShop:
    """A household that knows nothing of a shop with some four hundred products, and talks with it."""

    def __init__(self, folder: Path, products: Iterable[Product], rules: str = "") -> None:
        engine = open_engine(folder)
        shelf = shelf_of(engine, tuple(products))
        self.parts = Parts(MANY, shelf, folder)
        self.shop = open_shop(folder, products=shelf)
        if rules:
            self.shop.store.prices.switch(parse_rules(rules.encode()))
        self.talk = SpokenShop(folder, self.shop, "home", self.parts)

    def say(self, said: str) -> str:
        return self.talk.say(LANGUAGE.normalise(said))

    def pay(self) -> list[str]:
        """Says yes and the digits; the skus of all that was ever bought."""
        self.say("yes")
        self.talk.repeat_digits()
        return self.bought()

    def bought(self) -> list[str]:
        """The skus of all that was ever bought."""
        check_books(self.shop)
        orders = self.shop.store.orders()
        assert all(order.status is OrderStatus.PAID for order in orders)
        return [line.sku for order in reversed(orders) for line in order.lines for _ in range(line.quantity)]


RULES = """
currency = "USD"
[[promotions]]
id = "rare"
name = "half price on quiet things"
percent_off = 50
brands = ["quiet meadow"]
"""


@pytest.fixture
def large(tmp_path: Path) -> LargeShop:
    today = date.today()
    added = (
        product("new1", "walnut spoon", 300, brand="Quiet Meadow", category="Kitchen", added=today),
        product("new2", "copper kettle", 900, brand="Harbor", category="Kitchen", added=today - timedelta(days=2)),
        product("old", "clay pot", 900, brand="Harbor", category="Kitchen", added=today - timedelta(days=90)),
        product("cheap", "linen apron", 800, category="Kitchen", sale=sale(None, datetime.now(UTC) + 3 * DAY)),
    )
    loaves = (replace(LOAVES[0], stock=0), *LOAVES[1:])
    return LargeShop(tmp_path, (*INVENTED, *added, *loaves, *OTHERS), RULES)


class TestConversation:
    def test_what_is_on_offer(self, large: LargeShop):
        told = large.say("what's on offer")
        assert "half price on quiet things" in told and "Linen apron" in told
        assert large.bought() == [] and not large.shop.store.cart().lines
        large.say("order a quiet meadow walnut spoon")
        assert large.pay() == ["new1"]
        assert "bought" in large.say("what's on offer")

    def test_what_is_new_and_then_ordered(self, large: LargeShop):
        told = large.say("what's new")
        assert told.index("walnut spoon") < told.index("copper kettle") and "clay pot" not in told
        assert large.bought() == [] and not large.shop.store.cart().lines
        large.say("order two harbor copper kettles")
        assert large.pay() == ["new2", "new2"]

    def test_what_is_sold_out_is_replaced_by_what_is_safe(self, large: LargeShop):
        told = large.say("order one brown bread")
        assert "out of stock" in told and "gluten free white bread" in told and "gluten free seeded bread" in told
        assert "rye" not in told and "ginger" not in told
        assert large.bought() == []
        large.say("no")
        large.say("yes")
        assert large.bought() == [] and not large.shop.store.cart().lines, "no takes nothing in its place"
        large.say("order one brown bread")
        large.say("the first one")
        assert large.pay() == ["bread2"]

    def test_something_else_of_the_whole_catalog_in_place_of_what_is_in_the_cart(self, large: LargeShop):
        large.say("order one rye bread")
        told = large.say("a cheaper one")
        assert "white bread" in told and "tin" not in told
        assert large.bought() == []
        assert "gluten free" in large.say("the gluten free one")
        assert large.bought() == []

    def test_a_database_that_fails_is_said_and_nothing_is_bought(
        self, large: LargeShop, monkeypatch: pytest.MonkeyPatch
    ):
        def fail(self: Shelf, skus: Iterable[str]) -> dict[str, Product]:
            raise StoreError("The disk is gone.")

        with monkeypatch.context() as broken:
            broken.setattr(Shelf, "some", fail)
            said = {large.say(asked) for asked in ("what's on offer", "what's new", "order one brown bread")}
        assert said == {large.parts.replies.render(Say("error.store_failed"))}
        assert large.bought() == [] and not large.shop.store.cart().lines
        assert "walnut spoon" in large.say("what's new")
