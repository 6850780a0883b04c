"""Questions about products, answered from what the shop says of them; where it says nothing, so does the device.

A question never changes the cart, and what was open before stays open.
"""

from assistant.shop.facts import attribute, holds, lists_contents
from assistant.shop.product import Product
from assistant.shop.sizes import size_option
from assistant.talk.actions import Described, OptionName, Say
from assistant.talk.differing import differences
from assistant.talk.flow import resume
from assistant.talk.settling import MOST_CHOICES
from assistant.talk.subject import subject
from assistant.talk.turn import Outcome, Turn
from assistant.talk.wording import amount_of_product, told_apart_by_name
from assistant.understand.understanding import Inquiry

_ATTRIBUTES = {
    "size": ("volume", "weight", "length", "dimensions", "size", "watts", "count"),
    "washes": ("washes", "loads"),
    "contents": ("ingredients", "contents", "material"),
    "origin": ("origin", "country"),
    "energy": ("energy", "calories"),
    "storage": ("storage", "shelf_life"),
}
"""Topic → the attributes that answer it, the one that tells most first."""


def ask(turn: Turn) -> Outcome:
    """Something is asked about products: answers for each of them."""
    inquiry, products = turn.understanding.inquiry, subject(turn)[:MOST_CHOICES]
    if inquiry is not None and inquiry.place is not None:
        there = -len(products) <= inquiry.place < len(products)
        products = (products[inquiry.place],) if there else ()
    if inquiry is None or not products:
        return resume(turn, Say("stock_of_what"))
    if inquiry.topic == "difference":
        return resume(turn, *differences(products, inquiry.facts, turn.knowledge.language))
    told_apart = told_apart_by_name(products, turn.knowledge.language)
    return resume(turn, *(_answer(product, inquiry, turn.knowledge.language) for product in told_apart))


def _answer(product: Product, inquiry: Inquiry, language: str) -> Say:
    name = product.name(language)
    match inquiry.topic:
        case "fact":
            return _fact(product, inquiry, language)
        case "contains":
            return _contains(product, inquiry, language)
        case "amount":
            value = product.attributes.get(inquiry.attribute)
            said = {"name": name, "said": inquiry.said, "value": Described(value or "")}
            return Say("advice.amount", said) if value else Say("advice.unknown", {"name": name})
        case "maker":
            said = {"name": name, "brand": product.brand}
            return Say("advice.maker", said) if product.brand else Say("advice.unknown", {"name": name})
        case "description":
            return _description(product, language)
        case "size" if option := size_option(product):
            values = tuple(OptionName(option.name, value.value) for value in option.values)
            return Say("advice.sizes", {"name": name, "sizes": values})
        case "contents" if not attribute(product, _ATTRIBUTES["contents"]) and product.attributes.get("allergens"):
            return Say("advice.allergens", {"name": name, "value": product.attributes["allergens"]})
        case topic:
            return _attribute(product, topic, language)


def _fact(product: Product, inquiry: Inquiry, language: str) -> Say:
    known = holds(product, inquiry.facts[0], language)
    kind = "fact_unknown" if known is None else "fact_yes" if known else "fact_no"
    return Say(f"advice.{kind}", {"name": product.name(language), "fact": inquiry.facts[0].said[0]})


def _contains(product: Product, inquiry: Inquiry, language: str) -> Say:
    """Whether something is in a product: the opposite of its being free of it."""
    fact = inquiry.facts[0]
    free = holds(product, fact, language)
    kind = "free" if free else "contains" if free is False else "contains_unknown"
    if free is None and lists_contents(product):
        kind = "not_listed"
    return Say(f"advice.{kind}", {"name": product.name(language), "ingredient": inquiry.said, "fact": fact.said[0]})


def _attribute(product: Product, topic: str, language: str) -> Say:
    name = product.name(language)
    found = attribute(product, _ATTRIBUTES.get(topic, ()))
    if found is None:
        return Say("advice.unknown", {"name": name})
    template = "count" if found[0] == "count" else topic
    item = amount_of_product(product, 1, {}, language)
    return Say(f"advice.{template}", {"name": name, "item": item, "value": Described(found[1])})


def _description(product: Product, language: str) -> Say:
    name = product.name(language)
    if product.description:
        return Say("advice.description", {"name": name, "text": product.description, "price": product.price})
    template = "brief" if product.brand else "price_only"
    return Say(f"advice.{template}", {"name": name, "brand": product.brand, "price": product.price})
