"""The best of some hundred candidates: by spelling and sound, then by what the household and others buy. Pure."""

import math
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from rapidfuzz import fuzz, process

from assistant.shop.search.entry import Entry
from assistant.shop.search.spoken_words import SpokenWords

_SPELLING, _SOUND = 0.3, 0.7
"""What an equal spelling and an equal sound are worth: who asks for a product says it, nobody types it."""
_SHORTER = 0.92
"""What a product's other names are worth beside its full one, brand included: another brand's shorter name must not win
when the brand was misheard."""
_BOUGHT, _POPULAR = 6.0, 2.0
"""How much better (0-100) a product counts that the household has bought, and the one that all buy most."""


@dataclass(frozen=True)
class Found:
    """A product that was found.

    Attributes:
        sku: Its key.
        score: How well it fits what was said (0-100); habits change the order, never the score.
        missing: Stems of what was said that are in none of its names.
    """

    sku: str
    score: float
    missing: frozenset[str] = frozenset()


def rank(
    words: Sequence[str], entries: Sequence[Entry], spoken: SpokenWords, bought: Collection[str] = ()
) -> tuple[Found, ...]:
    """Candidates, best first.

    Args:
        words: What was said, as it would be heard.
        entries: The candidates.
        spoken: Spelling and sound.
        bought: Skus that the household has bought before.
    """
    most = max((entry.sold for entry in entries), default=0)
    placed = []
    said, stems = frozenset(spoken.stems(words)), _stems(entries, spoken)
    for entry, score in zip(entries, _scores(tuple(words), entries, spoken), strict=True):
        popularity = math.log1p(entry.sold) / math.log1p(most) if most else 0.0
        place = score + _POPULAR * popularity + (_BOUGHT if entry.sku in bought else 0.0)
        missing = said.difference(stems[word] for name in entry.names for word in name.split())
        placed.append((-place, entry.price, entry.sku, Found(entry.sku, score, missing)))
    return tuple(found for _, _, _, found in sorted(placed, key=lambda one: one[:3]))


def _stems(entries: Sequence[Entry], spoken: SpokenWords) -> dict[str, str]:
    """Every word of all names → its stem."""
    words = tuple({word for entry in entries for name in entry.names for word in name.split()})
    return dict(zip(words, spoken.stems(words), strict=True))


def _scores(words: tuple[str, ...], entries: Sequence[Entry], spoken: SpokenWords) -> list[float]:
    """How well each candidate fits: by all words, or by those that are no option or category of it."""
    scores = _likenesses(words, entries, spoken)
    stems = spoken.stems(words)
    described: dict[tuple[str, ...], list[int]] = defaultdict(list)
    for number, entry in enumerate(entries):
        if not entry.more.isdisjoint(stems):
            rest = tuple(word for word, stem in zip(words, stems, strict=True) if stem not in entry.more)
            described[rest].append(number)
    for rest, numbers in described.items():
        likenesses = (
            _likenesses(rest, [entries[number] for number in numbers], spoken) if rest else [0.0] * len(numbers)
        )
        for number, likeness in zip(numbers, likenesses, strict=True):
            scores[number] = max(scores[number], likeness)
    return scores


def _likenesses(words: tuple[str, ...], entries: Sequence[Entry], spoken: SpokenWords) -> list[float]:
    spelled, sounding = "".join(words), spoken.sound(words)
    names = [name.replace(" ", "") for entry in entries for name in entry.names]
    by_spelling = process.cdist([spelled], names, scorer=fuzz.ratio)[0].tolist()
    ways = [way for entry in entries for ways in entry.sounds for way in ways]
    by_sound = iter(process.cdist([sounding], ways, scorer=fuzz.ratio)[0].tolist()) if ways and sounding else iter(())
    spellings = iter(by_spelling)
    best = []
    for entry in entries:
        likenesses = []
        for place, sounds in enumerate(entry.sounds):
            spelling = next(spellings)
            # Words or names that nobody can say are compared by spelling alone.
            sound = max([next(by_sound) for _ in sounds], default=spelling) if sounding else spelling
            likenesses.append((_SHORTER if place else 1.0) * (_SPELLING * spelling + _SOUND * sound))
        best.append(max(likenesses, default=0.0))
    return best
