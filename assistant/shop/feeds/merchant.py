"""Google Merchant Center's attributes to the fields of the native feed, from whichever of its formats they come.

Attributes: https://support.google.com/merchants/answer/7052112
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, TypeAlias

from assistant.shop.feed import Entry, GoodLine, Problem, Removal, printable, product_of
from assistant.shop.feeds.grouping import MOST_OF_ONE, Groups
from assistant.shop.feeds.plain_text import LONGEST_DESCRIPTION, category_path, plain_text
from assistant.shop.feeds.prices import lowest, read_price
from assistant.shop.feeds.variants import VariantLine, fields_of_variants

Attributes: TypeAlias = Mapping[str, tuple[str, ...]]
"""Attribute's name → its values that are not empty."""

_SOLD = {"in stock": True, "out of stock": False, "preorder": False, "backorder": False, "discontinued": False}
"""Availability → whether it can be bought now. What can only be ordered ahead cannot be bought yet."""
_VARYING = ("color", "size", "material", "pattern")
_FACTS = (
    *("gtin", "mpn", "condition", "color", "size", "material", "pattern", "gender", "age_group", "size_type"),
    *("size_system", "multipack", "is_bundle", "unit_pricing_measure", "energy_efficiency_class", "certification"),
    *("product_length", "product_width", "product_height", "product_weight", "shipping_weight", "expiration_date"),
    *("availability_date", "ships_from_country", "minimum_order_quantity"),
)
_LONGEST_FACT = 1000
_COUNTED = ("quantity", "sell_on_google_quantity")
_TRUE = frozenset({"true", "yes", "1"})


@dataclass(frozen=True)
class MerchantItem:
    """One item; ``line`` is where it begins, from 1."""

    line: int
    attributes: Attributes

    def text(self, name: str) -> str:
        """The first value, as plain text; empty when there is none."""
        values = self.attributes.get(name)
        return plain_text(values[0]) if values else ""


def attribute_name(name: str) -> str:
    """The name as the specification writes it: ``g:Image Link`` is ``image_link``."""
    return re.sub(r"[\s_]+", "_", name.strip().lower().removeprefix("g:").strip())


def merchant_entries(items: Iterable[MerchantItem | Problem]) -> Iterator[Entry]:
    """Products, removals and problems. Items of one ``item_group_id`` and title become one product with options."""
    with Groups() as groups:
        for item in items:
            if isinstance(item, Problem):
                yield item
            elif group := item.text("item_group_id"):
                key = json.dumps((group, item.text("title").casefold()))
                groups.add(key, (item.line, item.attributes))
            else:
                yield _entry(item)
        for key, members in groups.each():
            group = json.loads(key)[0]
            found = [
                MerchantItem(line, {name: tuple(values) for name, values in attributes.items()})
                for line, attributes in members
            ]
            if len(found) > MOST_OF_ONE:
                reason = f"item_group_id {printable(group)}: more than {MOST_OF_ONE} items"
                yield Problem(found[0].line, reason, printable(group))
            else:
                yield from _grouped(group, found)


def _entry(item: MerchantItem) -> Entry:
    sku = item.text("id") or None
    try:
        if item.text("removed").lower() in _TRUE:
            return Removal(item.line, _needed(item, "id"))
        return GoodLine(item.line, product_of(_fields(item)))
    except ValueError as error:
        return Problem(item.line, str(error), sku and printable(sku))


def _grouped(group: str, items: list[MerchantItem]) -> Iterator[Entry]:
    apart = [item for item in items if item.text("removed").lower() in _TRUE]
    yield from map(_entry, apart)
    variants: list[tuple[MerchantItem, dict[str, Any]]] = []
    for item in items:
        if item in apart:
            continue
        try:
            variants.append((item, _fields(item)))
        except ValueError as error:
            yield Problem(item.line, str(error), printable(item.text("id")) or None)
    varying = [
        name
        for name in _VARYING
        if len({item.text(name) for item, _ in variants}) > 1 and all(item.text(name) for item, _ in variants)
    ]
    if not varying:
        for item, _ in variants:
            yield _entry(item)
        return
    lines = [
        VariantLine(
            item.line,
            fields["sku"],
            {name: item.text(name) for name in varying},
            fields["price"]["amount"],
            fields["price"]["currency"],
            fields["stock"],
        )
        for item, fields in variants
    ]
    first, shared = variants[0]
    facts = {name: value for name, value in shared["attributes"].items() if name not in (*varying, "gtin", "mpn")}
    try:
        fields = shared | fields_of_variants(lines) | {"sku": group, "attributes": facts}
        fields["sale"] = _shared_sale([one for _, one in variants])
        yield GoodLine(first.line, product_of(fields))
    except ValueError as error:
        yield Problem(first.line, f"item_group_id {printable(group)}: {error}", printable(group))


def _shared_sale(variants: list[dict[str, Any]]) -> dict[str, Any] | None:
    """The lower price of a whole group, where all of its items cost the same amount less for the same time.

    A product has one sale, of its lowest price; what options cost more is added still.
    """
    sales: list[dict[str, Any]] = [fields["sale"] for fields in variants]
    times = {(sale["begins"], sale["ends"]) if sale else None for sale in sales}
    if None in times or len(times) > 1:
        return None
    amounts = [fields["price"]["amount"] for fields in variants]
    less = {Decimal(amount) - Decimal(sale["amount"]) for amount, sale in zip(amounts, sales, strict=True)}
    if len(less) > 1:
        return None
    return sales[0] | {"amount": f"{Decimal(lowest(amounts)) - less.pop():f}"}


def _fields(item: MerchantItem) -> dict[str, Any]:
    sku, title = _needed(item, "id"), _needed(item, "title")
    amount, currency = _price(item, "price", _needed(item, "price"))
    sale = _sale(item, currency)
    if sale is not None and set(sale) == {"amount"}:
        # On sale with no dates: that is what it costs now.
        amount, sale = sale["amount"], None
    short = item.text("short_title")
    return {
        "sku": sku,
        "name": title,
        "aliases": [short] if short and short != title else [],
        "brand": item.text("brand")[:100],
        "category": category_path(item.text("product_type") or item.text("google_product_category")),
        "price": {"amount": amount, "currency": currency},
        "attributes": _facts(item),
        "description": plain_text(next(iter(item.attributes.get("description", ())), ""), LONGEST_DESCRIPTION),
        "stock": _stock(item),
        "sale": sale,
    }


def _needed(item: MerchantItem, name: str) -> str:
    text = item.text(name)
    if not text:
        raise ValueError(f"{name}: missing")
    return text


def _price(item: MerchantItem, name: str, text: str, currency: str | None = None) -> tuple[str, str]:
    try:
        return read_price(text, currency)
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from None


def _sale(item: MerchantItem, currency: str) -> dict[str, Any] | None:
    text = item.text("sale_price")
    if not text:
        return None
    amount, other = _price(item, "sale_price", text, currency)
    if other != currency:
        raise ValueError(f"sale_price: in {other}, but price is in {currency}")
    dates = item.text("sale_price_effective_date")
    if not dates:
        return {"amount": amount}
    begins, slash, ends = (part.strip() for part in dates.partition("/"))
    if not slash or not begins or not ends:
        raise ValueError("sale_price_effective_date: write both ends, like 2026-11-10T00:00-0800/2026-11-12T00:00-0800")
    return {"amount": amount, "begins": _moment(begins), "ends": _moment(ends)}


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(
            f"sale_price_effective_date: {printable(text)} is no date such as 2026-11-10T00:00-0800"
        ) from None
    if moment.tzinfo is None:
        raise ValueError(f"sale_price_effective_date: {printable(text)} needs its time zone, like -0800 or Z")
    return moment


def _stock(item: MerchantItem) -> int | None:
    availability = re.sub(r"[\s_-]+", " ", item.text("availability").lower())
    availability = {"pre order": "preorder", "back order": "backorder"}.get(availability, availability)
    if availability and availability not in _SOLD:
        raise ValueError(
            f"availability: {printable(availability)} is none of in_stock, out_of_stock, preorder, backorder"
        )
    if availability and not _SOLD[availability]:
        return 0
    for name in _COUNTED:
        if text := item.text(name):
            if not re.fullmatch(r"[0-9]{1,9}", text):
                raise ValueError(f"{name}: {printable(text)} is no count")
            return int(text)
    return None


def _facts(item: MerchantItem) -> dict[str, str]:
    facts = {
        name.replace("_", " "): "; ".join(plain_text(value, _LONGEST_FACT) for value in item.attributes[name])[:4000]
        for name in _FACTS
        if name in item.attributes
    }
    for value in item.attributes.get("product_detail", ()):
        # Section, name and value; several stand in one cell of a table.
        for detail in re.split(r",(?=[^,:]*:[^,:]*:)", value):
            _, _, rest = detail.partition(":")
            name, colon, fact = (plain_text(part, _LONGEST_FACT) for part in rest.partition(":"))
            if colon and name and fact and len(name) <= 100:
                facts.setdefault(name, fact)
    if highlights := item.attributes.get("product_highlight"):
        facts["highlights"] = "; ".join(plain_text(text, _LONGEST_FACT) for text in highlights)[:4000]
    return dict(list(facts.items())[:200])
