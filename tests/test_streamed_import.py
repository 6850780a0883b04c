"""Feeds of any length are imported in little memory, all at once, whatever happens meanwhile."""

import json
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from household_shop import BREAD, LATTE, OAT, PRODUCTS, cart_of, dollars, open_shop
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from test_crash import KilledAt, child, ended

from assistant import feed_progress
from assistant.errors import FeedError, StoreError
from assistant.shop import schema, sqlite, staging
from assistant.shop.database import open_database, reading
from assistant.shop.feed import GoodLine, Problem, Removal, collect
from assistant.shop.feeds import grouping
from assistant.shop.feeds.grouping import Groups
from assistant.shop.feeds.json_values import json_values
from assistant.shop.feeds.reading import FeedFile, feed_file, open_feed
from assistant.shop.money import Money
from assistant.shop.product import Product
from assistant.shop.promotions.price_book import read_rules, switch_rules
from assistant.shop.promotions.rule_entries import RuleDocument
from assistant.shop.staging import StagedCatalog
from assistant.shop.switching import switch_over

REPOSITORY = Path(__file__).resolve().parents[1]
NOW = datetime(2026, 11, 11, tzinfo=UTC)
on_each_database = pytest.mark.usefixtures("on_each_database")


def line(sku, name="tea", currency="USD", **more):
    return json.dumps({"sku": sku, "name": name, "price": {"amount": "1.00", "currency": currency}} | more)


def linked(sku, name="tea"):
    offers = {"@type": "Offer", "price": "1.00", "priceCurrency": "USD"}
    return {"@context": "https://schema.org", "@type": "Product", "sku": sku, "name": name, "offers": offers}


NATIVE = "\n".join(
    [line("a"), "rubbish", line("b"), line("a"), "", line("e", currency="EUR"), '{"sku": "g", "removed": true}']
)
TABLE = (
    "id\ttitle\tprice\titem_group_id\tsize\n"
    "a\tTea\t1.00 USD\t\t\n"
    "s1\tShirt\t5.00 USD\tshirt\tS\n"
    "b\tBread\tthree\t\t\n"
    "a\tMore tea\t1.00 USD\t\t\n"
    "s2\tShirt\t6.00 USD\tshirt\tL\n"
    "e\tEuro tea\t1.00 EUR\t\t\n"
)
DOCUMENT = (
    '<rss version="2.0" xmlns:g="http://base.google.com/ns/1.0"><channel>\n'
    "<item><g:id>a</g:id><title>Tea</title><g:price>1.00 USD</g:price></item>\n"
    "<item><g:id>b</g:id><title>Bread</title><g:price>much</g:price></item>\n"
    "<item><g:id>s1</g:id><title>Shirt</title><g:price>5 USD</g:price><g:item_group_id>s</g:item_group_id>"
    "<g:size>S</g:size></item>\n"
    "<item><g:id>a</g:id><title>Tea</title><g:price>1.00 USD</g:price></item>\n"
    "<item><g:id>s2</g:id><title>Shirt</title><g:price>6 USD</g:price><g:item_group_id>s</g:item_group_id>"
    "<g:size>L</g:size></item>\n"
    "</channel></rss>"
)
SHOPIFY = (
    "Handle,Title,Option1 Name,Option1 Value,Variant SKU,Variant Price\n"
    "shirt,T-Shirt,Size,Small,TS-S,10.00\n"
    "tea,Tea,,,a,3.00\n"
    "shirt,,,Large,TS-L,12.50\n"
    "bread,Bread,,,b,much\n"
    "more,More tea,,,a,3.00\n"
)
LINKED = json.dumps([linked("a"), linked("b", ""), linked("a"), linked("c")], indent=1)
FEEDS = {"a.jsonl": NATIVE, "a.tsv": TABLE, "a.xml": DOCUMENT, "a.csv": SHOPIFY, "a.json": LINKED}


@pytest.fixture
def portions_of_two(monkeypatch):
    """What is taken in at once is two entries, so that a short feed has several portions."""
    monkeypatch.setattr(staging, "_AT_ONCE", 2)
    monkeypatch.setattr(staging, "_LOOKED_UP", 1)


def imported(folder, path, *, keep_others=False):
    with feed_file(path) as feed, StagedCatalog(open_shop(folder).engine) as staged:
        staged.take_feed(feed.entries, feed.source)
        return switch_over(staged, NOW, keep_others=keep_others), tuple(staged.problems()), staged.currency


# What is read.


@on_each_database
@pytest.mark.parametrize("name", FEEDS)
def test_a_streamed_feed_gives_what_one_in_memory_gives(tmp_path, portions_of_two, name):
    path = tmp_path / name
    path.write_text(FEEDS[name])
    wanted = open_feed(path)
    reasons = [problem.reason for problem in wanted.problems]
    assert any("already on line" in reason for reason in reasons) and len(reasons) >= 2 and len(wanted.products) >= 2
    count, problems, currency = imported(tmp_path, path)
    assert (count, problems, currency) == (len(wanted.products), wanted.problems, wanted.currency)
    assert open_shop(tmp_path).store.products() == wanted.products


ENTRIES = st.lists(
    st.one_of(
        st.builds(
            lambda sku, currency: GoodLine(0, Product(sku, {"und": "tea"}, Money(100, currency))),
            st.sampled_from("abcdef"),
            st.sampled_from(["USD", "USD", "EUR"]),
        ),
        st.builds(lambda sku: Removal(0, sku), st.sampled_from("abcdef")),
        st.builds(lambda reason: Problem(0, reason), st.text(max_size=8)),
    ),
    max_size=12,
).map(lambda entries: [replace(entry, line=number) for number, entry in enumerate(entries, 1)])


@settings(max_examples=60, deadline=None)
@given(ENTRIES)
def test_any_entries_become_what_they_become_in_memory(tmp_path_factory, entries):
    engine = open_database(tmp_path_factory.getbasetemp() / "entries")
    before = staging._AT_ONCE
    staging._AT_ONCE = 3
    try:
        with StagedCatalog(engine) as staged:
            try:
                wanted = collect(iter(entries), "it")
            except FeedError as error:
                with pytest.raises(FeedError) as raised:
                    staged.take_feed(entries, "it")
                assert raised.value.message == error.message
                return
            staged.take_feed(entries, "it")
            assert tuple(staged.problems()) == wanted.problems and staged.currency == wanted.currency
            assert (staged.count(), staged.removals()) == (len(wanted.products), len(wanted.removed))
            assert staged.problem_count() == len(wanted.problems)
    finally:
        staging._AT_ONCE = before


def test_a_feed_without_an_end_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(staging, "MOST_LINES", 5)
    entries = (Problem(number, "bad") for number in range(10**9))
    with StagedCatalog(open_database(tmp_path)) as staged, pytest.raises(FeedError, match="more than 5 lines"):
        staged.take_feed(entries, "it")


VALUES = st.recursive(
    st.integers() | st.text(max_size=5) | st.booleans() | st.none(),
    lambda one: st.lists(one) | st.dictionaries(st.text(max_size=3), one),
    max_leaves=10,
)


class TestJsonValues:
    @given(st.lists(VALUES, max_size=5), st.integers(1, 7), st.sampled_from([None, 0, 2]), st.booleans())
    def test_values_come_whatever_the_portions(self, values, length, indent, as_list):
        texts = [json.dumps(value, indent=indent) for value in values]
        text = f"[{','.join(texts)}]" if as_list else "\n".join(texts)
        # A list that stands alone is taken for a list of values.
        wanted = values if as_list or not text.startswith("[") else [*values[0], *values[1:]]
        portions = [text[begin : begin + length] for begin in range(0, len(text), length)]
        assert [value for _, value in json_values(portions)] == wanted

    @given(st.text(alphabet='{}[]",:\\ \na1', max_size=30), st.integers(1, 5))
    def test_what_is_wrong_is_the_same_whatever_the_portions(self, text, length):
        portions = [text[begin : begin + length] for begin in range(0, len(text), length)]
        assert list(json_values(portions)) == list(json_values([text]))

    def test_lines_and_what_is_broken_off(self):
        assert list(json_values(['[{"a": 1},\n\n {"a": "}\\""},', "\n {"])) == [
            (1, {"a": 1}),
            (3, {"a": '}"'}),
            (4, "not JSON: Expecting property name enclosed in double quotes; nothing after this was read"),
        ]
        assert list(json_values(['[{"a": 1}'])) == [
            (1, {"a": 1}),
            (1, "the list is never closed; what there is of it was read"),
        ]

    def test_one_value_without_an_end_is_given_up(self, monkeypatch):
        monkeypatch.setattr("assistant.shop.feeds.json_values.LARGEST", 1000)
        portions = iter(["[1, ", *(["[2, "] * 10**6)])
        (first, (_, reason)) = json_values(portions)
        assert first == (1, 1) and "nothing after this was read" in reason and next(portions) == "[2, "


class TestGroups:
    @given(st.lists(st.tuples(st.sampled_from("abc"), st.integers())))
    def test_keys_come_as_they_were_met_with_all_their_values(self, pairs):
        wanted: dict[str, list[int]] = {}
        with Groups() as groups:
            for key, value in pairs:
                groups.add(key, value)
                wanted.setdefault(key, []).append(value)
            assert list(groups.each()) == list(wanted.items())

    def test_a_group_without_an_end_is_a_problem_of_its_own(self, tmp_path, monkeypatch):
        monkeypatch.setattr("assistant.shop.feeds.shopify.MOST_OF_ONE", 1)
        monkeypatch.setattr(grouping, "MOST_OF_ONE", 1)
        path = tmp_path / "a.csv"
        path.write_text(SHOPIFY)
        found = open_feed(path)
        assert [product.sku for product in found.products] == ["a"]
        assert (2, "more than 1 rows have this handle") in [(one.line, one.reason) for one in found.problems]


# How it is put in its place.


@on_each_database
class TestUpdates:
    def test_what_is_not_named_stays_as_it_is(self, tmp_path):
        shop = open_shop(tmp_path)
        shop.store.import_catalog(PRODUCTS)
        other = open_shop(tmp_path, "other")
        other.store.begin_order(cart_of((BREAD, 4)), "kept for a while")
        path = tmp_path / "change.jsonl"
        path.write_text("\n".join([line("new"), line("oat", "oat drink"), '{"sku": "gone", "removed": true}']))
        assert imported(tmp_path, path, keep_others=True)[0] == 4
        found = open_shop(tmp_path).store.products()
        assert [product.sku for product in found] == ["oat", "bread", "latte", "new"]
        assert found[0].name("en") == "oat drink"
        assert found[1].stock == 6, "what is kept for the other's order is not sold"
        assert {one.sku: one.stock for one in other.store.products()}["bread"] == 10

    def test_removed_ones_go_and_places_stay(self, tmp_path):
        open_shop(tmp_path).store.import_catalog(PRODUCTS)
        path = tmp_path / "change.jsonl"
        path.write_text("\n".join(['{"sku": "bread", "removed": true}', line("new"), line("latte")]))
        assert imported(tmp_path, path, keep_others=True)[0] == 3
        assert [product.sku for product in open_shop(tmp_path).store.products()] == ["oat", "latte", "new"]
        path.write_text("\n".join(["rubbish", '{"sku": "x", "removed": true}', line("newer"), line("new", "mint")]))
        assert imported(tmp_path, path, keep_others=True)[0] == 4
        with reading(open_shop(tmp_path).engine) as connection:
            places = connection.execute(select(schema.products.c.position)).scalars().all()
        assert sorted(places) == [0, 2, 3, 4], "places do not grow with the length of the feed"
        assert [product.sku for product in open_shop(tmp_path).store.products()] == ["oat", "latte", "new", "newer"]

    def test_what_cannot_be_changes_nothing(self, tmp_path):
        open_shop(tmp_path).store.import_catalog(PRODUCTS)
        path = tmp_path / "change.jsonl"
        path.write_text(line("new", currency="EUR"))
        with pytest.raises(FeedError, match="The catalog is in USD, the update in EUR"):
            imported(tmp_path, path, keep_others=True)
        path.write_text("\n".join(json.dumps({"sku": one.sku, "removed": True}) for one in PRODUCTS))
        with pytest.raises(FeedError, match="removes every product"):
            imported(tmp_path, path, keep_others=True)
        with pytest.raises(FeedError, match="no product"):
            imported(tmp_path, path)
        assert open_shop(tmp_path).store.products() == PRODUCTS


@on_each_database
def test_whoever_sells_meanwhile_waits_for_nothing_while_a_feed_is_read(tmp_path, portions_of_two):
    open_shop(tmp_path).store.import_catalog(PRODUCTS)
    seller = open_shop(tmp_path)

    def entries():
        for number in range(6):
            seller.store.save_cart(cart_of((OAT, number + 1)))
            assert seller.store.products() == PRODUCTS
            yield GoodLine(number, replace(OAT, sku=f"oat {number}"))

    with StagedCatalog(open_shop(tmp_path).engine) as staged:
        staged.take_feed(entries(), "it")
        assert seller.store.products() == PRODUCTS
        assert switch_over(staged, NOW) == 6
    assert len(seller.store.products()) == 6 and seller.store.cart() == cart_of((OAT, 6))


# Processes that are killed.


@on_each_database
@pytest.mark.parametrize("keep_others", [False, True])
def test_an_import_that_is_killed_anywhere_leaves_the_old_catalog_or_the_new_one(tmp_path, monkeypatch, keep_others):
    monkeypatch.setattr(staging, "_AT_ONCE", 2)
    shop = open_shop(tmp_path)
    shop.store.import_catalog(PRODUCTS)
    changed = [replace(one, price=dollars("9.00")) for one in (OAT, BREAD, LATTE)]
    new = (*changed, Product("tea", {"und": "tea"}, dollars("1.00")))
    shop.engine.dispose()

    def work(step):
        engine = open_shop(tmp_path).engine
        with StagedCatalog(engine) as staged:
            KilledAt(engine, step)
            staged.take_feed([GoodLine(number, product) for number, product in enumerate(new)], "it")
            rules = RuleDocument(currency="USD")
            switch_over(
                staged, NOW, keep_others=keep_others, beside=lambda connection: switch_rules(connection, rules, NOW)
            )

    seen, revision = [], 0
    # Every other moment, of a replacement the even ones, of an update the odd ones.
    for step in range(int(keep_others), 200, 2):
        result = ended(child(lambda step=step: work(step)))
        assert result in (0, -signal.SIGKILL)
        shop = open_shop(tmp_path)
        found = shop.store.products()
        assert found in (PRODUCTS, new), f"killed at moment {step}"
        seen.append(found == new)
        with reading(shop.engine) as connection:
            before, revision = revision, read_rules(connection)[0]
        assert revision == before + seen[-1], "the rules that belong to it come with it"
        shop.store.import_catalog(PRODUCTS)
        shop.engine.dispose()
        if result == 0:
            break
    assert result == 0 and seen == sorted(seen) and not seen[0] and seen.count(False) > 5


@on_each_database
def test_two_imports_at_once_end_as_one_of_them(tmp_path, portions_of_two):
    open_shop(tmp_path).store.import_catalog(PRODUCTS)
    with StagedCatalog(open_shop(tmp_path).engine) as one, StagedCatalog(open_shop(tmp_path).engine) as other:
        for number in range(4):
            for name, staged in (("one", one), ("other", other)):
                staged.take_feed([GoodLine(number, replace(OAT, sku=f"{name} {number}"))], "it")
        with ThreadPoolExecutor() as both:
            assert list(both.map(lambda staged: switch_over(staged, NOW), (one, other))) == [4, 4]
    shop = open_shop(tmp_path)
    assert len({product.sku.split()[0] for product in shop.store.products()}) == 1
    with reading(shop.engine) as connection:
        assert connection.execute(select(schema.catalogs.c.revision)).scalars().all() == [3]


def test_no_room_for_temporary_files_is_told(tmp_path, monkeypatch):
    open_shop(tmp_path).store.import_catalog(PRODUCTS)

    def cramped(connection):
        connection.connection.driver_connection.execute("PRAGMA temp.max_page_count = 20")

    monkeypatch.setattr(sqlite, "keep_temporary_tables_on_disk", cramped)
    path = tmp_path / "feed.jsonl"
    path.write_text("\n".join(line(f"sku {number}", description="x" * 300) for number in range(1000)))
    with pytest.raises(StoreError, match=r"no room for temporary files .* TMPDIR"):
        imported(tmp_path, path)
    assert open_shop(tmp_path).store.products() == PRODUCTS


_IMPORT = """
import sys
from assistant import feed_progress
from assistant.commands.main import main
feed_progress._LINE_EVERY = 1_000
sys.exit(main(["catalog", "import", sys.argv[1], "--state", sys.argv[2]]))
"""


@pytest.mark.parametrize(
    ("moment", "left"),
    [("1,000 entries", {1}), ("4,000 entries", {1}), ("6,000 entries", {1, 6_000}), ("search index", {6_000})],
)
def test_the_command_is_killed_while_it_works(tmp_path, moment, left):
    state, feed = tmp_path / "state", tmp_path / "feed.jsonl"
    open_database(state)
    open_shop(state).store.import_catalog([OAT])
    feed.write_text("\n".join(line(f"sku {number}") for number in range(6_000)))
    command = [sys.executable, "-c", _IMPORT, str(feed), str(state)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, cwd=REPOSITORY) as process:
        assert process.stderr is not None
        assert any(moment in told for told in process.stderr)
        process.kill()
    found = open_shop(state).store.products()
    assert len(found) in left and (len(found) > 1 or found == (OAT,))


# Memory.


_MEASURED = """
import resource, sys
from datetime import UTC, datetime
from pathlib import Path
from assistant.shop.database import open_database, reading
from assistant.shop.feeds.reading import feed_file
from assistant.shop.staging import StagedCatalog
from assistant.shop.switching import switch_over
with feed_file(Path(sys.argv[1])) as feed, StagedCatalog(open_database(Path(sys.argv[2]))) as staged:
    staged.take_feed(feed.entries, feed.source)
    count = switch_over(staged, datetime.now(UTC))
    problems = sum(1 for _ in staged.problems())
print(count, problems, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def native(count):
    for number in range(count):
        yield line(f"sku {number}", f"tea number {number}", description="x" * 300) + "\n"
        yield "rubbish\n"


def table(count):
    yield "Handle,Title,Body (HTML),Variant SKU,Variant Price\n"
    for number in range(count):
        yield f"tea-{number},Tea {number},{'x' * 300},sku {number},1.00\n"
        yield f",Tea {number},,sku,1.00\n"


def linked_list(count):
    yield "["
    for number in range(count):
        yield (
            json.dumps(linked(f"sku {number}") | {"description": "x" * 300})
            + ",\n"
            + json.dumps(linked("sku 0"))
            + ",\n"
        )
    yield json.dumps(linked("last")) + "]"


@pytest.mark.parametrize("make", [native, table, linked_list])
def test_a_longer_feed_takes_no_more_memory(tmp_path, make):
    peaks = []
    for count in (1_000, 8_000):
        path = tmp_path / f"{count}"
        with path.open("w") as file:
            file.writelines(make(count))
        command = [sys.executable, "-c", _MEASURED, str(path), str(tmp_path / f"state {count}")]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        products, problems, peak = map(int, done.stdout.split())
        assert count <= products <= count + 1 and count <= problems <= count + 1
        peaks.append(peak / 1024)
    # Held in memory, the longer feed would take over 14 MB more.
    assert peaks[1] - peaks[0] < 7


# Progress.


def test_how_far_a_long_feed_is_read_is_told_in_lines(monkeypatch, capsys):
    monkeypatch.setattr(feed_progress, "_LINE_EVERY", 2)
    entries = [Removal(number, str(number)) for number in range(5)]
    assert list(feed_progress.shown(FeedFile("it", iter(entries), 200, lambda: 50))) == entries
    assert capsys.readouterr().err == "2 entries are read, 25 % of the feed.\n4 entries are read, 25 % of the feed.\n"


@pytest.mark.parametrize("count", [0, 3, 4, 9])
def test_on_a_terminal_there_is_a_bar_and_every_entry_comes(monkeypatch, capsys, count):
    monkeypatch.setattr(feed_progress, "_SHORT", 3)
    monkeypatch.setattr(feed_progress, "_BAR_EVERY", 2)
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    entries = [Removal(number, str(number)) for number in range(count)]
    assert list(feed_progress.shown(FeedFile("it", iter(entries), 200, lambda: 50))) == entries
    assert bool(capsys.readouterr().err) is (count > 3)


# What it leaves behind.


def test_the_log_of_a_large_import_is_not_kept_while_others_have_the_database_open(tmp_path, monkeypatch):
    monkeypatch.setattr(sqlite, "_LOG_BYTES", 100_000)
    seller = open_shop(tmp_path)
    open_shop(tmp_path).store.import_catalog(
        replace(OAT, sku=str(number), description="oat " * 2_000) for number in range(1_000)
    )
    assert len(seller.store.products()) == 1_000
    log = tmp_path / "voicecart.db-wal"
    before = log.stat().st_size
    seller.store.save_cart(cart_of((OAT, 1)))
    assert before > 4_000_000 > 200_000 > log.stat().st_size
