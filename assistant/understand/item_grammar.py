"""The grammar of items: options in any order, product, and options again.

All products with the same options share their rules. Which options have been said is part of the state, so that none
is said twice; a product with very many options has plain loops instead.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations

from assistant.languages.language import Language
from assistant.languages.pattern import Phrase
from assistant.shop.product import Option, Product
from assistant.understand.catalog_words import CatalogWords
from assistant.understand.grammar import Alternatives, Expression, Filler, Reference, Repeat, WordChain, Words
from assistant.understand.grammar import Sequence as InOrder
from assistant.understand.product_phrases import (
    Naming,
    OptionPhrase,
    ProductPhrase,
    phrases_of_options,
    phrases_of_products,
)
from assistant.understand.quantity_grammar import QuantityGrammar, choice, sold_in

# Costs in natural-log units: what each choice would cost with a fair share of probability, so that the branch of
# general words can be compared with it. One of many products or values costs the logarithm of how many there are.
_NAMING = {Naming.NAME: 0.0, Naming.ALIAS: 0.0, Naming.BRANDED: 1.0, Naming.GENERIC: 2.0}
_PLURAL = 0.7
_MENTION = 0.5
"""Saying an option at all."""
_NEGATION = 2.5
_BEFORE_UNUSUAL = 2.5
"""A value before the product that begins like something said after it ("a bit of milk")."""
_LINKED = (0.3, 1.3, 6.0)
"""The first words that link an option to what comes before it; more of them are not heard."""
_JOINED, _UNLINKED = 0.7, 5.5
_NEXT_ITEM, _RARE_JOIN = 3.5, 2.0
_UNKNOWN_ITEM = 11.0
_ANY_OTHER = 1.0
"""A product of a large catalog that is none of the likely ones."""
_MOST_GROUPS = 5


class ItemGrammar:
    """Rules for the items of one catalog.

    Args:
        products: The catalog; of a large one those products that are likely.
        language: Its words.
        words: Of a large catalog all words, so that any product can be said; else None.
    """

    def __init__(self, products: Iterable[Product], language: Language, words: CatalogWords | None = None) -> None:
        self._language = language
        self._words_of_all = words
        self._products = tuple(products)
        self.phrases = phrases_of_products(self._products, language)
        self._by_sku: dict[str, list[ProductPhrase]] = {}
        for phrase in self.phrases:
            self._by_sku.setdefault(phrase.sku, []).append(phrase)
        self._product = math.log(max(1, sum(phrase.naming < Naming.BRANDED for phrase in self.phrases)))
        self.rules: dict[str, Expression] = {}
        self.units = tuple(dict.fromkeys((*self._units_of_products(), *(words.units if words else ()))))
        """What the products are sold in."""
        quantities = QuantityGrammar(self.units, language)
        self.rules |= quantities.rules
        kinds: dict[str, list[tuple[float, Expression]]] = {}
        for number, ((options, unit), skus) in enumerate(self._kinds().items()):
            kinds.setdefault(unit, []).append((0.0, self._write_kind(number, options, skus)))
        any_other = self._write_any_other(words.chain) if words else ()
        for unit in self.units:
            self.rules[sold_in(unit)] = Alternatives((*kinds.get(unit, ()), *any_other))
        known = [kind for alike in kinds.values() for kind in alike]
        self.rules["product"] = Alternatives((*known, *any_other, (_UNKNOWN_ITEM, Filler(0.0))))
        self.rules["item"] = quantities.item
        joins = choice((_RARE_JOIN if number else 0.0, text) for number, text in enumerate(self._words("joins")))
        more = Repeat(InOrder((joins, Reference("item"))), _NEXT_ITEM)
        self.rules["items"] = InOrder((Reference("item"), more))
        self._write_loose_options()

    def _words(self, key: str) -> Sequence[str]:
        words: Sequence[str] = self._language.data["items"][key]
        return words

    def _units_of_products(self) -> Iterable[str]:
        return (self._language.normalise(product.unit) for product in self._products if product.unit)

    def _write_any_other(self, chain: WordChain) -> tuple[tuple[float, Expression], ...]:
        """Any product of a large catalog by the words of all names, with any options."""
        self.rules["names"] = chain
        before = Repeat(Reference("option"), _MENTION)
        after = Repeat(self._linked(Reference("option")), _MENTION)
        return ((_ANY_OTHER, InOrder((before, Reference("names"), after))),)

    def _kinds(self) -> Mapping[tuple[tuple[Option, ...], str], tuple[str, ...]]:
        """Options and unit → the skus that share them."""
        kinds: dict[tuple[tuple[Option, ...], str], tuple[str, ...]] = {}
        for product in self._products:
            kind = (product.options, self._language.normalise(product.unit))
            kinds[kind] = (*kinds.get(kind, ()), product.sku)
        return kinds

    # Products and their options.

    def _write_kind(self, number: int, options: Sequence[Option], skus: Sequence[str]) -> Expression:
        name = f"products{number}"
        self.rules[name] = self._names(skus)
        if not options:
            return Reference(name)
        groups = []
        for index, option in enumerate(options):
            phrases = phrases_of_options((option,), self._language)
            before, after = f"before{number}.{index}", f"after{number}.{index}"
            groups.append((before, after))
            self.rules[before], self.rules[after] = self._values(option, phrases)
        if len(groups) > _MOST_GROUPS:
            return self._loops(name, groups)
        return self._lattice(number, name, groups)

    def _names(self, skus: Sequence[str]) -> Expression:
        costs: dict[str, float] = {}
        for sku in skus:
            for phrase in self._by_sku.get(sku, ()):
                text = " ".join(phrase.words)
                for form, more in ((text, 0.0), (self._language.forms.plural(text), _PLURAL)):
                    cost = self._product + _NAMING[phrase.naming] + more
                    costs[form] = min(cost, costs.get(form, cost))
        return choice((cost, text) for text, cost in costs.items())

    def _values(self, option: Option, phrases: Sequence[OptionPhrase]) -> tuple[Expression, Expression]:
        """The option's values before the product and after it."""
        measures = [tuple(text.split()) for text in self._words("measures_of_option")]
        negations = [tuple(text.split()) for text in self._words("negations")]
        named = {
            self._language.normalise_name(name) for value in option.values for name in (value.value, *value.aliases)
        }
        amounts = any(_starts(tuple(name.split()), measures) for name in named)
        deniable = amounts or any(phrase.value is not None and _starts(phrase.words, negations) for phrase in phrases)
        before: list[tuple[float, str]] = []
        after: list[tuple[float, str]] = []
        for phrase in phrases:
            text = " ".join(phrase.words)
            negated = _starts(phrase.words, negations) and text not in named
            if negated and not (deniable and len(phrase.words) == 2):
                continue
            cost = _MENTION + math.log(len(option.values)) + (_NEGATION if negated else 0.0)
            after.append((cost, text))
            if not negated and not _starts(phrase.words, measures):
                before.append((cost + (_BEFORE_UNUSUAL if amounts else 0.0), text))
        return choice(before), choice(after)

    def _lattice(self, number: int, name: str, groups: Sequence[tuple[str, str]]) -> Expression:
        every = range(len(groups))
        for count in reversed(range(len(groups) + 1)):
            for said in combinations(every, count):
                free = [index for index in every if index not in said]
                following = {index: _mask((*said, index)) for index in free}
                self.rules[f"back{number}.{_mask(said)}"] = Alternatives(
                    (
                        (0.0, Words("")),
                        *(
                            (0.0, self._linked(Reference(groups[index][1]), Reference(f"back{number}.{mask}")))
                            for index, mask in following.items()
                        ),
                    )
                )
                self.rules[f"front{number}.{_mask(said)}"] = Alternatives(
                    (
                        (0.0, InOrder((Reference(name), Reference(f"back{number}.{_mask(said)}")))),
                        *(
                            (0.0, InOrder((Reference(groups[index][0]), Reference(f"front{number}.{mask}"))))
                            for index, mask in following.items()
                        ),
                    )
                )
        return Reference(f"front{number}.{_mask(())}")

    def _loops(self, name: str, groups: Sequence[tuple[str, str]]) -> Expression:
        before = Repeat(Alternatives(tuple((0.0, Reference(front)) for front, _ in groups)))
        after = Repeat(self._linked(Alternatives(tuple((0.0, Reference(back)) for _, back in groups))))
        return InOrder((before, Reference(name), after))

    def _linked(self, *parts: Expression) -> Expression:
        links, joins = self._words("option_links"), self._words("joins")
        link = choice(
            [(_UNLINKED, ""), *((cost, text) for cost, text in zip(_LINKED, links, strict=False))]
            + [(_JOINED, text) for text in joins[:1]]
        )
        return InOrder((link, *parts))

    def _write_loose_options(self) -> None:
        """``option``: any option of any product; ``part``: any word of a product's name."""
        negations = [tuple(text.split()) for text in self._words("negations")]
        words = self._words_of_all
        options = (*(options for options, _ in self._kinds()), *(words.options if words else ()))
        texts = dict.fromkeys(
            " ".join(phrase.words)
            for options in dict.fromkeys(options)
            for phrase in phrases_of_options(options, self._language)
            if phrase.value is not None or not _starts(phrase.words, negations)
        )
        self.rules["option"] = choice((math.log(len(texts)), text) for text in texts)
        named = dict.fromkeys(
            word for phrase in self.phrases if phrase.naming < Naming.GENERIC for word in phrase.words if len(word) > 2
        )
        if words:
            named |= dict.fromkeys(word for word in words.chain.words if word.isalnum() and len(word) > 2)
        cost = max(self._product, math.log(max(1, len(named)))) if words else self._product
        self.rules["part"] = choice((cost, word) for word in named)


def _starts(words: Phrase, beginnings: Iterable[Phrase]) -> bool:
    return any(words[: len(beginning)] == beginning for beginning in beginnings)


def _mask(said: Iterable[int]) -> str:
    return "".join(str(index) for index in sorted(said))
