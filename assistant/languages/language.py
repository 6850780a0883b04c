"""One language: all that the rest of the program asks of it, read from ``assistant/languages/<code>/``."""

import re
import tomllib
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property, lru_cache
from importlib import resources
from typing import Any

from babel import Locale
from babel.core import UnknownLocaleError
from babel.numbers import get_currency_name, get_currency_precision

from assistant.errors import SettingsError
from assistant.languages.number_words import NumberWords
from assistant.languages.pattern import Phrase, expand_all
from assistant.languages.word_forms import WordForms
from assistant.shop.money import Money

_FILES = ("language", "numbers", "quantities", "items", "answers", "commands", "facts")
_NUMBER = re.compile(r"(?<![\d.])(\d{1,3}(?:,\d{3})+|\d+)(?:\.(\d+))?(?:\s?([a-z]+)(?![a-z'\d]))?")
_NOT_A_WORD = re.compile(r"[^\w']+|_")
_LOOSE_APOSTROPHE = re.compile(r"(?<!\w)'+|'+(?!\w)")
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
_REMEMBERED = 20_000
"""Names that are kept as they would be heard: very many products share brands, options and categories."""


def load_language(code: str) -> "Language":
    """The language of a code such as ``"en"``.

    Raises:
        SettingsError: There is no such language.
    """
    return _load(code)


@cache
def _load(code: str) -> "Language":
    folder = resources.files("assistant.languages") / code
    if not code.isalnum() or not (folder / "language.toml").is_file():
        known = sorted(
            entry.name
            for entry in resources.files("assistant.languages").iterdir()
            if (entry / "language.toml").is_file()
        )
        raise SettingsError(f"understand.language: there is no language {code!r}; known: {', '.join(known)}.")
    return Language({name: tomllib.loads((folder / f"{name}.toml").read_text("utf-8")) for name in _FILES})


@dataclass(frozen=True, eq=False)
class Language:
    """A language.

    Attributes:
        data: File name without ending → its contents.
    """

    data: Mapping[str, Mapping[str, Any]] = field(repr=False)
    _expansions: dict[tuple[str, ...], tuple[Phrase, ...]] = field(default_factory=dict, repr=False)

    @property
    def code(self) -> str:
        """Its code, e.g. ``"en"``."""
        return str(self._own["code"])

    @property
    def lexicon(self) -> str:
        """Name of its lexicon among the models."""
        return str(self._own["lexicon"])

    @property
    def voice(self) -> str:
        """The synthesiser's voice for it."""
        return str(self._own["voice"])

    @property
    def enrolment_sentences(self) -> tuple[str, ...]:
        """What is said to enrol a voice."""
        return tuple(self._own["enrolment_sentences"])

    @property
    def _own(self) -> Mapping[str, Any]:
        return self.data["language"]

    @cached_property
    def numbers(self) -> NumberWords:
        """Its number words."""
        return NumberWords.from_data(self.data["numbers"])

    @cached_property
    def forms(self) -> WordForms:
        """Singular and plural."""
        return WordForms.from_data(self._own["plurals"], self._own["stems"])

    def phrases(self, file: str, *keys: str) -> tuple[Phrase, ...]:
        """The phrases of the patterns at a place of the data, e.g. ``phrases("answers", "yes")``."""
        place = (file, *keys)
        if place not in self._expansions:
            found: Any = self.data[file]
            for key in keys:
                found = found[key]
            self._expansions[place] = expand_all(found)
        return self._expansions[place]

    # From text to words.

    def normalise(self, text: str) -> str:
        """Text as it would be heard: lower case, numbers in words, one blank between words, no punctuation."""
        text = unicodedata.normalize("NFKC", text).lower()
        for sign, replacement in self._own["replacements"].items():
            text = text.replace(sign, replacement)
        # Twice, as digits behind a point that belongs to no number are seen when the point is gone.
        for _ in range(2):
            text = _NOT_A_WORD.sub(" ", _NUMBER.sub(self._number_in_words, text))
        words = _LOOSE_APOSTROPHE.sub(" ", text).split()
        spellings: Mapping[str, str] = self._own["spellings"]
        return " ".join(spellings.get(word, word) for word in words)

    def normalise_name(self, name: str) -> str:
        """The name of a product or option as it would be heard; ``camelCase`` counts as two words."""
        return self._names(name)

    @cached_property
    def _names(self) -> Callable[[str], str]:
        return lru_cache(_REMEMBERED)(lambda name: self.normalise(_CAMEL.sub(" ", name)))

    def _number_in_words(self, match: re.Match[str]) -> str:
        whole, decimals, letters = match.groups()
        if len(whole.replace(",", "")) > 6 or (whole.startswith("0") and whole != "0"):
            said = self.spell_digits(whole.replace(",", ""))
        else:
            said = self.numbers.say(int(whole.replace(",", "")))
        if decimals:
            said += f" {self._own['digits']['point']} {self.spell_digits(decimals)}"
        unit = self._own["after_number"].get(letters, letters or "")
        return f" {said} {unit} "

    # From values to words.

    def say_number(self, number: int) -> str:
        """A number in words; digits where it is too large for them."""
        if number < 0 or number > self.numbers.most:
            return str(number)
        return self.numbers.say(number)

    def say_money(self, money: Money) -> str:
        """An amount, e.g. "seven dollars and forty seven cents"."""
        table: Mapping[str, Any] = self._own["money"]
        if money.minor < 0:
            return str(table["negative"].format(amount=self.say_money(Money(-money.minor, money.currency))))
        precision = get_currency_precision(money.currency)
        major, minor = divmod(money.minor, 10**precision)
        names = table["currencies"].get(money.currency)
        if names is None:
            number = self.say_number(major)
            if minor:
                number += f" {self._own['digits']['point']} {self.spell_digits(str(minor).rjust(precision, '0'))}"
            name = get_currency_name(money.currency, major if not minor else 2, locale=self.code)
            return str(table["amount"].format(number=number, name=name))
        said = [
            str(table["amount"].format(number=self.say_number(count), name=forms[0 if count == 1 else -1]))
            for count, forms in ((major, names["major"]), (minor, names["minor"]))
            if count or (forms is names["major"] and not minor)
        ]
        return str(table["both"].format(major=said[0], minor=said[1])) if len(said) == 2 else said[0]

    def say_digits(self, text: str) -> str:
        """Characters one by one, with pauses: "four, seven, one"."""
        separator: str = self._own["digits"]["separator"]
        return separator.join(self._say_character(character) for character in text if not character.isspace())

    def spell_digits(self, text: str) -> str:
        """Digits as a person says them, without pauses: "four seven one"."""
        return " ".join(self._say_character(character) for character in text if not character.isspace())

    def _say_character(self, character: str) -> str:
        words = self._own["digits"]["words"].get(character)
        return words[0] if words else character.upper()

    def digits_of(self, text: str) -> str | None:
        """The digits that words mean ("four seven" → "47"), or None when there is anything else among them."""
        found = [
            self._digits.get(word) or (word if word.isascii() and word.isdigit() else None) for word in text.split()
        ]
        return "".join(digit for digit in found if digit) if found and all(found) else None

    @property
    def digit_words(self) -> Mapping[str, str]:
        """Word → digit."""
        return self._digits

    @cached_property
    def _digits(self) -> Mapping[str, str]:
        return {word: digit for digit, words in self._own["digits"]["words"].items() for word in words}

    def join(self, parts: Sequence[str], conjunction: str = "and") -> str:
        """A list in words; ``conjunction`` is ``"and"`` or ``"or"``."""
        table: Mapping[str, str] = self._own["lists"]
        if len(parts) < 2:
            return "".join(parts)
        return f"{table['separator'].join(parts[:-1])} {table[conjunction]} {parts[-1]}"

    def say_amount(self, quantity: int, name: str, unit: str = "") -> str:
        """So many of a product, e.g. "two cartons of oat milk"."""
        table: Mapping[str, Any] = self._own["amounts"]
        number = self.say_number(quantity)
        if unit and any(character.isdigit() for character in unit):
            return str(table["with_measure"].format(number=number, unit=unit, name=name))
        if unit and unit.casefold() not in table["plain_units"]:
            unit = unit if quantity == 1 else self.forms.plural(unit)
            return str(table["with_unit"].format(number=number, unit=unit, name=name))
        return str(table["plain"].format(number=number, name=name if quantity == 1 else self.forms.plural(name)))

    @cached_property
    def locale(self) -> Locale:
        """Its locale, for plural categories.

        Raises:
            SettingsError: The code is no language that CLDR knows.
        """
        try:
            return Locale.parse(self.code)
        except (ValueError, UnknownLocaleError) as error:
            raise SettingsError(f"The language {self.code!r} has no locale: {error}.") from error
