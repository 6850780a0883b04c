"""Sentences as shoppers say them to a speaker that sells, made from a seed: what the synthesisers speak."""

import tomllib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np

WORDS = tomllib.loads((Path(__file__).parent / "sentences.toml").read_text("utf-8"))
DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
TEENS = ("ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen")
TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
"""Capitals, so that a synthesiser names the letter "A" and does not say the article."""
WAKE = "hey genie"


class Sentences:
    """Makes sentences one after the other.

    Args:
        generator: The only source of chance.
        general: Common words → cost (−log probability), for sentences about anything.
        dictionary: Words of the dictionary, for rare sounds.
    """

    def __init__(self, generator: np.random.Generator, general: Mapping[str, float], dictionary: Sequence[str]) -> None:
        self._generator = generator
        self._general = list(general)
        weights = np.exp(-np.array(list(general.values())) / 2)  # Flatter than speech, so that rare words occur too.
        self._weights = weights / weights.sum()
        self._dictionary = dictionary
        self._kinds: list[tuple[float, Callable[[], str]]] = [
            (0.34, self.order),
            (0.10, self.question),
            (0.10, lambda: self._pick(WORDS["short"])),
            (0.16, self.digit_string),
            (0.03, self.amount),
            (0.04, self.wake),
            (0.08, self.brand_order),
            (0.15, self.anything),
            (0.12, self.spelling),
            (0.06, self.date),
        ]

    def next(self) -> str:
        """A sentence of any kind."""
        kinds = [make for _, make in self._kinds]
        shares = np.array([share for share, _ in self._kinds])
        return kinds[self._generator.choice(len(kinds), p=shares / shares.sum())]()

    def order(self) -> str:
        """One or two products with quantity, unit and options."""
        parts = [self._pick(WORDS["carriers"]), self.item()]
        while self._chance(0.2) and len(parts) < 6:
            parts += [self._pick(("and", "and also", "with", "plus", "no")), self.item()]
        if self._chance(0.06):
            parts += [self._pick(("no make it", "actually", "sorry", "no i meant", "i mean")), self.item()]
        return self._joined(*parts, self._pick(WORDS["endings"]))

    def item(self) -> str:
        """A product with what belongs to it."""
        count = self._generator.choice(3, p=(0.5, 0.35, 0.15))
        options = [self._pick(WORDS["options"]) for _ in range(count)]
        goods = self._joined(*options, self.goods())
        match self._generator.integers(6):
            case 0:
                return goods
            case 1:
                return self._joined(self._pick(("a", "an", "some", "the", "any", "another", "two", "one")), goods)
            case 2:
                article = self._pick(("a", "one", "another", "half a"))
                return self._joined(article, self._pick(WORDS["one_unit"]), "of", goods)
            case 3:
                return self._joined(self.number(12), goods)
            case _:
                unit = self._pick(WORDS["units"])
                return self._joined(self.number(30), unit, "" if unit == "dozen" else "of", goods)

    def question(self) -> str:
        """A question or a correction about a product."""
        question = self._pick(WORDS["questions"])
        return question.replace("{}", self.goods() if self._chance(0.6) else self.item())

    def digit_string(self) -> str:
        """Three to seven digits, zero also as "oh"."""
        digits = [DIGITS[digit] for digit in self._generator.integers(10, size=self._generator.integers(3, 8))]
        oh = self._chance(0.4)
        return " ".join("oh" if oh and digit == "zero" else digit for digit in digits)

    def spelling(self) -> str:
        """A word letter by letter, or letters and digits as in a postal code."""
        letters = [self._pick(LETTERS) for _ in range(self._generator.integers(2, 9))]
        if self._chance(0.3):
            letters += [DIGITS[digit] for digit in self._generator.integers(10, size=self._generator.integers(1, 5))]
        return self._joined(self._pick(WORDS["before_spelling"]), *letters)

    def date(self) -> str:
        """A day of a month, with or without its year."""
        year = self._joined("nineteen", self.number(99)) if self._chance(0.4) else ""
        return self._joined(self._pick(WORDS["months"]), self._pick(WORDS["ordinals"]), year)

    def amount(self) -> str:
        """A price or a number."""
        dollars = self._joined(self.number(100), self._pick(("dollars", "dollar", "euros", "pounds")))
        cents = self._joined("and" if self._chance(0.3) else "", self.number(100), self._pick(("cents", "cent", "")))
        return self._joined(dollars, cents if self._chance(0.6) else "")

    def wake(self) -> str:
        """The default wake phrase, alone or before an order."""
        return self._joined(WAKE, self.order() if self._chance(0.5) else "")

    def brand_order(self) -> str:
        """An order of something that no dictionary knows."""
        carrier, count = self._pick(WORDS["carriers"]), self._pick(("", "a", "two", "some"))
        return self._joined(carrier, count, self.brand(), self.goods())

    def brand(self) -> str:
        """A word of two or three syllables that sounds like a brand."""
        count = self._generator.integers(2, 4)
        syllables = [self._pick(WORDS["onsets"]) + self._pick(WORDS["nuclei"]) for _ in range(count)]
        return "".join(syllables) + self._pick(WORDS["codas"])

    def goods(self) -> str:
        """What a product is, without brand."""
        return self._pick(WORDS["goods"])

    def anything(self) -> str:
        """Three to nine words of general speech or of the whole dictionary."""
        count = self._generator.integers(3, 10)
        if self._chance(0.3):
            return " ".join(self._pick(self._dictionary) for _ in range(count // 2 + 1))
        return " ".join(self._generator.choice(self._general, size=count, p=self._weights))

    def number(self, most: int) -> str:
        """A whole number in words, small ones more often."""
        value = 1 + int(self._generator.integers(most) * self._generator.random())
        if value < 10:
            return DIGITS[value]
        if value < 20:
            return TEENS[value - 10]
        return self._joined(TENS[value // 10 - 2], DIGITS[value % 10] if value % 10 else "")

    def _pick(self, choices: Sequence[str]) -> str:
        return choices[self._generator.integers(len(choices))]

    def _chance(self, share: float) -> bool:
        return bool(self._generator.random() < share)

    @staticmethod
    def _joined(*parts: str) -> str:
        return " ".join(part for part in parts if part)
