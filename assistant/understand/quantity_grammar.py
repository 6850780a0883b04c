"""The grammar of quantities: one, so many, and the units that products are sold in."""

from collections.abc import Iterable

from assistant.languages.language import Language
from assistant.languages.pattern import Phrase, expand
from assistant.understand.grammar import Alternatives, Expression, Reference, Words
from assistant.understand.grammar import Sequence as InOrder

# Costs in natural-log units: a number, an amount or a unit that no product is sold in is one of many.
_NOTHING, _ARTICLE, _DETERMINER = 0.7, 0.0, 1.2
_AMOUNT = 5.0
_NUMBERS = {3: 2.5, 12: 3.5, 99: 7.0}
"""The cost of a number up to so many."""
_MOST = max(_NUMBERS)
_UNIT, _FOREIGN_UNIT = 0.7, 6.0


def choice(branches: Iterable[tuple[float, str | Phrase]]) -> Alternatives:
    """One of several phrases, each once at its lowest cost."""
    costs: dict[str, float] = {}
    for cost, words in branches:
        text = words if isinstance(words, str) else " ".join(words)
        costs[text] = min(cost, costs.get(text, cost))
    return Alternatives(tuple((cost, Words(text)) for text, cost in costs.items()))


def sold_in(unit: str) -> str:
    """The name of the rule for products that are sold in this unit."""
    return f"sold in {unit}"


class QuantityGrammar:
    """Rules for quantities, before the rule ``product`` and the rules ``sold_in(unit)``.

    Args:
        units: What products are sold in.
        language: Its words.
    """

    def __init__(self, units: Iterable[str], language: Language) -> None:
        self._language = language
        self._data = language.data["quantities"]
        self.units = tuple(units)
        self.rules: dict[str, Expression] = {
            "number": choice(self._numbers(1)),
            "one": choice(self._one()),
            "several": choice(self._several()),
            "any unit": choice(self._forms(self._data["units"]["words"], plural=False)),
            "any units": choice(self._forms(self._data["units"]["words"], plural=True)),
        }
        one = self._counted("one", "any unit", plural=False)
        several = self._counted("several", "any units", plural=True)
        self.item = Alternatives(((0.0, one), (0.0, several)))

    def _numbers(self, least: int) -> list[tuple[float, str]]:
        return [
            (next(cost for most, cost in _NUMBERS.items() if number <= most), way)
            for number in range(least, _MOST + 1)
            for way in self._language.numbers.ways(number)
        ]

    def _one(self) -> list[tuple[float, str]]:
        determiners = self._language.data["items"]["determiners"]
        return [
            (_NOTHING, ""),
            *((_ARTICLE, article) for article in self._data["articles"]),
            *((_DETERMINER, word) for word in determiners),
            *((_NUMBERS[3], way) for way in self._language.numbers.ways(1)),
            *self._amounts(1, 1),
        ]

    def _several(self) -> list[tuple[float, str]]:
        return [*self._numbers(2), *self._amounts(2, _MOST)]

    def _amounts(self, least: int, most: int) -> list[tuple[float, str]]:
        return [
            (_AMOUNT, " ".join(phrase))
            for text, value in self._data["amounts"].items()
            for phrase in expand(text)
            if least <= value <= most and not any(part.startswith("{") for part in phrase)
        ]

    def _forms(self, units: Iterable[str], *, plural: bool) -> list[tuple[float, str]]:
        """Units with the word that links them to a product ("cartons of")."""
        words = [self._language.forms.plural(unit) if plural else unit for unit in units]
        return [(0.0, f"{word} {link}".strip()) for word in words for link in self._data["units"]["links"]]

    def _counted(self, quantity: str, any_unit: str, *, plural: bool) -> Expression:
        own: list[tuple[float, Expression]] = [
            (_UNIT, InOrder((choice(self._forms([unit], plural=plural)), Reference(sold_in(unit)))))
            for unit in self.units
        ]
        foreign = InOrder((Reference(any_unit), Reference("product")))
        following = Alternatives(((0.0, Reference("product")), *own, (_FOREIGN_UNIT, foreign)))
        return InOrder((Reference(quantity), following))
