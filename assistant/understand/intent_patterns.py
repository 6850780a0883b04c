"""Sentences matched with the language's patterns: what fits, and what fills the slots."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from assistant.languages.fact_words import fact_words_of
from assistant.languages.language import Language
from assistant.languages.pattern import Phrase, is_slot
from assistant.understand.answers import answers_of
from assistant.understand.understanding import Intent

_INTENTS = frozenset(Intent)
_CLOSED = ("fact", "ingredient", "attribute", "ordinal")
"""Slots that the language's data fill, in place of the catalog."""


@dataclass(frozen=True)
class PatternMatch:
    """A pattern that fits a whole utterance.

    Attributes:
        intent: Key in the language's ``commands.toml``: an intent, or a kind of change.
        slots: Slot name and the words that fill it, in the order of the sentence.
        pattern: The pattern's words and slots.
    """

    intent: str
    slots: tuple[tuple[str, Phrase], ...]
    pattern: Phrase

    def __getitem__(self, slot: str) -> Phrase:
        """The words of the first slot of that name; empty when there is none."""
        return next((words for name, words in self.slots if name == slot), ())

    def all(self, slot: str) -> tuple[Phrase, ...]:
        """The words of every slot of that name."""
        return tuple(words for name, words in self.slots if name == slot)

    @property
    def literals(self) -> int:
        """How many of the words are fixed, or of a slot that only few words fill."""
        closed = sum(len(words) for name, words in self.slots if name in _CLOSED)
        return closed + sum(not is_slot(part) for part in self.pattern)


class IntentPatterns:
    """The patterns of one language."""

    def __init__(self, language: Language) -> None:
        self._fixed: dict[Phrase, str] = {}
        self._by_first: dict[str, list[tuple[Phrase, str]]] = {}
        self._slot_first: list[tuple[Phrase, str]] = []
        for intent in language.data["commands"]["intents"]:
            for phrase in language.phrases("commands", "intents", intent, "patterns"):
                if intent in _INTENTS and not any(is_slot(part) for part in phrase):
                    self._fixed.setdefault(phrase, intent)
                elif is_slot(phrase[0]):
                    self._slot_first.append((phrase, intent))
                else:
                    self._by_first.setdefault(phrase[0], []).append((phrase, intent))
        self._closed: dict[str, Collection[Phrase]] = {
            **fact_words_of(language).slots,
            "ordinal": answers_of(language).ordinals,
        }
        politeness = language.data["commands"]["politeness"]
        self._before = _longest_first(politeness["before"])
        self._after = _longest_first(politeness["after"])
        self._requests = _longest_first(
            " ".join(phrase) for phrase in language.phrases("commands", "politeness", "requests")
        )

    def fixed(self, tokens: Phrase) -> Intent | None:
        """The intent of a sentence without slots, said with or without politeness."""
        for words in self.politely(tokens):
            if words in self._fixed:
                return Intent(self._fixed[words])
        return None

    def politely(self, tokens: Phrase) -> Iterator[Phrase]:
        """The words as they are, without politeness around them, and without requests before them."""
        yield tokens
        bare = self.strip(tokens)
        yield bare
        while bare:
            shorter = _without_start(bare, self._requests)
            if shorter == bare:
                return
            bare = self.strip(shorter)
            yield bare

    def strip(self, tokens: Phrase) -> Phrase:
        """The words without politeness and hesitation at both ends."""
        while True:
            shorter = _without_end(_without_start(tokens, self._before), self._after)
            if shorter == tokens:
                return tokens
            tokens = shorter

    def matches(self, tokens: Phrase) -> list[PatternMatch]:
        """All patterns with slots that fit all of the words, those with most fixed words first."""
        found = (
            [
                PatternMatch(intent, slots, phrase)
                for phrase, intent in (*self._by_first.get(tokens[0], ()), *self._slot_first)
                for slots in _fill(phrase, tokens)
                if all(words in self._closed.get(name, (words,)) for name, words in slots)
            ]
            if tokens
            else []
        )
        return sorted(found, key=lambda match: -match.literals)


@cache
def patterns_of(language: Language) -> IntentPatterns:
    """The patterns of a language, made once."""
    return IntentPatterns(language)


def _fill(pattern: Phrase, tokens: Phrase) -> Iterator[tuple[tuple[str, Phrase], ...]]:
    if not pattern:
        if not tokens:
            yield ()
        return
    first, rest = pattern[0], pattern[1:]
    if not is_slot(first):
        if tokens and tokens[0] == first:
            yield from _fill(rest, tokens[1:])
        return
    if not rest:
        if tokens:
            yield ((first[1:-1], tokens),)
        return
    for end in range(1, len(tokens) - len(rest) + 1):
        if is_slot(rest[0]) or tokens[end] == rest[0]:
            for slots in _fill(rest, tokens[end:]):
                yield ((first[1:-1], tokens[:end]), *slots)


def _longest_first(texts: Iterator[str] | Sequence[str]) -> tuple[Phrase, ...]:
    return tuple(sorted((tuple(text.split()) for text in texts), key=lambda phrase: -len(phrase)))


def _without_start(tokens: Phrase, phrases: Sequence[Phrase]) -> Phrase:
    for phrase in phrases:
        if phrase and tokens[: len(phrase)] == phrase:
            return tokens[len(phrase) :]
    return tokens


def _without_end(tokens: Phrase, phrases: Sequence[Phrase]) -> Phrase:
    for phrase in phrases:
        if phrase and len(tokens) > len(phrase) and tokens[-len(phrase) :] == phrase:
            return tokens[: -len(phrase)]
    return tokens


def lead(tokens: Phrase, phrases: Mapping[Phrase, str]) -> tuple[str, Phrase] | None:
    """The longest of ``phrases`` that begins the words: what it stands for, and the words after it."""
    for length in range(min(len(tokens), max(map(len, phrases), default=0)), 0, -1):
        if tokens[:length] in phrases:
            return phrases[tokens[:length]], tokens[length:]
    return None
