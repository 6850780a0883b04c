"""Changing what is in the cart: quantities, options, another product instead, nothing at all."""

from collections.abc import Mapping
from dataclasses import replace

from assistant.shop.cart import Cart, CartLine
from assistant.talk.actions import Amount, OptionName, Say
from assistant.talk.flow import changed, go_on, resume
from assistant.talk.settling import sort_options, wish_for, wish_for_unresolved
from assistant.talk.situation import Wish
from assistant.talk.turn import Outcome, Turn
from assistant.talk.wording import options_of
from assistant.understand.understanding import Item, Understanding


def has_correction(heard: Understanding) -> bool:
    """Whether more than a bare "no" was said."""
    return bool(heard.items or heard.unresolved or heard.options or heard.quantity is not None or heard.quantity_delta)


def new_quantity(heard: Understanding, quantity: int) -> int:
    """The quantity after "three", "one more" or "two fewer"; 0 means none at all."""
    return max(0, heard.quantity if heard.quantity is not None else quantity + heard.quantity_delta)


def correct(turn: Turn) -> Outcome:
    """Quantity, options or the product itself were not what was meant; unnamed, the line in focus is."""
    cart = turn.knowledge.cart
    heard = _as_in_cart(cart, turn.understanding)
    wishes = _named(cart, heard) or _unnamed(turn)
    if not wishes:
        if not cart:
            return resume(turn, Say("cart_empty"))
        return resume(turn, _no_such_option(cart.lines[-1].name(turn.knowledge.language), turn.understanding.options))
    for wish in wishes:
        refused = _refused_options(turn, wish)
        if refused:
            return resume(turn, refused)
        if wish.quantity < 1 and any(line.key == wish.replaces for line in cart.lines) and wish.replaces:
            cart = cart.change_quantity(wish.replaces, 0)
    wanted = tuple(wish for wish in wishes if wish.quantity >= 1)
    return go_on(turn, turn.situation, cart, wanted)


def remove(turn: Turn) -> Outcome:
    """Products, or so many of them, are to be taken out; unnamed, the line in focus is."""
    cart, said = take_out(turn)
    return resume(turn, said) if cart == turn.knowledge.cart else changed(turn, cart, said)


def take_out(turn: Turn) -> tuple[Cart, Say]:
    """The cart without what is to be removed, and what to say; the cart is the same when nothing can be."""
    cart, language = turn.knowledge.cart, turn.knowledge.language
    heard = _as_in_cart(cart, turn.understanding)
    if not cart:
        return cart, Say("cart_empty")
    missing = [item.name for item in heard.items if not _lines_of(cart, item)]
    missing += [unresolved.phrase for unresolved in heard.unresolved]
    if missing:
        return cart, Say("not_in_cart", {"name": missing[0]})
    removed: list[Amount] = []
    for line, quantity in _removals(cart, heard):
        count = min(quantity or line.quantity, line.quantity)
        removed.append(Amount(count, line.name(language), line.unit, options_of(line.options)))
        cart = cart.change_quantity(line.key, line.quantity - count)
    return cart, Say("removed", {"items": tuple(removed)})


def _as_in_cart(cart: Cart, heard: Understanding) -> Understanding:
    """Where several products tie and one of them is in the cart, that one is meant."""
    items, unresolved = list(heard.items), []
    for tie in heard.unresolved:
        held = [sku for sku in tie.candidates if cart.find(sku)]
        if len(held) == 1:
            items.append(Item(held[0], tie.phrase, tie.quantity, tie.options, quantity_said=tie.quantity_said))
        else:
            unresolved.append(tie)
    return replace(heard, items=tuple(items), unresolved=tuple(unresolved))


def _removals(cart: Cart, heard: Understanding) -> list[tuple[CartLine, int | None]]:
    """Lines to remove, each once, with how many of them; None is all."""
    if not heard.items:
        return [(cart.lines[-1], heard.quantity)]
    removals: list[tuple[CartLine, int | None]] = []
    for item in heard.items:
        lines = [line for line in _lines_of(cart, item) if all(line is not other for other, _ in removals)]
        if item.quantity_said:
            removals += [(line, item.quantity) for line in lines[-1:]]
        else:
            removals += [(line, None) for line in lines]
    return removals


def _named(cart: Cart, heard: Understanding) -> tuple[Wish, ...]:
    wishes: list[Wish] = []
    for item in heard.items:
        line = _line_of(cart, item)
        if line:
            quantity = item.quantity if item.quantity_said else new_quantity(heard, line.quantity)
            options = {**line.options, **item.options, **heard.options}
            wishes.append(Wish(item.name, quantity, options, sku=item.sku, quantity_said=True, replaces=line.key))
        else:
            wishes.append(_instead(cart, heard, wish_for(item), first=not wishes))
    for unresolved in heard.unresolved:
        wishes.append(_instead(cart, heard, wish_for_unresolved(unresolved), first=not wishes))
    return tuple(wishes)


def _instead(cart: Cart, heard: Understanding, wish: Wish, *, first: bool) -> Wish:
    """The wish in place of the line in focus, as many as there were of it."""
    if not first or not cart:
        return wish
    focus = cart.lines[-1]
    quantity = wish.quantity if wish.quantity_said else new_quantity(heard, focus.quantity)
    return replace(wish, quantity=quantity, options={**wish.options, **heard.options}, replaces=focus.key)


def _unnamed(turn: Turn) -> tuple[Wish, ...]:
    heard, knowledge = turn.understanding, turn.knowledge
    for line in reversed(knowledge.cart.lines):
        product = knowledge.products.get(line.sku)
        if product and not sort_options(product, heard.options)[1]:
            quantity = new_quantity(heard, line.quantity)
            options = {**line.options, **heard.options}
            name = line.name(knowledge.language)
            return (Wish(name, quantity, options, sku=line.sku, quantity_said=True, replaces=line.key),)
    return ()


def _lines_of(cart: Cart, item: Item) -> list[CartLine]:
    return [line for line in cart.find(item.sku) if _has(line, item.options)]


def _line_of(cart: Cart, item: Item) -> CartLine | None:
    lines = [*cart.find(item.sku), *_lines_of(cart, item)]
    return lines[-1] if lines else None


def _has(line: CartLine, options: Mapping[str, str]) -> bool:
    return all(line.options.get(group) == value for group, value in options.items())


def _refused_options(turn: Turn, wish: Wish) -> Say | None:
    """What to say when a line of the cart cannot become what was wished."""
    product = turn.knowledge.products.get(wish.sku or "")
    if product is None or wish.replaces is None:
        return None
    refused = sort_options(product, wish.options)[1]
    return _no_such_option(product.name(turn.knowledge.language), refused) if refused else None


def _no_such_option(name: str, options: Mapping[str, str]) -> Say:
    group, value = next(iter(options.items()))
    return Say("option_unknown", {"name": name, "option": OptionName(group, value)})
