"""What a catalog's products and options are called when people speak of them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum

from assistant.languages.language import Language
from assistant.languages.pattern import Phrase
from assistant.shop.product import Option, Product


class Naming(IntEnum):
    """How a phrase names a product, most direct first."""

    NAME = 0
    ALIAS = 1
    BRANDED = 2
    GENERIC = 3
    """The last words of a longer name ("milk" of "oat milk")."""


@dataclass(frozen=True)
class ProductPhrase:
    """A way to name a product, words in the singular or plural as the feed has them."""

    words: Phrase
    sku: str
    naming: Naming


@dataclass(frozen=True)
class OptionPhrase:
    """A way to say an option's value; ``value`` None is a wish that the group be left out."""

    words: Phrase
    group: str
    value: str | None


def phrases_of_products(products: Iterable[Product], language: Language) -> tuple[ProductPhrase, ...]:
    """All ways to name the products: name, aliases, with brand, and last words that are no product of their own."""
    found = [phrase for product in products for phrase in phrases_of_product(product, language)]
    taken = {language.forms.stem_all(phrase.words) for phrase in found}
    generic: dict[tuple[Phrase, str], ProductPhrase] = {}
    for phrase in found:
        if phrase.naming > Naming.ALIAS:
            continue
        for begin in range(1, len(phrase.words)):
            words = phrase.words[begin:]
            stems = language.forms.stem_all(words)
            if stems not in taken and any(len(word) > 2 for word in words):
                generic.setdefault((stems, phrase.sku), ProductPhrase(words, phrase.sku, Naming.GENERIC))
    return (*found, *generic.values())


def phrases_of_product(product: Product, language: Language) -> list[ProductPhrase]:
    """All ways to name a product in full: name, aliases, each with the brand and without it."""
    ends: Sequence[str] = language.data["items"]["name_ends"]
    brand = language.normalise_name(product.brand).split()
    found: dict[Phrase, ProductPhrase] = {}
    for naming, names in (
        (Naming.NAME, (product.name(language.code),)),
        (Naming.ALIAS, product.spoken_aliases(language.code)),
    ):
        for name in names:
            for text in dict.fromkeys((name, _shortened(name, ends))):
                words = tuple(language.normalise_name(text).split())
                if not words:
                    continue
                found.setdefault(words, ProductPhrase(words, product.sku, naming))
                if not brand:
                    continue
                if list(words[: len(brand)]) == brand and len(words) > len(brand):
                    bare = words[len(brand) :]
                    found.setdefault(bare, ProductPhrase(bare, product.sku, Naming.ALIAS))
                elif not set(brand) <= set(words):
                    branded = (*brand, *words)
                    found.setdefault(branded, ProductPhrase(branded, product.sku, Naming.BRANDED))
    return list(found.values())


def _shortened(name: str, ends: Sequence[str]) -> str:
    cuts = [name.find(end) for end in ends if name.find(end) > 0]
    return name[: min(cuts)].strip() if cuts else name


def phrases_of_options(options: Iterable[Option], language: Language) -> tuple[OptionPhrase, ...]:
    """All ways to say the values of options."""
    found: dict[tuple[Phrase, str], OptionPhrase] = {}
    for option in options:
        for phrase in _phrases_of_option(option, language):
            found.setdefault((phrase.words, phrase.group), phrase)
    return tuple(found.values())


def _phrases_of_option(option: Option, language: Language) -> list[OptionPhrase]:
    items: Mapping[str, Sequence[str]] = language.data["items"]
    group = tuple(language.normalise_name(option.name).split())
    values = {
        value.value: tuple(
            dict.fromkeys(
                words
                for name in (value.value, *value.aliases)
                if (words := tuple(language.normalise_name(name).split()))
            )
        )
        for value in option.values
    }
    nouns = dict.fromkeys([*([group] if len(group) < 3 else []), *_heads(values.values(), language)])
    found: list[OptionPhrase] = []
    absent: str | None = None
    for value, names in values.items():
        for words in names:
            if " ".join(words) in items["none_values"]:
                absent = value
            elif " ".join(words) in items["yes_values"]:
                found.append(OptionPhrase(group, option.name, value))
            else:
                found += [OptionPhrase(way, option.name, value) for way in _with_group(words, group, language)]
    without = [tuple(negation.split()) for negation in items["negations"]]
    for noun in nouns:
        ways = [(*negation, *noun) for negation in without]
        own = next((phrase.value for phrase in found if phrase.words in ways), absent)
        found += [OptionPhrase(words, option.name, own) for words in ways]
    return found


def _with_group(words: Phrase, group: Phrase, language: Language) -> list[Phrase]:
    """The value alone and together with its group; a bare number means nothing without it."""
    numeral = language.numbers.read_whole(words)
    ways = [] if numeral is not None else [words]
    if len(group) < 3 and group and not set(language.forms.stem_all(group)) & set(language.forms.stem_all(words)):
        ways.append((*words, *group))
        if numeral is not None and numeral > 1:
            ways.append((*words, *language.forms.plural(" ".join(group)).split()))
    return ways


def _heads(values: Iterable[Sequence[Phrase]], language: Language) -> list[Phrase]:
    """Last words of values with several words: "milk" of "a bit of soy milk"."""
    return [words[-1:] for ways in values for words in ways if len(words) > 1]
