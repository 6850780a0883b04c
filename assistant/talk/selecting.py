"""Something else in place of what was spoken of: "the cheaper one", "a bigger one", "another brand", "the second one".

What is in the cart is replaced, and the cart is read back again; what is not is offered. Nothing is put in unasked.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from assistant.shop.alternatives import alternatives
from assistant.shop.cart import Cart, CartLine
from assistant.shop.comparing import Cost, bigger, biggest, cheaper, cheapest, dearer, dearest, smaller, smallest
from assistant.shop.facts import holds
from assistant.shop.money import Money
from assistant.shop.product import Product
from assistant.shop.sizes import size_option
from assistant.talk.actions import Say
from assistant.talk.asides import say_price
from assistant.talk.flow import ask_again, go_on, resume
from assistant.talk.habits import answer_recommendation
from assistant.talk.settling import MOST_CHOICES, sort_options
from assistant.talk.shopping import begun
from assistant.talk.situation import (
    Goal,
    ReallyCancel,
    ReallyReturn,
    Situation,
    State,
    TakeRecommendation,
    WhichProduct,
    Wish,
)
from assistant.talk.subject import line_in_focus, open_question, products_of, subject
from assistant.talk.turn import Outcome, Turn
from assistant.understand.understanding import Brand, Comparison, Item, Wanted

_UP = {Comparison.BIGGER, Comparison.BIGGEST}
_SIZES = {*_UP, Comparison.SMALLER, Comparison.SMALLEST}
_FURTHEST = {Comparison.BIGGEST, Comparison.SMALLEST}


def choose(turn: Turn) -> Outcome:
    """Something else is wanted than what was spoken of: it is put in its place, or offered where it is not certain."""
    question, wanted = turn.situation.question, turn.understanding.wanted
    if wanted is None or isinstance(question, ReallyCancel | ReallyReturn):
        return ask_again(turn, Say("not_understood"), turn.settings.reprompts)
    if isinstance(question, TakeRecommendation):
        return answer_recommendation(turn, question)
    if isinstance(question, WhichProduct):
        return _among_choices(turn, question, wanted)
    if question is not None:
        products = open_question(turn)
        return _in_place_of(turn, _Place(question.wish, products[0]), wanted) if products else resume(turn)
    line = line_in_focus(turn)
    if line is not None and line.sku in turn.knowledge.products:
        if wanted.place is None:
            return _in_place_of(turn, _in_cart(turn, line), wanted)
        if line.sku in turn.situation.offered:
            return _another_choice(turn, line, wanted)
    spoken_of = subject(turn)
    if not spoken_of:
        return resume(turn, Say("stock_of_what"))
    if len(spoken_of) > 1:
        return _among_topic(turn, spoken_of, wanted)
    if wanted.place is not None:
        return ask_again(turn, Say("not_understood"), turn.settings.reprompts)
    place = _Place(Wish(spoken_of[0].name(turn.knowledge.language)), spoken_of[0])
    return _in_place_of(turn, place, wanted)


@dataclass(frozen=True)
class _Place:
    """What something else is wanted for.

    Attributes:
        wish: With the quantity, and the line of the cart if there is one.
        product: What it is now.
        line: The line of the cart.
    """

    wish: Wish
    product: Product
    line: CartLine | None = None


def _in_cart(turn: Turn, line: CartLine) -> _Place:
    wish = Wish(line.name(turn.knowledge.language), line.quantity, quantity_said=True, replaces=line.key)
    return _Place(wish, turn.knowledge.products[line.sku], line)


def _among_choices(turn: Turn, question: WhichProduct, wanted: Wanted) -> Outcome:
    """One of the choices that were read out, fewer of them, or the question again."""
    choices = open_question(turn)
    found = _these(turn, choices, wanted, question.wish.quantity)
    if not found or (len(found) == len(choices) > 1):
        return ask_again(turn, Say("not_understood"), turn.settings.reprompts)
    return _take(turn, question.wish, found, turn.situation)


def _another_choice(turn: Turn, line: CartLine, wanted: Wanted) -> Outcome:
    """Another of the choices that were read out takes the place of the one that was taken."""
    offered = products_of(turn, turn.situation.offered)
    found = _these(turn, offered, wanted, line.quantity)
    if not found or found[0].sku == line.sku:
        return resume(turn)
    wish = _in_cart(turn, line).wish
    return _take(turn, replace(wish, phrase=found[0].name(turn.knowledge.language)), found, turn.situation)


def _among_topic(turn: Turn, spoken_of: tuple[Product, ...], wanted: Wanted) -> Outcome:
    """One of several products that were just spoken of is to be ordered."""
    found = _these(turn, spoken_of, wanted, 1)
    if not found or len(found) == len(spoken_of):
        return ask_again(turn, Say("not_understood"), turn.settings.reprompts)
    return _take(turn, Wish(found[0].name(turn.knowledge.language)), found, begun(turn, Goal.BUY))


def _in_place_of(turn: Turn, place: _Place, wanted: Wanted) -> Outcome:
    """Another size of the same product, or another product."""
    sized = _other_size(place, wanted)
    wished = place.wish.replaces is not None or turn.situation.question is not None
    if sized is not None and not wished:
        return resume(turn, say_price(turn, place.product, Item(place.product.sku, "", options=sized.options)))
    if sized is not None:
        return go_on(turn, turn.situation, turn.knowledge.cart, (sized, *turn.situation.waiting))
    asked, words = (wanted.fact.name, wanted.fact.said[0]) if wanted.fact else ("", "")
    among = turn.knowledge.perhaps_instead(place.product, words)
    others = alternatives(place.product, among, turn.knowledge.language, asked)
    found = _other(turn, place, others, wanted)
    if not found:
        return resume(turn, _none(place, wanted))
    options = place.line.options if place.line else place.wish.options
    common = {name: value for name, value in options.items() if all(_comes_in(one, name, value) for one in found)}
    wish = replace(place.wish, options=common, sku=None, offered="instead")
    return _take(turn, wish, found, turn.situation) if wished else _offer(turn, wish, found)


def _take(turn: Turn, wish: Wish, found: Sequence[Product], situation: Situation) -> Outcome:
    """Takes the only product that was found; asks where there are several."""
    skus = tuple(product.sku for product in found[:MOST_CHOICES])
    if len(skus) > 1:
        return go_on(turn, situation, turn.knowledge.cart, (replace(wish, candidates=skus), *situation.waiting))
    settled = replace(wish, sku=skus[0], candidates=(), offered="")
    after, actions = go_on(turn, situation, turn.knowledge.cart, (settled, *situation.waiting))
    return (after if after.state is State.IDLE else replace(after, topic=skus)), actions


def _offer(turn: Turn, wish: Wish, found: Sequence[Product]) -> Outcome:
    """Asks whether one of the products is wanted: nothing was ordered yet."""
    skus = tuple(product.sku for product in found[:MOST_CHOICES])
    return go_on(turn, begun(turn, Goal.BUY), turn.knowledge.cart, (replace(wish, candidates=skus),))


def _costs(turn: Turn, quantity: int) -> Cost:
    """What so many of a product cost this household now, deals and member prices included, by themselves."""

    def cost(product: Product) -> Money:
        defaults = {option.name: option.default for option in product.options if option.default is not None}
        line = CartLine(product.sku, product.names, product.price_with(defaults), quantity, defaults, product.unit)
        return _cost_of(turn, line)

    return cost


def _cost_of(turn: Turn, line: CartLine) -> Money:
    return turn.knowledge.bill(Cart(line.unit_price.currency, (line,))).net(0)


def _these(turn: Turn, among: Sequence[Product], wanted: Wanted, quantity: int) -> tuple[Product, ...]:
    """Which of a few products is meant: there "cheaper" is the cheapest of them."""
    if wanted.place is not None:
        return (among[wanted.place],) if -len(among) <= wanted.place < len(among) else ()
    found = tuple(among)
    if wanted.fact is not None:
        fact, language = wanted.fact, turn.knowledge.language
        found = tuple(product for product in found if holds(product, fact, language))
    if wanted.brand is not None or not found:
        return ()
    match wanted.comparison:
        case Comparison.CHEAPER | Comparison.CHEAPEST:
            return cheapest(found, _costs(turn, quantity))
        case Comparison.DEARER:
            return dearest(found, _costs(turn, quantity))
        case Comparison.BIGGER | Comparison.BIGGEST:
            return biggest(found)
        case Comparison.SMALLER | Comparison.SMALLEST:
            return smallest(found)
        case None:
            return found


def _other(turn: Turn, place: _Place, others: Sequence[Product], wanted: Wanted) -> tuple[Product, ...]:
    """Which of a product's alternatives may be meant, likeliest first."""
    product, fact = place.product, wanted.fact
    if fact is not None:
        others = [other for other in others if holds(other, fact, turn.knowledge.language)]
    if wanted.brand is not None:
        same = wanted.brand is Brand.SAME
        others = [other for other in others if other.brand and (other.brand == product.brand) is same]
        name = product.name(turn.knowledge.language)
        if not same and any(other.name(turn.knowledge.language) == name for other in others):
            others = [other for other in others if other.name(turn.knowledge.language) == name]
    cost = _costs(turn, place.wish.quantity)
    price = _cost_of(turn, place.line) if place.line else cost(product)
    match wanted.comparison:
        case Comparison.CHEAPER:
            return cheaper(price, others, product.unit, cost)
        case Comparison.CHEAPEST:
            return cheapest(cheaper(price, others, product.unit, cost), cost)
        case Comparison.DEARER:
            return dearer(price, others, product.unit, cost)
        case Comparison.BIGGER:
            return bigger(product, others)
        case Comparison.BIGGEST:
            return biggest(bigger(product, others))
        case Comparison.SMALLER:
            return smaller(product, others)
        case Comparison.SMALLEST:
            return smallest(smaller(product, others))
        case None:
            return tuple(others)


def _other_size(place: _Place, wanted: Wanted) -> Wish | None:
    """The same product in another of its sizes; None when there is none that is bigger or smaller."""
    option = size_option(place.product)
    options = place.line.options if place.line else place.wish.options
    if option is None or wanted.comparison not in _SIZES:
        return None
    values = [value.value for value in option.values]
    now = options.get(option.name, option.default)
    if now not in values:
        return None
    beyond = values[values.index(now) + 1 :] if wanted.comparison in _UP else values[: values.index(now)][::-1]
    if not beyond:
        return None
    chosen = beyond[-1] if wanted.comparison in _FURTHEST else beyond[0]
    return replace(place.wish, sku=place.product.sku, options={**options, option.name: chosen})


def _comes_in(product: Product, group: str, value: str) -> bool:
    return not sort_options(product, {group: value})[1]


def _none(place: _Place, wanted: Wanted) -> Say:
    """Says that there is nothing like it."""
    values = {"name": place.wish.phrase, "fact": wanted.fact.said[0] if wanted.fact else ""}
    kind = "fact" if wanted.fact else "brand" if wanted.brand else str(wanted.comparison)
    return Say(f"offer.none.{kind}", values)
