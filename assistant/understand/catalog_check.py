"""What in a catalog will be hard to say or to hear. Pure."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from assistant.languages.pattern import Phrase
from assistant.understand.catalog_index import SearchableCatalog
from assistant.understand.product_phrases import Naming

PronounceAll = Callable[[Iterable[str]], Mapping[str, Sequence[Sequence[str]]]]
"""Words → their pronunciations, likeliest first; none for a word that nobody can say."""


@dataclass(frozen=True)
class Clash:
    """Phrases that mean several products: whoever says one of them is asked which.

    Attributes:
        phrases: One that all share, or several that sound the same.
        skus: In the catalog's order.
    """

    phrases: tuple[str, ...]
    skus: tuple[str, ...]


@dataclass(frozen=True)
class CatalogCheck:
    """What was found.

    Attributes:
        indistinct: Products that no words of their own tell from others; each sku with those others.
        same_words: Names and aliases shared by several products.
        same_sound: Names and aliases that differ in spelling only.
        unheard: Words without a pronunciation → the products whose names or options hold them.
    """

    indistinct: Mapping[str, tuple[str, ...]]
    same_words: tuple[Clash, ...]
    same_sound: tuple[Clash, ...]
    unheard: Mapping[str, tuple[str, ...]]


def check_catalog(catalog: SearchableCatalog, pronounce_all: PronounceAll) -> CatalogCheck:
    """Looks at every phrase for every product and option."""
    meanings = _meanings(catalog)
    words_of = _words_of(catalog)
    pronunciations = pronounce_all({word for words in words_of.values() for word in words})
    unheard = {word: () for word in sorted(pronunciations) if not pronunciations[word]}
    return CatalogCheck(
        indistinct=_indistinct(catalog, meanings),
        same_words=tuple(Clash((" ".join(phrase),), skus) for phrase, skus in meanings.items() if len(skus) > 1),
        same_sound=tuple(_same_sound(catalog, meanings, pronunciations)),
        unheard={word: tuple(sku for sku, words in words_of.items() if word in words) for word in unheard},
    )


def _meanings(catalog: SearchableCatalog) -> dict[Phrase, tuple[str, ...]]:
    """Names, aliases and names with brand → the products they mean; the singular and plural of a phrase count once."""
    found: dict[Phrase, tuple[Phrase, dict[str, None]]] = {}
    for phrase in catalog.phrases:
        if phrase.naming is not Naming.GENERIC:
            _, skus = found.setdefault(catalog.language.forms.stem_all(phrase.words), (phrase.words, {}))
            skus[phrase.sku] = None
    return {words: tuple(skus) for words, skus in found.values()}


def _indistinct(catalog: SearchableCatalog, meanings: Mapping[Phrase, Sequence[str]]) -> dict[str, tuple[str, ...]]:
    own = {skus[0] for skus in meanings.values() if len(skus) == 1}
    found = {}
    for sku in catalog.products:
        if sku not in own:
            others = {other for skus in meanings.values() if sku in skus for other in skus if other != sku}
            found[sku] = tuple(other for other in catalog.products if other in others)
    return found


def _words_of(catalog: SearchableCatalog) -> dict[str, set[str]]:
    language = catalog.language
    words: dict[str, set[str]] = {
        sku: set(language.normalise(product.unit).split()) for sku, product in catalog.products.items()
    }
    for phrase in catalog.phrases:
        words[phrase.sku].update(phrase.words)
    for sku in catalog.products:
        words[sku].update(word for option in catalog.option_phrases(sku) for word in option.words)
    return words


def _same_sound(
    catalog: SearchableCatalog,
    meanings: Mapping[Phrase, Sequence[str]],
    pronunciations: Mapping[str, Sequence[Sequence[str]]],
) -> Iterable[Clash]:
    by_sound: dict[tuple[str, ...], list[Phrase]] = {}
    for phrase in meanings:
        said = [pronunciations[word] for word in phrase]
        if all(said):
            by_sound.setdefault(tuple(phone for variants in said for phone in variants[0]), []).append(phrase)
    for phrases in by_sound.values():
        skus = {sku for phrase in phrases for sku in meanings[phrase]}
        # Two spellings of the same products' names are no trouble.
        if len(phrases) > 1 and len(skus) > 1:
            texts = tuple(" ".join(phrase) for phrase in phrases)
            yield Clash(texts, tuple(sku for sku in catalog.products if sku in skus))
