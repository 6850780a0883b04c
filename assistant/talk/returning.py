"""Orders after the purchase: which one is meant, what is to be cancelled, what of it is to go back."""

from collections.abc import Iterator
from dataclasses import replace

from assistant.shop.orders import Order, OrderStatus
from assistant.shop.refunds import ReturnedUnits, left_of, lines_of
from assistant.shop.returns import returnable
from assistant.talk.actions import CancelOrder, Say, Spelled
from assistant.talk.actions import ReturnOrder as TakeBack
from assistant.talk.asking import ask
from assistant.talk.flow import ask_again, resume
from assistant.talk.inputs import OrderReturned
from assistant.talk.situation import ReallyCancel, ReallyReturn, Situation, State
from assistant.talk.turn import Outcome, Turn, done
from assistant.talk.wording import amounts_of
from assistant.understand.understanding import Intent, Item, Unresolved


def return_goods(turn: Turn) -> Outcome:
    """A delivered order, or the products that were named, are to go back: asks whether really, with what they cost."""
    order, refusal = _order_to_return(turn)
    if order is None:
        return resume(turn, refusal or Say("no_orders"))
    named = _named(turn)
    if not named:
        return _ask(turn, ReallyReturn(order.id))
    units = [_units_of(turn, order, one) for one in named]
    unclear = next((one for one in units if isinstance(one, Say)), None)
    chosen = tuple(one for one in units if isinstance(one, ReturnedUnits))
    if unclear is not None or len({one.line for one in chosen}) < len(chosen):
        return resume(turn, unclear or Say("not_understood"))
    several = len(chosen) == 1 and chosen[0].quantity > 1 and not _said(named[0])
    return _ask(turn, ReallyReturn(order.id, chosen, countable=several))


def answer_about_order(turn: Turn, question: ReallyCancel | ReallyReturn) -> Outcome:
    """Only a plain yes cancels or returns; another number of what goes back is asked about again.

    Where it was asked how many, a yes is none: "two" is easily taken for one.
    """
    heard = turn.understanding
    other = _other_number(turn, question) if isinstance(question, ReallyReturn) else None
    if other is not None:
        return _ask(turn, other)
    match heard.intent, question:
        case Intent.CONFIRM, ReallyCancel(order) if heard.quantity is None:
            return Situation(State.DONE), (CancelOrder(order),)
        case Intent.CONFIRM, ReallyReturn(order, units, countable=False) if heard.quantity is None:
            return Situation(State.DONE), (TakeBack(order, units),)
        case Intent.DENY, _:
            return done(order_stays(question), placed=question.order)
    return ask_again(turn, Say("not_understood"), turn.settings.reprompts)


def order_stays(question: ReallyCancel | ReallyReturn) -> Say:
    """Nothing happens to the order."""
    return Say("returning.kept" if isinstance(question, ReallyReturn) else "order_stays")


def order_returned(turn: Turn) -> Outcome:
    """Goods are returned; their money is back already, or it will be."""
    assert isinstance(turn.event, OrderReturned)
    event = turn.event
    values = {"number": Spelled(event.order.id), "total": event.refund}
    values |= {"items": amounts_of(event.goods, turn.knowledge.language)}
    if event.order.status not in (OrderStatus.RETURNED, OrderStatus.REFUNDED):
        return done(Say("returning.some_done" if event.settled else "returning.some_later", values))
    return done(Say("returning.done" if event.settled else "returning.money_later", values))


def _ask(turn: Turn, question: ReallyReturn) -> Outcome:
    say, listen = ask(question, turn.knowledge)
    return Situation(State.CHOOSING, question), (say, listen)


def _other_number(turn: Turn, question: ReallyReturn) -> ReallyReturn | None:
    """The question about another number of the same units, when one was said that can go back."""
    heard = turn.understanding
    order = next((one for one in turn.knowledge.orders if one.id == question.order), None)
    if order is None or len(question.units) != 1:
        return None
    (units,) = question.units
    said = [item.quantity for item in heard.items if item.quantity_said and item.sku == order.lines[units.line].sku]
    number = said[0] if len(said) == len(heard.items) == 1 else None if heard.items else heard.quantity
    left = next((one.quantity for one in _left(turn, order) if one.line == units.line), 0)
    fits = heard.intent in (Intent.CONFIRM, Intent.CHANGE_QUANTITY, Intent.ORDER) and not heard.unresolved
    if not fits or number is None or not 0 < number <= left:
        return None
    return replace(question, units=(replace(units, quantity=number),), countable=False)


def _named(turn: Turn) -> tuple[Item | Unresolved, ...]:
    return (*turn.understanding.items, *turn.understanding.unresolved)


def _skus(named: Item | Unresolved) -> frozenset[str]:
    return frozenset({named.sku} if isinstance(named, Item) else named.candidates)


def _said(named: Item | Unresolved) -> bool:
    return named.quantity_said


def _left(turn: Turn, order: Order) -> tuple[ReturnedUnits, ...]:
    return left_of(order, turn.knowledge.gone.get(order.id, {}))


def _fitting(turn: Turn, order: Order, named: Item | Unresolved) -> Iterator[ReturnedUnits]:
    """What is left of an order of the product that was named, with the options that were said."""
    for one in _left(turn, order):
        line = order.lines[one.line]
        if line.sku in _skus(named) and named.options.items() <= line.options.items():
            yield one


def _units_of(turn: Turn, order: Order, named: Item | Unresolved) -> ReturnedUnits | Say:
    """The units that are meant, or what to say when that is not clear."""
    fitting = tuple(_fitting(turn, order, named))
    goods = amounts_of(lines_of(order, fitting), turn.knowledge.language)
    if len(fitting) > 1:
        return Say("returning.which", {"items": goods})
    if _said(named) and named.quantity > fitting[0].quantity:
        return Say("returning.only", {"items": goods})
    return replace(fitting[0], quantity=named.quantity) if _said(named) else fitting[0]


def _order_to_return(turn: Turn) -> tuple[Order | None, Say | None]:
    """The newest order that is meant and can go back, or what to say when there is none."""
    heard, knowledge, named = turn.understanding, turn.knowledge, _named(turn)
    found = [order for order in knowledge.orders if _meant(turn, order)]
    fresh = [o for o in found if knowledge.now and returnable(o, knowledge.now, knowledge.return_days)]
    there = [order for order in fresh if all(any(_fitting(turn, order, one)) for one in named)]
    if there:
        return there[0], None
    name = next((one.name if isinstance(one, Item) else one.phrase for one in named), "")
    if fresh:
        return None, Say("returning.gone", {"name": name})
    if not found:
        if named:
            return None, Say("returning.never_bought", {"name": name})
        return None, Say("no_such_order") if heard.order else Say("no_orders")
    items = amounts_of(found[0].lines, knowledge.language)
    values = {"number": Spelled(found[0].id), "items": items, "days": knowledge.return_days}
    if found[0].status is OrderStatus.DELIVERED:
        return None, Say("returning.too_late", values)
    if found[0].cancellable:
        return None, Say("returning.cancel_instead", values)
    return None, Say(f"status.{found[0].status}", values)


def _meant(turn: Turn, order: Order) -> bool:
    """Whether it may be the order that was meant: by number, by what is in it, else the one spoken of, else any."""
    heard, named = turn.understanding, _named(turn)
    if heard.order and order.id != heard.order:
        return False
    if named:
        skus = {line.sku for line in order.lines}
        return all(_skus(one) & skus for one in named)
    return bool(heard.order) or turn.situation.placed in (None, order.id)
