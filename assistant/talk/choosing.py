"""Answers to the questions about products and orders."""

from collections.abc import Mapping
from dataclasses import replace

from assistant.shop.product import Product
from assistant.talk.actions import Say
from assistant.talk.combining import values_of
from assistant.talk.correcting import has_correction, new_quantity, take_out
from assistant.talk.flow import ask_again, go_on, resume
from assistant.talk.habits import answer_recommendation
from assistant.talk.returning import answer_about_order
from assistant.talk.settling import sort_options, wish_for, wish_for_unresolved
from assistant.talk.situation import (
    Goal,
    Knowledge,
    Question,
    ReallyCancel,
    ReallyReturn,
    ReallySoMany,
    TakeRecommendation,
    TakeSuggestion,
    TakeWhatIsLeft,
    WhichOption,
    WhichProduct,
    Wish,
)
from assistant.talk.turn import Outcome, Turn
from assistant.understand.understanding import Intent, Understanding


def answer(turn: Turn) -> Outcome:
    """Takes the answer to the open question, or asks again."""
    situation, heard, question = turn.situation, turn.understanding, turn.situation.question
    if question is None:
        return ask_again(turn, Say("not_understood"), turn.settings.reprompts)
    if isinstance(question, ReallyCancel | ReallyReturn):
        return answer_about_order(turn, question)
    if isinstance(question, TakeRecommendation):
        return answer_recommendation(turn, question)
    wishes = _answered(question, question.wish, heard, turn.knowledge)
    if wishes is None:
        return ask_again(turn, Say("not_understood"), turn.settings.reprompts)
    said = () if wishes else (_left_out(question.wish),)
    return go_on(turn, situation, turn.knowledge.cart, wishes + situation.waiting, *said)


def leave_out(turn: Turn) -> Outcome:
    """Something is to be taken out: what is being asked about, or lines of the cart while the question stays."""
    situation, heard, question = turn.situation, turn.understanding, turn.situation.question
    if question is None or isinstance(question, ReallyCancel | ReallyReturn):
        return ask_again(turn, Say("not_understood"), turn.settings.reprompts)
    wish = question.wish
    if not heard.items or any(item.sku in (wish.sku, *wish.candidates) for item in heard.items):
        return go_on(turn, situation, turn.knowledge.cart, situation.waiting, _left_out(wish))
    cart, said = take_out(turn)
    return go_on(turn, situation, cart, (wish, *situation.waiting), said)


def buy_afterwards(turn: Turn) -> Outcome:
    """The person wants to check out: first the open question, then everything is read back."""
    after, actions = resume(turn)
    before = turn.knowledge.cart if after.before is None else after.before
    return replace(after, goal=Goal.BUY, before=before, whole_cart=True), actions


def _answered(question: Question, wish: Wish, heard: Understanding, knowledge: Knowledge) -> tuple[Wish, ...] | None:
    """What takes the place of the wish that was asked about: nothing when it is left out, None when unclear."""
    if heard.intent is Intent.DENY and (not has_correction(heard) or _denies_offer(question, heard)):
        return ()
    if heard.items or any(other.candidates or other.suggestion for other in heard.unresolved):
        return _named(question, wish, heard)
    if not (heard.options or heard.quantity is not None or heard.quantity_delta or heard.intent is Intent.CONFIRM):
        return None
    changed: Wish | None = wish
    if heard.intent is Intent.CONFIRM:
        changed = _accepted(question, wish, knowledge)
    if changed and heard.options:
        changed = _with_options(question, changed, heard.options, knowledge)
    if changed and (heard.quantity is not None or heard.quantity_delta):
        changed = _so_many(question, changed, new_quantity(heard, changed.quantity))
    if changed is None:
        return None
    return (changed,) if changed.quantity else ()


def _left_out(wish: Wish) -> Say:
    """What is said when none of what was asked about is wanted."""
    if wish.offered and wish.replaces:
        return Say("offer.stays", {"name": wish.phrase})
    return Say("okay") if wish.offered else Say("left_out", {"phrase": wish.phrase})


def _denies_offer(question: Question, heard: Understanding) -> bool:
    """Whether "no" names only what was offered ("no, not the bananas")."""
    offered = question.sku if isinstance(question, TakeSuggestion) else None
    return bool(heard.items) and all(item.sku == offered and not item.quantity_said for item in heard.items)


def _named(question: Question, wish: Wish, heard: Understanding) -> tuple[Wish, ...]:
    """Products were named: the first is meant instead of the words that were asked about."""
    named = [*map(wish_for, heard.items), *map(wish_for_unresolved, heard.unresolved)]
    first = named[0]
    offered = question.choices if isinstance(question, WhichProduct) else (wish.sku, wish.suggestion)
    options = {**wish.options, **first.options} if first.sku in offered else first.options
    quantity = first.quantity if first.quantity_said else new_quantity(heard, wish.quantity)
    first = replace(first, options={**options, **heard.options}, replaces=wish.replaces)
    first = _so_many(question, first, quantity)
    return (*((first,) if quantity else ()), *named[1:])


def _accepted(question: Question, wish: Wish, knowledge: Knowledge) -> Wish | None:
    match question:
        case WhichOption(group=group):
            product = knowledge.products.get(wish.sku or "")
            return _only_value(product, group, wish) if product else None
        case TakeSuggestion(sku=sku) | WhichProduct(choices=(sku,)):
            return replace(wish, sku=sku)
        case ReallySoMany():
            return replace(wish, quantity_sure=True)
        case TakeWhatIsLeft(left=left):
            return replace(wish, quantity=left, quantity_sure=True)
        case _:
            return None


def _only_value(product: Product, group: str, wish: Wish) -> Wish | None:
    """The wish with the only value that was read out; None where there were several."""
    values = [value for one in product.options if one.name == group for value in values_of(product, one, wish.options)]
    return replace(wish, options={**wish.options, group: values[0]}) if len(values) == 1 else None


def _with_options(question: Question, wish: Wish, options: Mapping[str, str], knowledge: Knowledge) -> Wish | None:
    """The wish with options that were said; they may also tell which of the choices is meant."""
    skus = question.choices if wish.sku is None and isinstance(question, WhichProduct) else (wish.sku,)
    products = [knowledge.products[sku] for sku in skus if sku is not None and sku in knowledge.products]
    fitting = [product for product in products if not sort_options(product, options)[1]]
    if not fitting:
        return None
    sku = fitting[0].sku if len(fitting) == 1 else None
    candidates = tuple(product.sku for product in fitting) if sku is None else ()
    return replace(wish, sku=sku, candidates=candidates, options={**wish.options, **options})


def _so_many(question: Question, wish: Wish, quantity: int) -> Wish:
    """The wish with a quantity that was said; the same large one again is meant."""
    insisted = isinstance(question, ReallySoMany) and question.wish.quantity == quantity
    return replace(wish, quantity=quantity, quantity_said=True, quantity_sure=insisted or wish.quantity_sure)
