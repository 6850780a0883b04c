"""schema.org products in JSON-LD: from a file of them, or from the script elements of an HTML page.

Vocabulary: https://schema.org/Product. A list of products, or one after the other, is read as a stream; what is within
one document, such as its ``@graph``, is in memory together.
"""

from collections.abc import Iterator
from html.parser import HTMLParser
from itertools import chain
from typing import Any, BinaryIO

from assistant.errors import FeedError
from assistant.shop.feed import Entry, GoodLine, Problem, Removal, printable, product_of
from assistant.shop.feeds.encoding import text_portions, whole_text
from assistant.shop.feeds.json_values import LARGEST, json_values
from assistant.shop.feeds.schema_product import NotSold, is_product, product_fields, sku_of

_HOLDING = ("@graph", "itemListElement", "item", "mainEntity", "dataFeedElement", "itemOffered")
"""Properties whose values are looked through for products; products that others only refer to are not sold."""
_DEEPEST = 20


def read_structured_data(file: BinaryIO, currency: str) -> Iterator[Entry]:
    """Products, removals (what is discontinued) and problems; a product's number is the line where its document begins.

    Raises:
        FeedError: It is not text, or a page or a single document is too large.
    """
    for line, document in _documents(file):
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


def _documents(file: BinaryIO) -> Iterator[tuple[int, Any]]:
    """JSON values, or what is wrong as text, each with its line."""
    portions, line = text_portions(file), 1
    begin = next(portions, "")
    while begin.isspace():
        line += begin.count("\n")
        begin = next(portions, "")
    if not begin.lstrip().startswith("<"):
        yield from json_values(chain((begin,), portions), line)
        return
    file.seek(0)
    page = _Scripts()
    page.feed(whole_text(file, LARGEST))
    page.close()
    if not page.found:
        raise FeedError('The page has no <script type="application/ld+json"> with products.')
    for line, script in page.found:
        yield from json_values((script,), line)


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
