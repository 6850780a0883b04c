"""Every owner attempts to be every owner of the same set, oneself included."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from held_out import Owner

from assistant.pay.verification import Embedding, mean_embedding

Embed = Callable[[np.ndarray], Embedding]


@dataclass(frozen=True)
class Attempts:
    """Templates and tests of one condition, as embeddings.

    Attributes:
        name: Of the condition.
        sets: The evaluation set of each owner.
        templates: Shape (owners, size).
        tests: Shape (tests, size).
        of: Whose each test is: a row of `templates`.
        seconds: Voiced seconds of the tests.
    """

    name: str
    sets: np.ndarray
    templates: np.ndarray
    tests: np.ndarray
    of: np.ndarray
    seconds: float

    def pairs(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Rows of templates, rows of tests, and whether they are of one speaker: all within an evaluation set."""
        owner, test = np.nonzero(self.sets[:, None] == self.sets[self.of][None, :])
        return owner, test, owner == self.of[test]


def enrol(owners: Sequence[Owner], embed: Embed) -> np.ndarray:
    """Embeddings of the enrolment utterances, shape (owners, utterances, size)."""
    return np.stack([np.stack([embed(take) for take in owner.enrolment]) for owner in owners])


def attempt(
    name: str,
    owners: Sequence[Owner],
    takes: np.ndarray,
    embed: Embed,
    seconds: float,
    change: Callable[[np.ndarray], np.ndarray] = lambda speech: speech,
) -> Attempts:
    """Attempts of so many voiced seconds, each changed (by noise, a room) before it is embedded.

    A template is the mean of its owner's `takes`, as the device makes it.
    """
    tests = [(embed(change(test)), row) for row, owner in enumerate(owners) for test in owner.tests(seconds)]
    return Attempts(
        name,
        np.array([owner.evaluation_set for owner in owners]),
        np.stack([mean_embedding(own) for own in takes]),
        np.stack([embedding for embedding, _ in tests]),
        np.array([row for _, row in tests]),
        seconds,
    )


def normalised(attempts: Attempts, cohort: np.ndarray, top: int) -> np.ndarray:
    """Scores of all templates against all tests, shape (owners, tests), as `Scoring.judge` computes one."""
    cosines = attempts.templates @ attempts.tests.T
    if not len(cohort):
        return cosines
    sides = []
    for embeddings in (attempts.templates, attempts.tests):
        best = np.sort(embeddings @ cohort.T, axis=1)[:, -top:]
        sides.append((best.mean(1), best.std(1)))
    (owner_mean, owner_deviation), (test_mean, test_deviation) = sides
    by_owner = (cosines - owner_mean[:, None]) / owner_deviation[:, None]
    return (by_owner + (cosines - test_mean) / test_deviation) / 2
