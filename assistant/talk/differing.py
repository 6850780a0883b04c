"""What tells products apart, as replies: price, size, maker, what they are or are not. Pure."""

from collections.abc import Sequence

from assistant.shop.facts import Fact, holds
from assistant.shop.product import Product
from assistant.talk.actions import Described, Say

_MOST_SAID = 4
_SAID = ("volume", "weight", "count", "length", "watts", "fat", "alcohol", "washes", "material")
"""Attributes that are worth hearing, in this order."""


def differences(products: Sequence[Product], facts: Sequence[Fact], language: str) -> tuple[Say, ...]:
    """The differences between the first two products that the shop's data show, the price first.

    Args:
        products: What is compared.
        facts: All that may be true of them.
        language: Of the conversation.
    """
    if len(products) < 2:
        return (Say("advice.difference.between_what"),)
    first, second = products[:2]
    one, other = _names(first, second, language)
    names = {"first": one, "second": other}
    said: list[Say] = []
    if first.price != second.price:
        prices = {"first_value": first.price, "second_value": second.price}
        said.append(Say("advice.difference.price", {**names, **prices}))
    for name in _SAID:
        values = first.attributes.get(name), second.attributes.get(name)
        if values[0] and values[1] and values[0] != values[1]:
            described = {"first_value": Described(values[0]), "second_value": Described(values[1])}
            said.append(Say(f"advice.difference.{name}", {**names, **described}))
    for fact in facts:
        both = holds(first, fact, language), holds(second, fact, language)
        if True in both and both[0] is not both[1]:
            said.append(_fact(names, fact, both))
    if first.brand and second.brand and first.brand != second.brand:
        brands = {"first_value": first.brand, "second_value": second.brand}
        said.append(Say("advice.difference.brand", {**names, **brands}))
    return tuple(said[:_MOST_SAID]) or (Say("advice.difference.none", names),)


def _names(first: Product, second: Product, language: str) -> tuple[str, str]:
    one, other = first.name(language), second.name(language)
    return (f"{first.brand} {one}", f"{second.brand} {other}") if one == other else (one, other)


def _fact(names: dict[str, str], fact: Fact, both: tuple[bool | None, bool | None]) -> Say:
    has, lacks = ("first", "second") if both[0] else ("second", "first")
    kind = "fact" if False in both else "fact_said_of_one"
    return Say(f"advice.difference.{kind}", {"name": names[has], "other": names[lacks], "fact": fact.said[0]})
