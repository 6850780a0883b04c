"""The questions about products and orders, as replies."""

from assistant.shop.refunds import left_of, lines_of, refund_of_all
from assistant.talk.actions import Amount, Listen, OptionName, Say
from assistant.talk.combining import values_of
from assistant.talk.situation import (
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
from assistant.talk.wording import amount_of_product, amounts_of, offers
from assistant.understand.understanding import Expecting


def ask(question: Question, knowledge: Knowledge) -> tuple[Say, Listen]:
    """The question in words, and how to listen for its answer."""
    match question:
        case WhichProduct(wish, choices):
            if wish.offered:
                said = Say(f"offer.{wish.offered}", _offered(wish, choices, knowledge))
                return said, Listen(Expecting.CONFIRMATION if len(choices) == 1 else Expecting.CHOICE, choices)
            if len(choices) == 1:
                say = Say("did_you_mean", {"name": offers(choices, knowledge)[0].name})
                return say, Listen(Expecting.CONFIRMATION, choices)
            say = Say("which_product", {"phrase": wish.phrase, "choices": offers(choices, knowledge)})
            return say, Listen(Expecting.CHOICE, choices)
        case WhichOption(wish, group):
            asked = Say(
                "which_option",
                {"name": _name(wish, knowledge), "group": group, "choices": _values(wish, group, knowledge)},
            )
            return asked, Listen(Expecting.CHOICE, _skus(wish))
        case TakeSuggestion(wish, sku):
            name = knowledge.products[sku].name(knowledge.language)
            return Say("take_suggestion", {"phrase": wish.phrase, "name": name}), Listen(Expecting.CONFIRMATION, (sku,))
        case ReallySoMany(wish):
            return Say("really_so_many", {"item": _amount(wish, knowledge)}), _yes_or_no(wish)
        case TakeWhatIsLeft(wish, left):
            return Say("take_what_is_left", {"name": _name(wish, knowledge), "count": left}), _yes_or_no(wish)
        case ReallyCancel(number):
            found = next(order for order in knowledge.orders if order.id == number)
            items = amounts_of(found.lines, knowledge.language)
            return Say("really_cancel", {"items": items, "total": found.total}), Listen(Expecting.CONFIRMATION)
        case ReallyReturn(number, units, countable):
            found = next(order for order in knowledge.orders if order.id == number)
            units = units or left_of(found, knowledge.gone.get(number, {}))
            goods = lines_of(found, units)
            values = {"items": amounts_of(goods, knowledge.language), "total": refund_of_all(found, units)}
            listen = Listen(Expecting.CONFIRMATION, (goods[0].sku,) if len(goods) == 1 else ())
            template = (
                "returning.how_many" if countable else "returning.really_some" if question.units else "returning.really"
            )
            return Say(template, values), listen
        case TakeRecommendation(wish, reason, evidence):
            values = {"item": _amount(wish, knowledge), "name": _name(wish, knowledge), "count": evidence}
            return Say(f"recommend.{reason}", values), _yes_or_no(wish)


def _offered(wish: Wish, choices: tuple[str, ...], knowledge: Knowledge) -> dict[str, object]:
    return {"name": wish.phrase, "choices": offers(choices, knowledge, wish.phrase), "count": len(choices)}


def _yes_or_no(wish: Wish) -> Listen:
    return Listen(Expecting.CONFIRMATION, _skus(wish))


def _skus(wish: Wish) -> tuple[str, ...]:
    return (wish.sku,) if wish.sku else ()


def _name(wish: Wish, knowledge: Knowledge) -> str:
    product = knowledge.products.get(wish.sku or "")
    return product.name(knowledge.language) if product else wish.phrase


def _amount(wish: Wish, knowledge: Knowledge) -> Amount | str:
    product = knowledge.products.get(wish.sku or "")
    return amount_of_product(product, wish.quantity, wish.options, knowledge.language) if product else wish.phrase


def _values(wish: Wish, group: str, knowledge: Knowledge) -> tuple[OptionName, ...]:
    product = knowledge.products.get(wish.sku or "")
    if product is None:
        return ()
    options = [option for option in product.options if option.name == group]
    return tuple(OptionName(group, value) for option in options for value in values_of(product, option, wish.options))
