"""The lexicon as a transducer from phones to words, with what makes it determinisable."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from assistant.hear.lexicon import Pronunciation
from assistant.hear.openfst import Arc, Automaton

PAUSE_COST = 1.0
"""Cost of a pause between words."""
UNKNOWN_PHONE_COST = 0.5
"""Cost of every phone of an unknown sound, besides its acoustic score."""


@dataclass(frozen=True)
class LexiconTransducer:
    """The transducer and how many disambiguation symbols it has; they are numbered after the phones."""

    automaton: Automaton
    disambiguations: int


def lexicon_transducer(
    pronunciations: Mapping[str, Sequence[Pronunciation]],
    numbers: Mapping[str, int],
    phones: Sequence[str],
    unknown: str,
    marks: Sequence[str] = (),
) -> LexiconTransducer:
    """Phones (numbered from 1) → words, any number of words.

    A pronunciation that another word shares or begins with ends in a disambiguation symbol (as in Mohri, Pereira and
    Riley, "Weighted finite-state transducers in speech recognition", 2002). The unknown word is a loop over all phones
    between two symbols of its own; a mark is a word without any sound.

    Args:
        pronunciations: Word → variants.
        numbers: Word → label; holds the unknown word and the marks too.
        phones: ``phones[0]`` is silence.
        unknown: The word for any sounds.
        marks: Words without sound.
    """
    count = len(phones)
    index = {phone: number for number, phone in enumerate(phones, 1)}
    known = [
        (word, variant)
        for word in sorted(pronunciations)
        for variant in dict.fromkeys(pronunciations[word])
        if variant and all(phone in index for phone in variant)
    ]
    uses = Counter(variant for _, variant in known)
    prefixes = {variant[:length] for variant in uses for length in range(1, len(variant))}
    taken: Counter[Pronunciation] = Counter()
    # The first symbols are the unknown word's begin and end, the next the marks', the rest are for shared sounds.
    begin, end = count + 1, count + 2
    shared = end + len(marks)
    root, inside, states = 0, 1, 2
    arcs: list[Arc] = [(root, inside, begin, numbers[unknown], 0.0)]
    loop = states
    states += 1
    for number in range(2, count + 1):
        arcs.append((inside, loop, number, 0, UNKNOWN_PHONE_COST))
        arcs.append((loop, loop, number, 0, UNKNOWN_PHONE_COST))
    arcs.append((loop, root, end, 0, 0.0))
    arcs.extend((root, root, end + position, numbers[mark], 0.0) for position, mark in enumerate(marks, 1))
    # Only between words: a pause allowed within them lets hesitations turn into words that nobody said.
    arcs.append((root, root, 1, 0, PAUSE_COST))
    for word, variant in known:
        labels = [index[phone] for phone in variant]
        if uses[variant] > 1 or variant in prefixes:
            taken[variant] += 1
            labels.append(shared + taken[variant])
        state = root
        for position, label in enumerate(labels):
            target = root if position == len(labels) - 1 else states
            states += target != root
            arcs.append((state, target, label, 0 if position else numbers[word], 0.0))
            state = target
    most = max(taken.values(), default=0)
    return LexiconTransducer(Automaton(arcs, {root: 0.0}, root), 2 + len(marks) + most)
