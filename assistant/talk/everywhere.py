"""What is understood in every state."""

from dataclasses import replace

from assistant.talk.actions import AbandonPayment, Say, Spelled
from assistant.talk.asides import cancel_order
from assistant.talk.correcting import correct, has_correction
from assistant.talk.flow import ask_again, resume
from assistant.talk.habits import answer_recommendation
from assistant.talk.inputs import OrderCancelled
from assistant.talk.returning import order_stays
from assistant.talk.situation import ReallyCancel, ReallyReturn, Situation, State, TakeRecommendation
from assistant.talk.turn import Outcome, Turn, asleep, done, kept, listening


def greet(turn: Turn) -> Outcome:
    """The wake phrase alone: asks what it may be."""
    return listening(turn.situation if turn.underway else Situation(), Say("greeting"))


def carry_on(turn: Turn) -> Outcome:
    """Says again what is open."""
    return resume(turn)


def stop(turn: Turn) -> Outcome:
    """Ends the conversation: nothing is bought, the cart stays as it is."""
    if turn.situation.state in (State.IDLE, State.DONE):
        return asleep(Say("okay"))
    return asleep(Say("stopped"), *kept(turn))


def cancel(turn: Turn) -> Outcome:
    """Takes back what this conversation put into the cart; nothing is bought."""
    before = turn.situation.before
    question = turn.situation.question
    if isinstance(question, ReallyCancel | ReallyReturn):
        return done(order_stays(question), placed=question.order)
    if before is None:
        return done(Say("nothing_bought"))
    said = Say("cancelled" if before != turn.knowledge.cart else "nothing_bought")
    return done(*turn.save(before), said, *((Say("cart_kept"),) if before else ()))


def cancel_placed(turn: Turn) -> Outcome:
    """Right after an order was placed, "cancel" may mean that order: asks. Else nothing was bought, as is said."""
    if turn.situation.placed is None:
        return done(Say("nothing_bought"), *kept(turn)) if turn.knowledge.cart else done(Say("okay"))
    return cancel_order(turn)


def repeat(turn: Turn) -> Outcome:
    """Says the last replies again."""
    situation = turn.situation
    if not situation.said:
        return resume(turn, Say("nothing_to_repeat"))
    if situation.listen is None or situation.listen.optional:
        return done(*situation.said, placed=situation.placed)
    return replace(situation, failures=0), (*situation.said, situation.listen)


def not_understood(turn: Turn) -> Outcome:
    """Nothing that makes sense here was said: asks again, or gives up."""
    return ask_again(turn, Say("not_understood"), turn.settings.reprompts)


def not_heard(turn: Turn) -> Outcome:
    """Speech without words: asks again, or gives up."""
    return ask_again(turn, Say("not_heard"), turn.settings.reprompts)


def silence(turn: Turn) -> Outcome:
    """No answer: asks again, or gives up."""
    question = turn.situation.question
    if isinstance(question, TakeRecommendation):
        return answer_recommendation(turn, question)
    return ask_again(turn, Say("still_there"), turn.settings.reprompts)


def fall_asleep(turn: Turn) -> Outcome:
    """The conversation ends without a word; nothing is bought, the cart is kept."""
    return asleep()


def nothing_more(turn: Turn) -> Outcome:
    """Where nothing was asked, "no" is a correction or the end of the conversation."""
    if has_correction(turn.understanding):
        return correct(turn)
    return asleep(Say("okay"), *(kept(turn) if turn.underway else ()))


def order_cancelled(turn: Turn) -> Outcome:
    """A placed order is cancelled."""
    assert isinstance(turn.event, OrderCancelled)
    order = turn.event.order
    return done(Say("order_cancelled", {"number": Spelled(order.id), "total": order.total}))


def ignore(turn: Turn) -> Outcome:
    """Comes too late to matter."""
    return turn.situation, ()


def refuse_challenge(turn: Turn) -> Outcome:
    """A challenge for a payment that nobody waits for any more."""
    return turn.situation, (AbandonPayment(),)
