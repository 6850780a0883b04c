"""How a check of the device's health ended."""

from dataclasses import dataclass
from enum import StrEnum


class Health(StrEnum):
    """How a check ended."""

    GOOD = "good"
    WARNING = "warning"  # the device works, but not with everything
    BAD = "bad"


@dataclass(frozen=True)
class Finding:
    """One check's result.

    Attributes:
        what: What was looked at.
        health: How it is.
        found: What was found, in words.
        remedy: What to do; empty when all is well.
    """

    what: str
    health: Health
    found: str
    remedy: str = ""
