"""schema.org products in JSON-LD: from a file of them, or from the script elements of an HTML page.

Vocabulary: https://schema.org/Product. JSON numbers are read as decimals, never as floats.
"""

import json
import re
from collections.abc import Iterator
from decimal import Decimal
from html.parser import HTMLParser
from typing import Any, BinaryIO

from assistant.errors import FeedError
from assistant.shop.feed import Entry, GoodLine, Problem, Removal, printable, product_of
from assistant.shop.feeds.encoding import whole_text
from assistant.shop.feeds.schema_product import NotSold, is_product, product_fields, sku_of

LARGEST = 256 << 20
"""Bytes of a document: JSON-LD cannot be read as a stream."""
_HOLDING = ("@graph", "itemListElement", "item", "mainEntity", "dataFeedElement", "itemOffered")
"""Properties whose values are looked through for products; products that others only refer to are not sold."""
_DEEPEST = 20


def read_structured_data(file: BinaryIO, currency: str) -> Iterator[Entry]:
    """Products, removals (what is discontinued) and problems; a product's number is the line where its document begins.

    Raises:
        FeedError: The file is too large or not text.
    """
    text = whole_text(file, LARGEST)
    for line, document in _documents(text):
        if isinstance(document, str):
            yield Problem(line, document)
            continue
        products = list(_products(document, 0))
        if not products:
            yield Problem(line, "holds no schema.org Product")
        for product in products:
            yield _entry(line, product, currency)


def _entry(line: int, node: dict[str, Any], currency: str) -> Entry:
    sku = None
    try:
        sku = sku_of(node)
        return GoodLine(line, product_of(product_fields(node, currency)))
    except NotSold:
        return Removal(line, sku or "")
    except ValueError as error:
        return Problem(line, str(error), sku and printable(sku))


def _products(value: Any, depth: int) -> Iterator[dict[str, Any]]:
    if depth > _DEEPEST:
        return
    if isinstance(value, list):
        for one in value:
            yield from _products(one, depth + 1)
    elif isinstance(value, dict):
        if is_product(value):
            yield value
        else:
            for name in _HOLDING:
                yield from _products(value.get(name), depth + 1)


def _documents(text: str) -> Iterator[tuple[int, Any]]:
    """JSON values, or what is wrong as text, each with its line."""
    if text.lstrip().startswith("<"):
        page = _Scripts()
        page.feed(text)
        page.close()
        if not page.found:
            raise FeedError('The page has no <script type="application/ld+json"> with products.')
        for line, script in page.found:
            yield from _values(script, line)
    else:
        yield from _values(text, 1)


def _values(text: str, line: int) -> Iterator[tuple[int, Any]]:
    """One value after the other, as in JSON Lines too; the items of a list one by one: one may be broken off."""
    decoder = json.JSONDecoder(parse_float=Decimal, parse_constant=_refuse)
    blank = re.compile(r"[\s,;]*")
    place = blank.match(text).end()  # type: ignore[union-attr]
    within = text.startswith("[", place)
    place += within
    counted = 0
    while True:
        place = blank.match(text, place).end()  # type: ignore[union-attr]
        if place >= len(text):
            if within:
                yield line, "the list is never closed; what there is of it was read"
            return
        if within and text[place] == "]":
            within, place = False, place + 1
            continue
        line, counted = line + text.count("\n", counted, place), place
        try:
            value, place = decoder.raw_decode(text, place)
        except RecursionError:
            yield line, "nested too deep; nothing after this was read"
            return
        except ValueError as error:
            reason = error.msg if isinstance(error, json.JSONDecodeError) else str(error)
            at = line + (
                error.lineno - text.count("\n", 0, place) - 1 if isinstance(error, json.JSONDecodeError) else 0
            )
            yield max(1, at), f"not JSON: {printable(reason)}; nothing after this was read"
            return
        yield line, value


def _refuse(name: str) -> Any:
    raise ValueError(f"{name} is no JSON number")


class _Scripts(HTMLParser):
    """Collects the JSON-LD of a page with the lines where it begins."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[int, str]] = []
        self._parts: list[str] | None = None
        self._line = 1

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        kind = (dict(attrs).get("type") or "").partition(";")[0].strip().lower()
        if tag == "script" and kind == "application/ld+json":
            self._parts, self._line = [], self.getpos()[0]

    def handle_data(self, data: str) -> None:
        if self._parts is not None:
            self._parts.append(data)

    def handle_endtag(self, tag: str) -> None:
        if tag == "script" and self._parts is not None:
            self.found.append((self._line, "".join(self._parts)))
            self._parts = None
