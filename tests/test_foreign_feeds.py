"""Feeds that other shops export: what becomes of each, and that none of them can do harm."""

import json
import os
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assistant.commands.main import main
from assistant.errors import FeedError
from assistant.shop.feeds.reading import FeedFormat, detect_format, open_feed
from assistant.shop.money import Money
from assistant.shop.product import Sale
from assistant.shop.promotions.rules import Scope

TSV = (
    "id\ttitle\tdescription\tprice\tavailability\tbrand\tproduct_type\n"
    "m1\tOat milk\tCreamy and vegan\t3.20 USD\tin_stock\tOatly\tDrinks > Milk\n"
    "m2\tRye bread\tDark\tthree dollars\tin_stock\tBakers\tBread\n"
    "m3\tGreen tea\tLoose leaves\t4.50 USD\tout_of_stock\tLeafy\tDrinks > Tea\n"
)
XML = """<?xml version="1.0"?>
<rss version="2.0" xmlns:g="http://base.google.com/ns/1.0"><channel><title>Shop</title>
<item><g:id>x1</g:id><title>Oat milk</title><description>Creamy</description><g:price>3.20 USD</g:price>
<g:availability>in stock</g:availability><g:brand>Oatly</g:brand></item>
</channel></rss>"""
SHOPIFY = (
    "Handle,Title,Body (HTML),Vendor,Type,Option1 Name,Option1 Value,Variant SKU,Variant Inventory Qty,Variant Price\n"
    "shirt,T-Shirt,<p>Soft</p>,Threads,Clothes,Size,Small,TS-S,4,10.00\n"
    "shirt,,,,,,Large,TS-L,2,12.50\n"
)
LINKED = json.dumps(
    {
        "@context": "https://schema.org",
        "@type": "Product",
        "sku": "j1",
        "name": "Oat milk",
        "brand": {"@type": "Brand", "name": "Oatly"},
        "offers": {"@type": "Offer", "price": "3.20", "priceCurrency": "USD"},
    }
)


def feed(folder, name, content, form=None):
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return open_feed(path, form)


def test_a_merchant_table(tmp_path):
    found = feed(tmp_path, "a.tsv", TSV)
    milk, tea = found.products
    assert (milk.sku, milk.name("en"), milk.brand, milk.price) == ("m1", "Oat milk", "Oatly", Money(320, "USD"))
    assert tea.stock == 0 and tea.category == "Drinks/Tea"
    assert Scope(categories=frozenset({"drinks"})).covers(tea)
    (problem,) = found.problems
    assert problem.line == 3 and "price" in problem.reason


@pytest.mark.parametrize(("large", "sale"), [("7.00", "4.00"), ("6.00", None), ("", None)])
def test_a_group_is_on_sale_where_all_of_it_costs_the_same_less(tmp_path, large, sale):
    dates = "2026-11-10T00:00Z/2026-11-12T00:00Z"
    (shirt,) = feed(
        tmp_path,
        "a.tsv",
        "id\ttitle\tprice\titem_group_id\tsize\tsale_price\tsale_price_effective_date\n"
        f"s1\tShirt\t5.00 USD\ts\tsmall\t4.00 USD\t{dates}\n"
        f"s2\tShirt\t8.00 USD\ts\tlarge\t{large}\t{dates}\n",
    ).products
    begins, ends = datetime(2026, 11, 10, tzinfo=UTC), datetime(2026, 11, 12, tzinfo=UTC)
    assert shirt.sale == (Sale(Money.parse(sale, "USD"), begins, ends) if sale else None)


BAD_FEEDS = {
    "a.tsv": (
        "id\ttitle\tprice\tavailability\n"
        "good\tTea\t3.20 USD\tin_stock\n"
        "bad\tTea\t-3.20 USD\tin_stock\n"
        "bad\tTea\t3.20\tin_stock\n"
        "good\tTea\t3.20 USD\tin_stock\n"
        "bad\tTea\t3.20 EUR\tin_stock\n"
        "bad2\tTea\t1.005 USD\tin_stock\n"
        f"bad\t{'x' * 1_100_000}\t1.00 USD\tin_stock\n"
        'bad\t"Tea\t1.00 USD\tin_stock\n',
        [
            "is no price",
            "names no currency",
            "already on line 2",
            "EUR, but",
            "more decimals",
            "longer than",
            "quotation",
        ],
    ),
    "a.xml": (
        XML.replace("</channel></rss>", "")
        + "<item><g:id>x2</g:id><title>Tea</title><g:price>-1 USD</g:price></item>"
        + "<item><g:id>x1</g:id><title>Tea</title><g:price>1 USD</g:price></item>"
        + "<item><g:id>x3</g:id><title>Tea</title><g:price>1</g:price></item><item><g:id>x4",
        ["is no price", "already on line 3", "names no currency", "broken XML"],
    ),
    "a.csv": (
        SHOPIFY
        + "shirt,,,,,,Large,TS-X,2,12.50\n"
        + "mug,Mug,,,,Title,Default Title,MUG,1,5.00\n"
        + "cup,Cup,,,,Title,Default Title,MUG,1,5.00\n"
        + "pot,Pot,,,,Title,Default Title,POT,1,-5.00\n"
        + "can,Can,,,,Title,Default Title,CAN,1,\n"
        + ",Pan,,,,Title,Default Title,PAN,1,1.00\n"
        + '"broken off',
        ["same options", "already on line", "is no price", "Price: missing", "Handle: missing", "quotation"],
    ),
    "a.json": (
        f"[{LINKED}, {LINKED}, {LINKED.replace('j1', 'j2').replace('3.20', '-3.20')},"
        f"{LINKED.replace('j1', 'j3').replace('3.20', 'NaN')}, {{}}, {LINKED[:-9]}",
        ["already on line 1", "'-3.20' is no price", "'NaN' is no price", "holds no schema.org", "nothing after this"],
    ),
}


@pytest.mark.parametrize("name", BAD_FEEDS)
def test_what_is_wrong_is_told_and_the_rest_is_taken(tmp_path, name):
    content, reasons = BAD_FEEDS[name]
    found = feed(tmp_path, name, content)
    assert len(found.products) == 1
    told = [problem.reason for problem in found.problems]
    assert len(told) == len(reasons) and all(any(one in reason for reason in told) for one in reasons), told
    assert not any("longer than" in reason and "UTF-8" in reason for reason in told)


@pytest.mark.parametrize("encoding", ["latin-1", "cp1252"])
def test_a_line_in_another_encoding_is_told(tmp_path, encoding):
    found = feed(tmp_path, "a.tsv", TSV.replace("Leaf", "Café ").replace("three dollars", "3.00 USD").encode(encoding))
    assert [product.sku for product in found.products] == ["m1", "m2"]
    assert [problem.reason for problem in found.problems] == ["not UTF-8 (byte 52); save the table as UTF-8"]


def test_a_merchant_document(tmp_path):
    (milk,) = feed(tmp_path, "a.xml", XML).products
    assert (milk.sku, milk.name("en"), milk.price) == ("x1", "Oat milk", Money(320, "USD"))


def test_variants_of_a_shopify_table_become_options(tmp_path):
    (shirt,) = feed(tmp_path, "a.csv", SHOPIFY).products
    assert shirt.name("en") == "T-Shirt" and shirt.brand == "Threads"
    (size,) = shirt.options
    assert [value.value.lower() for value in size.values] == ["small", "large"]
    large = next(value.value for value in size.values if value.value.lower() == "large")
    assert shirt.price_with({size.name: large}) == Money(1250, "USD")


def test_linked_data_in_a_file_and_in_a_page(tmp_path):
    page = f'<html><head><script type="application/ld+json">{LINKED}</script></head></html>'
    for name, content in (("a.json", LINKED), ("a.html", page)):
        (milk,) = feed(tmp_path, name, content).products
        assert (milk.sku, milk.brand, milk.price) == ("j1", "Oatly", Money(320, "USD"))


@pytest.mark.parametrize(
    ("content", "form"),
    [
        (TSV, FeedFormat.MERCHANT_TABLE),
        (XML, FeedFormat.MERCHANT_XML),
        (SHOPIFY, FeedFormat.SHOPIFY),
        (LINKED, FeedFormat.STRUCTURED_DATA),
        ('{"sku": "a"}', FeedFormat.NATIVE),
        ("", FeedFormat.NATIVE),
    ],
)
def test_the_format_is_seen(content, form):
    assert detect_format(content.encode()) is form


@pytest.mark.parametrize(
    "encode",
    [lambda t: b"\xef\xbb\xbf" + t.encode(), lambda t: t.encode("utf-16"), lambda t: t.replace("\n", "\r\n").encode()],
)
def test_byte_order_marks_and_line_ends(tmp_path, encode):
    assert [product.sku for product in feed(tmp_path, "a.tsv", encode(TSV)).products] == ["m1", "m3"]


def test_a_pipe_is_no_file():
    reading, writing = os.pipe()
    os.write(writing, TSV.encode())
    os.close(writing)
    with os.fdopen(reading), pytest.raises(FeedError, match="it is no file"):
        open_feed(Path(f"/dev/fd/{reading}"))


def test_an_entity_bomb_is_refused(tmp_path):
    bomb = '<?xml version="1.0"?><!DOCTYPE r [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]><rss>&b;</rss>'
    outside = '<?xml version="1.0"?><!DOCTYPE r [<!ENTITY f SYSTEM "file:///etc/passwd">]><rss><channel><item>&f;</item></channel></rss>'
    for content in (bomb, outside):
        with pytest.raises(FeedError):
            feed(tmp_path, "a.xml", content)


@settings(max_examples=120, deadline=None)
@given(st.sampled_from([TSV, XML, SHOPIFY, LINKED]), st.data())
def test_a_damaged_feed_is_a_result_or_an_error(tmp_path_factory, text, data):
    raw = bytearray(text.encode())
    for _ in range(data.draw(st.integers(0, 4))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    raw = raw[: data.draw(st.integers(0, len(raw)))]
    form = data.draw(st.sampled_from([None, *FeedFormat]))
    try:
        found = feed(tmp_path_factory.mktemp("feed"), "feed", bytes(raw), form)
    except FeedError:
        return
    assert all(product.price.minor >= 0 for product in found.products)


def test_an_update_adds_changes_and_removes(tmp_path, capsys):
    run = lambda *words: main(["catalog", *map(str, words), "--state", str(tmp_path / "state")])
    line = lambda sku, name, price: json.dumps(
        {"sku": sku, "name": name, "price": {"amount": price, "currency": "USD"}}
    )
    whole, change = tmp_path / "whole.jsonl", tmp_path / "change.jsonl"
    whole.write_text("\n".join([line("a", "milk", "1.00"), line("b", "bread", "2.00")]))
    change.write_text("\n".join([line("a", "milk", "1.10"), line("c", "tea", "3.00"), '{"sku": "b", "removed": true}']))
    assert run("import", whole) == 0 and run("import", change, "--update") == 0
    capsys.readouterr()
    assert run("show", "--json") == 0
    assert json.loads(capsys.readouterr().out)["products"] == 2
    removal = tmp_path / "removal.jsonl"
    removal.write_text('{"sku": "a", "removed": true}\n{"sku": "c", "removed": true}')
    for words in (("import", removal), ("import", removal, "--update")):
        assert run(*words) != 0
    foreign = tmp_path / "foreign.jsonl"
    foreign.write_text(line("d", "jam", "1.00").replace("USD", "EUR"))
    assert run("import", foreign, "--update") != 0


def test_addresses(tmp_path, capsys):
    run = lambda *words: main(["addresses", *words, "--state", str(tmp_path)])
    assert run("add", "home", "5 Elm Street") == 0 and run("add", "Grandma", "1 Oak Road") == 0
    capsys.readouterr()
    assert run("list", "--json") == 0
    assert [json.loads(line)["name"] for line in capsys.readouterr().out.splitlines()] == ["home", "grandma"]
    assert run("remove", "home") == 0 and run("remove", "home") != 0 and run("add", "7", "x") != 0 and run("add") != 0
