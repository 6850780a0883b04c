"""Shopping lists, a person's own and the household's: told, shortened, bought."""

from assistant.shop.orders import Order
from assistant.shop.shopping_list import ListEntry
from assistant.talk.actions import Action, Amount, RemoveFromList, Say
from assistant.talk.flow import go_on, resume
from assistant.talk.shopping import begun
from assistant.talk.situation import Goal, Wish
from assistant.talk.turn import Outcome, Turn


def read_list(turn: Turn) -> Outcome:
    """What is on the list: the speaker's own, then the household's."""
    own, shared = _own(turn), _shared(turn)
    said = [_told(turn, own, "read")] if own else []
    said += [_told(turn, shared, "household")] if shared else []
    if turn.knowledge.speaker is not None and not own:
        said.insert(0, Say("listing.empty"))
    return resume(turn, *(said or [_empty(turn)]))


def remove_from_list(turn: Turn) -> Outcome:
    """Takes things off the list: the speaker's own, or what is only on the household's."""
    heard = turn.understanding
    skus = {item.sku for item in heard.items} | {sku for one in heard.unresolved for sku in one.candidates}
    phrases = {item.name for item in heard.items} | {one.phrase for one in heard.unresolved}

    def named(entries: tuple[ListEntry, ...]) -> tuple[ListEntry, ...]:
        return tuple(entry for entry in entries if entry.sku in skus or entry.text in phrases)

    own = named(_own(turn))
    gone = own or named(_shared(turn))
    if not gone:
        name = sorted(phrases)[0] if phrases else ""
        return resume(turn, Say("listing.not_there", {"name": name}) if name else Say("listing.remove_what"))
    names = tuple(dict.fromkeys(entry.text for entry in gone))
    return resume(turn, RemoveFromList(gone), Say("listing.removed" if own else "listing.unshared", {"things": names}))


def buy_list(turn: Turn) -> Outcome:
    """Everything on the list is to be bought; what the shop does not have is told and stays on the list."""
    entries = _own(turn) or _shared(turn)
    known = [entry for entry in entries if entry.sku in turn.knowledge.products]
    missing = tuple(entry.text for entry in entries if entry.sku not in turn.knowledge.products)
    said = (Say("listing.not_sold", {"things": missing}),) if missing else ()
    if not known:
        return resume(turn, *said, *(() if missing else (_empty(turn),)))
    wishes = tuple(_wish(turn, entry) for entry in known if not _in_cart(turn, entry))
    situation = begun(turn, Goal.BUY)
    if not wishes:
        return resume(turn, *said, Say("listing.in_cart"))
    return go_on(turn, situation, turn.knowledge.cart, wishes, *said)


def struck_off(turn: Turn, bought: Order, payer: str | None) -> tuple[Action, ...]:
    """What was bought is needed no longer: it leaves the lists of whoever asked and paid, and the household's."""
    skus = {line.sku for line in bought.lines}
    concerned = (None, payer, turn.situation.speaker)
    gone = tuple(
        entry
        for entry in turn.knowledge.entries
        if entry.sku in skus and (not turn.knowledge.people or entry.person in concerned)
    )
    return (RemoveFromList(gone),) if gone else ()


def _own(turn: Turn) -> tuple[ListEntry, ...]:
    """What is on the speaker's own list; all that there is where people are not told apart."""
    knowledge = turn.knowledge
    if not knowledge.personal:
        return knowledge.entries
    return tuple(entry for entry in knowledge.entries if entry.person is not None)


def _shared(turn: Turn) -> tuple[ListEntry, ...]:
    """What is on the household's list, where people have their own."""
    return tuple(entry for entry in turn.knowledge.entries if turn.knowledge.personal and entry.person is None)


def _empty(turn: Turn) -> Say:
    unknown = turn.knowledge.personal and turn.knowledge.speaker is None
    return Say("listing.household_empty" if unknown else "listing.empty")


def _told(turn: Turn, entries: tuple[ListEntry, ...], template: str) -> Say:
    return Say(f"listing.{template}", {"things": tuple(_amount(turn, entry) for entry in entries)})


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
