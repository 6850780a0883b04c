"""Shopify's product CSV: rows of one handle are one product, its variants become options.

Columns: https://help.shopify.com/en/manual/products/import-export/using-csv (both their old and their present names).
"""

import hashlib
import re
from collections.abc import Iterator
from typing import Any, BinaryIO

from assistant.shop.feed import Entry, GoodLine, Problem, Removal, printable, product_of
from assistant.shop.feeds.encoding import text_lines
from assistant.shop.feeds.grouping import MOST_OF_ONE, Groups
from assistant.shop.feeds.plain_text import LONGEST_DESCRIPTION, category_path, plain_text
from assistant.shop.feeds.prices import read_price
from assistant.shop.feeds.table import Row, rows_of
from assistant.shop.feeds.variants import VariantLine, fields_of_variants

_HANDLE = ("handle", "url handle")
_SKU = ("variant sku", "sku")
_PRICE = ("variant price", "price")
_QUANTITY = ("variant inventory qty", "inventory quantity")
_TRACKER = ("variant inventory tracker", "inventory tracker")
_POLICY = ("variant inventory policy", "continue selling when out of stock")
_BARCODE = ("variant barcode", "barcode")
_DEFAULT = ("title", "default title")
_ON_SALE_ANYWAY = frozenset({"continue", "true"})
_METAFIELD = re.compile(r"(?P<name>.+?)\s*\((?:product\.)?metafields\..+\)")
_LONGEST_SKU = 64


def read_shopify(file: BinaryIO, currency: str) -> Iterator[Entry]:
    """Products, removals (what is not active or not published) and problems.

    Args:
        file: The table.
        currency: Of the prices: the table does not name it.

    Raises:
        FeedError: The header cannot be read.
    """
    with Groups() as handles:
        for row in rows_of(text_lines(file), ","):
            if isinstance(row, Problem):
                yield row
            elif handle := plain_text(row.text(*_HANDLE)):
                handles.add(handle, (row.line, row.cells))
            else:
                yield Problem(row.line, "Handle: missing")
        for handle, members in handles.each():
            rows = [Row(line, {name: tuple(found) for name, found in cells.items()}) for line, cells in members]
            if len(rows) > MOST_OF_ONE:
                yield Problem(rows[0].line, f"more than {MOST_OF_ONE} rows have this handle", printable(handle))
            else:
                yield from _product(handle, rows, currency)


def _product(handle: str, rows: list[Row], currency: str) -> Iterator[Entry]:
    head = next((row for row in rows if row.text("title")), rows[0])
    names = [plain_text(head.text(f"option{number} name")) for number in (1, 2, 3)]
    variants: list[VariantLine] = []
    priced = [row for row in rows if row.text(*_PRICE) or row.text(*_SKU) or row.text("option1 value")]
    for row in priced:
        try:
            variants.append(_variant(handle, row, names, currency))
        except ValueError as error:
            yield Problem(row.line, str(error), printable(row.text(*_SKU) or handle))
    sku = variants[0].sku if len(priced) == 1 and variants and not variants[0].options else _short(handle)
    if not _active(head):
        yield Removal(head.line, sku)
        return
    if not variants:
        if not priced:
            yield Problem(head.line, "Variant Price: missing", printable(handle))
        return
    try:
        fields = _fields(head) | {"sku": sku}
        if variants[0].options:
            fields |= fields_of_variants(variants)
        elif len(variants) > 1:
            raise ValueError("Option1 Name: missing, though the product has several variants")
        else:
            (only,) = variants
            fields |= {"price": {"amount": only.amount, "currency": only.currency}, "stock": only.stock}
            if barcode := plain_text(head.text(*_BARCODE)).lstrip("'"):
                fields["attributes"] = {"gtin": barcode} | fields["attributes"]
        yield GoodLine(head.line, product_of(fields))
    except ValueError as error:
        yield Problem(head.line, str(error), printable(handle))


def _active(head: Row) -> bool:
    published = head.text("published", "published on online store").lower()
    return head.text("status").lower() in ("", "active") and published != "false"


def _fields(head: Row) -> dict[str, Any]:
    title = plain_text(head.text("title"))
    if not title:
        raise ValueError("Title: missing")
    facts = {}
    for column, cells in head.cells.items():
        if found := _METAFIELD.fullmatch(column):
            facts[found["name"][:100]] = "; ".join(plain_text(cell, 1000) for cell in cells)[:4000]
    if tags := plain_text(head.text("tags"), 1000):
        facts["tags"] = tags
    return {
        "name": title,
        "brand": plain_text(head.text("vendor"))[:100],
        "category": category_path(plain_text(head.text("product category", "type"))),
        "description": plain_text(head.text("body (html)", "description"), LONGEST_DESCRIPTION),
        "attributes": dict(list(facts.items())[:200]),
    }


def _variant(handle: str, row: Row, names: list[str], currency: str) -> VariantLine:
    text = row.text(*_PRICE)
    if not text:
        raise ValueError("Variant Price: missing")
    try:
        amount, code = read_price(text, currency)
    except ValueError as error:
        raise ValueError(f"Variant Price: {error}") from None
    if code != currency:
        raise ValueError(f"Variant Price: in {code}, but the shop's currency is {currency}")
    options = {}
    for number, name in enumerate(names, start=1):
        value = plain_text(row.text(f"option{number} value"))
        if not name or (name.lower(), value.lower()) == _DEFAULT:
            continue
        if not value:
            raise ValueError(f"Option{number} Value: missing")
        options[name] = value
    sku = plain_text(row.text(*_SKU)).lstrip("'")
    return VariantLine(
        row.line, _short(sku or "/".join((handle, *options.values()))), options, amount, code, _stock(row)
    )


def _stock(row: Row) -> int | None:
    quantity = row.text(*_QUANTITY)
    if not quantity or not row.text(*_TRACKER) or row.text(*_POLICY).lower() in _ON_SALE_ANYWAY:
        return None
    if not re.fullmatch(r"-?[0-9]{1,9}", quantity):
        raise ValueError(f"Variant Inventory Qty: {printable(quantity)} is no count")
    return max(0, int(quantity))


def _short(sku: str) -> str:
    """A key that is too long, shortened in the same way at every import."""
    if len(sku) <= _LONGEST_SKU:
        return sku
    return f"{sku[: _LONGEST_SKU - 9]}-{hashlib.sha256(sku.encode()).hexdigest()[:8]}"
