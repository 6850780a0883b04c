"""How many: articles, numbers, dozens, packs and measures among the words of an order."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from assistant.languages.language import Language
from assistant.languages.pattern import Phrase, expand
from assistant.shop.product import Product

_NUMBER, _SIZE = "{number}", "{size}"


@dataclass(frozen=True)
class Measure:
    """So much of something, in the smallest unit of its dimension ("mass", "volume")."""

    dimension: str
    amount: int


@dataclass(frozen=True)
class QuantityPiece:
    """A quantity among the words.

    Attributes:
        end: Where it ends.
        count: How many.
        said: Whether it insists on the count; an article does not.
        pack: So many in each pack ("two six packs" are 2 with 6 in each); 1 without packs.
        measure: A measure in place of a count.
    """

    end: int
    count: int
    said: bool = True
    pack: int = 1
    measure: Measure | None = None


class Quantities:
    """The quantities of one language."""

    def __init__(self, language: Language) -> None:
        data = language.data["quantities"]
        self._language = language
        self._articles = frozenset(data["articles"])
        self._amounts = [(phrase, value) for pattern, value in data["amounts"].items() for phrase in expand(pattern)]
        self._packs = language.phrases("quantities", "packs", "patterns")
        self._measures: Mapping[str, tuple[str, int]] = {
            language.forms.stem(word): (dimension, amount) for word, (dimension, amount) in data["measures"].items()
        }
        self._fractions: Mapping[Phrase, tuple[int, int]] = {
            tuple(words.split()): (above, below) for words, (above, below) in data["fractions"].items()
        }
        self._links = frozenset(data["units"]["links"])
        self._units = frozenset(language.forms.stem(word) for word in data["units"]["words"])

    def at(self, tokens: Sequence[str], begin: int) -> Iterator[QuantityPiece]:
        """All quantities that begin at ``begin``."""
        yield from self._measures_at(tokens, begin)
        for phrase, value in self._amounts:
            for number, end in self._match(phrase, tokens, begin, _NUMBER):
                yield QuantityPiece(end, value * number)
        for phrase in self._packs:
            for size, end in self._match(phrase, tokens, begin, _SIZE):
                yield QuantityPiece(end, 1, pack=size)
        if tokens[begin] in self._articles:
            yield QuantityPiece(begin + 1, 1, said=False)
            for piece in self._packs_at(tokens, begin + 1):
                yield QuantityPiece(piece.end, 1, pack=piece.pack)
        read = self._language.numbers.read(tokens, begin)
        if read is not None and read[0] > 0:
            count, end = read
            yield QuantityPiece(end, count)
            for piece in self._packs_at(tokens, end):
                yield QuantityPiece(piece.end, count, pack=piece.pack)

    def _packs_at(self, tokens: Sequence[str], begin: int) -> Iterator[QuantityPiece]:
        for phrase in self._packs:
            for size, end in self._match(phrase, tokens, begin, _SIZE):
                yield QuantityPiece(end, 1, pack=size)

    def unit_at(self, tokens: Sequence[str], begin: int) -> tuple[Phrase, int] | None:
        """The stems of a unit word at ``begin`` and where it ends, "of" included."""
        stem = self._language.forms.stem(tokens[begin])
        return ((stem,), self.after_link(tokens, begin + 1)) if stem in self._units else None

    def after_link(self, tokens: Sequence[str], begin: int) -> int:
        """The position after the "of" that may stand at ``begin``."""
        return begin + 1 if begin < len(tokens) and tokens[begin] in self._links else begin

    def _match(self, phrase: Phrase, tokens: Sequence[str], begin: int, slot: str) -> Iterator[tuple[int, int]]:
        """Readings of a pattern at ``begin``: the number in its slot (else 1), and where it ends."""
        value, end = 1, begin
        for part in phrase:
            if end >= len(tokens):
                return
            if part == slot:
                number = self._language.numbers.read(tokens, end)
                if number is None or number[0] < 1:
                    return
                value, end = number
            elif tokens[end] == part:
                end += 1
            else:
                return
        yield value, end

    def _measures_at(self, tokens: Sequence[str], begin: int) -> Iterator[QuantityPiece]:
        amounts = [
            (above, below, begin + len(words))
            for words, (above, below) in self._fractions.items()
            if tuple(tokens[begin : begin + len(words)]) == words
        ]
        number = self._language.numbers.read(tokens, begin)
        if number is not None:
            amounts.append((number[0], 1, number[1]))
        for above, below, end in amounts:
            found = self._measures.get(self._language.forms.stem(tokens[end])) if end < len(tokens) else None
            if found is not None and above:
                measure = Measure(found[0], found[1] * above // below)
                yield QuantityPiece(self.after_link(tokens, end + 1), 1, measure=measure)

    def measure_of(self, text: str) -> Measure | None:
        """The measure that a text such as ``"500 g"`` is, or None when it is anything else."""
        tokens = self._language.normalise(text).split()
        pieces = self._measures_at(tokens, 0) if tokens else iter(())
        return next((piece.measure for piece in pieces if piece.end == len(tokens)), None)


@cache
def quantities_of(language: Language) -> Quantities:
    """The quantities of a language, made once."""
    return Quantities(language)


def fit_measure(product: Product, measure: Measure, quantities: Quantities) -> tuple[int, Mapping[str, str]] | None:
    """How a measure is bought: so many of the product, with these options; None when its packs do not add up to it."""
    for option in product.options:
        for value in option.values:
            if quantities.measure_of(value.value) == measure:
                return 1, {option.name: value.value}
    texts: list[Any] = [product.unit, *product.attributes.values()]
    for text in texts:
        one = quantities.measure_of(str(text))
        if one and one.dimension == measure.dimension and one.amount and measure.amount % one.amount == 0:
            return measure.amount // one.amount, {}
    return None
