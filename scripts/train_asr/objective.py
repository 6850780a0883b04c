"""Lattice-free maximum mutual information: a transcript's phones against every sequence of phones.

D. Povey and others, "Purely sequence-trained neural networks for ASR based on lattice-free MMI" (2016), with a bigram
over phones as denominator and the aligned phones, each allowed to move a little, as numerator. Every phone has an
output for entering it and one for staying in it, as in Kaldi's chain topology. Both forward-backward passes run on
probabilities in float64 with one scale a frame; frame by frame, NumPy costs less here than PyTorch.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

TINY = 1e-200
LEAST_VALUE = -400.0
"""A clip whose objective lies below this does not fit its transcript and is left out."""
Step = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Bigram:
    """Probabilities of phones after one another.

    Attributes:
        start: Of being the first, shape ``(phones,)``.
        follow: Of the second after the first, shape ``(phones, phones)``; with ``end`` every row sums to 1.
        end: Of being the last, shape ``(phones,)``.
    """

    start: np.ndarray
    follow: np.ndarray
    end: np.ndarray


def count_bigram(sequences: Iterable[np.ndarray], phones: int, smoothing: float = 0.02) -> Bigram:
    """Counts of neighbouring phones, smoothed by adding a little to each."""
    start, end = np.full(phones, smoothing), np.full(phones, smoothing)
    follow = np.full((phones, phones), smoothing)
    for sequence in sequences:
        start[sequence[0]] += 1
        end[sequence[-1]] += 1
        np.add.at(follow, (sequence[:-1], sequence[1:]), 1)
    total = follow.sum(axis=1) + end
    return Bigram(start / start.sum(), follow / total[:, None], end / total)


@dataclass(frozen=True)
class _Likelihoods:
    """Of states, ``(frames, batch, states)``: entering and staying, divided by ``exp(scale)`` of their frame."""

    entry: np.ndarray
    stay: np.ndarray
    scale: np.ndarray
    lengths: np.ndarray


@dataclass(frozen=True)
class _Forward:
    """Normalised forward probabilities and their part that just entered, both ``(frames, batch, states)``."""

    within: np.ndarray
    entered: np.ndarray
    log_likelihood: np.ndarray


def _forward(likelihoods: _Likelihoods, start: np.ndarray, step: Step, end: np.ndarray) -> _Forward:
    entry, stay = likelihoods.entry, likelihoods.stay
    within, entered = np.empty_like(entry), np.empty_like(entry)
    norms = np.ones(entry.shape[:2])
    current = np.zeros_like(entry[0])
    shortest = likelihoods.lengths.min()
    for time in range(len(entry)):
        new = (step(current) if time else start) * entry[time]
        value = new + current * stay[time]
        norm = np.maximum(value.sum(-1), TINY)
        value /= norm[:, None]
        np.divide(new, norm[:, None], out=entered[time])
        if time < shortest:
            current, norms[time] = value, norm
        else:  # Clips that have ended keep what they had.
            active = time < likelihoods.lengths
            current = np.where(active[:, None], value, current)
            norms[time] = np.where(active, norm, 1.0)
        within[time] = current
    active = np.arange(len(entry))[:, None] < likelihoods.lengths
    total = (np.log(norms) + likelihoods.scale * active).sum(0)
    return _Forward(within, entered, total + np.log(np.maximum((current * end).sum(-1), TINY)))


def _posteriors(
    likelihoods: _Likelihoods, forward: _Forward, step_back: Step, end: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Posterior probabilities of entering and of staying, both ``(frames, batch, states)``; zero after a clip's end."""
    entry, stay = likelihoods.entry, likelihoods.stay
    entering, within = np.empty_like(entry), np.empty_like(entry)
    future = np.broadcast_to(end, entry.shape[1:])
    shortest = likelihoods.lengths.min()
    for time in range(len(entry) - 1, -1, -1):
        np.multiply(forward.entered[time], future, out=entering[time])
        np.multiply(forward.within[time], future, out=within[time])
        before = step_back(entry[time] * future) + stay[time] * future
        before /= np.maximum(before.sum(-1, keepdims=True), TINY)
        future = before if time < shortest else np.where((time < likelihoods.lengths)[:, None], before, future)
    active = np.arange(len(entry))[:, None, None] < likelihoods.lengths[:, None]
    share = active / np.maximum(within.sum(-1, keepdims=True), TINY)
    staying = np.maximum(within - entering, 0.0) * share
    entering *= share
    return entering, staying


@dataclass(frozen=True)
class _Chains:
    """The transcripts of a batch, padded to the longest, as left-to-right chains.

    Attributes:
        phones: ``(batch, states)``.
        allowed: Whether a state may be at a frame, ``(frames, batch, states)``.
        weight: Bigram probability of going to a state from the one before, ``(batch, states)``.
        end: Bigram probability of ending, in the last state only, ``(batch, states)``.
    """

    phones: np.ndarray
    allowed: np.ndarray
    weight: np.ndarray
    end: np.ndarray


def _chains(
    sequences: Sequence[np.ndarray],
    starts: Sequence[np.ndarray],
    lengths: Sequence[int],
    frames: int,
    bigram: Bigram,
    tolerance: int,
) -> _Chains:
    batch, longest = len(sequences), max(map(len, sequences))
    phones, allowed = np.zeros((batch, longest), np.int64), np.zeros((frames, batch, longest))
    weight, end = np.zeros((batch, longest)), np.zeros((batch, longest))
    time = np.arange(frames)[:, None]
    for row, (sequence, first) in enumerate(zip(sequences, starts, strict=True)):
        count = len(sequence)
        phones[row, :count] = sequence
        last = np.append(first[1:], lengths[row])
        allowed[:, row, :count] = (time >= first - tolerance) & (time < last + tolerance)
        weight[row, 0] = bigram.start[sequence[0]]
        weight[row, 1:count] = bigram.follow[sequence[:-1], sequence[1:]]
        end[row, count - 1] = bigram.end[sequence[-1]]
    return _Chains(phones, allowed, weight, end)


def _shifted(values: np.ndarray, by: int) -> np.ndarray:
    """The values one state further (``by`` = 1) or back (-1), a zero where none comes from."""
    moved = np.zeros_like(values)
    if by > 0:
        moved[:, 1:] = values[:, :-1]
    else:
        moved[:, :-1] = values[:, 1:]
    return moved


def lattice_free_mmi(
    outputs: np.ndarray,
    lengths: Sequence[int],
    sequences: Sequence[np.ndarray],
    starts: Sequence[np.ndarray],
    bigram: Bigram,
    tolerance: int = 4,
) -> tuple[np.ndarray, np.ndarray]:
    """The objective's gradient and value; both are zero for clips that do not fit their transcript.

    Args:
        outputs: ``(batch, frames, 2 phones)``: unnormalised log-scores of entering, then of staying.
        lengths: Frames of each clip.
        sequences: Phones of each clip.
        starts: The frame in which each phone begins.
        bigram: The denominator.
        tolerance: Frames by which a phone may leave its place.

    Returns:
        The gradient with respect to ``outputs``, and the log-probability of each transcript, ``(batch,)``.
    """
    count = outputs.shape[2] // 2
    ordered = np.ascontiguousarray(outputs.transpose(1, 0, 2), np.float64)
    scale = ordered.max(-1)
    likelihood = np.exp(ordered - scale[..., None])
    entry, stay = (np.ascontiguousarray(part) for part in (likelihood[..., :count], likelihood[..., count:]))
    everything = _Likelihoods(entry, stay, scale, np.asarray(lengths))
    back = np.ascontiguousarray(bigram.follow.T)
    forward = _forward(everything, bigram.start, lambda value: value @ bigram.follow, bigram.end)
    denominator = forward.log_likelihood
    gradient = -np.concatenate(_posteriors(everything, forward, lambda value: value @ back, bigram.end), -1)

    chains = _chains(sequences, starts, lengths, outputs.shape[1], bigram, tolerance)
    index = np.broadcast_to(chains.phones, chains.allowed.shape)
    narrow = _Likelihoods(
        np.take_along_axis(entry, index, -1) * chains.allowed,
        np.take_along_axis(stay, index, -1) * chains.allowed,
        scale,
        everything.lengths,
    )
    start = np.zeros_like(chains.weight)
    start[:, 0] = chains.weight[:, 0]
    forward = _forward(narrow, start, lambda value: _shifted(value, 1) * chains.weight, chains.end)
    entering, staying = _posteriors(narrow, forward, lambda value: _shifted(value * chains.weight, -1), chains.end)
    rows = np.arange(len(chains.phones))
    for state in range(chains.phones.shape[1]):
        phone = chains.phones[:, state]
        gradient[:, rows, phone] += entering[..., state]
        gradient[:, rows, count + phone] += staying[..., state]
    value = forward.log_likelihood - denominator
    usable = np.isfinite(value) & (value > LEAST_VALUE)
    return gradient.transpose(1, 0, 2) * usable[:, None, None], np.where(usable, value, 0.0)
