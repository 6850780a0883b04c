"""One schema.org Product or ProductGroup to the fields of the native feed."""

import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from assistant.shop.feeds.plain_text import LONGEST_DESCRIPTION, category_path, plain_text
from assistant.shop.feeds.prices import read_price
from assistant.shop.feeds.variants import VariantLine, fields_of_variants

_TYPES = frozenset({"Product", "ProductGroup", "IndividualProduct", "ProductModel", "SomeProducts"})
_AVAILABLE = frozenset({"InStock", "LimitedAvailability", "OnlineOnly", "InStoreOnly", "MadeToOrder"})
_NOT_NOW = frozenset({"OutOfStock", "SoldOut", "PreOrder", "PreSale", "BackOrder", "Reserved"})
_GTINS = ("gtin", "gtin14", "gtin13", "gtin12", "gtin8", "isbn")
_FACTS = (
    *("mpn", "model", "color", "size", "material", "pattern", "weight", "width", "height", "depth", "productionDate"),
    *("countryOfOrigin", "itemCondition", "keywords", "award", "slogan", "suitableForDiet", "ingredients"),
)


class NotSold(ValueError):
    """The product is discontinued."""


def is_product(node: dict[str, Any]) -> bool:
    """Whether the node is a product or a group of them."""
    return bool(_TYPES & {_end(kind) for kind in _list(node.get("@type"))})


def sku_of(node: dict[str, Any]) -> str:
    """The shop's own key.

    Raises:
        ValueError: There is none.
    """
    for name in ("sku", "productGroupID", "productID", *_GTINS, "mpn", "@id"):
        if text := _text(node.get(name)):
            return text
    raise ValueError("sku: missing")


def product_fields(node: dict[str, Any], currency: str) -> dict[str, Any]:
    """The fields of the native feed.

    Args:
        node: The product.
        currency: Where an offer names none.

    Raises:
        NotSold: It is discontinued.
        ValueError: Something is missing or unsure; the text names it.
    """
    fields = _common(node)
    variants = [one for one in _list(node.get("hasVariant")) if isinstance(one, dict)]
    if not variants:
        amount, code, stock = _offered(node, currency)
        return fields | {"price": {"amount": amount, "currency": code}, "stock": stock}
    names = [_end(name) for name in _list(node.get("variesBy"))] or ["size", "color", "material", "pattern"]
    names = [name for name in names if len({_property(one, name) for one in variants}) > 1]
    if not names:
        raise ValueError("hasVariant: the variants differ in nothing that variesBy names")
    lines = []
    for variant in variants:
        try:
            amount, code, stock = _offered(variant, currency)
        except NotSold:
            continue
        options = {name: _property(variant, name) for name in names}
        if not all(options.values()):
            raise ValueError(f"hasVariant: {sku_of(variant)!a} lacks one of {', '.join(names)}")
        lines.append(VariantLine(0, sku_of(variant), options, amount, code, stock))
    if not lines:
        raise NotSold
    return fields | fields_of_variants(lines)


def _common(node: dict[str, Any]) -> dict[str, Any]:
    names = _by_language(node.get("name"))
    if not names:
        raise ValueError("name: missing")
    facts: dict[str, str] = {}
    if gtin := next((text for name in _GTINS if (text := _text(node.get(name)))), ""):
        facts["gtin"] = gtin
    for name in _FACTS:
        if text := "; ".join(filter(None, map(_fact, _list(node.get(name))))):
            facts[re.sub(r"(?<=[a-z])([A-Z])", r" \1", name).lower()] = text[:4000]
    for extra in _list(node.get("additionalProperty")):
        if isinstance(extra, dict) and (name := _text(extra.get("name"))[:100]) and (fact := _fact(extra)):
            facts.setdefault(name, fact[:4000])
    return {
        "sku": sku_of(node),
        "name": names,
        "aliases": [text for text in map(_text, _list(node.get("alternateName"))) if text][:50],
        "brand": _named(node.get("brand") or node.get("manufacturer"))[:100],
        "category": category_path(_named(next(iter(_list(node.get("category"))), ""))),
        "description": plain_text(_raw(next(iter(_list(node.get("description"))), "")), LONGEST_DESCRIPTION),
        "attributes": dict(list(facts.items())[:200]),
    }


def _offered(node: dict[str, Any], currency: str) -> tuple[str, str, int | None]:
    """Amount, currency and stock: the cheapest offer that can be bought now, else the cheapest with a stock of 0."""
    offers = list(_offers(node))
    if not offers:
        raise ValueError("offers: missing, so there is no price")
    found = [(*_price(offer, currency), _stock(offer)) for offer in offers if not _discontinued(offer)]
    if not found:
        raise NotSold
    if len({code for _, code, _ in found}) > 1:
        raise ValueError("offers: in several currencies")
    return min((one for one in found), key=lambda one: (one[2] == 0, Decimal(one[0])))


def _offers(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for offer in _list(node.get("offers")):
        if not isinstance(offer, dict):
            continue
        inner = [one for one in _list(offer.get("offers")) if isinstance(one, dict) and "@type" in one]
        yield from inner or [offer]


def _price(offer: dict[str, Any], currency: str) -> tuple[str, str]:
    value, code = offer.get("price"), _text(offer.get("priceCurrency"))
    if value is None:
        for details in _list(offer.get("priceSpecification")):
            if isinstance(details, dict) and details.get("price") is not None:
                value, code = details["price"], _text(details.get("priceCurrency")) or code
                break
    if value is None and "lowPrice" in offer:
        low, high = _raw(offer["lowPrice"]), _raw(offer.get("highPrice", ""))
        if high != low and _raw(offer.get("offerCount", "")) != "1":
            raise ValueError(f"offers: a range from {low!a} to {high!a} is no price; list the offers themselves")
        value = offer["lowPrice"]
    if value is None or not _raw(value).strip():
        raise ValueError("offers.price: missing")
    try:
        return read_price(_raw(value), code or currency)
    except ValueError as error:
        raise ValueError(f"offers.price: {error}") from None


def _stock(offer: dict[str, Any]) -> int | None:
    availability = _end(_text(offer.get("availability")))
    if availability in _NOT_NOW:
        return 0
    if availability and availability not in _AVAILABLE:
        raise ValueError(f"offers.availability: {availability[:40]!a} is unknown; write https://schema.org/InStock")
    level = offer.get("inventoryLevel")
    text = _raw(level.get("value", "") if isinstance(level, dict) else level or "")
    return int(text) if re.fullmatch(r"[0-9]{1,9}", text) else None


def _discontinued(offer: dict[str, Any]) -> bool:
    return _end(_text(offer.get("availability"))) == "Discontinued"


def _property(node: dict[str, Any], name: str) -> str:
    """A property that variants differ in, by its own name or among the additional ones."""
    if text := _fact(next(iter(_list(node.get(name))), "")):
        return text
    for extra in _list(node.get("additionalProperty")):
        if isinstance(extra, dict) and _text(extra.get("name")).lower() == name.lower():
            return _fact(extra)
    return ""


def _by_language(value: Any) -> dict[str, str] | str:
    named: dict[str, str] = {}
    for one in _list(value):
        if isinstance(one, dict) and isinstance(one.get("@language"), str):
            language, _, region = one["@language"].partition("-")
            if text := _text(one.get("@value")):
                named[language.lower() + (f"-{region}" if region else "")] = text
        elif text := _text(one):
            return text
    return named


def _named(value: Any) -> str:
    """The name of a thing that may be given by its name alone."""
    for one in _list(value):
        if text := _text(one.get("name") if isinstance(one, dict) else one):
            return text
    return ""


def _fact(value: Any) -> str:
    if isinstance(value, dict):
        text = _raw(value.get("value", value.get("@value", value.get("name", ""))))
        unit = _raw(value.get("unitText") or value.get("unitCode") or "")
        return plain_text(f"{text} {unit}" if text and unit else text, 1000)
    text = plain_text(_raw(value), 1000)
    return _end(text) if text.startswith(("http://schema.org/", "https://schema.org/")) else text


def _text(value: Any) -> str:
    if isinstance(value, dict):
        value = value.get("@value", value.get("@id", ""))
    return plain_text(_raw(value))


def _raw(value: Any) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            return value
        case Decimal():
            return f"{value:f}" if abs(value.adjusted()) < 30 else str(value)
        case int():
            return str(value) if abs(value) < 10**30 else ""
    return ""


def _end(address: str) -> str:
    """The last part of an address such as ``https://schema.org/InStock``."""
    return re.split(r"[/#:]", address)[-1] if isinstance(address, str) else ""


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]
