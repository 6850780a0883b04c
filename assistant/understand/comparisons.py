"""What is wanted by way of what was spoken of: "a cheaper one", "the same brand but decaf", "the second one"."""

from collections.abc import Callable, Mapping

from assistant.languages.fact_words import fact_words_of
from assistant.languages.language import Language
from assistant.languages.pattern import Phrase
from assistant.understand.answers import answers_of
from assistant.understand.intent_patterns import PatternMatch
from assistant.understand.understanding import Brand, Comparison, Intent, Understanding, Wanted

COMPARISONS = (*map(str, Comparison), "with_fact", "same_brand", "other_brand", "which_place")
"""The kinds of sentences that compare, as ``commands.toml`` calls them."""


def comparison_kinds(
    language: Language, is_option: Callable[[Phrase], bool]
) -> Mapping[str, Callable[[str, PatternMatch], Understanding | None]]:
    """What each kind of comparing sentence means.

    Args:
        language: What is spoken.
        is_option: Whether words choose an option of what was spoken of, which then comes first ("decaf").
    """

    def understand(text: str, match: PatternMatch) -> Understanding | None:
        wanted = _wanted(match, language)
        if wanted is None or (match["fact"] and wanted.brand is None and is_option(match["fact"])):
            return None
        return Understanding(text, Intent.CHOOSE, wanted=wanted)

    return dict.fromkeys(COMPARISONS, understand)


def _wanted(match: PatternMatch, language: Language) -> Wanted | None:
    if match.intent == "which_place":
        place = answers_of(language).ordinals.get(match["ordinal"])
        return None if place is None else Wanted(place=place)
    fact = fact_words_of(language).facts.get(match["fact"])
    if match["fact"] and fact is None:
        return None
    match match.intent:
        case "with_fact":
            return Wanted(fact=fact)
        case "same_brand":
            return Wanted(fact=fact, brand=Brand.SAME)
        case "other_brand":
            return Wanted(brand=Brand.OTHER)
        case comparison:
            return Wanted(comparison=Comparison(comparison))
