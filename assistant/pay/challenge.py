"""The random-digit challenge: valid for one order, one amount, one attempt and a few seconds. Pure."""

import random
import string
from dataclasses import dataclass

from assistant.shop.money import Money


@dataclass(frozen=True)
class Challenge:
    """Digits that whoever pays has to repeat.

    Attributes:
        digits: What has to be said, e.g. ``"4721"``.
        order_id: The order that is to be paid.
        amount: What is to be paid.
        number: 1 for the order's first challenge.
        issued: Audio seconds when it was made.
        expires: Audio seconds after which no answer counts.
    """

    digits: str
    order_id: str
    amount: Money
    number: int
    issued: float
    expires: float

    def expired(self, now: float) -> bool:
        """Whether an answer at ``now`` (audio seconds) comes too late, or from before the challenge."""
        return not self.issued <= now <= self.expires


def draw_digits(count: int, randomness: random.Random, previous: str = "") -> str:
    """Random digits, no two equal ones side by side, as those are easily misheard as one.

    Args:
        count: How many, at least one.
        randomness: Where they come from.
        previous: Digits of the challenge before, which are not drawn again.

    Raises:
        ValueError: ``count`` is below one.
    """
    if count < 1:
        raise ValueError("a challenge needs at least one digit")
    while True:
        digits = randomness.choice(string.digits)
        while len(digits) < count:
            digits += randomness.choice([digit for digit in string.digits if digit != digits[-1]])
        if digits != previous:
            return digits
