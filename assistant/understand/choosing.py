"""Answers to a question with choices: which of these products, or which value of an option."""

from collections.abc import Sequence

from assistant.languages.pattern import Phrase
from assistant.settings import Understand
from assistant.shop.product import Option, Product
from assistant.understand.answers import answers_of
from assistant.understand.catalog_index import SearchableCatalog
from assistant.understand.item_reading import Reading, read_items
from assistant.understand.resolving import Resolver
from assistant.understand.understanding import Comparison, Intent, Understanding, Unresolved, Wanted


def choose(
    text: str, tokens: Phrase, choices: Sequence[str], catalog: SearchableCatalog, settings: Understand
) -> Understanding | None:
    """What was chosen, or None when the words are no choice.

    Args:
        text: The whole hypothesis.
        tokens: Its words, without politeness.
        choices: Skus that were read out; a single one when an option of it is asked for.
        catalog: The products.
        settings: How sure a match must be.
    """
    products = [catalog.products[sku] for sku in choices if sku in catalog.products]
    if not products or not tokens:
        return None
    if len(products) == 1:
        return _choose_value(text, tokens, products[0], catalog)
    return _choose_product(text, tokens, products, catalog, settings)


def _choose_value(text: str, tokens: Phrase, product: Product, catalog: SearchableCatalog) -> Understanding | None:
    answers = answers_of(catalog.language)
    asked = next((option for option in product.options if option.required and option.default is None), None)
    if asked is not None:
        place = answers.place(tokens, len(asked.values))
        if place is None and (which := answers.by_price(tokens)):
            place = _by_price(which, [product.price_with({asked.name: value.value}).minor for value in asked.values])
        if place is not None:
            return Understanding(text, Intent.CHANGE_OPTION, options={asked.name: asked.values[place].value})
    readings = read_items(tokens, catalog)
    if len(readings) != 1 or readings[0].words or not readings[0].options:
        return _nearly_value(text, tokens, asked, catalog) if asked else None
    options = catalog.options_of(product.sku, readings[0].options)
    if not options:
        return None
    quantity = readings[0].quantity if readings[0].said else None
    return Understanding(text, Intent.CHANGE_OPTION, options=options, quantity=quantity)


def _nearly_value(text: str, tokens: Phrase, asked: Option, catalog: SearchableCatalog) -> Understanding | None:
    """A value of which only a part was said ("linen" of "fresh linen"), if only one value has it."""
    stem = catalog.language.forms.stem_all
    said = set(_content(tokens, catalog))
    values = [
        value.value
        for value in asked.values
        if said
        and any(said <= set(stem(catalog.language.normalise(name).split())) for name in (value.value, *value.aliases))
    ]
    if len(values) != 1:
        return None
    return Understanding(text, Intent.CHANGE_OPTION, options={asked.name: values[0]})


def _choose_product(
    text: str, tokens: Phrase, products: Sequence[Product], catalog: SearchableCatalog, settings: Understand
) -> Understanding | None:
    answers = answers_of(catalog.language)
    resolver = Resolver(catalog, settings)
    skus = [product.sku for product in products]
    place = answers.place(tokens, len(skus))
    if place is None and (which := answers.by_price(tokens)):
        # What each costs the person, deals and member prices included, is not known here.
        wanted = Wanted(Comparison.CHEAPEST if which == "cheapest" else Comparison.DEARER)
        return Understanding(text, Intent.CHOOSE, wanted=wanted)
    if place is not None:
        return Understanding(text, Intent.ORDER, (resolver.item(skus[place], Reading()),))
    readings = read_items(tokens, catalog)
    if len(readings) != 1:
        return None
    reading = readings[0]
    named = [sku for sku in reading.skus if sku in skus]
    if len(named) == 1 and not reading.unknown:
        return Understanding(text, Intent.ORDER, (resolver.item(named[0], reading),))
    if not reading.words and reading.options and not reading.pronoun:
        having = [sku for sku in skus if catalog.options_of(sku, reading.options) is not None]
        if having:
            options = catalog.options_of(having[0], reading.options) or {}
            return Understanding(text, Intent.CHANGE_OPTION, options=options)
    said = set(_content(tokens, catalog))
    holding = [sku for sku in skus if said and said <= _stems_of(sku, catalog)]
    if len(holding) == 1:
        return Understanding(text, Intent.ORDER, (resolver.item(holding[0], _without_options(reading)),))
    if len(holding) > 1:
        return Understanding(text, Intent.ORDER, unresolved=(Unresolved(" ".join(tokens), 1, tuple(holding)),))
    if reading.skus and not reading.unknown:
        return None
    matches = catalog.search(reading.words or tokens, skus)
    if matches and matches[0].score >= settings.score_minimum:
        runner_up = matches[1].score if len(matches) > 1 else 0.0
        if matches[0].score - runner_up >= settings.score_margin:
            return Understanding(text, Intent.ORDER, (resolver.item(matches[0].sku, reading, matches[0].score),))
    return None


def _without_options(reading: Reading) -> Reading:
    return Reading(reading.quantity, reading.said, reading.pack, reading.measure)


def _content(tokens: Phrase, catalog: SearchableCatalog) -> Phrase:
    """Stems of the words that tell choices apart: without "the", "one" and quantities."""
    items = catalog.language.data["items"]
    idle = {word for text in (*items["passed_over"], *items["pronouns"]) for word in text.split()}
    words = [word for word in tokens if word not in idle and catalog.language.numbers.read_whole((word,)) is None]
    return catalog.language.forms.stem_all(
        word for word in words if word not in catalog.language.data["quantities"]["articles"]
    )


def _stems_of(sku: str, catalog: SearchableCatalog) -> set[str]:
    product, language = catalog.products[sku], catalog.language
    names = (product.name(language.code), *product.spoken_aliases(language.code), product.brand, product.unit)
    return {stem for name in names for stem in language.forms.stem_all(language.normalise_name(name).split())}


def _by_price(which: str, prices: Sequence[int]) -> int | None:
    """The position of the cheapest or dearest, or None when several are."""
    price = min(prices) if which == "cheapest" else max(prices)
    return prices.index(price) if prices.count(price) == 1 else None
