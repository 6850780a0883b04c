"""What is cheaper, what is new, and coupons: told on the way; what was open before stays open."""

from datetime import timedelta

from assistant.languages.language import load_language
from assistant.shop.product import Product
from assistant.shop.promotions.offers import Deal, deals, deals_on, newest
from assistant.shop.promotions.rules import Promotion
from assistant.talk.actions import Say, UseCoupon
from assistant.talk.flow import resume
from assistant.talk.inputs import CouponNamed
from assistant.talk.turn import Outcome, Turn
from assistant.talk.wording import offers

_MOST_TOLD = 3
_ENDS_SOON = timedelta(days=7)


def on_offer(turn: Turn) -> Outcome:
    """The deals on products that were named, else those that matter most to this household, with the reason."""
    heard, knowledge = turn.understanding, turn.knowledge
    if heard.items or heard.unresolved:
        named: list[tuple[tuple[str, ...], str]] = [((item.sku,), item.name) for item in heard.items]
        named += [(one.candidates, one.phrase) for one in heard.unresolved]
        return resume(turn, *(say for skus, name in named[:_MOST_TOLD] for say in _on(turn, skus, name)))
    bought = [line.sku for order in knowledge.orders for line in order.lines]
    found = deals(knowledge.pricing, knowledge.perhaps_on_offer(bought), bought)
    if not found:
        return resume(turn, Say("promotions.none"))
    return resume(turn, *(say for deal in found[:_MOST_TOLD] for say in _tell(turn, deal)))


def whats_new(turn: Turn) -> Outcome:
    """What the shop sells since lately."""
    knowledge = turn.knowledge
    today = knowledge.now.date() if knowledge.now else None
    found = newest(knowledge.perhaps_new(today).values(), today) if today else ()
    if not found:
        return resume(turn, Say("promotions.nothing_new"))
    told = offers((product.sku for product in found[:_MOST_TOLD]), knowledge)
    return resume(turn, Say("promotions.new", {"offers": told}))


def use_coupon(turn: Turn) -> Outcome:
    """A coupon was named: it counts from now on, if the shop knows it and the household may still use it."""
    words, pricing = turn.understanding.coupon, turn.knowledge.pricing
    if not words:
        return resume(turn, Say("promotions.which_coupon"))
    promotion = _promotion_of(turn, words)
    if promotion is None:
        return resume(turn, Say("promotions.no_coupon", {"coupon": words}))
    if not promotion.runs(pricing.at):
        return resume(turn, Say("promotions.coupon_not_now", {"coupon": words}))
    if not pricing.left_of(promotion):
        return resume(turn, Say("promotions.coupon_used", {"coupon": words}))
    return turn.situation, (UseCoupon(promotion.id),)


def coupon_named(turn: Turn) -> Outcome:
    """A coupon counts: says so, and whether it does anything for the cart."""
    assert isinstance(turn.event, CouponNamed)
    knowledge, named = turn.knowledge, turn.event.promotion
    promotion = next((one for one in knowledge.pricing.rules.promotions if one.id == named), None)
    if promotion is None:
        return resume(turn)
    counts = any(charge.reference == named for charge in knowledge.bill(knowledge.cart).charges)
    template = "coupon" if counts or not knowledge.cart else "coupon_later"
    return resume(turn, Say(f"promotions.{template}", {"coupon": promotion.coupon}))


def _promotion_of(turn: Turn, words: str) -> Promotion | None:
    """The promotion whose coupon these words are."""
    normalise = load_language(turn.knowledge.language).normalise
    promotions = turn.knowledge.pricing.rules.promotions
    return next((one for one in promotions if one.coupon and normalise(one.coupon) == words), None)


def _on(turn: Turn, skus: tuple[str, ...], name: str) -> tuple[Say, ...]:
    """The deals on what was named: one product, or several that it may be."""
    products = [turn.knowledge.products[sku] for sku in skus if sku in turn.knowledge.products]
    if not products:
        return (Say("not_found", {"phrase": name}),)
    language = turn.knowledge.language
    named = dict.fromkeys(
        deal.name(language) for product in products for deal in deals_on(turn.knowledge.pricing, product)
    )
    said = (Say("promotions.deals_on", {"name": name, "deals": tuple(named)[:_MOST_TOLD]}),) if named else ()
    reduced = [deal for deal in deals(turn.knowledge.pricing, {one.sku: one for one in products}, ()) if deal.on_sale]
    said = (*said, *(say for deal in reduced[:_MOST_TOLD] for say in _tell(turn, deal)))
    return said or (Say("promotions.no_deal", {"name": name}),)


def _tell(turn: Turn, deal: Deal) -> tuple[Say, ...]:
    """A deal, why it is told, and when it ends, if that is soon."""
    knowledge, language = turn.knowledge, turn.knowledge.language
    said = [
        _name(turn, deal.on_sale) if deal.on_sale else Say("promotions.deal", {"name": deal.promotion.name(language)})
    ]
    if deal.bought:
        said.append(Say("promotions.bought", {"name": deal.bought.name(language)}))
    ends = deal.promotion.ends
    if ends and ends - knowledge.pricing.at <= _ENDS_SOON:
        # Until just before then: what ends at midnight has the day before as its last.
        last = (ends - timedelta(microseconds=1)).astimezone(knowledge.now.tzinfo if knowledge.now else None)
        said.append(Say("promotions.ends", {"date": last.date()}))
    return tuple(said)


def _name(turn: Turn, product: Product) -> Say:
    values = {"item": product.name(turn.knowledge.language), "before": product.price}
    return Say("promotions.price", values | {"price": turn.knowledge.pricing.price_of(product)})
