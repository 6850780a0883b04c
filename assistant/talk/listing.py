"""The household's shopping list: told, shortened, bought."""

from assistant.shop.orders import Order
from assistant.shop.shopping_list import ListEntry
from assistant.talk.actions import Action, Amount, RemoveFromList, Say
from assistant.talk.flow import go_on, resume
from assistant.talk.shopping import begun
from assistant.talk.situation import Goal, Wish
from assistant.talk.turn import Outcome, Turn


def read_list(turn: Turn) -> Outcome:
    """What is on the list."""
    entries = turn.knowledge.entries
    if not entries:
        return resume(turn, Say("listing.empty"))
    return resume(turn, Say("listing.read", {"things": tuple(_amount(turn, entry) for entry in entries)}))


def remove_from_list(turn: Turn) -> Outcome:
    """Takes things off the list."""
    heard = turn.understanding
    skus = {item.sku for item in heard.items} | {sku for one in heard.unresolved for sku in one.candidates}
    phrases = {item.name for item in heard.items} | {one.phrase for one in heard.unresolved}
    gone = tuple(entry for entry in turn.knowledge.entries if entry.sku in skus or entry.text in phrases)
    if not gone:
        name = sorted(phrases)[0] if phrases else ""
        return resume(turn, Say("listing.not_there", {"name": name}) if name else Say("listing.remove_what"))
    names = tuple(dict.fromkeys(entry.text for entry in gone))
    return resume(turn, RemoveFromList(gone), Say("listing.removed", {"things": names}))


def buy_list(turn: Turn) -> Outcome:
    """Everything on the list is to be bought; what the shop does not have is told and stays on the list."""
    known = [entry for entry in turn.knowledge.entries if entry.sku in turn.knowledge.products]
    missing = tuple(entry.text for entry in turn.knowledge.entries if entry.sku not in turn.knowledge.products)
    said = (Say("listing.not_sold", {"things": missing}),) if missing else ()
    if not known:
        return resume(turn, *said, *(() if missing else (Say("listing.empty"),)))
    wishes = tuple(_wish(turn, entry) for entry in known if not _in_cart(turn, entry))
    situation = begun(turn, Goal.BUY)
    if not wishes:
        return resume(turn, *said, Say("listing.in_cart"))
    return go_on(turn, situation, turn.knowledge.cart, wishes, *said)


def struck_off(turn: Turn, bought: Order) -> tuple[Action, ...]:
    """What was bought is needed no longer: it leaves the list."""
    skus = {line.sku for line in bought.lines}
    gone = tuple(entry for entry in turn.knowledge.entries if entry.sku in skus)
    return (RemoveFromList(gone),) if gone else ()


def _wish(turn: Turn, entry: ListEntry) -> Wish:
    """The entry with the options that were taken the last time it was bought."""
    before = (line for order in turn.knowledge.orders for line in order.lines if line.sku == entry.sku)
    last = next(before, None)
    return Wish(entry.text, entry.quantity, dict(last.options) if last else {}, sku=entry.sku, quantity_said=True)


def _in_cart(turn: Turn, entry: ListEntry) -> bool:
    held = sum(line.quantity for line in turn.knowledge.cart.find(entry.sku or ""))
    return held >= entry.quantity


def _amount(turn: Turn, entry: ListEntry) -> Amount | str:
    product = turn.knowledge.products.get(entry.sku or "")
    if product is None:
        return entry.text
    return Amount(entry.quantity, product.name(turn.knowledge.language), product.unit)
