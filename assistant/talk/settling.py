"""From wishes to lines of the cart: what is certain is put in, the first thing that is not becomes a question."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from assistant.settings import Talk
from assistant.shop.alternatives import alternatives
from assistant.shop.cart import Cart, line_for, missing_options
from assistant.shop.product import Product
from assistant.talk.actions import OptionName, Say
from assistant.talk.combining import apart, completed, left_beside, other_choice
from assistant.talk.situation import (
    Knowledge,
    Question,
    ReallySoMany,
    TakeSuggestion,
    TakeWhatIsLeft,
    WhichOption,
    WhichProduct,
    Wish,
)
from assistant.understand.understanding import Item, Understanding, Unresolved

MOST_CHOICES = 3
"""More than three cannot be kept in mind when they are spoken."""


@dataclass(frozen=True)
class Settled:
    """What became of wishes.

    Attributes:
        cart: With everything that is certain.
        notices: What the person has to be told.
        question: What has to be asked first, or None.
        waiting: Wishes to settle after it.
    """

    cart: Cart
    notices: tuple[Say, ...] = ()
    question: Question | None = None
    waiting: tuple[Wish, ...] = field(default=())


def wishes_of(understanding: Understanding) -> tuple[Wish, ...]:
    """The products that were asked for."""
    return (*map(wish_for, understanding.items), *map(wish_for_unresolved, understanding.unresolved))


def wish_for(item: Item) -> Wish:
    """A wish for a product that is certain."""
    return Wish(item.name, item.quantity, item.options, sku=item.sku, quantity_said=item.quantity_said)


def wish_for_unresolved(unresolved: Unresolved) -> Wish:
    """A wish for a product that has to be asked about."""
    return Wish(
        unresolved.phrase,
        unresolved.quantity,
        unresolved.options,
        candidates=unresolved.candidates,
        suggestion=unresolved.suggestion,
        quantity_said=unresolved.quantity_said,
    )


def settle(cart: Cart, wishes: tuple[Wish, ...], knowledge: Knowledge, settings: Talk) -> Settled:
    """Puts wishes into the cart, one after the other, up to the first question."""
    notices: tuple[Say, ...] = ()
    for number, wish in enumerate(wishes):
        one = _settle_one(cart, wish, knowledge, settings)
        cart, notices = one.cart, notices + one.notices
        if one.question:
            return Settled(cart, notices, one.question, wishes[number + 1 :])
    return Settled(cart, notices)


def _settle_one(cart: Cart, wish: Wish, knowledge: Knowledge, settings: Talk) -> Settled:
    if wish.sku is None:
        return _search(cart, wish, knowledge)
    product = knowledge.products.get(wish.sku)
    if product is None:
        return Settled(cart, (Say("not_found", {"phrase": wish.phrase}),))
    name = product.name(knowledge.language)
    if product.price.currency != cart.currency:
        return Settled(cart, (Say("not_sold_here", {"name": name}),))
    known, unknown = sort_options(product, wish.options)
    notices = tuple(
        Say("option_unknown", {"name": name, "option": OptionName(group, value)}) for group, value in unknown.items()
    )
    if (group := apart(product, known)) is not None:
        together = tuple(OptionName(name, value) for name, value in known.items())
        rest = {name: value for name, value in known.items() if name != group}
        told = (Say("options_apart", {"name": name, "options": together}),) if group in known else ()
        return Settled(cart, (*notices, *told), WhichOption(replace(wish, options=rest), group))
    wish = replace(wish, options=completed(product, known))
    missing = missing_options(product, wish.options)
    if missing:
        return Settled(cart, notices, WhichOption(wish, missing[0].name))
    if wish.quantity > settings.most_quantity and not wish.quantity_sure:
        return Settled(cart, notices, ReallySoMany(wish))
    beside = cart.change_quantity(wish.replaces, 0) if _holds(cart, wish) and wish.replaces else cart
    left = left_beside(product, wish.options, beside)
    if left == 0:
        return _sold_out(cart, wish, product, knowledge, notices)
    if left is not None and left < wish.quantity:
        return Settled(cart, notices, TakeWhatIsLeft(wish, left))
    return Settled(beside.add(line_for(product, wish.quantity, wish.options)), notices)


def _sold_out(cart: Cart, wish: Wish, product: Product, knowledge: Knowledge, notices: tuple[Say, ...]) -> Settled:
    """Offers what may take the product's place; nothing is put in unasked."""
    name = product.name(knowledge.language)
    if (product.stock is None or product.stock > 0) and (group := other_choice(product, wish.options)):
        chosen = tuple(OptionName(name, value) for name, value in wish.options.items())
        rest = {name: value for name, value in wish.options.items() if name != group}
        told = Say("options_sold_out", {"name": name, "options": chosen})
        return Settled(cart, (*notices, told), WhichOption(replace(wish, options=rest), group))
    instead = alternatives(product, knowledge.perhaps_instead(product), knowledge.language)[:MOST_CHOICES]
    if not instead:
        return Settled(cart, (*notices, Say("restocking.sold_out", {"name": name})))
    skus = tuple(other.sku for other in instead)
    other = replace(wish, phrase=name, sku=None, candidates=skus, options={}, offered="sold_out", sold_out=product.sku)
    return Settled(cart, notices, WhichProduct(other, skus))


def _search(cart: Cart, wish: Wish, knowledge: Knowledge) -> Settled:
    candidates = tuple(sku for sku in wish.candidates if sku in knowledge.products)[:MOST_CHOICES]
    if candidates:
        return Settled(cart, question=WhichProduct(wish, candidates))
    if wish.suggestion is not None and wish.suggestion in knowledge.products:
        return Settled(cart, question=TakeSuggestion(wish, wish.suggestion))
    return Settled(cart, (Say("not_found", {"phrase": wish.phrase}),))


def _holds(cart: Cart, wish: Wish) -> bool:
    return any(line.key == wish.replaces for line in cart.lines)


def sort_options(product: Product, options: Mapping[str, str]) -> tuple[dict[str, str], dict[str, str]]:
    """The options that the product has, and those it does not have."""
    possible = {option.name: {value.value for value in option.values} for option in product.options}
    known = {group: value for group, value in options.items() if value in possible.get(group, ())}
    return known, {group: value for group, value in options.items() if group not in known}


def fit_to_shop(cart: Cart, knowledge: Knowledge) -> tuple[Cart, tuple[Say, ...]]:
    """The cart at today's prices and with no more than there is in stock, and what to tell about the difference."""
    language = knowledge.language
    fitted = cart.repriced(knowledge.products)
    gone = tuple(line for line in cart.lines if not any(line.key == other.key for other in fitted.lines))
    notices = [Say("no_longer_sold", {"name": line.name(language)}) for line in gone]
    if any(
        line.key == other.key and line.unit_price != other.unit_price for line in cart.lines for other in fitted.lines
    ):
        notices.append(Say("price_changed"))
    for line in fitted.lines:
        product = knowledge.products[line.sku]
        left = left_beside(product, line.options, fitted.change_quantity(line.key, 0))
        if left is not None and left < line.quantity:
            fitted = fitted.change_quantity(line.key, left)
            reduced = {"name": line.name(language), "count": left}
            notices.append(Say("reduced_to_stock" if left else "out_of_stock", reduced))
    return fitted, tuple(notices)
