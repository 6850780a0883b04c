"""What the index keeps of a product: how it is called, how that sounds, and what tells equal names apart."""

from collections.abc import Iterable
from dataclasses import dataclass

from assistant.languages.language import Language
from assistant.shop.product import Product
from assistant.shop.search.spoken_words import SpokenWords
from assistant.understand.product_phrases import phrases_of_product


@dataclass(frozen=True)
class Entry:
    """One product of the index.

    Attributes:
        sku: Its key.
        names: As they would be heard: with the brand, without it, aliases, the brand alone.
        sounds: Of each name the ways to say it, in the same order (see ``SpokenWords.sounds``).
        stems: Of the words of all names; only needed to make an index, and empty when read from one.
        called: Stems of each way to name it in full; only needed to make an index, too.
        more: Stems of words that describe it but are in no name: options and category.
        price: In minor units of the catalog's currency.
        sold: Units sold so far.
    """

    sku: str
    names: tuple[str, ...]
    sounds: tuple[tuple[str, ...], ...]
    stems: tuple[str, ...] = ()
    called: tuple[tuple[str, ...], ...] = ()
    more: frozenset[str] = frozenset()
    price: int = 0
    sold: int = 0


def entries_of(products: Iterable[Product], language: Language, spoken: SpokenWords) -> list[Entry]:
    """Entries of some products; their words are learned together. What has no name that can be heard is left out.

    Args:
        products: At most some thousands at a time.
        language: Whose names.
        spoken: Spelling and sound.
    """
    products = tuple(products)
    named = [tuple(dict.fromkeys(filter(None, _names(product, language, spoken)))) for product in products]
    spoken.learn({word for names in named for words in names for word in words})
    return [_entry(product, names, language, spoken) for product, names in zip(products, named, strict=True) if names]


def _names(product: Product, language: Language, spoken: SpokenWords) -> Iterable[tuple[str, ...]]:
    brand, name = spoken.words_of(product.brand), spoken.words_of(product.name(language.code))
    yield name if set(brand) <= set(name) else (*brand, *name)
    yield name
    yield from (spoken.words_of(alias) for alias in product.spoken_aliases(language.code))
    yield brand


def _entry(product: Product, names: tuple[tuple[str, ...], ...], language: Language, spoken: SpokenWords) -> Entry:
    values = (name for option in product.options for value in option.values for name in (value.value, *value.aliases))
    described = (product.category, *values)
    stems = dict.fromkeys(stem for words in names for stem in spoken.stems(words))
    more = {stem for text in described for stem in spoken.stems(spoken.words_of(text))} - set(stems)
    return Entry(
        product.sku,
        tuple(" ".join(words) for words in names),
        tuple(spoken.sounds(words) for words in names),
        tuple(stems),
        tuple(dict.fromkeys(spoken.stems(phrase.words) for phrase in phrases_of_product(product, language))),
        frozenset(more),
        product.price.minor,
    )
