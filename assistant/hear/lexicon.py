"""Pronunciations of words: a dictionary, and rules and a synthesiser's letter-to-sound for words that are not in it."""

import bisect
import contextlib
import gzip
import hashlib
import json
import os
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from pathlib import Path

import numpy as np

from assistant.errors import ModelDamaged
from assistant.hear.pronunciation import ask_synthesiser, phones_of

Pronunciation = tuple[str, ...]

_VARIANTS = 4


class Lexicon:
    """The lexicon of one language.

    The dictionary stays one block of sorted lines that is searched by halving: 4 MB for 125,000 words, where a
    ``dict`` would take twenty times that.

    Args:
        folder: ``dictionary.gz``, ``general.txt`` and ``lexicon.toml``, for example ``models/lexicon-en``.
        cache: Folder in which pronunciations of unknown words are kept; None keeps them in memory only.

    Raises:
        ModelDamaged: A file is missing or unreadable.
    """

    def __init__(self, folder: Path, cache: Path | None = None) -> None:
        try:
            self._rules = tomllib.loads((folder / "lexicon.toml").read_text("utf-8"))
            packed = (folder / "dictionary.gz").read_bytes()
            self._text = gzip.decompress(packed)
            self._general = (folder / "general.txt").read_text("utf-8")
        except (OSError, EOFError, ValueError) as error:
            raise ModelDamaged(
                f"The lexicon {folder} cannot be read ({error}). Restore the folder from the repository."
            ) from error
        rules = json.dumps(self._rules, sort_keys=True) + self._general
        self.digest = hashlib.sha256(packed + rules.encode()).hexdigest()
        self._ends = np.flatnonzero(np.frombuffer(self._text, np.uint8) == ord("\n"))
        self._cache = cache / "pronunciations.json" if cache else None
        self._guessed: dict[str, tuple[Pronunciation, ...]] = self._read_cache()

    def pronounce(self, word: str) -> tuple[Pronunciation, ...]:
        """Pronunciations of a lower-case word, likeliest first; empty when nobody can say it."""
        return self.pronounce_all((word,))[word]

    def pronounce_all(self, words: Iterable[str]) -> dict[str, tuple[Pronunciation, ...]]:
        """As ``pronounce``, for many words at once: unknown words cost one call of the synthesiser together."""
        found = {word: self._look_up(word) for word in words}
        unknown = sorted(word for word, variants in found.items() if not variants and word not in self._guessed)
        if unknown:
            self._guess(unknown)
        return {word: variants or self._guessed.get(word, ()) for word, variants in found.items()}

    def knows(self, word: str) -> bool:
        """Whether the word is in the dictionary itself."""
        return bool(self._look_up(word))

    @cached_property
    def general_words(self) -> Mapping[str, float]:
        """Common words of the language → cost (−log probability)."""
        lines = (line.split() for line in self._general.splitlines())
        return {word: float(cost) for word, cost in lines}

    @property
    def words(self) -> list[str]:
        """All words of the dictionary, sorted."""
        return list(dict.fromkeys(line.partition(b" ")[0].decode() for line in self._text.splitlines()))

    @cached_property
    def alike(self) -> Mapping[str, tuple[str, ...]]:
        """Phone → phones that are easily taken for it."""
        found: dict[str, dict[str, None]] = {}
        for group in self._rules.get("alike", ()):
            for phone in group:
                found.setdefault(phone, {}).update(dict.fromkeys(other for other in group if other != phone))
        return {phone: tuple(others) for phone, others in found.items()}

    def entries(self) -> Iterator[tuple[str, Pronunciation]]:
        """All words of the dictionary with their pronunciations, sorted by word."""
        for line in self._text.decode().splitlines():
            word, *phones = line.split()
            yield word, tuple(phones)

    def _look_up(self, word: str) -> tuple[Pronunciation, ...]:
        key = word.encode() + b" "
        index = bisect.bisect_left(range(len(self._ends)), key, key=lambda line: self._line(line)[: len(key)])
        variants = []
        while index < len(self._ends) and (line := self._line(index)).startswith(key):
            variants.append(tuple(line[len(key) :].decode().split()))
            index += 1
        return tuple(variants)

    def _line(self, index: int) -> bytes:
        begin = int(self._ends[index - 1]) + 1 if index else 0
        return self._text[begin : int(self._ends[index])]

    def _guess(self, words: list[str]) -> None:
        spoken = [ask_synthesiser(words, voice) for voice in self._rules["voices"]]
        for position, word in enumerate(words):
            guesses = [*self._with_ending(word), *self._compound(word)]
            guesses += [phones_of(answers[position], self._rules["symbols"]) for answers in spoken]
            guesses += self._spelled(word)
            self._guessed[word] = tuple(dict.fromkeys(guess for guess in guesses if guess))[:_VARIANTS]
        self._write_cache()

    def _with_ending(self, word: str) -> list[Pronunciation]:
        for rule in self._rules["endings"]:
            for letters in rule["letters"]:
                stem = self._look_up(word.removesuffix(letters)) if word.endswith(letters) else ()
                fitting = [phones for phones in stem if not rule["after"] or phones[-1] in rule["after"]]
                if fitting:
                    return [(*phones, *rule["phones"]) for phones in fitting]
        return []

    def _compound(self, word: str) -> list[Pronunciation]:
        shortest = self._rules["shortest_part"]
        for cut in range(len(word) - shortest, shortest - 1, -1):
            first, second = self._look_up(word[:cut]), self._look_up(word[cut:])
            if first and second:
                return [first[0] + second[0]]
        return []

    def _spelled(self, word: str) -> list[Pronunciation]:
        short = len(word) <= self._rules["longest_spelled"]
        if not word.isalpha() or not (short or not set(word) & set(self._rules["vowel_letters"])):
            return []
        letters = [self._look_up(letter) for letter in word]
        # The last variant of "a" is the letter's name, the first the article.
        return [tuple(phone for variants in letters for phone in variants[-1])] if all(letters) else []

    def _read_cache(self) -> dict[str, tuple[Pronunciation, ...]]:
        if self._cache is None:
            return {}
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError, AttributeError):
            kept = json.loads(self._cache.read_text("utf-8"))
            if kept["lexicon"] == self.digest:
                return {
                    word: tuple(tuple(variant.split()) for variant in variants)
                    for word, variants in kept["words"].items()
                }
        return {}

    def _write_cache(self) -> None:
        if self._cache is None:
            return
        words = {word: [" ".join(variant) for variant in variants] for word, variants in self._guessed.items()}
        text = json.dumps({"lexicon": self.digest, "words": words}, ensure_ascii=False, sort_keys=True)
        # Losing the cache costs a second call of the synthesiser, nothing else.
        with contextlib.suppress(OSError):
            self._cache.parent.mkdir(parents=True, exist_ok=True)
            temporary = self._cache.with_suffix(f".{os.getpid()}")
            temporary.write_text(text, "utf-8")
            temporary.replace(self._cache)
