"""Filling the cart and asking for it to be bought."""

from dataclasses import replace

from assistant.talk.actions import Say
from assistant.talk.flow import go_on, read_back, resume
from assistant.talk.settling import wishes_of
from assistant.talk.situation import Goal, Situation, Wish
from assistant.talk.turn import Outcome, Turn, listening


def order(turn: Turn) -> Outcome:
    """Products are to be bought: they go into the cart, and the whole cart is read back.

    What was ordered in this conversation already and is named again is meant, not added: people repeat themselves.
    """
    wishes = wishes_of(turn.understanding)
    if not wishes:
        return checkout(turn)
    if turn.underway:
        wishes = tuple(_restated(turn, wish) for wish in wishes)
    return go_on(turn, begun(turn, Goal.BUY), turn.knowledge.cart, wishes)


def add_to_cart(turn: Turn) -> Outcome:
    """Products are to be put into the cart; nothing is bought unless an order is under way."""
    wishes = wishes_of(turn.understanding)
    if not wishes:
        return resume(turn, Say("what_to_add"))
    return go_on(turn, begun(turn, Goal.BUY if turn.underway else Goal.KEEP), turn.knowledge.cart, wishes)


def checkout(turn: Turn) -> Outcome:
    """The cart is to be bought: it is read back."""
    if not turn.knowledge.cart:
        return listening(Situation(), Say("what_to_order"))
    return read_back(turn, begun(turn, Goal.BUY), turn.knowledge.cart)


def reorder(turn: Turn) -> Outcome:
    """An earlier order, the last one unless its number was said, is to be bought again."""
    number, language = turn.understanding.order, turn.knowledge.language
    found = [order for order in turn.knowledge.orders if number in (None, order.id)]
    if not found:
        return resume(turn, Say("no_such_order") if number else Say("no_orders"))
    wishes = tuple(
        Wish(line.name(language), line.quantity, line.options, sku=line.sku, quantity_sure=True)
        for line in found[0].lines
    )
    return go_on(turn, begun(turn, Goal.BUY), turn.knowledge.cart, wishes)


def begun(turn: Turn, goal: Goal) -> Situation:
    """The situation in which products are settled, with the cart to go back to."""
    before = turn.situation.before
    return replace(turn.situation, goal=goal, before=turn.knowledge.cart if before is None else before)


def _restated(turn: Turn, wish: Wish) -> Wish:
    before = turn.situation.before.lines if turn.situation.before else ()
    for line in turn.knowledge.cart.lines:
        earlier = sum(other.quantity for other in before if other.key == line.key)
        ordered_now = line.sku == wish.sku and line.quantity > earlier
        if ordered_now and wish.options.items() <= line.options.items():
            quantity = earlier + wish.quantity if wish.quantity_said else line.quantity
            return replace(wish, quantity=quantity, options=line.options, replaces=line.key)
    return wish
