"""Phrases for products that are spelled or sound nearly like what was said."""

from collections.abc import Callable, Iterator, Sequence
from functools import cached_property

from rapidfuzz import fuzz, process

from assistant.languages.language import Language
from assistant.understand.product_phrases import ProductPhrase

Pronounce = Callable[[str], Sequence[Sequence[str]]]
"""A word's pronunciations, likeliest first, as phones."""

_HEARD_ALIKE = 0.97
"""What an equal sound is worth beside an equal spelling."""
ALIKE = (1.5, -50.0)
"""From a likeness of letters or phones (0-100) to a score: unrelated words have about half their letters in common."""
_MOST = 40
_FLOOR = 60.0


class Likeness:
    """Compares what was said with phrases for products.

    Args:
        phrases: Of all products.
        language: Its stems.
        pronounce: Pronunciations of a word.
    """

    def __init__(self, phrases: Sequence[ProductPhrase], language: Language, pronounce: Pronounce) -> None:
        self._phrases = phrases
        self._stem = language.forms.stem_all
        self._pronounce = pronounce
        self._phones: dict[str, str] = {}
        self._sounds: dict[str, str] = {}

    def phrases_like(self, words: Sequence[str]) -> Iterator[tuple[ProductPhrase, float]]:
        """Phrases and how like them the words are (0-100): the nearest by spelling, then the nearest by sound."""
        yield from _nearest("".join(self._stem(words)), self._texts, self._phrases, 1.0)
        if sound := self._sound(words):
            yield from _nearest(sound, self._said, self._phrases, _HEARD_ALIKE)

    @cached_property
    def _texts(self) -> list[str]:
        return ["".join(self._stem(phrase.words)) for phrase in self._phrases]

    @cached_property
    def _said(self) -> list[str]:
        return [self._sound(phrase.words) for phrase in self._phrases]

    def _sound(self, words: Sequence[str]) -> str:
        """The phones of words, one character each; empty when one of them cannot be said."""
        sounds = [self._sound_of(word) for word in words]
        return "".join(sounds) if all(sounds) else ""

    def _sound_of(self, word: str) -> str:
        if word not in self._sounds:
            variants = self._pronounce(word)
            phones = variants[0] if variants else ()
            self._sounds[word] = "".join(
                self._phones.setdefault(phone, chr(ord("A") + len(self._phones))) for phone in phones
            )
        return self._sounds[word]


def _nearest(
    said: str, texts: Sequence[str], phrases: Sequence[ProductPhrase], worth: float
) -> Iterator[tuple[ProductPhrase, float]]:
    slope, basis = ALIKE
    for _, ratio, number in process.extract(said, texts, scorer=fuzz.ratio, limit=_MOST, score_cutoff=_FLOOR):
        yield phrases[number], max(0.0, slope * ratio * worth + basis)
