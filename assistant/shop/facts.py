"""What a product's attributes, description and names say of it: yes, no, or nothing at all. Pure."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from assistant.shop.product import Product

_YES, _NO = frozenset({"true", "yes", "1"}), frozenset({"false", "no", "0"})
_LISTS = ("ingredients", "contents")
_AMOUNT = re.compile(r"\d+(\.\d+)?")
_WORD = re.compile(r"\w+")


@dataclass(frozen=True)
class Fact:
    """Something a product is or is not, such as gluten free.

    Attributes:
        name: The attribute that says it.
        said: How people say it, the usual way first; a name that holds one of these says it too.
        ingredients: What is then not in it ("gluten"), the usual word first; empty when it is about no ingredient.
        implied_by: Attributes that say it as well when they are true.
        denied_by: Allergens or ingredients that rule it out.
        denied_with: Attributes that rule it out when they are more than zero.
    """

    name: str
    said: tuple[str, ...]
    ingredients: tuple[str, ...] = ()
    implied_by: tuple[str, ...] = ()
    denied_by: tuple[str, ...] = ()
    denied_with: tuple[str, ...] = ()


def holds(product: Product, fact: Fact, language: str) -> bool | None:
    """Whether the fact is true of a product; None when the shop does not say."""
    stated = _stated(product, fact.name)
    if stated is not None:
        return stated
    names = (product.name(language), *product.spoken_aliases(language))
    if any(_within(way, name) for way in fact.said for name in names):
        return True
    if any(_stated(product, other) for other in fact.implied_by):
        return True
    denied = any(_names(product, word) for word in fact.denied_by)
    return False if denied or any(_some(product, other) for other in fact.denied_with) else None


def lists_contents(product: Product) -> bool:
    """Whether the shop lists everything that is in a product."""
    return "ingredients" in product.attributes


def attribute(product: Product, names: Iterable[str]) -> tuple[str, str] | None:
    """The first of these attributes that a product has: name and value; None when it has none of them."""
    return next(((name, product.attributes[name]) for name in names if product.attributes.get(name)), None)


def _stated(product: Product, name: str) -> bool | None:
    value = product.attributes.get(name, "").casefold()
    return True if value in _YES else False if value in _NO else None


def _some(product: Product, name: str) -> bool:
    """Whether the attribute is an amount of more than zero."""
    amount = _AMOUNT.match(product.attributes.get(name, ""))
    return amount is not None and float(amount[0]) > 0


def _names(product: Product, word: str) -> bool:
    """Whether the shop names this among the allergens, or as an entry of its own among what is in a product.

    "Cocoa butter" and "coconut milk" are neither butter nor milk.
    """
    entries = (entry for name in _LISTS for entry in product.attributes.get(name, "").casefold().split(","))
    return _within(word, product.attributes.get("allergens", "")) or word in (entry.strip() for entry in entries)


def _within(words: str, text: str) -> bool:
    """Whether the words stand in the text one after the other, as whole words."""
    wanted, there = _WORD.findall(words.casefold()), _WORD.findall(text.casefold())
    return any(there[begin : begin + len(wanted)] == wanted for begin in range(len(there) - len(wanted) + 1))
