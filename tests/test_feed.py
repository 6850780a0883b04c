import contextlib
import json
import random

import pytest
from household_shop import PRODUCTS
from hypothesis import given, settings
from hypothesis import strategies as st

from assistant.errors import FeedError
from assistant.shop.feed import LONGEST_LINE, parse_feed, read_feed
from assistant.shop.feed_product import to_feed
from assistant.shop.money import Money


def line(**changes):
    """A good line of a feed, changed; a value of None leaves the key out."""
    fields = {"sku": "milk", "name": "milk", "price": {"amount": "1.50", "currency": "USD"}} | changes
    return json.dumps({key: value for key, value in fields.items() if value is not None}, ensure_ascii=False).encode()


def only(*lines):
    """The reason why the second of two lines was left out."""
    feed = parse_feed([line(sku="good"), *lines])
    assert [product.sku for product in feed.products] == ["good"]
    (problem,) = feed.problems
    assert problem.line == 2
    return problem.reason


def test_every_field_arrives():
    feed = parse_feed(
        [
            line(
                name={"en": "iced latte", "zh": "冰拿铁"},
                brand="Hill",
                aliases={"en": ["cold latte", "cold latte"]},
                category="Coffee",
                unit="cup",
                options=[
                    {
                        "name": "size",
                        "required": True,
                        "values": ["small", {"value": "large", "aliases": ["big"], "price_delta": "0.50"}],
                    },
                    {"name": "milk", "default": "whole", "values": ["whole", "almond"]},
                ],
                attributes={"caffeine": True, "calories": 120},
                stock=3,
                image="https://example.com/latte.png",
            )
        ]
    )
    (product,) = feed.products
    assert product.name("en") == "iced latte" and product.name("fr") == "iced latte"
    assert product.spoken_aliases("en") == ("cold latte",)
    assert product.attributes == {"caffeine": "true", "calories": "120"} and product.stock == 3
    assert product.price_with({"size": "large"}) == Money(200, "USD")
    assert product.options[0].required and product.options[1].default == "whole"
    assert feed.currency == "USD" and feed.problems == ()


def test_products_go_to_the_feed_and_back_unchanged():
    lines = [json.dumps(to_feed(product)).encode() for product in PRODUCTS]
    assert parse_feed(lines).products == PRODUCTS


def test_byte_order_mark_blank_lines_and_windows_line_ends():
    feed = parse_feed([b"\xef\xbb\xbf" + line() + b"\r\n", b"\r\n", b"   ", line(sku="tea") + b"\r\n"])
    assert [product.sku for product in feed.products] == ["milk", "tea"] and not feed.problems


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (b"milk, 1.50", "not JSON"),
        (b"[1]", "not a JSON object"),
        (b"null", "not a JSON object"),
        (b"\xff\xfe", "not UTF-8 (byte 1)"),
        (b"[" * 100_000, "not JSON"),
        (line(price=None), "price: missing"),
        (line(name=None), "name: missing"),
        (line(sku=None), "sku: missing"),
        (line(sku=""), "sku: is empty"),
        (line(sku=7), "sku: should be text in quotes"),
        (line(name=""), "name: is empty"),
        (line(name={}), "name"),
        (line(name={"English": "milk"}), "is not a language code"),
        (line(name="mi\x1blk"), "unprintable character U+001B"),
        (line(colour="white"), "colour: unknown key"),
        (line(price={"amount": 1.5, "currency": "USD"}), "price.amount: should be text in quotes"),
        (line(price={"amount": "1.5e3", "currency": "USD"}), "not a decimal amount"),
        (line(price={"amount": "-1", "currency": "USD"}), "price.amount: -1 is negative"),
        (line(price={"amount": "1.505", "currency": "USD"}), "more decimals than USD"),
        (line(price={"amount": "1", "currency": "dollars"}), "not a currency code"),
        (line(stock=-1), "stock"),
        (line(stock=1.5), "stock"),
        (line(stock=True), "stock"),
        (line(options=[{"name": "size", "values": []}]), "options.0.values"),
        (line(options=[{"name": "size", "values": ["s", "S"]}]), "is there twice"),
        (line(options=[{"name": "size", "values": ["s"], "default": "m"}]), "the default 'm' is not one of the values"),
        (line(options=[{"name": "a", "values": ["s"]}, {"name": "A", "values": ["s"]}]), "options: 'A' is there twice"),
        (
            line(options=[{"name": "size", "values": [{"value": "s", "price_delta": "-2"}]}]),
            "the price can become negative",
        ),
        (line(sku="good"), "sku: 'good' was already on line 1"),
        (b'{"sku": "' + b"x" * LONGEST_LINE + b'"}', f"longer than {LONGEST_LINE} bytes"),
    ],
)
def test_a_bad_line_is_reported_with_its_number_and_reason(bad, reason):
    assert reason in only(bad)


def test_a_slip_in_the_currency_of_one_line_leaves_out_that_line_only():
    euro = line(sku="euro", price={"amount": "1", "currency": "EUR"})
    feed = parse_feed([euro, line(sku="one"), line(sku="two")])
    assert feed.currency == "USD" and [product.sku for product in feed.products] == ["one", "two"]
    (problem,) = feed.problems
    assert (problem.line, problem.sku) == (1, "euro") and "EUR, but most of the feed is in USD" in problem.reason


def test_a_feed_without_a_good_line_is_refused(tmp_path):
    for content in (b"", b"\n\n", b"milk\n", line(price=None)):
        path = tmp_path / "feed.jsonl"
        path.write_bytes(content)
        with pytest.raises(FeedError, match="the catalog stays as it was"):
            read_feed(path)


def test_a_feed_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(FeedError, match="Cannot read the feed"):
        read_feed(tmp_path / "none.jsonl")
    with pytest.raises(FeedError, match="Cannot read the feed"):
        read_feed(tmp_path)


def test_an_endless_line_costs_no_memory_and_no_other_line(tmp_path):
    path = tmp_path / "feed.jsonl"
    with path.open("wb") as file:
        file.write(line(sku="one") + b"\n")
        for _ in range(20):
            file.write(b"x" * LONGEST_LINE)
        file.write(b"\n" + line(sku="two") + b"\n")
    feed = read_feed(path)
    assert [product.sku for product in feed.products] == ["one", "two"]
    assert [problem.line for problem in feed.problems] == [2]


@settings(max_examples=300)
@given(st.lists(st.binary(max_size=200), max_size=10))
def test_no_bytes_crash_the_parser(lines):
    with contextlib.suppress(FeedError):
        parse_feed(lines)


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
FIELDS = ["name", "brand", "aliases", "category", "price", "unit", "options", "attributes", "stock", "image", "other"]
NEARLY_GOOD = st.builds(lambda key, value: line(sku="bad", **{key: value}), st.sampled_from(FIELDS), JSON_VALUES)
CUT_OFF = st.integers(0, len(line(sku="bad")) - 1).map(lambda length: line(sku="bad")[:length])
BAD = NEARLY_GOOD | CUT_OFF | st.binary(max_size=80).map(lambda junk: junk.replace(b"\n", b" "))


@settings(max_examples=300)
@given(st.lists(BAD, max_size=8), st.integers(1, 5), st.randoms(use_true_random=False))
def test_a_bad_line_never_loses_a_good_one(bad, count, shuffling: random.Random):
    good = [line(sku=f"good {number}", name=f"milk {number}") for number in range(count)]
    lines = [*good, *bad]
    shuffling.shuffle(lines)
    feed = parse_feed(lines)
    assert {f"good {number}" for number in range(count)} <= {product.sku for product in feed.products}
    assert all(lines[problem.line - 1] in bad for problem in feed.problems)
    assert len({product.sku for product in feed.products}) == len(feed.products)
    for product in feed.products:
        assert parse_feed([json.dumps(to_feed(product)).encode()]).products == (product,)
