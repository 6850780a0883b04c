"""What a voice may hear of where several people are told apart: its own, else the household's. Pure."""

from collections.abc import Collection
from dataclasses import replace

from assistant.talk.situation import Knowledge


def known_to(name: str | None, knowledge: Knowledge, named: Collection[str | None] = ()) -> Knowledge:
    """The knowledge with the orders and lists of one voice; a voice that is not clear has the household's.

    Args:
        name: Whose voice it is; None when that is not clear, or nobody's in particular is wanted.
        knowledge: All there is.
        named: Numbers of orders that everybody may hear of, because they were said.
    """
    whose = {order.id: knowledge.buyers.get(order.id) for order in knowledge.orders}
    theirs = name if name in whose.values() else None
    orders = tuple(order for order in knowledge.orders if whose[order.id] == theirs or order.id in named)
    entries = tuple(entry for entry in knowledge.entries if entry.person in (None, name))
    return replace(knowledge, orders=orders, entries=entries, people=(), personal=True, speaker=name)
