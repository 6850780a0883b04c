"""Grammars of the benchmark: a café's menu, words in any order, digit strings, a catalog's products."""

import itertools
import math
from collections.abc import Iterable, Mapping, Sequence

from assistant.understand.grammar import Alternatives, Expression, Grammar, Reference, Words
from assistant.understand.grammar import Sequence as InSequence

CARRIERS = (
    "",
    "brew",
    "can i get",
    "can i have",
    "could i get",
    "could i have",
    "get me",
    "give me",
    "i want",
    "i would like",
    "i'd like",
    "i'd like to have",
    "make me",
    "may i have",
)
BEFORE = ("numberOfShots", "roast", "size")
AFTER = ("milkAmount", "sugarAmount")
DRINK = "coffeeDrink"
DIGITS = ("zero", "oh", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


def one_of(choices: Iterable[str]) -> Alternatives:
    """Equally likely texts."""
    texts = tuple(choices)
    return Alternatives(tuple((math.log(len(texts)), Words(text)) for text in texts))


def optional(expression: Expression, cost: float = math.log(2)) -> Alternatives:
    """The expression or nothing."""
    return Alternatives(((cost, expression), (math.log(2), Words(""))))


def menu_grammar(values: Mapping[str, Sequence[str]]) -> Grammar:
    """Orders from a menu: what may stand before the drink in any order, then milk and sugar in any order.

    Args:
        values: Slot → what it can be; the slots of ``BEFORE``, ``AFTER`` and ``DRINK``.
    """
    rules: dict[str, Expression] = {slot: one_of(choices) for slot, choices in values.items()}
    orders = list(itertools.permutations(BEFORE))
    cost = math.log(len(orders))
    rules["before"] = Alternatives(
        tuple((cost, InSequence(tuple(optional(Reference(slot)) for slot in order))) for order in orders)
    )
    tails: list[Expression] = [Words("")]
    for first, second in itertools.permutations(AFTER):
        more = optional(InSequence((one_of(("and", "with", "")), Reference(second))))
        tails.append(InSequence((one_of(("with", "with", "")), Reference(first), more)))
    rules["after"] = Alternatives(tuple((math.log(3), tail) for tail in tails))
    rules["start"] = InSequence(
        (one_of(CARRIERS), one_of(("", "a", "an")), Reference("before"), Reference(DRINK), Reference("after"))
    )
    return Grammar("menu", rules)


def orders_of(names: Iterable[str]) -> Grammar:
    """A carrier phrase and one product of a catalog."""
    carriers = one_of(("i want", "order", "give me", "i'd like", ""))
    return Grammar("catalog", {"start": InSequence((carriers, optional(one_of(("a", "the", "some"))), one_of(names)))})


def slots_of(text: str, values: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """Slot → what was said, the longest fitting value first; words without meaning are skipped."""
    rest, found = f" {text} ", {}
    for slot in (*AFTER, DRINK, *BEFORE):
        for value in sorted(values[slot], key=len, reverse=True):
            if f" {value} " in rest:
                found[slot], rest = value, rest.replace(f" {value} ", " | ", 1)
                break
    return found
