"""Sold-out products: the household may ask to be told once they are back. Nothing is ever bought by it."""

from assistant.shop.product import Product
from assistant.talk.actions import Say, TellWhenBack
from assistant.talk.flow import go_on, resume
from assistant.talk.settling import MOST_CHOICES
from assistant.talk.subject import missed, products_of, subject
from assistant.talk.turn import Outcome, Turn


def tell_when_back(turn: Turn) -> Outcome:
    """What is sold out is remembered; of what is in stock that is said, and nothing remembered."""
    situation, language = turn.situation, turn.knowledge.language
    unknown = tuple(
        Say("not_found", {"phrase": one.phrase}) for one in turn.understanding.unresolved if not one.candidates
    )
    meant = _meant(turn)[:MOST_CHOICES]
    if not meant:
        return resume(turn, *(unknown or (Say("stock_of_what"),)))
    awaited = tuple(product for product in meant if product.stock is not None and product.stock <= 0)
    names = tuple(product.name(language) for product in awaited or meant)
    told = (*unknown, Say("restocking.remembered" if awaited else "restocking.in_stock", {"names": names}))
    alerts = tuple(TellWhenBack(product.sku) for product in awaited)
    if missed(situation) in {product.sku for product in awaited}:
        # Whoever waits for it wants nothing in its place.
        after, actions = go_on(turn, situation, turn.knowledge.cart, situation.waiting, *told)
        return after, (*alerts, *actions)
    return resume(turn, *alerts, *told)


def _meant(turn: Turn) -> tuple[Product, ...]:
    """What was named for certain, all that tie included; without a name what was missed, else what was spoken of."""
    heard, missing = turn.understanding, missed(turn.situation)
    if heard.items or heard.unresolved:
        tied = (sku for one in heard.unresolved for sku in one.candidates)
        return products_of(turn, (*(item.sku for item in heard.items), *tied))
    return products_of(turn, (missing,)) if missing else subject(turn)
