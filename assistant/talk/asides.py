"""Questions that are answered on the way: what was open before stays open."""

from collections.abc import Callable
from dataclasses import replace

from assistant.shop.cart import missing_options
from assistant.shop.orders import Order, OrderStatus
from assistant.shop.product import Product
from assistant.talk.actions import AddToList, Say, Spelled
from assistant.talk.asking import ask
from assistant.talk.flow import resume, say_cart
from assistant.talk.settling import sort_options
from assistant.talk.situation import ReallyCancel, Situation, State, WhichProduct
from assistant.talk.subject import line_in_focus, subject
from assistant.talk.turn import Outcome, Turn
from assistant.talk.wording import amount_of_product, amounts_of, offers, told_apart_by_name
from assistant.understand.understanding import Item

_ON_THE_WAY = frozenset({OrderStatus.SHIPPED, OrderStatus.OUT_FOR_DELIVERY})
_CANCELLABLE = frozenset({OrderStatus.PLACED, OrderStatus.PAID, OrderStatus.PACKED})


def give_help(turn: Turn) -> Outcome:
    """What can be said now."""
    return resume(turn, Say(f"help.{turn.situation.state}"))


def price(turn: Turn) -> Outcome:
    """What products, the choices that were read out, or the cart cost."""
    heard, knowledge, question = turn.understanding, turn.knowledge, turn.situation.question
    if heard.items or heard.unresolved:
        return resume(turn, *_each(turn, say_price))
    if isinstance(question, WhichProduct):
        return resume(turn, Say("prices", {"offers": offers(question.choices, knowledge)}))
    if turn.situation.state is State.CONFIRMING:
        return resume(turn)
    if turn.situation.topic and line_in_focus(turn) is None:
        spoken_of = told_apart_by_name(subject(turn), knowledge.language)
        return resume(turn, *(say_price(turn, product, Item(product.sku, "")) for product in spoken_of))
    return resume(turn, say_cart(knowledge.cart, knowledge))


def stock(turn: Turn) -> Outcome:
    """Whether products are there."""
    heard = turn.understanding
    if heard.items or heard.unresolved:
        return resume(turn, *_each(turn, _say_stock))
    return resume(turn, Say("stock_of_what"))


def what_is_in_cart(turn: Turn) -> Outcome:
    """The contents of the cart."""
    if turn.situation.state is State.CONFIRMING:
        return resume(turn)
    return resume(turn, say_cart(turn.knowledge.cart, turn.knowledge))


def add_to_list(turn: Turn) -> Outcome:
    """Puts things on the shopping list, also those that the shop does not have."""
    heard = turn.understanding
    person = turn.knowledge.speaker
    additions = [AddToList(item.name, item.sku, item.quantity, person) for item in heard.items]
    additions += [AddToList(unresolved.phrase, None, unresolved.quantity, person) for unresolved in heard.unresolved]
    if not additions:
        # "It" is what was spoken of last.
        spoken_of = subject(turn)[:1]
        additions = [AddToList(one.name(turn.knowledge.language), one.sku, 1, person) for one in spoken_of]
    if not additions:
        return resume(turn, Say("list_what"))
    shared = turn.knowledge.personal and person is None
    things = tuple(addition.text for addition in additions)
    return resume(turn, *additions, Say("listing.shared" if shared else "listed", {"things": things}))


def order_status(turn: Turn) -> Outcome:
    """Where an order is: the one whose number was said, else the newest."""
    order = _order_meant(turn)
    if order is None:
        return resume(turn, _no_order(turn))
    items = amounts_of(order.lines, turn.knowledge.language)
    said = [Say(f"status.{order.status}", {"number": Spelled(order.id), "items": items})]
    told = turn.knowledge.tracking.get(order.id)
    if told and order.status in _ON_THE_WAY:
        said.append(Say("tracking", {"text": told}))
    after, actions = resume(turn, *said)
    return (replace(after, placed=order.id) if after.state is State.DONE else after), actions


def cancel_order(turn: Turn) -> Outcome:
    """An order that was placed is to be cancelled: asks whether really."""
    order = _order_meant(turn)
    if order is None:
        return resume(turn, _no_order(turn))
    if order.status not in _CANCELLABLE:
        said = Say("too_late_to_cancel", {"number": Spelled(order.id)})
        return resume(
            turn,
            said,
            Say(
                f"status.{order.status}",
                {"number": Spelled(order.id), "items": amounts_of(order.lines, turn.knowledge.language)},
            ),
        )
    question = ReallyCancel(order.id)
    say, listen = ask(question, turn.knowledge)
    return Situation(State.CHOOSING, question), (say, listen)


def _order_meant(turn: Turn) -> Order | None:
    """The newest with what was named, else the one whose number was said, else the one spoken of, else the newest."""
    heard, orders = turn.understanding, turn.knowledge.orders
    named = {item.sku for item in heard.items} | {sku for one in heard.unresolved for sku in one.candidates}
    if named:
        return next((order for order in orders if any(line.sku in named for line in order.lines)), None)
    number = heard.order or turn.situation.placed
    return next((order for order in orders if number in (None, order.id)), None)


def _no_order(turn: Turn) -> Say:
    heard, number = turn.understanding, turn.understanding.order
    if heard.items or heard.unresolved:
        name = heard.items[0].name if heard.items else heard.unresolved[0].phrase
        return Say("returning.never_bought", {"name": name})
    return Say("no_such_order", {"number": Spelled(number)}) if number else Say("no_orders")


def _each(turn: Turn, say: Callable[[Turn, Product, Item], Say]) -> list[Say]:
    """One reply for every product that was named, the candidates of a tie included."""
    heard, knowledge = turn.understanding, turn.knowledge
    replies = []
    for item in heard.items:
        product = knowledge.products.get(item.sku)
        replies.append(say(turn, product, item) if product else Say("not_found", {"phrase": item.name}))
    for unresolved in heard.unresolved:
        tied = [knowledge.products[sku] for sku in unresolved.candidates if sku in knowledge.products]
        candidates = told_apart_by_name(tied, knowledge.language)
        replies += [say(turn, product, Item(product.sku, unresolved.phrase)) for product in candidates]
        if not candidates:
            nearest = knowledge.products.get(unresolved.suggestion or "")
            replies.append(Say("not_found", {"phrase": unresolved.phrase}))
            replies += [say(turn, nearest, Item(nearest.sku, unresolved.phrase))] if nearest else []
    return replies


def say_price(turn: Turn, product: Product, item: Item) -> Say:
    """What one of a product costs with the options that were said."""
    language = turn.knowledge.language
    known = sort_options(product, item.options)[0]
    template = "price_from" if missing_options(product, known) else "price"
    one = amount_of_product(product, 1, known, language)
    before, now = product.price_with(known), turn.knowledge.pricing.price_of(product, known)
    if now != before and template == "price":
        return Say("promotions.price", {"item": one, "price": now, "before": before})
    return Say(template, {"item": one, "price": now})


def _say_stock(turn: Turn, product: Product, item: Item) -> Say:
    name = product.name(turn.knowledge.language)
    if product.stock is None:
        return Say("in_stock", {"name": name})
    return Say("stock_left" if product.stock else "out_of_stock", {"name": name, "count": product.stock})
