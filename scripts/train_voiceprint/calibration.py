"""Turns the scores of calibration speakers into log-likelihood ratios, and chooses the threshold."""

from __future__ import annotations

from typing import Any

import numpy as np
from error_rates import equal_error_rate, minimum_cost
from scipy.optimize import minimize
from trials import Attempts, normalised

COHORT_TOP = 100
REFERENCE_SECONDS = 3.0
WANTED_FALSE_ACCEPTS = 0.0002
"""A fifth of the tenth of a percent that is promised: the calibration speakers are few, and a threshold hangs on the
handful of their impostors who come nearest."""
MINIMUM_VOICED_SECONDS = 0.8
ENROLMENT_VOICED_SECONDS = 1.0
_FEW_FALSE_ACCEPTS = (0.001, 0.002, 0.005)
# One good take in so many may be asked for again.
_AGREEMENT_QUANTILE = 0.005


def calibrate(takes: np.ndarray, attempts: list[Attempts], cohort: np.ndarray) -> dict[str, Any]:
    """The content of `calibration.json` that follows from the calibration speakers.

    Args:
        takes: Shape (owners, takes, size): the enrolment utterances' embeddings.
        attempts: The conditions that the calibration must hold for.
        cohort: Shape (speakers, size).
    """
    scores, seconds, same = [], [], []
    per_cosine = _cosine_weight([attempt for attempt in attempts if "noisy" not in attempt.name], cohort)
    measured: dict[str, Any] = {}
    for attempt in attempts:
        matrix = normalised(attempt, cohort, COHORT_TOP)
        cosines = attempt.templates @ attempt.tests.T
        owner, test, own = attempt.pairs()
        scores.append((matrix + per_cosine * cosines)[owner, test])
        seconds.append(np.full(len(owner), attempt.seconds))
        same.append(own)
        measured[attempt.name] = {
            "owner_trials": int(own.sum()),
            "impostor_trials": int((~own).sum()),
            "equal_error_rate_cosine": round(
                equal_error_rate(cosines[owner, test][own], cosines[owner, test][~own]), 4
            ),
            "equal_error_rate": round(equal_error_rate(scores[-1][own], scores[-1][~own]), 4),
            "minimum_cost": round(minimum_cost(scores[-1][own], scores[-1][~own]), 4),
        }
    score, log_seconds, own = np.concatenate(scores), np.concatenate(seconds), np.concatenate(same)
    log_seconds = np.log(log_seconds / REFERENCE_SECONDS)
    # Noise makes impostors less alike: a threshold that counted on it would be too low in a quiet room.
    condition = np.concatenate(
        [
            np.full(len(part), -1 if "noisy" in a.name else n)
            for n, (a, part) in enumerate(zip(attempts, scores, strict=True))
        ]
    )
    scale, per_log_second, offset = _fit(score, log_seconds, own, condition)
    ratios = scale * score + per_log_second * log_seconds + offset
    threshold = _threshold(ratios, own, condition)
    first = 0
    for attempt, part in zip(attempts, scores, strict=True):
        rows = slice(first, first + len(part))
        first += len(part)
        measured[attempt.name] |= {
            "false_rejects": round(float((ratios[rows][own[rows]] < threshold).mean()), 4),
            "false_accepts": round(float((ratios[rows][~own[rows]] >= threshold).mean()), 5),
        }
    return {
        "cohort_top": COHORT_TOP,
        "scale": scale,
        "cosine": scale * per_cosine,
        "offset": offset,
        "log_seconds": per_log_second,
        "threshold_llr": threshold,
        "minimum_voiced_seconds": MINIMUM_VOICED_SECONDS,
        "enrolment": {
            "minimum_agreement_cosine": _least_agreement(takes),
            "minimum_voiced_seconds": ENROLMENT_VOICED_SECONDS,
            "utterances": takes.shape[1],
        },
        "measured": measured,
    }


def _cosine_weight(attempts: list[Attempts], cohort: np.ndarray) -> float:
    """What the plain cosine is worth beside the normalised score.

    The score alone lets an owner's far better cosine count for little where the cohort happens to be near; the cosine
    alone is blind to voices that resemble many. The weight is the one that rejects the fewest owners where few
    impostors are accepted, at three such rates, as a single one hangs on a handful of impostors.
    """

    def rejected(weight: float) -> float:
        rates = []
        for attempt in attempts:
            matrix = normalised(attempt, cohort, COHORT_TOP) + weight * (attempt.templates @ attempt.tests.T)
            owner, test, own = attempt.pairs()
            score = matrix[owner, test]
            thresholds = np.quantile(score[~own], [1 - rate for rate in _FEW_FALSE_ACCEPTS])
            rates.append(np.mean([(score[own] < threshold).mean() for threshold in thresholds]))
        return float(np.mean(rates))

    candidates = np.arange(0.0, 31.0)
    rates = np.array([rejected(weight) for weight in candidates])
    return float(np.median(candidates[rates <= rates.min() + 0.003]))


def _threshold(ratios: np.ndarray, own: np.ndarray, condition: np.ndarray) -> float:
    """The least that no more impostors than wanted reach, in any quiet condition (from 0; noisy ones are -1)."""
    quiet = np.unique(condition[condition >= 0])
    return float(max(np.quantile(ratios[~own & (condition == one)], 1 - WANTED_FALSE_ACCEPTS) for one in quiet))


def _fit(
    score: np.ndarray, log_seconds: np.ndarray, own: np.ndarray, condition: np.ndarray
) -> tuple[float, float, float]:
    """Scale, term for the seconds of speech, offset.

    Logistic regression with owners and impostors weighing the same: its output is a log-likelihood ratio. The term for
    the seconds is the one that rejects the fewest owners at the threshold; regression looks at the middle of the
    scores, but it is far out, where the threshold lies, that tests of all lengths should err equally often.
    """

    def rejected(per_score: float) -> float:
        moved = score + per_score * log_seconds
        return float((moved[own & (condition >= 0)] < _threshold(moved, own, condition)).mean())

    candidates = np.arange(-1.5, 1.51, 0.05)
    rates = np.array([rejected(per_score) for per_score in candidates])
    # The middle of the best: between candidates of the same rate there is nothing to choose.
    per_score = float(np.median(candidates[rates <= rates.min() + 0.002]))
    scale, offset = _regression(score, per_score * log_seconds, own)
    return scale, scale * per_score, offset


def _regression(score: np.ndarray, shift: np.ndarray, own: np.ndarray) -> tuple[float, float]:
    inputs = np.stack([score + shift, np.ones(len(score))], axis=1)
    sign = np.where(own, 1.0, -1.0)
    weight = np.where(own, 0.5 / own.sum(), 0.5 / (~own).sum())

    def loss(factors: np.ndarray) -> tuple[float, np.ndarray]:
        margin = sign * (inputs @ factors)
        slope = -weight * sign / (1 + np.exp(margin))
        return float((weight * np.logaddexp(0, -margin)).sum()), inputs.T @ slope

    factors = minimize(loss, np.array([1.0, -3.0]), jac=True, method="BFGS").x
    return float(factors[0]), float(factors[1])


def _least_agreement(takes: np.ndarray) -> float:
    """Cosine to the mean of the other takes that all but a few good takes reach."""
    others = takes.sum(1, keepdims=True) - takes
    cosines = (takes * others).sum(2) / np.linalg.norm(others, axis=2)
    return round(float(np.quantile(cosines, _AGREEMENT_QUANTILE)), 3)
