"""What "it" is: the products that a question or a comparison is about."""

from assistant.shop.cart import CartLine
from assistant.shop.product import Product
from assistant.talk.situation import Situation, TakeSuggestion, WhichProduct
from assistant.talk.turn import Turn


def subject(turn: Turn) -> tuple[Product, ...]:
    """The products that are spoken of: named now, asked about, spoken of last, or in the cart last; at most a few."""
    found = named(turn) or open_question(turn)
    if found:
        return found
    skus = turn.situation.topic
    if not skus and turn.knowledge.cart:
        skus = (turn.knowledge.cart.lines[-1].sku,)
    return products_of(turn, skus)


def named(turn: Turn) -> tuple[Product, ...]:
    """The products that were named now, all that tie included."""
    heard = turn.understanding
    skus = [item.sku for item in heard.items]
    for one in heard.unresolved:
        skus += one.candidates or ((one.suggestion,) if one.suggestion else ())
    return products_of(turn, tuple(dict.fromkeys(skus)))


def open_question(turn: Turn) -> tuple[Product, ...]:
    """The products that the open question is about."""
    question = turn.situation.question
    match question:
        case WhichProduct(_, choices):
            return products_of(turn, choices)
        case TakeSuggestion(_, sku):
            return products_of(turn, (sku,))
        case None:
            return ()
    wish = getattr(question, "wish", None)
    return products_of(turn, (wish.sku,)) if wish is not None and wish.sku else ()


def missed(situation: Situation) -> str | None:
    """The sold-out product in whose place others are being offered, by sku."""
    question = situation.question
    return question.wish.sold_out if isinstance(question, WhichProduct) else None


def line_in_focus(turn: Turn) -> CartLine | None:
    """The line of the cart that was spoken of last; None when something else was."""
    lines, topic = turn.knowledge.cart.lines, turn.situation.topic
    if not topic:
        return lines[-1] if lines else None
    return next((line for line in reversed(lines) if line.sku in topic), None)


def products_of(turn: Turn, skus: tuple[str, ...]) -> tuple[Product, ...]:
    """The products of ``skus`` that the shop sells, each once."""
    products = turn.knowledge.products
    return tuple(products[sku] for sku in dict.fromkeys(skus) if sku in products)
