"""Yes, no, ordinals and "the cheaper one": how questions are answered."""

from collections.abc import Mapping
from functools import cache

from assistant.languages.language import Language
from assistant.languages.pattern import Phrase, expand
from assistant.understand.understanding import Expecting, Intent


class Answers:
    """The answers of one language."""

    def __init__(self, language: Language) -> None:
        data = language.data["answers"]
        self._anywhere = dict.fromkeys(language.phrases("answers", "no"), Intent.DENY)
        self._anywhere |= dict.fromkeys(language.phrases("answers", "yes"), Intent.CONFIRM)
        confirmation = dict.fromkeys(language.phrases("answers", "confirmation", "no"), Intent.DENY)
        confirmation |= dict.fromkeys(language.phrases("answers", "confirmation", "yes"), Intent.CONFIRM)
        self._asked = {**confirmation, **self._anywhere}
        self.ordinals: Mapping[Phrase, int] = {
            phrase: place for text, place in data["ordinals"].items() for phrase in expand(text)
        }
        """Ordinals and the positions they mean, from 0; negative from the end."""
        self._by_price: Mapping[Phrase, str] = {
            phrase: which for text, which in data["by_price"].items() for phrase in expand(text)
        }
        self._any = frozenset(language.phrases("answers", "any_of_them", "patterns"))
        self.before_more: Mapping[Phrase, str] = {
            **dict.fromkeys(language.phrases("answers", "corrections", "yes"), "yes"),
            **dict.fromkeys(language.phrases("answers", "corrections", "no"), "no"),
            **dict.fromkeys(language.phrases("answers", "corrections", "not_this"), "not"),
        }
        """What a word before more words stands for: ``yes``, ``no``, ``not``."""

    def yes_or_no(self, tokens: Phrase, expecting: Expecting) -> Intent | None:
        """``CONFIRM`` or ``DENY`` when the words are exactly that."""
        phrases = self._asked if expecting is Expecting.CONFIRMATION else self._anywhere
        return phrases.get(tokens)

    def place(self, tokens: Phrase, count: int) -> int | None:
        """The position that an ordinal means among ``count`` choices, from 0."""
        if tokens in self._any and count:
            return 0
        place = self.ordinals.get(tokens)
        if place is None or not -count <= place < count:
            return None
        return place % count

    def by_price(self, tokens: Phrase) -> str | None:
        """``cheapest`` or ``dearest``."""
        return self._by_price.get(tokens)


@cache
def answers_of(language: Language) -> Answers:
    """The answers of a language, made once."""
    return Answers(language)
