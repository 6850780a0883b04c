"""Orders after the purchase: which one is meant, what is to be cancelled, what is to go back."""

from assistant.shop.orders import Order, OrderStatus
from assistant.shop.returns import returnable
from assistant.talk.actions import CancelOrder, Say, Spelled
from assistant.talk.actions import ReturnOrder as TakeBack
from assistant.talk.asking import ask
from assistant.talk.flow import ask_again, resume
from assistant.talk.inputs import OrderReturned
from assistant.talk.situation import ReallyCancel, ReallyReturn, Situation, State
from assistant.talk.turn import Outcome, Turn, done
from assistant.talk.wording import amounts_of
from assistant.understand.understanding import Intent


def return_goods(turn: Turn) -> Outcome:
    """A delivered order is to go back: asks whether really, with everything that is in it and what it cost."""
    order, refusal = _order_to_return(turn)
    if order is None:
        return resume(turn, refusal or Say("no_orders"))
    say, listen = ask(ReallyReturn(order.id), turn.knowledge)
    return Situation(State.CHOOSING, ReallyReturn(order.id)), (say, listen)


def answer_about_order(turn: Turn, question: ReallyCancel | ReallyReturn) -> Outcome:
    """Only a plain yes cancels or returns an order."""
    match turn.understanding.intent, question:
        case Intent.CONFIRM, ReallyCancel(order):
            return Situation(State.DONE), (CancelOrder(order),)
        case Intent.CONFIRM, ReallyReturn(order):
            return Situation(State.DONE), (TakeBack(order),)
        case Intent.DENY, _:
            return done(order_stays(question))
    return ask_again(turn, Say("not_understood"), turn.settings.reprompts)


def order_stays(question: ReallyCancel | ReallyReturn) -> Say:
    """Nothing happens to the order."""
    return Say("returning.kept" if isinstance(question, ReallyReturn) else "order_stays")


def order_returned(turn: Turn) -> Outcome:
    """An order is returned; its money is back already, or it will be."""
    assert isinstance(turn.event, OrderReturned)
    order = turn.event.order
    said = "returning.done" if order.status is OrderStatus.REFUNDED else "returning.money_later"
    return done(Say(said, {"number": Spelled(order.id), "total": order.total}))


def _order_to_return(turn: Turn) -> tuple[Order | None, Say | None]:
    """The order that is meant, or what to say when it cannot go back."""
    heard, knowledge = turn.understanding, turn.knowledge
    found = [order for order in knowledge.orders if _meant(turn, order)]
    fresh = [o for o in found if knowledge.now and returnable(o, knowledge.now, knowledge.return_days)]
    if fresh:
        return fresh[0], None
    if not found:
        if heard.items or heard.unresolved:
            name = (*(item.name for item in heard.items), *(one.phrase for one in heard.unresolved))[0]
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
    heard = turn.understanding
    if heard.order:
        return order.id == heard.order
    skus = {item.sku for item in heard.items} | {sku for one in heard.unresolved for sku in one.candidates}
    if skus or heard.unresolved:
        return any(line.sku in skus for line in order.lines)
    return turn.situation.placed in (None, order.id)
