"""A catalog that is too large to be read: its words, its index, and its shelf."""

import json
import math
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from shops import HOUSEHOLD, LANGUAGE, option, product

from assistant.assembly import open_conversation
from assistant.events import EventStream
from assistant.hear.acceptor import Labels
from assistant.hear.word_chain import chain_acceptor
from assistant.household import Household
from assistant.parts import Parts
from assistant.settings import Settings, Understand
from assistant.shop.cart import Cart, CartLine
from assistant.shop.catalog import ImportedCatalog
from assistant.shop.database import open_database
from assistant.shop.product import Product
from assistant.shop.shelf import Shelf
from assistant.storefront import offer_of
from assistant.understand import catalog_words
from assistant.understand.catalog_words import CatalogWords, WordCounts
from assistant.understand.grammar import WordChain
from assistant.understand.grammar_building import build_grammars
from assistant.understand.indexed_catalog import IndexedCatalog
from assistant.understand.product_phrases import phrases_of_product
from assistant.understand.understanding import Context, Expecting
from scripts.search_benchmark.products import make_products

MANY = Settings(understand=Understand(many_products=10, known_products=4))
PRODUCTS = tuple(make_products(400))
NOW = datetime(2026, 11, 11, tzinfo=UTC)


def counted(products: Sequence[Product]) -> CatalogWords:
    counts = WordCounts(LANGUAGE)
    counts.add(products)
    return counts.words()


def cost_of(chain: WordChain, words: Sequence[str]) -> float:
    """What a name costs, by the definition of a bigram that backs off."""
    total, before = 0.0, ""
    for word in words:
        direct = chain.following.get(before, {}).get(word, math.inf)
        total += min(direct, chain.backing_off[before] + chain.words[word])
        before = word
    return total + chain.ends[before]


names = st.lists(st.sampled_from(["oat", "milk", "soap", "red", "ten", "pack"]), min_size=1, max_size=5).map(" ".join)


class TestWords:
    @given(st.lists(st.tuples(names, st.sampled_from(["", "Alba", "Oat House"])), min_size=1, max_size=30))
    def test_likelihoods_are_no_more_than_certain_and_every_name_can_be_said(self, named):
        products = [product(str(place), name, brand=brand) for place, (name, brand) in enumerate(named)]
        words = counted(products)
        chain = words.chain
        for before, rest in chain.backing_off.items():
            met = [math.exp(-cost) for cost in chain.following.get(before, {}).values()]
            assert sum(met) + math.exp(-rest) <= 1.02
        for one in products:
            for phrase in phrases_of_product(one, LANGUAGE):
                assert math.isfinite(cost_of(chain, phrase.words))
                assert len(phrase.words) <= words.longest
        assert CatalogWords.from_json(json.loads(json.dumps(words.to_json()))) == words

    def test_names_that_are_there_cost_less_than_words_in_disorder(self):
        chain = counted(PRODUCTS).chain
        shuffled = sum(
            cost_of(chain, phrase.words) < cost_of(chain, phrase.words[::-1])
            for one in PRODUCTS
            for phrase in phrases_of_product(one, LANGUAGE)
            if len(phrase.words) > 2
        )
        long = sum(len(phrase.words) > 2 for one in PRODUCTS for phrase in phrases_of_product(one, LANGUAGE))
        assert shuffled > 0.99 * long

    def test_rare_words_are_unknown_sounds(self, monkeypatch):
        monkeypatch.setattr(catalog_words, "MOST_WORDS", 20)
        chain = counted(PRODUCTS).chain
        assert len(chain.words) == 21 and "[unk]" in chain.words

    def test_counting_forgets_what_is_rare_and_not_what_is_frequent(self, monkeypatch):
        monkeypatch.setattr(catalog_words, "_MOST_COUNTED", 300)
        counts = WordCounts(LANGUAGE)
        for one in PRODUCTS:
            counts.add((one,))
        assert len(counts._pairs) <= 300 + 20
        assert counts.words().chain.following

    def test_units_and_options(self):
        words = counted((*HOUSEHOLD, product("shoe", "shoe", options=(option("size", "small", "large"),))))
        assert set(words.units) == {"carton", "loaf", "tub", "can", "bunch", "box", "bag", "piece", "bottle", "tube"}
        assert "color" in {one.name for options in words.options for one in options}

    def test_the_chain_as_an_acceptor_says_the_same(self):
        words = counted(PRODUCTS[:20])
        numbers = {word: number for number, word in enumerate([*words.chain.words, "[unk]"], 1)}
        automaton = chain_acceptor(words.chain, Labels(numbers))
        arcs: dict[tuple[int, int], list[tuple[int, float]]] = {}
        for source, target, label, _, cost in automaton.arcs:
            arcs.setdefault((source, label), []).append((target, cost))

        def least(said: Sequence[int]) -> float:
            at = {automaton.start: 0.0}
            for label in (*said, None):
                for state, cost in list(at.items()):
                    for target, more in arcs.get((state, 0), ()):
                        at[target] = min(at.get(target, math.inf), cost + more)
                if label is None:
                    return min((cost for state, cost in at.items() if state in automaton.finals), default=math.inf)
                found: dict[int, float] = {}
                for state, cost in at.items():
                    for target, more in arcs.get((state, label), ()):
                        found[target] = min(found.get(target, math.inf), cost + more)
                at = found
            raise AssertionError

        for one in PRODUCTS[:20]:
            phrase = phrases_of_product(one, LANGUAGE)[-1].words
            assert least([numbers[word] for word in phrase]) == pytest.approx(cost_of(words.chain, phrase))
        assert least([]) == math.inf, "a name has at least one word"


def test_a_word_that_the_model_lacks_is_heard_as_others_in_a_chain_too():
    chain = counted((product("a", "dettol soap"),)).chain
    numbers = {word: number for number, word in enumerate(["debt", "all", "[unk]", "dettol", *chain.words], 1)}
    automaton = chain_acceptor(chain, Labels(numbers, {"dettol": (1, 2)}))
    assert all(source >= 0 and target >= 0 for source, target, *_ in automaton.arcs)
    heard = [(label, output) for _, _, label, output, _ in automaton.arcs if label in (1, 2)]
    assert heard == [(1, 0), (2, numbers["dettol"])] * (len(heard) // 2) and heard
    inside = {target for _, target, label, _, _ in automaton.arcs if label == 1}
    assert len(inside) == len(heard) // 2, "each has a state of its own between the words"
    assert not any(label == numbers["dettol"] for _, _, label, _, _ in automaton.arcs)


def test_only_the_grammar_of_a_large_catalog_has_a_chain():
    words = counted(PRODUCTS)
    for expecting, grammar in build_grammars(PRODUCTS[:5], LANGUAGE, "hey genie", words=words).items():
        has_items = expecting in (Expecting.COMMAND, Expecting.CHOICE, Expecting.CONFIRMATION)
        assert (grammar.chain == words.chain) is has_items
    assert all(grammar.chain is None for grammar in build_grammars(HOUSEHOLD, LANGUAGE, "").values())


# Understanding.


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Parts:
    return Parts(MANY, (*HOUSEHOLD, *PRODUCTS), tmp_path_factory.mktemp("large"))


class TestUnderstanding:
    def test_every_full_name_is_found(self, large: Parts):
        for one in PRODUCTS[::10]:
            found = large.understand([LANGUAGE.normalise(f"order three {one.brand} {one.name('en')}")], Context())
            assert [(item.sku, item.quantity) for item in found.items] == [(one.sku, 3)]

    def test_a_name_that_several_brands_have_is_asked_about(self, large: Parts):
        brands = ("Alba", "Bosco", "Corvus", "Delphi", "Ember")
        shared = [product(f"x{place}", "blue door", 500 - place, brand=brand) for place, brand in enumerate(brands)]
        parts = Parts(MANY, (*shared, *PRODUCTS), large._folder)
        found = parts.understand(["order a blue door"], Context())
        assert not found.items
        assert found.unresolved[0].candidates == ("x4", "x3", "x2"), "three of them, the cheapest first"
        chosen = parts.understand(["the second one"], Context(Expecting.CHOICE, found.unresolved[0].candidates))
        assert [item.sku for item in chosen.items] == ["x3"]
        named = parts.understand(["the corvus one"], Context(Expecting.CHOICE, found.unresolved[0].candidates))
        assert [item.sku for item in named.items] == ["x2"]

    def test_what_is_misheard_is_found_by_its_sound(self, large: Parts):
        found = large.understand(["order a jasmin rise"], Context())
        assert [item.sku for item in found.items] == ["rice"]

    def test_another_brand_s_product_is_asked_about_and_not_taken(self, large: Parts):
        one = PRODUCTS[50]
        taken = {f"{other.brand} {other.name('en')}" for other in PRODUCTS}
        brand = next(
            other.brand for other in PRODUCTS if other.brand and f"{other.brand} {one.name('en')}" not in taken
        )
        found = large.understand([LANGUAGE.normalise(f"order {brand} {one.name('en')}")], Context())
        assert not found.items
        assert one.sku in (*found.unresolved[0].candidates, found.unresolved[0].suggestion)

    def test_what_is_not_sold_is_not_taken(self, large: Parts):
        for text in ("order an inflatable dragon", "what is the weather like", "we should go home now"):
            assert not large.understand([text], Context()).items

    def test_options_and_units(self, large: Parts):
        found = large.understand(["two cartons of meadow lane oat milk and a large blue t shirt"], Context())
        assert [(item.sku, item.quantity, item.options) for item in found.items] == [
            ("oat", 2, {}),
            ("shirt", 1, {"size": "large", "color": "blue"}),
        ]

    def test_the_brown_one(self, large: Parts):
        found = large.understand(["no the brown one"], Context(Expecting.CONFIRMATION, (), ("white",)))
        assert [item.sku for item in found.items] == ["brown"]

    def test_of_one_catalog_there_is_one_index(self, tmp_path: Path):
        engine = open_database(tmp_path)
        ImportedCatalog(engine).switch(PRODUCTS, NOW)
        for _ in range(2):
            parts = Parts(MANY, offer_of(MANY, tmp_path, None), tmp_path)
            assert isinstance(parts.catalog, IndexedCatalog)
        assert [path.name for path in (tmp_path / "search").iterdir()] == ["imported"]
        first = [path.name for path in (tmp_path / "search" / "imported").iterdir()]
        ImportedCatalog(engine).switch(PRODUCTS[:200], NOW)
        assert len(Parts(MANY, offer_of(MANY, tmp_path, None), tmp_path).search or ()) == 200
        second = [path.name for path in (tmp_path / "search" / "imported").iterdir()]
        assert len(first) == len(second) == 1 and first != second


# The shelf.


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    counted_down = replace(PRODUCTS[0], stock=3)
    ImportedCatalog(open_database(tmp_path)).switch((counted_down, *PRODUCTS[1:]), NOW)
    return tmp_path


def shelf_of(shop: Path, household: str = "home", most: int = 4) -> Shelf:
    return Shelf(open_database(shop), household, most)


class TestShelf:
    def test_everything_can_be_looked_up_and_begins_with_its_brand(self, shop: Path):
        shelf = shelf_of(shop)
        for one in PRODUCTS[::40]:
            found = shelf[one.sku]
            assert found.name("en") == f"{one.brand} {one.name('en')}"
            assert (found.price, found.options, found.brand) == (one.price, one.options, one.brand)
        assert shelf.get("nothing") is None and "nothing" not in shelf
        assert shelf.count() == len(PRODUCTS)

    def test_a_name_with_the_brand_in_it_stays(self, tmp_path: Path):
        cola = product("cola", "Fizzwell Cola", brand="Fizzwell")
        ImportedCatalog(open_database(tmp_path)).switch((cola,), NOW)
        assert shelf_of(tmp_path)["cola"] == cola

    def test_iterating_gives_what_the_household_knows(self, shop: Path):
        parts = Parts(MANY, offer_of(MANY, shop, None), shop)
        store = Household(parts, shop, play_money=True).store
        assert list(store.shelf()) == []
        store.add_to_list("something", PRODUCTS[7].sku)
        store.add_to_list("no longer sold", "gone")
        assert list(store.shelf()) == [PRODUCTS[7].sku]
        assert list(shelf_of(shop, "other")) == []
        bought = shelf_of(shop)[PRODUCTS[0].sku]
        cart = Cart("USD", (CartLine(bought.sku, bought.names, bought.price, 2, {"size": bought.options[0].default}),))
        order = store.begin_order(cart, "key", bought.price * 2)
        assert shelf_of(shop)[bought.sku].stock == 3, "what is kept for its own orders is there for the household"
        assert shelf_of(shop, "other")[bought.sku].stock == 1
        store.abandon_order(order.id)

    def test_it_is_as_it_is_now(self, shop: Path):
        shelf = shelf_of(shop)
        assert shelf[PRODUCTS[1].sku].stock is None
        ImportedCatalog(open_database(shop)).switch((replace(PRODUCTS[1], stock=5),), NOW + timedelta(days=1))
        assert shelf[PRODUCTS[1].sku].stock is None, "one moment is one answer"
        assert shelf.fresh()[PRODUCTS[1].sku].stock == 5
        assert PRODUCTS[2].sku not in shelf.fresh()


class TestConversation:
    def test_what_was_ordered_is_said_with_its_full_name(self, shop: Path):
        parts = Parts(MANY, offer_of(MANY, shop, None), shop)
        conversation = open_conversation(parts, Household(parts, shop, play_money=True), EventStream(), lambda: 0.0)
        one = PRODUCTS[50]
        response = conversation.heard_text([LANGUAGE.normalise(f"order two {one.brand} {one.name('en')}")])
        assert f"two {one.brand} {one.name('en')}".casefold() in response.replies[0].casefold()

    def test_nothing_that_is_not_needed_is_read(self, shop: Path, monkeypatch: pytest.MonkeyPatch):
        parts = Parts(MANY, offer_of(MANY, shop, None), shop)
        conversation = open_conversation(parts, Household(parts, shop, play_money=True), EventStream(), lambda: 0.0)
        _ = parts.search

        def everything(self: object) -> tuple[Product, ...]:
            raise AssertionError("the whole catalog was read")

        monkeypatch.setattr(ImportedCatalog, "products", everything)
        one = PRODUCTS[60]
        for text in (f"order {one.brand} {one.name('en')}", "make it three", "what's in my cart", "cancel"):
            assert conversation.heard_text([LANGUAGE.normalise(text)]).replies
