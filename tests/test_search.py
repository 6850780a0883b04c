"""Search in an index of words and sounds: it finds what comparing everything finds, and mends itself."""

import json
import os
import random
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rapidfuzz import fuzz
from shops import HOUSEHOLD, LANGUAGE, LEXICON, option, product

from assistant import catalog_search
from assistant.errors import CatalogMissing, StoreError
from assistant.hear.lexicon import Pronunciation
from assistant.parts import Parts
from assistant.settings import Settings, Understand
from assistant.shop.catalog import ImportedCatalog
from assistant.shop.database import open_database
from assistant.shop.search.entry import entries_of
from assistant.shop.search.index import MANIFEST, ProductIndex, UnusableIndex
from assistant.shop.search.product_search import ProductSearch, Source, open_search
from assistant.shop.search.ranking import Found, rank
from assistant.shop.search.spoken_words import SpokenWords, pieces
from assistant.understand.catalog_index import SearchableCatalog
from assistant.understand.indexed_catalog import IndexedCatalog
from scripts.search_benchmark.mishearing import KINDS, Mishearing
from scripts.search_benchmark.products import make_products

BRANDED = (
    product("cream", "night cream", 4_900, brand="Lancôme"),
    product("oat", "oat drink", 299, brand="Oatly"),
    product("oat2", "oat drink", 199, brand="Northfield"),
    product("ice", "vanilla ice cream", 599, brand="Häagen-Dazs"),
    product("rake", "garden rake", 1_299),
    product("latte", "latte", 399, options=(option("size", "small", "large"),), category="Hot drinks"),
    product("late", "ladder", 8_900),
)


class Spelled:
    """Says words letter by letter, so that the tests need no synthesiser."""

    digest = "letters"

    def pronounce_all(self, words: Iterable[str]) -> Mapping[str, Sequence[Pronunciation]]:
        return {word: (tuple(word),) for word in words}


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> ProductSearch:
    return open_search(
        tmp_path_factory.mktemp("search"), Source("shop", lambda: (*BRANDED, *HOUSEHOLD)), LANGUAGE, LEXICON
    )


@pytest.fixture(scope="module")
def spelled(tmp_path_factory: pytest.TempPathFactory) -> ProductSearch:
    return open_search(tmp_path_factory.mktemp("search"), Source("shop", lambda: HOUSEHOLD), LANGUAGE, Spelled())


@pytest.mark.parametrize(
    ("heard", "sku"),
    [
        ("lawn comb night cream", "cream"),
        ("lawn comb", "cream"),
        ("oatley", "oat"),
        ("oatley oat drink", "oat"),
        ("hog and das vanilla ice", "ice"),
        ("north field oat drink", "oat2"),
        ("large latte", "latte"),
        ("tooth paste", "paste"),
        ("brown bred", "brown"),
        ("just mean rice", "rice"),
    ],
)
def test_what_sounds_alike_is_found(shop: ProductSearch, heard: str, sku: str) -> None:
    assert shop.search(heard)[0].sku == sku


def test_the_name_itself_fits_wholly(shop: ProductSearch) -> None:
    for one in (*BRANDED, *HOUSEHOLD):
        found = shop.search(f"{one.brand} {one.name('en')}")[0]
        assert (found.sku, round(found.score)) == (one.sku, 100)


def test_words_for_options_and_category_cost_nothing(shop: ProductSearch) -> None:
    assert shop.search("large latte")[0].score == shop.search("latte")[0].score == 100


def test_what_nobody_can_say_is_found_by_its_spelling(tmp_path: Path) -> None:
    class Mute:
        digest = "mute"

        def pronounce_all(self, words: Iterable[str]) -> Mapping[str, Sequence[Pronunciation]]:
            return {word: () for word in words}

    search = open_search(tmp_path, Source("shop", lambda: BRANDED), LANGUAGE, Mute())
    assert search.search("oatly oat drink")[0] == Found("oat", 100.0)


def test_nothing_is_found_by_nothing(shop: ProductSearch) -> None:
    assert shop.search("") == shop.search("?!") == ()


def test_the_household_and_then_everybody_decide_between_equals(tmp_path: Path) -> None:
    beans = [product(sku, "coffee beans", cents, brand="Roast") for sku, cents in (("a", 900), ("b", 700), ("c", 800))]
    source = Source("beans", lambda: beans, lambda: {"c": 12})
    search = open_search(tmp_path, source, LANGUAGE, Spelled())
    assert [one.sku for one in search.search("coffee beans")] == ["c", "b", "a"]
    assert [one.sku for one in search.search("coffee beans", {"a"})] == ["a", "c", "b"]
    assert len({one.score for one in search.search("coffee beans", {"a"})}) == 1, "habits are no likeness"


def test_the_index_finds_what_comparing_everything_finds(tmp_path: Path) -> None:
    products = tuple(make_products(600, seed=3))
    search = open_search(tmp_path, Source("600", lambda: products), LANGUAGE, LEXICON)
    assert len(search) == 600
    spoken = SpokenWords(LANGUAGE, LEXICON)
    entries = entries_of(products, LANGUAGE, spoken)
    names = {one.sku: f"{one.brand} {one.name('en')}" for one in products}
    for one in random.Random(5).sample(products, 40):
        words = names[one.sku].split()
        heard = " ".join(words[:1] + words[2:] if len(words) > 3 else words)
        everything = rank(spoken.words_of(heard), entries, spoken)
        best = [found for found in everything if found.score == everything[0].score]
        found = search.search(heard)[: len(best)]
        assert {one.sku for one in found} == {one.sku for one in best}, heard
        assert found[0].score == pytest.approx(everything[0].score)


def test_misheard_queries_find_more_than_spelling_does() -> None:
    products = tuple(make_products(400, seed=4))
    spoken = SpokenWords(LANGUAGE, LEXICON)
    entries = entries_of(products, LANGUAGE, spoken)
    mishearing = Mishearing(LANGUAGE, LEXICON)
    queries = [mishearing.ask_for(one, KINDS[at % len(KINDS)]) for at, one in enumerate(products[:20])]
    by_sound = sum(rank(spoken.words_of(one.words), entries, spoken)[0].sku == one.sku for one in queries)
    by_spelling = sum(max(entries, key=lambda e: fuzz.ratio(one.words, e.names[0])).sku == one.sku for one in queries)
    assert by_sound >= max(by_spelling, 16)


# Its place on the disk.


def test_an_index_is_made_once_for_a_catalog(tmp_path: Path) -> None:
    told: list[str] = []
    read: list[str] = []

    def source(key: str) -> Source:
        return Source(key, lambda: (read.append(key), BRANDED)[1])

    for key in ("one", "one", "two", "two"):
        open_search(tmp_path, source(key), LANGUAGE, Spelled(), told.append)
    assert read == ["one", "two"]
    assert told == ["The search index of this catalog is made; this happens once."] * 2
    assert len(list(tmp_path.iterdir())) == 1, "the one of the old catalog is gone"


@pytest.mark.parametrize("damage", ["cut", "changed", "missing", "no manifest", "bad manifest", "old format"])
def test_a_damaged_index_is_made_anew(tmp_path: Path, damage: str) -> None:
    source = Source("shop", lambda: BRANDED)
    open_search(tmp_path, source, LANGUAGE, Spelled())
    (folder,) = tmp_path.iterdir()
    largest = max(folder.glob("*.store"), key=lambda file: file.stat().st_size)
    content = bytearray(largest.read_bytes())
    match damage:
        case "cut":
            largest.write_bytes(content[: len(content) // 2])
        case "changed":
            content[len(content) // 2] ^= 0xFF
            largest.write_bytes(content)
        case "missing":
            largest.unlink()
        case "no manifest":
            (folder / MANIFEST).unlink()
        case "bad manifest":
            (folder / MANIFEST).write_text('{"format"')
        case _:
            manifest = json.loads((folder / MANIFEST).read_text())
            (folder / MANIFEST).write_text(json.dumps(manifest | {"format": 0}))
    with pytest.raises(UnusableIndex):
        ProductIndex(folder)
    told: list[str] = []
    search = open_search(tmp_path, source, LANGUAGE, Spelled(), told.append)
    assert search.search("lancome night cream")[0].sku == "cream"
    assert len(told) == 1
    assert str(folder) in told[0]
    assert "It is made anew." in told[0]


def test_an_index_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    (tmp_path / "search").write_text("in the way")
    with pytest.raises(StoreError, match="The search index cannot be written"):
        open_search(tmp_path / "search", Source("shop", lambda: BRANDED), LANGUAGE, Spelled())


def test_making_an_index_that_fails_leaves_nothing(tmp_path: Path) -> None:
    def products() -> Iterable[object]:
        yield from BRANDED
        raise StoreError("The disk failed.")

    with pytest.raises(StoreError, match="The disk failed"):
        open_search(tmp_path, Source("shop", products), LANGUAGE, Spelled())  # type: ignore[arg-type]
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_process_left_is_deleted(tmp_path: Path) -> None:
    died = subprocess.Popen([sys.executable, "-c", ""])
    died.wait()
    left, made_now = tmp_path / f".0123.{died.pid}", tmp_path / f".4567.{os.getpid()}"
    left.mkdir()
    made_now.mkdir()
    open_search(tmp_path, Source("shop", lambda: BRANDED), LANGUAGE, Spelled())
    assert not left.exists()
    assert made_now.exists()


# Wired in.


MANY = Settings(understand=Understand(many_products=5))


def test_few_products_need_no_index(tmp_path: Path) -> None:
    assert Parts(Settings(), BRANDED, tmp_path).search is None
    assert not (tmp_path / "search").exists()


def test_an_indexed_catalog_finds_what_comparing_everything_finds(tmp_path: Path) -> None:
    large = Parts(MANY, HOUSEHOLD, tmp_path).catalog
    small = SearchableCatalog(HOUSEHOLD, LANGUAGE, LEXICON.pronounce)
    assert isinstance(large, IndexedCatalog)
    for heard in ("oat milk", "hole milk", "brown bred", "tooth paste", "t shirt", "cheries", "jasmin rise"):
        assert large.search(heard.split())[0].sku == small.search(heard.split())[0].sku
        assert large.search(heard.split())[0].score >= 72.0
    for heard in ("engine oil", "the weather", "dragon fruit"):
        assert max((match.score for match in large.search(heard.split())), default=0.0) < 72.0


def test_the_imported_catalog_is_searched_without_reading_it_all(tmp_path: Path) -> None:
    engine = open_database(tmp_path)
    at = datetime(2026, 11, 11, tzinfo=UTC)
    told: list[str] = []

    def find(text: str) -> list[str]:
        return [hit.product.sku for hit in catalog_search.find_products(MANY, tmp_path, text, 3, told.append)]

    ImportedCatalog(engine).switch(BRANDED, at)
    assert find("oatley")[0] == "oat"
    assert find("zzz") == []
    ImportedCatalog(engine).switch(tuple(one for one in BRANDED if one.sku != "oat"), at)
    assert "oat" not in find("oatley oat drink")
    assert len(told) == 2, "an import makes the index out of date"


def test_nothing_is_on_sale(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("assistant.storefront.shipped_catalog", lambda: tmp_path / "none")
    with pytest.raises(CatalogMissing):
        catalog_search.find_products(MANY, tmp_path, "milk", 3)


# Whatever is said.

WORDS = st.text("abcdeilmnorstu ", max_size=40)


@settings(max_examples=60, deadline=None)
@given(text=WORDS)
def test_scores_stay_within_bounds_and_in_order(spelled: ProductSearch, text: str) -> None:
    found = spelled.search(text)
    assert all(0 <= one.score <= 100 for one in found)
    assert [one.score for one in found] == sorted((one.score for one in found), reverse=True)
    assert len({one.sku for one in found}) == len(found)
    assert found == spelled.search(text)


@given(st.text(max_size=30))
def test_pieces_cover_a_sound(sound: str) -> None:
    found = pieces(sound)
    assert all(piece in sound for piece in found)
    if sound:
        assert found[0] + "".join(piece[-1] for piece in found[1:]) == sound


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.text(min_size=1, max_size=20), min_size=1, max_size=8))
def test_any_names_can_be_indexed(tmp_path: Path, names: list[str]) -> None:
    products = [product(f"p{number}", name) for number, name in enumerate(names)]
    key = repr(names)
    search = open_search(tmp_path, Source(key, lambda: products), LANGUAGE, Spelled())
    assert len(search) == sum(bool(LANGUAGE.normalise_name(name)) for name in names)
    for one in products:
        if LANGUAGE.normalise_name(one.name("en")):
            assert search.search(one.name("en"))[0].score == pytest.approx(100)
