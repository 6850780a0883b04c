"""A language's words for what products are, what is in them, and how much of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from assistant.languages.language import Language
from assistant.languages.pattern import Phrase, expand
from assistant.shop.facts import Fact


@dataclass(frozen=True, eq=False)
class FactWords:
    """Words and what they mean.

    Attributes:
        facts: Phrase → the fact: "gluten free".
        ingredients: Phrase → the fact that says there is none of it: "gluten".
        attributes: Phrase → the attribute that tells how much of it there is: "fat".
    """

    facts: Mapping[Phrase, Fact]
    ingredients: Mapping[Phrase, Fact]
    attributes: Mapping[Phrase, str]

    @property
    def slots(self) -> Mapping[str, Mapping[Phrase, Fact] | Mapping[Phrase, str]]:
        """The slots of sentences that only these words fill."""
        return {"fact": self.facts, "ingredient": self.ingredients, "attribute": self.attributes}


@cache
def fact_words_of(language: Language) -> FactWords:
    """The words of a language, read once."""
    data = language.data["facts"]
    facts: dict[Phrase, Fact] = {}
    ingredients: dict[Phrase, Fact] = {}
    for name, words in data["facts"].items():
        fact = Fact(
            name,
            tuple(words["says"]),
            tuple(words.get("ingredients", ())),
            tuple(words.get("implied_by", ())),
            tuple(words.get("denied_by", ())),
            tuple(words.get("denied_with", ())),
        )
        facts |= {phrase: fact for text in fact.said for phrase in expand(text)}
        ingredients |= {phrase: fact for text in fact.ingredients for phrase in expand(text)}
    attributes = {
        phrase: name for name, texts in data["attributes"].items() for text in texts for phrase in expand(text)
    }
    return FactWords(facts, ingredients, attributes)
