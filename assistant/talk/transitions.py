"""The transition table: what each state does with each kind of input, and which states may follow.

The dialogue runs on this table and ``scripts/draw_dialogue.py`` draws it. The first row that names a state and a kind
counts; rows for every state come last.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import get_args

from assistant.talk import (
    advising,
    asides,
    choosing,
    correcting,
    delivering,
    everywhere,
    identifying,
    paying,
    promoting,
    restocking,
    returning,
    selecting,
    shopping,
)
from assistant.talk.identifying import PERSONAL
from assistant.talk.inputs import (
    ChallengeIssued,
    CouponNamed,
    Failed,
    Heard,
    Identified,
    Input,
    Kind,
    Left,
    NotHeard,
    OrderCancelled,
    OrderReturned,
    Paid,
    PaymentDeclined,
    PaymentUnavailable,
    PriceChanged,
    Silence,
    Woken,
)
from assistant.talk.situation import State
from assistant.talk.turn import Handler
from assistant.understand.understanding import Intent

IDLE, LISTENING, CHOOSING = State.IDLE, State.LISTENING, State.CHOOSING
CONFIRMING, AUTHORISING, DONE = State.CONFIRMING, State.AUTHORISING, State.DONE

EVERY = tuple(State)
QUIET = (IDLE, DONE)
FREE = (IDLE, LISTENING, DONE)
READ_BACK = (CONFIRMING, AUTHORISING)
KINDS: tuple[Kind, ...] = (*Intent, *(kind for kind in get_args(Input) if kind is not Heard))

_CART = (CHOOSING, CONFIRMING, DONE)
_ASIDE = (LISTENING, CHOOSING, CONFIRMING, DONE)


@dataclass(frozen=True)
class Row:
    """In each of ``states``, each of ``kinds`` is handled by ``handler`` and leads to one of ``to``."""

    states: tuple[State, ...]
    kinds: tuple[Kind, ...]
    handler: Handler
    to: tuple[State, ...]


ROWS: tuple[Row, ...] = (
    # A question about a product or an order is open.
    Row(
        (CHOOSING,),
        (
            Intent.ORDER,
            Intent.ADD_TO_CART,
            Intent.CHANGE_QUANTITY,
            Intent.CHANGE_OPTION,
            Intent.CONFIRM,
            Intent.DENY,
            Intent.UNKNOWN,
        ),
        choosing.answer,
        (CHOOSING, CONFIRMING, DONE, IDLE),
    ),
    Row((CHOOSING,), (Intent.REMOVE,), choosing.leave_out, (CHOOSING, CONFIRMING, DONE, IDLE)),
    Row((CHOOSING,), (Intent.CHECKOUT,), choosing.buy_afterwards, (CHOOSING,)),
    Row((CHOOSING,), (Intent.USUAL, Intent.LIST_BUY, Intent.RETURN_ORDER), everywhere.not_understood, (CHOOSING, IDLE)),
    Row(READ_BACK, (Intent.RETURN_ORDER,), everywhere.not_understood, (CONFIRMING, DONE, IDLE)),
    Row((CHOOSING,), (Intent.REORDER, Intent.CANCEL_ORDER), everywhere.not_understood, (CHOOSING, IDLE)),
    # The cart was read back: only "yes" pays.
    Row((CONFIRMING,), (Intent.CONFIRM,), paying.confirm, (AUTHORISING, CONFIRMING, CHOOSING, DONE)),
    Row(READ_BACK, (Intent.DENY,), paying.deny, (LISTENING, CONFIRMING, CHOOSING, DONE)),
    Row(READ_BACK, (Intent.CANCEL_ORDER,), everywhere.cancel, (DONE,)),
    # The authority proves who speaks.
    Row((AUTHORISING,), (ChallengeIssued,), paying.challenge, (AUTHORISING,)),
    Row((AUTHORISING,), (PriceChanged,), paying.price_changed, (CONFIRMING, DONE)),
    Row((AUTHORISING,), (PaymentDeclined,), paying.declined, (AUTHORISING, IDLE)),
    Row((AUTHORISING,), (PaymentUnavailable,), paying.unavailable, (IDLE,)),
    Row((AUTHORISING,), (Silence, NotHeard), paying.another_challenge, (AUTHORISING, IDLE)),
    Row(
        (AUTHORISING,),
        (
            Intent.HELP,
            Intent.REPEAT,
            Intent.UNKNOWN,
            Intent.CONFIRM,
            Intent.PRICE,
            Intent.STOCK,
            Intent.STOCK_ALERT,
            Intent.WHAT_IS_IN_CART,
            Intent.LIST_ADD,
            Intent.ORDER_STATUS,
            Intent.LIST_READ,
            Intent.LIST_REMOVE,
            Intent.RUNNING_LOW,
            Intent.OFFERS,
            Intent.WHATS_NEW,
            Intent.COUPON,
            Intent.ASK,
            Intent.WHO_SPEAKS,
            Woken,
        ),
        paying.explain_challenge,
        (AUTHORISING, IDLE),
    ),
    # Nothing is open.
    Row((DONE,), (Intent.CANCEL,), everywhere.cancel_placed, (DONE, CHOOSING)),
    Row(QUIET, (Silence,), everywhere.fall_asleep, (IDLE,)),
    Row(FREE, (Woken,), everywhere.greet, (LISTENING,)),
    Row(FREE, (Intent.DENY,), everywhere.nothing_more, (IDLE, LISTENING, CHOOSING, CONFIRMING, DONE)),
    Row(FREE, (Intent.CONFIRM,), everywhere.not_understood, (LISTENING, IDLE)),
    Row(FREE, (Intent.CANCEL_ORDER,), PERSONAL[Intent.CANCEL_ORDER], (CHOOSING, LISTENING, DONE)),
    # Shopping, everywhere else.
    Row(EVERY, (Intent.ORDER,), shopping.order, (*_CART, LISTENING)),
    Row(EVERY, (Intent.ADD_TO_CART,), shopping.add_to_cart, (*_CART, LISTENING)),
    Row(EVERY, (Intent.CHECKOUT,), shopping.checkout, (CONFIRMING, LISTENING, DONE)),
    Row(EVERY, (Intent.REORDER,), PERSONAL[Intent.REORDER], (*_CART, LISTENING)),
    Row(EVERY, (Intent.USUAL,), PERSONAL[Intent.USUAL], (*_CART, LISTENING)),
    Row(EVERY, (Intent.LIST_BUY,), PERSONAL[Intent.LIST_BUY], (*_CART, LISTENING)),
    Row(EVERY, (Intent.REMOVE,), correcting.remove, (*_CART, LISTENING)),
    Row(EVERY, (Intent.CHANGE_QUANTITY, Intent.CHANGE_OPTION), correcting.correct, (*_CART, LISTENING)),
    Row(EVERY, (Intent.CHOOSE,), selecting.choose, (*_ASIDE, IDLE)),
    Row(EVERY, (Intent.DELIVER,), delivering.deliver, _ASIDE),
    # Asides.
    Row(EVERY, (Intent.ASK,), advising.ask, _ASIDE),
    Row(EVERY, (Intent.PRICE,), asides.price, _ASIDE),
    Row(EVERY, (Intent.STOCK,), asides.stock, _ASIDE),
    Row(EVERY, (Intent.STOCK_ALERT,), restocking.tell_when_back, _ASIDE),
    Row(EVERY, (Intent.WHAT_IS_IN_CART,), asides.what_is_in_cart, _ASIDE),
    Row(EVERY, (Intent.ORDER_STATUS,), PERSONAL[Intent.ORDER_STATUS], _ASIDE),
    Row(EVERY, (Intent.LIST_ADD,), PERSONAL[Intent.LIST_ADD], _ASIDE),
    Row(EVERY, (Intent.LIST_READ,), PERSONAL[Intent.LIST_READ], _ASIDE),
    Row(EVERY, (Intent.LIST_REMOVE,), PERSONAL[Intent.LIST_REMOVE], _ASIDE),
    Row(EVERY, (Intent.RUNNING_LOW,), PERSONAL[Intent.RUNNING_LOW], _ASIDE),
    Row(EVERY, (Intent.RETURN_ORDER,), PERSONAL[Intent.RETURN_ORDER], (CHOOSING, LISTENING, DONE)),
    Row(EVERY, (Intent.OFFERS,), PERSONAL[Intent.OFFERS], _ASIDE),
    Row(EVERY, (Intent.WHATS_NEW,), promoting.whats_new, _ASIDE),
    Row(EVERY, (Intent.COUPON,), promoting.use_coupon, (*_ASIDE, IDLE)),
    Row(EVERY, (CouponNamed,), promoting.coupon_named, _ASIDE),
    Row(EVERY, (Intent.WHO_SPEAKS,), identifying.who_speaks, (*_ASIDE, IDLE)),
    Row(EVERY, (Identified,), identifying.tell_who_speaks, _ASIDE),
    Row(EVERY, (Intent.HELP,), asides.give_help, _ASIDE),
    # In every state.
    Row(EVERY, (Intent.STOP,), everywhere.stop, (IDLE,)),
    Row(EVERY, (Intent.CANCEL,), everywhere.cancel, (DONE,)),
    Row(EVERY, (Intent.REPEAT,), everywhere.repeat, _ASIDE),
    Row(EVERY, (Intent.UNKNOWN,), everywhere.not_understood, (*_ASIDE, IDLE)),
    Row(EVERY, (NotHeard,), everywhere.not_heard, (*_ASIDE, IDLE)),
    Row(EVERY, (Silence,), everywhere.silence, (*_ASIDE, IDLE)),
    Row(EVERY, (Woken,), everywhere.carry_on, (CHOOSING, CONFIRMING, DONE)),
    Row(EVERY, (Left,), everywhere.fall_asleep, (IDLE,)),
    Row(EVERY, (Paid,), paying.placed, (DONE,)),
    Row(EVERY, (OrderCancelled,), everywhere.order_cancelled, (DONE,)),
    Row(EVERY, (OrderReturned,), returning.order_returned, (DONE,)),
    Row(EVERY, (Failed,), paying.failed, (DONE,)),
    Row(EVERY, (ChallengeIssued,), everywhere.refuse_challenge, EVERY),
    Row(EVERY, (PaymentDeclined, PaymentUnavailable, PriceChanged), everywhere.ignore, EVERY),
)


def _table() -> dict[tuple[State, Kind], Row]:
    table: dict[tuple[State, Kind], Row] = {}
    for row in ROWS:
        for state in row.states:
            for kind in row.kinds:
                table.setdefault((state, kind), row)
    return table


TABLE: Mapping[tuple[State, Kind], Row] = _table()
"""The row of every state and kind."""
