"""Words as the index knows them: by their stems, and by the sounds of all of them in a row.

The sounds of a text run on without gaps between words, so that "lawn comb" and "Lancôme" share most of them, and are
cut into overlapping triples: whatever is misheard costs three of them, wherever it stands.
"""

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from assistant.languages.language import Language


class Pronunciations(Protocol):
    """How words are said.

    Attributes:
        digest: Differs when any word is said otherwise.
    """

    digest: str

    def pronounce_all(self, words: Iterable[str]) -> Mapping[str, Sequence[Sequence[str]]]:
        """Words → each one's pronunciations, likeliest first, as phones."""
        ...


SOUNDS = 3
"""Phones in one entry of the index: two are in half of all products, and four are seldom all heard right."""
VARIANTS = 3
"""Ways to say a name that the index knows; dictionary and letter-to-sound differ most over foreign brands."""
_REMEMBERED = 100_000
_ASCII = 94


class SpokenWords:
    """Spelling and sound of words, each word looked up once.

    Args:
        language: Its stems.
        lexicon: How words are said.
        phones: The phones of an index that exists, in its order; a new index begins with none.
    """

    def __init__(self, language: Language, lexicon: Pronunciations, phones: Iterable[str] = ()) -> None:
        self._language = language
        self._lexicon = lexicon
        self._letters = {phone: _letter(number) for number, phone in enumerate(phones)}
        self._sounds: dict[str, tuple[str, ...]] = {}

    @property
    def phones(self) -> tuple[str, ...]:
        """All phones met so far; ``sound`` writes each as one letter, by its place here."""
        return tuple(self._letters)

    def learn(self, words: Iterable[str]) -> None:
        """Looks many words up together, which costs far less than one by one."""
        new = {word for word in words if word not in self._sounds}
        if not new:
            return
        if len(self._sounds) + len(new) > _REMEMBERED:
            self._sounds.clear()
        pronounced = self._lexicon.pronounce_all(sorted(new | {_plain(word) for word in new}))
        for word in sorted(new):
            variants = dict.fromkeys(tuple(phones) for phones in (*pronounced[word], *pronounced[_plain(word)]))
            self._sounds[word] = tuple(self._written(phones) for phones in variants)[:VARIANTS]

    def _written(self, phones: Iterable[str]) -> str:
        return "".join(self._letters.setdefault(phone, _letter(len(self._letters))) for phone in phones)

    def stems(self, words: Sequence[str]) -> tuple[str, ...]:
        """The words without their endings."""
        return self._language.forms.stem_all(words)

    def sound(self, words: Sequence[str]) -> str:
        """The phones of all words in a row, one letter each, as most people say them; none of what cannot be said."""
        return next(iter(self.sounds(words)), "")

    def sounds(self, words: Sequence[str]) -> tuple[str, ...]:
        """The ways to say all words in a row, likeliest first: one for words that all people say alike."""
        self.learn(words)
        known = [variants for word in words if (variants := self._sounds.get(word))]
        ways = max(map(len, known), default=0)
        return tuple(dict.fromkeys("".join(one[min(way, len(one) - 1)] for one in known) for way in range(ways)))

    def words_of(self, text: str) -> tuple[str, ...]:
        """A name as it would be heard."""
        return tuple(self._language.normalise_name(text).split())


def pieces(sound: str) -> list[str]:
    """Overlapping triples of a sound; what is shorter stays whole."""
    if len(sound) <= SOUNDS:
        return [sound] if sound else []
    return [sound[begin : begin + SOUNDS] for begin in range(len(sound) - SOUNDS + 1)]


def _plain(word: str) -> str:
    """Without accents, as a foreign brand is read by whoever does not know them."""
    return "".join(one for one in unicodedata.normalize("NFD", word) if not unicodedata.combining(one))


def _letter(number: int) -> str:
    # No blank among them: 33 to 126, then from U+00C0 on.
    return chr(33 + number) if number < _ASCII else chr(0xC0 + number - _ASCII)
