"""Words that a published model lacks, as words that it has and that sound nearly like them. Pure.

A published model's lexicon is fixed inside its graph: a brand that nobody wrote down when it was made can only be heard
as the words that it sounds like ("Lancôme" as "lawn comb").
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from assistant.hear.lexicon import Lexicon

_ALIKE_COST = 1.0
_DROPPED_COST = 2.0
_WORD_COST = 0.5
"""Costs of a phone heard as a similar one, of a phone that is missing or too many, and of every word."""
_ALLOWED_PER_PHONE = 0.4
"""More than so much for each phone, and the word is better taken for an unknown sound."""
_LONGEST = 12
_NEVER = float("inf")


def sound_alikes(missing: Iterable[str], words: Iterable[str], lexicon: Lexicon) -> dict[str, tuple[str, ...]]:
    """For each missing word, the words that sound like it when they are said one after the other.

    Args:
        missing: Words that the model lacks.
        words: The model's words; only those that the dictionary itself knows are used.
        lexicon: Pronunciations, and which phones are alike.

    Returns:
        Missing word → one or more of ``words``. A word that nothing sounds like is left out.
    """
    spoken = lexicon.pronounce_all(missing)
    has: dict[tuple[str, ...], str] = {}
    known = frozenset(words)
    for word, phones in lexicon.entries():
        # Of words that sound the same the shorter is likelier to be an everyday word.
        if word in known and (phones not in has or len(word) < len(has[phones])):
            has[phones] = word
    found = {}
    for word, variants in spoken.items():
        readings = [_reading(phones, has, lexicon.alike) for phones in variants]
        best = min(readings, key=lambda reading: reading[0], default=(_NEVER, ()))
        if best[1]:
            found[word] = best[1]
    return found


def _reading(
    phones: Sequence[str], has: Mapping[tuple[str, ...], str], alike: Mapping[str, Sequence[str]]
) -> tuple[float, tuple[str, ...]]:
    """The cheapest words for these phones and their cost per phone; none when they cost too much."""
    best: list[tuple[float, tuple[str, ...]]] = [(0.0, ()), *((_NEVER, ()) for _ in phones)]
    for end in range(1, len(phones) + 1):
        for begin in range(max(0, end - _LONGEST), end):
            before, said = best[begin]
            if before + _WORD_COST >= best[end][0]:
                continue
            cost, word = _nearest(tuple(phones[begin:end]), has, alike)
            if before + cost + _WORD_COST < best[end][0]:
                best[end] = before + cost + _WORD_COST, (*said, word)
    cost, said = best[-1]
    cost = (cost - _WORD_COST) / max(1, len(phones))
    return (cost, said) if cost <= _ALLOWED_PER_PHONE else (_NEVER, ())


def _nearest(
    phones: tuple[str, ...], has: Mapping[tuple[str, ...], str], alike: Mapping[str, Sequence[str]]
) -> tuple[float, str]:
    """The word nearest to these phones: equal, with one or two similar phones, or with one missing or too many."""
    if phones in has:
        return 0.0, has[phones]
    once = list(_with_similar(phones, alike))
    for variant in once:
        if variant in has:
            return _ALIKE_COST, has[variant]
    twice = (again for variant in once for again in _with_similar(variant, alike))
    dropped = (phones[:place] + phones[place + 1 :] for place in range(len(phones)))
    added = ((*phones[:place], phone, *phones[place:]) for place in range(len(phones) + 1) for phone in alike)
    if len(phones) > 2:
        for variants in (dropped, twice, added):
            for variant in variants:
                if variant in has:
                    return max(_DROPPED_COST, 2 * _ALIKE_COST), has[variant]
    return _NEVER, ""


def _with_similar(phones: tuple[str, ...], alike: Mapping[str, Sequence[str]]) -> Iterator[tuple[str, ...]]:
    for place, phone in enumerate(phones):
        for other in alike.get(phone, ()):
            yield (*phones[:place], other, *phones[place + 1 :])
