"""Variants of one product, as other shops list them, to options with their prices and stock."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from assistant.shop.feeds.prices import difference, lowest


@dataclass(frozen=True)
class VariantLine:
    """One variant of a feed.

    Attributes:
        line: Where it is.
        sku: The shop's own key.
        options: Option → value.
        amount: Price as decimal text.
        currency: ISO 4217.
        stock: Units left; None when not counted.
    """

    line: int
    sku: str
    options: Mapping[str, str]
    amount: str
    currency: str
    stock: int | None = None


def fields_of_variants(variants: Sequence[VariantLine]) -> dict[str, Any]:
    """Price, options, variants and stock of the native feed for one product.

    The price is the lowest. A value's ``price_delta`` is given where the values' differences add up to every variant's
    price; where they do not, the variants alone have the prices.

    Args:
        variants: At least one, all with the same options, no two with the same values.

    Raises:
        ValueError: They are in several currencies, or two have the same values.
    """
    currencies = {variant.currency for variant in variants}
    if len(currencies) > 1:
        raise ValueError(f"its variants are in several currencies ({', '.join(sorted(currencies))})")
    seen: dict[tuple[tuple[str, str], ...], str] = {}
    for variant in variants:
        values = tuple(sorted(variant.options.items()))
        if values in seen:
            raise ValueError(f"its variants {seen[values]!r} and {variant.sku!r} have the same options")
        seen[values] = variant.sku
    base = lowest([variant.amount for variant in variants])
    stocks = [variant.stock for variant in variants]
    counted = None if None in stocks else sum(stock for stock in stocks if stock is not None)
    return {
        "price": {"amount": base, "currency": variants[0].currency},
        "options": _options(variants, base),
        "variants": [_variant(variant) for variant in variants],
        "stock": counted,
    }


def _variant(variant: VariantLine) -> dict[str, Any]:
    return {
        "sku": variant.sku,
        "options": dict(variant.options),
        "price": variant.amount,
        "stock": variant.stock,
    }


def _options(variants: Sequence[VariantLine], base: str) -> list[dict[str, Any]]:
    names = list(variants[0].options)
    deltas = {
        name: {
            value: difference(lowest([one.amount for one in variants if one.options[name] == value]), base)
            for value in dict.fromkeys(variant.options[name] for variant in variants)
        }
        for name in names
    }
    add_up = all(
        Decimal(variant.amount)
        == Decimal(base) + sum(Decimal(deltas[name][variant.options[name]] or 0) for name in names)
        for variant in variants
    )
    return [
        {
            "name": name,
            "required": True,
            "values": [
                {"value": value, "price_delta": delta} if delta and add_up else value for value, delta in values.items()
            ],
        }
        for name, values in deltas.items()
    ]
