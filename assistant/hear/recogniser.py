"""The recogniser port: audio in, hypotheses out, while the person speaks."""

from dataclasses import dataclass
from typing import Protocol

from assistant.hear.audio import Samples
from assistant.understand.understanding import Expecting


@dataclass(frozen=True)
class HeardWord:
    """A word with its time (seconds from the utterance's start) and the recogniser's confidence (0-1)."""

    word: str
    start: float
    end: float
    confidence: float


@dataclass(frozen=True)
class Hypothesis:
    """One reading of the utterance.

    Attributes:
        text: Words separated by blanks; may hold ``[unk]``; empty when nothing was heard.
        confidence: As the recogniser gives it (comparable only within one n-best list). Never used for money.
        words: The words with their times, where the recogniser gives them.
    """

    text: str
    confidence: float
    words: tuple[HeardWord, ...] = ()


class Hearing(Protocol):
    """One utterance being recognised."""

    def accept(self, samples: Samples) -> str | None:
        """Takes the next samples; returns the partial text when it has changed, else None."""
        ...

    def finish(self) -> tuple[Hypothesis, ...]:
        """Ends the utterance; hypotheses best first, at least one."""
        ...


class Recogniser(Protocol):
    """Turns utterances into hypotheses with the grammar of a dialogue state."""

    def listen(self, expecting: Expecting) -> Hearing:
        """Begins an utterance."""
        ...
