"""How a conversation goes on: settle what was wished, ask what is open, read back, or tell and be done."""

from dataclasses import replace

from assistant.shop.addresses import Address
from assistant.shop.cart import Cart
from assistant.talk.actions import Action, Identify, Listen, Say
from assistant.talk.asking import ask
from assistant.talk.recommending import depends_on_the_voice, recommendation
from assistant.talk.settling import fit_to_shop, settle
from assistant.talk.situation import Goal, Knowledge, ReallyCancel, ReallyReturn, Situation, State, Wish
from assistant.talk.subject import products_of
from assistant.talk.turn import Outcome, Turn, asleep, done, kept, listening
from assistant.talk.wording import amounts_of, gained, total_of
from assistant.understand.understanding import Expecting


def go_on(turn: Turn, situation: Situation, cart: Cart, wishes: tuple[Wish, ...], *said: Say) -> Outcome:
    """Settles wishes; then asks what is open, or ends with what the wishes are for."""
    settled = settle(cart, wishes, turn.knowledge, turn.settings)
    said = (*said, *settled.notices)
    if settled.question:
        question, listen = ask(settled.question, turn.knowledge)
        asking = replace(
            situation, state=State.CHOOSING, question=settled.question, waiting=settled.waiting, failures=0
        )
        return asking, (*turn.save(settled.cart), *said, question, listen)
    return _finish(turn, replace(situation, question=None, waiting=()), settled.cart, said)


def _finish(turn: Turn, situation: Situation, cart: Cart, said: tuple[Say, ...]) -> Outcome:
    before = situation.before
    if before is None:
        return tell_cart(turn, cart, *said)
    if situation.goal is Goal.KEEP:
        more = gained(before, cart, turn.knowledge.language)
        return done(*turn.save(cart), *said, *((Say("added", {"items": more}),) if more else ()))
    if cart != before or situation.whole_cart:
        if depends_on_the_voice(turn, situation, cart):
            return turn.situation, (Identify(turn.understanding),)
        offered = recommendation(turn, situation, cart)
        if offered:
            question, listen = ask(offered, turn.knowledge)
            asking = replace(situation, state=State.CHOOSING, question=offered, recommended=True, failures=0)
            return asking, (*turn.save(cart), *said, question, listen)
        return read_back(turn, situation, cart, *said)
    return done(*turn.save(cart), *said)


def changed(turn: Turn, cart: Cart, *said: Say) -> Outcome:
    """The cart was changed: it is read back when an order is under way, else told."""
    if turn.underway:
        return read_back(turn, turn.situation, cart, *said)
    return tell_cart(turn, cart, *said)


def tell_cart(turn: Turn, cart: Cart, *said: Say) -> Outcome:
    """Tells what is in the cart now."""
    return done(*turn.save(cart), *said, say_cart(cart, turn.knowledge))


def say_cart(cart: Cart, knowledge: Knowledge) -> Say:
    """The contents of the cart and what they cost, in words."""
    if not cart:
        return Say("cart_empty")
    language = knowledge.language
    total = total_of(knowledge.bill(cart), language)
    return Say("cart", {"items": amounts_of(cart.lines, language), "total": total})


def read_back(turn: Turn, situation: Situation, cart: Cart, *said: Say) -> Outcome:
    """Reads the whole cart back and asks whether to order it."""
    fitted, notices = fit_to_shop(cart, turn.knowledge)
    said = (*said, *(notice for notice in notices if notice not in said))
    language, obstacle = turn.knowledge.language, turn.knowledge.obstacle
    if not fitted:
        return done(*turn.save(fitted), *said, Say("cart_empty"))
    if obstacle:
        reason = Say(f"declined.{obstacle}")
        return done(*turn.save(fitted), *said, say_cart(fitted, turn.knowledge), reason, Say("cart_kept"))
    bill = turn.knowledge.bill(fitted)
    confirming = replace(
        situation,
        state=State.CONFIRMING,
        question=None,
        waiting=(),
        goal=Goal.BUY,
        before=turn.knowledge.cart if situation.before is None else situation.before,
        whole_cart=True,
        read_back=fitted,
        agreed=bill.total,
        deliver_to=destination(turn),
        failures=0,
    )
    # What was chosen among products of one name is read back so that it can be told from the others.
    items = amounts_of(fitted.lines, language, products_of(turn, turn.situation.offered))
    contents = Say("read_back", {"items": items, "total": total_of(bill, language)})
    told = (*said, *pre_ordered(turn, fitted), *goes_to(turn))
    return confirming, (*turn.save(fitted), *told, contents, Listen(Expecting.CONFIRMATION))


def pre_ordered(turn: Turn, cart: Cart) -> tuple[Say, ...]:
    """Says of each product that is not sent out yet when it will be."""
    knowledge, language = turn.knowledge, turn.knowledge.language
    products = [knowledge.products[sku] for sku in dict.fromkeys(line.sku for line in cart.lines)]
    return tuple(
        Say("promotions.pre_order", {"name": product.name(language), "date": product.available_on})
        for product in products
        if product.available_on and (knowledge.now is None or product.available_on > knowledge.now.date())
    )


def destination(turn: Turn) -> Address | None:
    """Where the order under way goes; None when the household has named no address."""
    usual = turn.knowledge.addresses[0] if turn.knowledge.addresses else None
    return turn.situation.deliver_to or usual


def goes_to(turn: Turn) -> tuple[Say, ...]:
    """Says where the order goes, if that is known."""
    address = destination(turn)
    return (Say("delivering.to", {"name": address.name, "text": address.text}),) if address else ()


def resume(turn: Turn, *actions: Action) -> Outcome:
    """Goes back to what was open, after ``actions``."""
    situation = turn.situation
    match situation.state:
        case State.LISTENING:
            return listening(situation, *actions)
        case State.CHOOSING if situation.question:
            question, listen = ask(situation.question, turn.knowledge)
            return replace(situation, failures=0), (*actions, question, listen)
        case State.CONFIRMING | State.AUTHORISING:
            asking, again = read_back(turn, situation, turn.knowledge.cart)
            return asking, (*actions, *again)
        case _:
            return done(*actions)


def give_up(turn: Turn) -> Outcome:
    """Ends a conversation that leads nowhere: nothing is bought, nothing is cancelled, the cart is kept."""
    situation = turn.situation
    if isinstance(situation.question, ReallyCancel | ReallyReturn):
        return asleep(Say("returning.kept" if isinstance(situation.question, ReallyReturn) else "order_stays"))
    busy = situation.state in (State.CHOOSING, State.CONFIRMING) or turn.underway
    return asleep(*((Say("gave_up_order"), *kept(turn)) if busy else (Say("gave_up"),)))


def ask_again(turn: Turn, say: Say, attempts: int) -> Outcome:
    """There was no answer, or none that is understood: asks again, or gives up after so many attempts."""
    situation = turn.situation
    failures = situation.failures + 1
    if failures > attempts:
        return give_up(turn)
    if situation.state in (State.IDLE, State.DONE):
        after, actions = listening(Situation(), say)
    else:
        after, actions = resume(turn, say)
    return replace(after, failures=failures), actions
