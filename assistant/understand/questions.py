"""Questions about products: what is asked, and about which of them."""

from collections.abc import Callable, Mapping
from dataclasses import replace

from assistant.languages.fact_words import fact_words_of
from assistant.languages.language import Language
from assistant.languages.pattern import Phrase
from assistant.understand.answers import answers_of
from assistant.understand.intent_patterns import PatternMatch
from assistant.understand.resolving import Resolved
from assistant.understand.understanding import Inquiry, Intent, Understanding

_ASKS = "ask_"
"""How ``commands.toml`` calls the kinds of questions: this, then the topic."""


def question_kinds(
    language: Language, resolve: Callable[[Phrase], Resolved]
) -> Mapping[str, Callable[[str, PatternMatch], Understanding | None]]:
    """What each kind of question means.

    Args:
        language: What is spoken.
        resolve: The products that words name.
    """

    def understand(text: str, match: PatternMatch) -> Understanding | None:
        inquiry = _inquiry(match, language)
        if inquiry is None:
            return None
        if match["ordinal"]:
            inquiry = replace(inquiry, place=answers_of(language).ordinals.get(match["ordinal"]))
        if not match["items"]:
            return Understanding(text, Intent.ASK, inquiry=inquiry)
        found = resolve(match["items"])
        if not found.promising:
            return None
        return Understanding(text, Intent.ASK, found.items, found.unresolved, inquiry=inquiry)

    kinds = language.data["commands"]["intents"]
    return {kind: understand for kind in kinds if kind.startswith(_ASKS)}


def _inquiry(match: PatternMatch, language: Language) -> Inquiry | None:
    words = fact_words_of(language)
    topic = match.intent.removeprefix(_ASKS)
    if match["fact"]:
        fact = words.facts.get(match["fact"])
        return Inquiry(topic, (fact,), said=" ".join(match["fact"])) if fact else None
    if match["ingredient"]:
        fact = words.ingredients.get(match["ingredient"])
        return Inquiry(topic, (fact,), said=" ".join(match["ingredient"])) if fact else None
    if match["attribute"]:
        attribute = words.attributes.get(match["attribute"], "")
        return Inquiry(topic, attribute=attribute, said=" ".join(match["attribute"])) if attribute else None
    return Inquiry(topic, tuple(dict.fromkeys(words.facts.values())) if topic == "difference" else ())
