"""What the household usually takes too: offered once, added only on a yes, dropped at anything else."""

from dataclasses import replace

from assistant.shop.cart import Cart
from assistant.shop.habits import recommend
from assistant.talk.inputs import Heard
from assistant.talk.knowing import known_to
from assistant.talk.situation import Situation, TakeRecommendation, Wish
from assistant.talk.turn import Turn
from assistant.understand.understanding import Intent


def recommendation(turn: Turn, situation: Situation, cart: Cart) -> TakeRecommendation | None:
    """What to offer before the cart is read back; None when there was an offer already, or nothing is sure enough."""
    knowledge = turn.knowledge
    unwanted = situation.recommended or not turn.settings.recommendations or knowledge.now is None
    if unwanted or knowledge.now is None or knowledge.obstacle or situation.read_back is not None:
        return None
    # Nobody hears of another's habits: where the voice was not compared, only the household's own count.
    orders = known_to(None, knowledge).orders if knowledge.people else knowledge.orders
    found = recommend(cart, orders, knowledge.products, knowledge.now)
    if found is None:
        return None
    line = found.line
    wish = Wish(line.name(knowledge.language), line.quantity, line.options, sku=line.sku, quantity_said=True)
    return TakeRecommendation(wish, found.reason, found.evidence)


def depends_on_the_voice(turn: Turn, situation: Situation, cart: Cart) -> bool:
    """Whether there is something to offer to one of several people, so that it matters who has just spoken."""
    knowledge = turn.knowledge
    views = (known_to(name, knowledge) for name in knowledge.people if isinstance(turn.event, Heard))
    return any(recommendation(replace(turn, knowledge=view), situation, cart) is not None for view in views)


def taken(turn: Turn, question: TakeRecommendation) -> tuple[Wish, ...]:
    """What a person who was offered something wants of it; nothing unless they said yes or how many."""
    heard = turn.understanding
    if heard.intent is Intent.CONFIRM or (heard.intent is Intent.CHANGE_QUANTITY and not heard.items):
        quantity = heard.quantity if heard.quantity is not None else question.wish.quantity + heard.quantity_delta
        options = {**question.wish.options, **heard.options}
        return (replace(question.wish, quantity=quantity, options=options),) if quantity > 0 else ()
    return ()
