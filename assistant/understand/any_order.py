"""Phrases in any order and number, for grammars that are only a list: what somebody spells or counts comes in runs."""

import math
from collections.abc import Callable, Iterable

from assistant.languages.language import Language
from assistant.understand.grammar import Alternatives, Expression, Repeat, Sequence, Words

# Costs in natural-log units.
_PHRASE, _LETTER = 1.0, 2.0
"""Every phrase, on top of the logarithm of how many there are of its kind: short ones are easily heard twice, letters
most of all."""
_CHANGE = 3.0
"""From one kind to another: about one word in twenty is of another kind than the one before."""
_DIGIT, _NUMBER = 0.3, 1.4
"""Three in four numbers are single digits, where there are others too."""


def any_order(phrases: Iterable[str], language: Language, written: Callable[[str], Expression] = Words) -> Expression:
    """Any number of the phrases, in any order.

    Letters are followed by letters more often than by anything else, and numbers by numbers: "eighty" and "a t" sound
    the same, as do "oh" and "o", and what is around them tells them apart.

    Args:
        phrases: Lower case, words separated by blanks; at least one.
        language: Its number words.
        written: What a phrase is in a grammar.
    """
    texts = dict.fromkeys(phrases)
    letters = {text for text in texts if len(text) == 1 and text.isascii() and text.isalpha()}
    if letters <= language.digit_words.keys():
        letters = set()  # "o" beside digits is one of them.
    digits = {text for text in texts if language.digits_of(text) is not None} - letters
    numbers = {text for text in texts if language.numbers.read_whole(text.split()) is not None} - letters - digits
    both = bool(digits and numbers)
    kinds = (
        ((letters, _LETTER),),
        ((digits, _PHRASE + both * _DIGIT), (numbers, _PHRASE + both * _NUMBER)),
        ((texts.keys() - letters - digits - numbers, _PHRASE),),
    )
    runs = [
        Alternatives(
            tuple(
                (cost + math.log(len(members)), written(text))
                for members, cost in kind
                for text in texts
                if text in members
            )
        )
        for kind in kinds
        if any(members for members, _ in kind)
    ]
    if len(runs) == 1:
        return Repeat(runs[0])
    return Repeat(Alternatives(tuple((_CHANGE, Sequence((run, Repeat(run)))) for run in runs)))
