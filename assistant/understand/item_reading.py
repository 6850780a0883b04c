"""The words of an order cut into items: quantity, unit, options and product in whatever order people say them.

A beam search from left to right. Every piece of words has a cost; words that mean nothing here cost most, so that the
cheapest reading is the one that explains most of what was said with the fewest assumptions.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache

from assistant.languages.language import Language
from assistant.languages.pattern import Phrase
from assistant.understand.catalog_index import SearchableCatalog
from assistant.understand.quantities import Measure, QuantityPiece, quantities_of

_BEAM = 48
# Costs: relative to each other; an unknown word weighs as much as six pieces that are understood.
_QUANTITY, _ARTICLE, _UNIT, _PRODUCT, _OPTION, _LINK, _PASSED, _UNKNOWN = 0.3, 0.1, 0.2, 0.5, 0.4, 0.1, 0.35, 3.0
_UNIT_WITHOUT_LINK = 0.45
"""More than an option: "two vanilla cup ice creams" come in cups where that is an option, or are two of a unit."""
_GENERIC = 0.3
_NEXT_ITEM = 0.6
_UNJOINED_QUANTITY, _UNJOINED, _AFTER_LINK = 0.9, 3.4, 8.0
_LATE_QUANTITY = 1.0
_FOREIGN_OPTION = 2.5
_PASSED_MEASURE = 0.6
_UNFINISHED = 3.5
_NO_PRODUCT = 0.6
_DANGLING = 1.0


@dataclass(frozen=True)
class Reading:
    """One item as it was said.

    Attributes:
        quantity: How many; None when nothing was said of it.
        said: Whether the quantity was insisted on (an article does not).
        pack: So many in each pack.
        measure: A measure in place of a count.
        unit: Stems of the unit.
        options: Phrases of options.
        skus: Products that the words name exactly; empty when they name none.
        words: The words for the product, unknown ones included.
        spoken: All words that may be part of the product's name: those for options and a brand too.
        unknown: How many of the words are unknown.
        brand: Skus of a brand that was named; empty when none was.
        pronoun: Whether "one" stands for the product.
    """

    quantity: int | None = None
    said: bool = False
    pack: int = 1
    measure: Measure | None = None
    unit: Phrase = ()
    options: tuple[Phrase, ...] = ()
    skus: tuple[str, ...] = ()
    words: Phrase = ()
    spoken: Phrase = ()
    unknown: int = 0
    brand: frozenset[str] = frozenset()
    pronoun: bool = False

    @property
    def bare(self) -> bool:
        """Whether no product is named."""
        return not self.words

    @property
    def begun(self) -> bool:
        """Whether there is anything in it."""
        return self != Reading()

    @property
    def about_something(self) -> bool:
        """Whether what the item is has been said."""
        return bool(self.words) or self.pronoun


@dataclass(frozen=True)
class _State:
    cost: float
    done: tuple[Reading, ...] = ()
    now: Reading = Reading()
    joined: bool = False
    linked: bool = False

    def with_now(self, cost: float, **changes: object) -> "_State":
        return replace(self, cost=self.cost + cost, now=replace(self.now, **changes), joined=False, linked=False)  # type: ignore[arg-type]

    def next_item(self, cost: float, **changes: object) -> "_State":
        unfinished = 0.0 if self.now.about_something else _UNFINISHED
        total = self.cost + cost + _NEXT_ITEM + unfinished
        return _State(total, (*self.done, self.now), Reading(**changes))  # type: ignore[arg-type]


def read_items(tokens: Sequence[str], catalog: SearchableCatalog) -> tuple[Reading, ...]:
    """The cheapest reading of the words; empty when there are none."""
    words = tuple(tokens)
    if words not in catalog.readings:
        if len(catalog.readings) >= _REMEMBERED:
            catalog.readings.clear()
        catalog.readings[words] = _Reader(words, catalog).read()
    return catalog.readings[words]


_REMEMBERED = 256


class _Reader:
    def __init__(self, tokens: Phrase, catalog: SearchableCatalog) -> None:
        language = catalog.language
        self._tokens = tokens
        self._stems = language.forms.stem_all(tokens)
        self._catalog = catalog
        self._quantities = quantities_of(language)
        self._words = _words_between(language)

    def read(self) -> tuple[Reading, ...]:
        states: list[list[_State]] = [[] for _ in range(len(self._tokens) + 1)]
        states[0] = [_State(0.0)]
        for position in range(len(self._tokens)):
            best: dict[tuple[object, ...], _State] = {}
            for state in states[position]:
                key = (state.done, state.now, state.joined, state.linked)
                if key not in best or state.cost < best[key].cost:
                    best[key] = state
            quantities = tuple(self._quantities.at(self._tokens, position)) if best else ()
            for state in sorted(best.values(), key=lambda one: one.cost)[:_BEAM]:
                for piece in quantities:
                    states[piece.end] += self._with_quantity(state, piece)
                for end, following in self._steps(position, state):
                    states[end].append(following)
        if not states[-1]:
            return ()
        last = min(states[-1], key=self._final_cost)
        return tuple(reading for reading in (*last.done, last.now) if reading.begun)

    def _final_cost(self, state: _State) -> float:
        now = state.now
        if now.about_something:
            unfinished = 0.0
        else:
            # "Two cartons" may answer a question, but a word for a unit after options is rather a product.
            unfinished = _UNFINISHED if state.done or (now.unit and now.options) else _NO_PRODUCT
        return state.cost + unfinished + (_DANGLING if state.joined else 0.0)

    def _steps(self, position: int, state: _State) -> Iterator[tuple[int, _State]]:
        yield from self._with_unit(position, state)
        for end in range(position + 1, min(len(self._tokens), position + self._catalog.longest_phrase) + 1):
            exact, stems = self._tokens[position:end], self._stems[position:end]
            skus = self._catalog.named.get(stems)
            if skus is not None:
                yield from ((end, following) for following in self._with_product(state, exact, stems, skus))
            if exact in self._catalog.option_words or stems in self._catalog.option_words:
                yield from ((end, following) for following in self._with_option(state, exact))
            if stems in self._catalog.brands and not state.now.brand:
                yield (
                    end,
                    state.with_now(_OPTION, brand=self._catalog.brands[stems], spoken=(*state.now.spoken, *exact)),
                )
        yield from self._with_link(position, state)
        yield from self._with_passed_measure(position, state)
        yield position + 1, self._with_unknown(state, self._tokens[position])

    def _with_quantity(self, state: _State, piece: QuantityPiece) -> Iterator[_State]:
        cost = _QUANTITY if piece.said or piece.measure or piece.pack > 1 else _ARTICLE
        values = {"quantity": piece.count, "said": piece.said, "pack": piece.pack, "measure": piece.measure}
        now = state.now
        if now.quantity is None and not now.about_something:
            yield state.with_now(cost + (_LATE_QUANTITY if now.options else 0.0), **values)
        if now.about_something:
            yield state.next_item(cost + (0.0 if state.joined else _UNJOINED_QUANTITY), **values)
            if not now.said and piece.said and not state.joined:
                yield state.with_now(cost + _LATE_QUANTITY, **values)

    def _with_unit(self, position: int, state: _State) -> Iterator[tuple[int, _State]]:
        now = state.now
        may_be_next = state.joined and now.about_something
        may_be_this = not now.unit and (now.said or not now.about_something)
        if not (may_be_next or may_be_this):
            return
        found = [self._quantities.unit_at(self._tokens, position)]
        found += [
            (words, self._quantities.after_link(self._tokens, position + len(words)))
            for words in self._catalog.units
            if self._stems[position : position + len(words)] == words
        ]
        for unit, end in filter(None, found):
            linked = end > position + len(unit)
            if may_be_next and linked:
                yield end, state.next_item(_UNIT, unit=unit)  # "The lemons and the jar of honey": its own unit.
            if may_be_this and (now.quantity is not None or linked):
                late = _LATE_QUANTITY if now.about_something else 0.0
                yield end, state.with_now((_UNIT if linked else _UNIT_WITHOUT_LINK) + late, unit=unit)

    def _with_product(self, state: _State, words: Phrase, stems: Phrase, skus: tuple[str, ...]) -> Iterator[_State]:
        naming = min(self._catalog.by_words[stems].values())
        cost = _PRODUCT + (_GENERIC if naming == max(type(naming)) else 0.0)
        now = state.now
        if not now.skus and not now.pronoun and not (state.linked and now.words):
            if now.options and not any(self._catalog.options_of(sku, now.options) is not None for sku in skus):
                cost += _FOREIGN_OPTION
            yield state.with_now(cost, skus=skus, words=(*now.words, *words), spoken=(*now.spoken, *words))
        if now.about_something:
            unjoined = _AFTER_LINK if state.linked else 0.0 if state.joined else _UNJOINED
            yield state.next_item(cost + unjoined, skus=skus, words=words, spoken=words)

    def _with_option(self, state: _State, phrase: Phrase, cost: float = _OPTION) -> Iterator[_State]:
        now = state.now
        options, spoken = (*now.options, phrase), (*now.spoken, *phrase)
        own = not now.skus or any(self._catalog.options_of(sku, options) is not None for sku in now.skus)
        yield state.with_now(cost + (0.0 if own else _FOREIGN_OPTION), options=options, spoken=spoken)
        if now.about_something:
            yield state.next_item(cost + (0.0 if state.joined else _UNJOINED), options=(phrase,), spoken=phrase)

    def _with_link(self, position: int, state: _State) -> Iterator[tuple[int, _State]]:
        now = state.now
        for words, kind in self._words.items():
            end = position + len(words)
            if self._tokens[position:end] != words:
                continue
            if kind == "join":
                yield end, replace(state, cost=state.cost + _LINK, joined=now.begun)
            elif kind == "link":
                yield end, replace(state, cost=state.cost + _LINK, linked=now.begun)
            elif kind == "passed":
                yield end, replace(state, cost=state.cost + _PASSED)
            elif kind == "pronoun" and (now.options or now.words) and not now.skus and not now.pronoun:
                yield end, state.with_now(_LINK, pronoun=True)

    def _with_passed_measure(self, position: int, state: _State) -> Iterator[tuple[int, _State]]:
        for measure in self._words.measures:
            begin = position + len(measure)
            if self._tokens[position:begin] != measure:
                continue
            for end in range(begin + 1, min(len(self._tokens), begin + self._catalog.longest_phrase) + 1):
                phrase = self._tokens[begin:end]
                if phrase in self._catalog.option_words or self._stems[begin:end] in self._catalog.option_words:
                    for following in self._with_option(state, phrase, _OPTION + _PASSED_MEASURE):
                        yield end, following

    def _with_unknown(self, state: _State, word: str) -> _State:
        now = state.now
        if now.pronoun or (state.joined and now.about_something):
            return state.next_item(_UNKNOWN, words=(word,), spoken=(word,), unknown=1)
        return state.with_now(_UNKNOWN, words=(*now.words, word), spoken=(*now.spoken, word), unknown=now.unknown + 1)


class _Between(dict[Phrase, str]):
    """Words between products and options → what they do there."""

    measures: tuple[Phrase, ...] = ()


@cache
def _words_between(language: Language) -> _Between:
    data = language.data["items"]
    words = _Between()
    for key, kind in (("passed_over", "passed"), ("option_links", "link"), ("joins", "join"), ("pronouns", "pronoun")):
        words.update({tuple(text.split()): kind for text in data[key]})
    words.measures = tuple(tuple(text.split()) for text in data["measures_of_option"])
    return words
