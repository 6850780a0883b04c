"""From the read-back to the paid order."""

from dataclasses import replace

from assistant.talk.actions import BeginPayment, Listen, RequestChallenge, Say, Spelled
from assistant.talk.correcting import correct, has_correction
from assistant.talk.flow import destination, read_back
from assistant.talk.inputs import ChallengeIssued, Failed, Paid, PaymentDeclined
from assistant.talk.listing import struck_off
from assistant.talk.settling import fit_to_shop
from assistant.talk.shopping import order
from assistant.talk.situation import State
from assistant.talk.turn import Outcome, Turn, asleep, done, kept, listening
from assistant.talk.wording import amounts_of
from assistant.understand.understanding import Expecting

_UNANSWERED_CHALLENGES = 1


def confirm(turn: Turn) -> Outcome:
    """Yes: pays for exactly what was read back; another cart, or another price for it, is read back first."""
    situation, cart = turn.situation, turn.knowledge.cart
    if turn.understanding.items or turn.understanding.unresolved:
        return order(turn)
    if has_correction(turn.understanding):
        return correct(turn)
    if situation.read_back != cart or fit_to_shop(cart, turn.knowledge)[0] != cart:
        return read_back(turn, situation, cart, Say("cart_differs"))
    total = turn.knowledge.bill(cart).total
    if situation.agreed != total:
        return price_changed(turn)
    return replace(situation, state=State.AUTHORISING, failures=0), (BeginPayment(cart, total, destination(turn)),)


def price_changed(turn: Turn) -> Outcome:
    """Another total than the one that was read back, because a deal has begun or ended: it is read back again."""
    return read_back(turn, turn.situation, turn.knowledge.cart, Say("price_changed"))


def deny(turn: Turn) -> Outcome:
    """No: not yet; what should be different?"""
    if has_correction(turn.understanding):
        return correct(turn)
    return listening(turn.situation, Say("what_to_change"))


def challenge(turn: Turn) -> Outcome:
    """Reads the digits out, to be repeated."""
    assert isinstance(turn.event, ChallengeIssued)
    say = Say("challenge", {"digits": Spelled(turn.event.digits)})
    return turn.situation, (say, Listen(Expecting.DIGITS))


def another_challenge(turn: Turn) -> Outcome:
    """No answer to the challenge: once a new one, then no purchase; no PIN is no purchase."""
    if _awaits_pin(turn) or turn.situation.failures >= _UNANSWERED_CHALLENGES:
        return _no_purchase(turn, Say("declined.no_answer"))
    after = replace(turn.situation, failures=turn.situation.failures + 1)
    return after, (Say("challenge_again"), RequestChallenge())


def explain_challenge(turn: Turn) -> Outcome:
    """Help, repeat, or words that have no place here: a new challenge, for the old digits are never said again."""
    if turn.situation.failures >= turn.settings.reprompts:
        return _no_purchase(turn, Say("declined.no_answer"))
    after = replace(turn.situation, failures=turn.situation.failures + 1)
    if _awaits_pin(turn):
        return after, (Say("pin"), Listen(Expecting.DIGITS, secret=True))
    return after, (Say("help.authorising"), RequestChallenge())


def declined(turn: Turn) -> Outcome:
    """The authority said no: a PIN or another challenge if it allows one, else no purchase."""
    assert isinstance(turn.event, PaymentDeclined)
    reason = Say(f"declined.{turn.event.reason}")
    if turn.event.pin:
        return turn.situation, (reason, Say("pin"), Listen(Expecting.DIGITS, secret=True))
    if turn.event.retry:
        return turn.situation, (reason, RequestChallenge())
    return _no_purchase(turn, reason)


def unavailable(turn: Turn) -> Outcome:
    """The authority cannot be asked: no purchase."""
    return _no_purchase(turn, Say("payment_unavailable"))


def failed(turn: Turn) -> Outcome:
    """An action failed: says what, and is done; while authorising nothing is bought."""
    assert isinstance(turn.event, Failed)
    paying = turn.situation.state is State.AUTHORISING
    return done(Say(f"error.{turn.event.code}"), *((Say("nothing_bought"), *kept(turn)) if paying else ()))


def placed(turn: Turn) -> Outcome:
    """The order is paid and placed."""
    assert isinstance(turn.event, Paid)
    bought = turn.event.order
    items = amounts_of(bought.lines, turn.knowledge.language)
    values = {"number": Spelled(bought.id), "items": items, "total": bought.total}
    return done(*struck_off(turn, bought, turn.event.payer), Say("placed", values), placed=bought.id)


def _awaits_pin(turn: Turn) -> bool:
    return turn.situation.listen is not None and turn.situation.listen.secret


def _no_purchase(turn: Turn, why: Say) -> Outcome:
    return asleep(why, Say("nothing_bought"), *kept(turn))
