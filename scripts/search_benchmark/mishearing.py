"""Queries as a recogniser would hand them over: sound-alikes from a confusion model, dropped and split words.

A recogniser with general words writes only words that it knows. Whatever it mishears, and every invented brand, comes
out as the known words that sound most like it.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass

from rapidfuzz import process
from rapidfuzz.distance import Levenshtein

from assistant.hear.lexicon import Lexicon
from assistant.languages.language import Language
from assistant.shop.product import Product

CONFUSED = (
    "AA AO AH OW", "AE EH AH", "IH IY EH", "UH UW AH", "EY EH AY", "ER AH R", "AW AO", "OY AO",
    "P B T", "T D K", "K G T", "B V", "F TH S", "DH D V", "S Z SH", "SH CH S", "ZH JH Z", "JH CH",
    "M N", "N NG M", "L W", "R W", "HH F", "Y IY",
)  # fmt: skip
"""Phones, each row by its first, and what they are taken for."""
CONFUSION, DELETION = 0.2, 0.03
"""Part of the phones that are taken for others, and that are not heard at all."""
KINDS = ("clean", "sound-alike", "split", "dropped", "mixed")


@dataclass(frozen=True)
class Query:
    """What was heard when somebody asked for a product.

    Attributes:
        kind: One of ``KINDS``.
        words: As the recogniser wrote them.
        sku: The product.
    """

    kind: str
    words: str
    sku: str


class Mishearing:
    """A recogniser that mishears.

    Args:
        language: How words are written.
        lexicon: The words it knows, and how they sound.
        seed: Of its mistakes.
    """

    def __init__(self, language: Language, lexicon: Lexicon, seed: int = 11) -> None:
        self._language = language
        self._lexicon = lexicon
        self._random = random.Random(seed)
        self._letters: dict[str, str] = {}
        self._known = [word for word in lexicon.words if word.isalpha() and len(word) > 2]
        self._sounds = [self._sound(word) for word in self._known]
        self._confused = {row.split()[0]: row.split()[1:] for row in CONFUSED}

    def ask_for(self, product: Product, kind: str) -> Query:
        """A query for a product, misheard in one of ``KINDS``."""
        name = self._language.normalise_name(f"{product.brand} {product.name(self._language.code)}")
        words = [(word,) for word in name.split()]
        if kind in ("dropped", "mixed") and len(words) > 2:
            del words[self._random.randrange(len(words))]
        heard = [group if self._lexicon.knows(group[0]) else self._split_or_alike(group[0]) for group in words]
        if kind in ("sound-alike", "mixed"):
            for position in self._random.sample(range(len(words)), k=1 + self._random.randrange(2)):
                heard[position] = (self._alike(words[position][0]),)
        if kind == "split":
            position = max(range(len(words)), key=lambda one: (len(words[one][0]), one))
            heard[position] = self._split(words[position][0])
        return Query(kind, " ".join(word for group in heard for word in group), product.sku)

    def _sound(self, word: str) -> str:
        variants = self._lexicon.pronounce(word)
        return self._letters_of(variants[0]) if variants else ""

    def _letters_of(self, phones: Sequence[str]) -> str:
        return "".join(self._letters.setdefault(phone, chr(ord("A") + len(self._letters))) for phone in phones)

    def _heard(self, word: str) -> str:
        """The sounds of a word as they arrive."""
        arrived: list[str] = []
        variants = self._lexicon.pronounce(word)
        for phone in variants[0] if variants else ():
            chance = self._random.random()
            if chance < DELETION:
                continue
            confused = chance < DELETION + CONFUSION and self._confused.get(phone)
            arrived.append(self._random.choice(confused) if confused else phone)
        return self._letters_of(arrived)

    def _nearest(self, sound: str, but: str = "") -> tuple[str, float]:
        """The known word that sounds most like ``sound``, and how far from it."""
        found = process.extract(sound, self._sounds, scorer=Levenshtein.distance, limit=6)
        far = min(one[1] for one in found if self._known[one[2]] != but)
        best = [self._known[one[2]] for one in found if one[1] == far and self._known[one[2]] != but]
        return self._random.choice(best), far

    def _alike(self, word: str) -> str:
        return self._nearest(self._heard(word), but=word)[0]

    def _split(self, word: str) -> tuple[str, ...]:
        """Two known words for one."""
        sound = self._heard(word)
        cuts = range(2, len(sound) - 1)
        if not cuts:
            return (self._nearest(sound)[0],)
        parts = [(self._nearest(sound[:cut]), self._nearest(sound[cut:])) for cut in cuts]
        (first, _), (second, _) = min(parts, key=lambda pair: pair[0][1] + pair[1][1])
        return first, second

    def _split_or_alike(self, word: str) -> tuple[str, ...]:
        return self._split(word) if self._random.random() < 0.5 else (self._alike(word),)
