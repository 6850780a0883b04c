"""The best path of a transcript through a network's outputs: which phone is heard when."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

NEVER = -1e30
PAUSE_COST = 1.0
"""Cost of a silence between words (natural-log units)."""


@dataclass(frozen=True)
class Alignment:
    """Phones with their first output frames.

    Attributes:
        phones: Numbers of the phones in the order heard, silences included.
        starts: Output frame in which each begins.
        gap: How far the path lies behind the best output of every frame, per frame (natural-log units).
    """

    phones: tuple[int, ...]
    starts: tuple[int, ...]
    gap: float


@dataclass(frozen=True)
class _Chain:
    """States of a transcript: their phone, the states before them, which may begin and which may end."""

    phones: np.ndarray
    before: np.ndarray
    first: np.ndarray
    last: np.ndarray


def align(outputs: np.ndarray, words: Sequence[Sequence[Sequence[int]]], silence: int = 0) -> Alignment | None:
    """Viterbi alignment; every word takes one of its pronunciations, silence may stand around every word.

    Args:
        outputs: Shape ``(frames, 2 phones)``: log-scores of entering each phone, then of staying in it.
        words: Per word its pronunciations as phone numbers, at least one each.
        silence: The phone of pauses.

    Returns:
        None when the clip is too short for the transcript.
    """
    chain = _chain(words, silence)
    count = outputs.shape[1] // 2
    enter, stay = outputs[:, chain.phones], outputs[:, count + chain.phones]
    enter = enter - PAUSE_COST * (chain.phones == silence)
    frames, states = enter.shape
    came_from = np.full((frames, states), -1, np.int32)
    score = np.full(states + 1, NEVER)  # The last one stands for "no state before".
    score[:states] = np.where(chain.first, enter[0], NEVER)
    rows = np.arange(states)
    for time in range(1, frames):
        choices = score[chain.before]
        best = np.argmax(choices, axis=1)
        entered, stayed = choices[rows, best] + enter[time], score[:states] + stay[time]
        moved = entered > stayed
        came_from[time] = np.where(moved, chain.before[rows, best], -1)
        score[:states] = np.where(moved, entered, stayed)
    ends = np.where(chain.last, score[:states], NEVER)
    state = int(np.argmax(ends))
    total = float(ends[state])
    if total < NEVER / 2:
        return None
    path: list[tuple[int, int]] = []
    for time in range(frames - 1, 0, -1):
        previous = int(came_from[time, state])
        if previous >= 0:
            path.append((int(chain.phones[state]), time))
            state = previous
    path.append((int(chain.phones[state]), 0))
    phones, starts = zip(*reversed(path), strict=True)
    return Alignment(phones, starts, float(outputs.max(axis=1).mean()) - total / frames)


def _chain(words: Sequence[Sequence[Sequence[int]]], silence: int) -> _Chain:
    phones, first = [silence], [True]
    before: list[list[int]] = [[]]
    open_ends, may_begin = [0], True  # States from which the next word may begin.
    for variants in words:
        ends = []
        for variant in variants:
            for position, phone in enumerate(variant):
                phones.append(phone)
                before.append([len(phones) - 2] if position else list(open_ends))
                first.append(may_begin and position == 0)
            ends.append(len(phones) - 1)
        phones.append(silence)
        before.append(list(ends))
        first.append(False)
        open_ends, may_begin = [*ends, len(phones) - 1], False
    widest = max(1, *map(len, before))
    none = len(phones)
    table = np.array([[*states, *[none] * (widest - len(states))] for states in before])
    last = np.zeros(len(phones), bool)
    last[open_ends] = True
    return _Chain(np.array(phones), table, np.array(first), last)
