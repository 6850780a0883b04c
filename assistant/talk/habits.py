"""What the household is used to: its usual, the same thing again, what is running low."""

from assistant.shop.cart import CartLine
from assistant.shop.habits import RunOut, bought_last, kept, run_out, running_out, the_usual
from assistant.shop.product import Product
from assistant.talk import shopping
from assistant.talk.actions import Say
from assistant.talk.flow import go_on, resume
from assistant.talk.recommending import taken
from assistant.talk.settling import wishes_of
from assistant.talk.shopping import begun
from assistant.talk.situation import Goal, TakeRecommendation, Wish
from assistant.talk.subject import named
from assistant.talk.turn import Outcome, Turn
from assistant.talk.wording import amount_of

_MOST_TOLD = 3


def usual(turn: Turn) -> Outcome:
    """What the household usually orders goes into the cart, and everything is read back."""
    orders = kept(turn.knowledge.orders)
    if not orders:
        return resume(turn, Say("no_orders"))
    lines = the_usual(orders)
    if not lines:
        return resume(turn, Say("habits.no_usual"))
    wishes = tuple(_again(turn, line) for line in lines)
    return go_on(turn, begun(turn, Goal.BUY), turn.knowledge.cart, wishes)


def reorder(turn: Turn) -> Outcome:
    """Products that were named, or else a whole earlier order, are to be bought again."""
    named = turn.understanding.items or turn.understanding.unresolved
    return buy_again(turn) if named else shopping.reorder(turn)


def buy_again(turn: Turn) -> Outcome:
    """Products are to be bought as the last time: as many of them, with the same options.

    Where several products fit the words, the one that was bought last is meant.
    """
    wishes: list[Wish] = []
    for wish in wishes_of(turn.understanding):
        line = bought_last(turn.knowledge.orders, (wish.sku,) if wish.sku else wish.candidates)
        if line is None:
            wishes.append(wish)
            continue
        quantity = wish.quantity if wish.quantity_said else line.quantity
        options = {**line.options, **wish.options}
        wishes.append(Wish(line.name(turn.knowledge.language), quantity, options, sku=line.sku, quantity_said=True))
    return go_on(turn, begun(turn, Goal.BUY), turn.knowledge.cart, tuple(wishes))


def running_low(turn: Turn) -> Outcome:
    """Tells what is probably used up by now, or when what was named will be, and how it knows."""
    knowledge = turn.knowledge
    if products := named(turn):
        return resume(turn, *(_lasts(turn, product) for product in products[:_MOST_TOLD]))
    found = running_out(knowledge.orders, knowledge.now) if knowledge.now else ()
    if not found:
        return resume(turn, Say("habits.nothing_low"))
    said = (
        Say("habits.low", {"name": one.line.name(knowledge.language), "days": _days(one), "count": one.evidence})
        for one in found[:_MOST_TOLD]
    )
    return resume(turn, *said)


def _lasts(turn: Turn, product: Product) -> Say:
    """How long a product lasts this household, as far as its past tells."""
    one, name = run_out(turn.knowledge.orders, product.sku), product.name(turn.knowledge.language)
    if one is None or turn.knowledge.now is None:
        return Say("habits.lasts_unknown", {"name": name})
    if one.due <= turn.knowledge.now:
        return Say("habits.low", {"name": name, "days": _days(one), "count": one.evidence})
    return Say("habits.lasts", {"name": name, "days": _days(one), "date": one.due.date()})


def answer_recommendation(turn: Turn, question: TakeRecommendation) -> Outcome:
    """A yes adds what was offered; anything else goes on without it, and what was said instead still counts."""
    heard = turn.understanding
    wishes = taken(turn, question)
    # Where several products were named with a yes, they are wanted too; with a no, they are what is wanted instead.
    return go_on(turn, turn.situation, turn.knowledge.cart, (*wishes, *wishes_of(heard)))


def _again(turn: Turn, line: CartLine) -> Wish:
    amount = amount_of(line, turn.knowledge.language)
    return Wish(amount.name, line.quantity, line.options, sku=line.sku, quantity_sure=True, quantity_said=True)


def _days(one: RunOut) -> int:
    return max(1, round(one.every_days))
