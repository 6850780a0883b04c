"""Error rates of a verifier from the scores of owners' and impostors' attempts."""

from __future__ import annotations

import numpy as np
from scipy.stats import beta


def error_curve(owners: np.ndarray, impostors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """False-reject and false-accept rates at every threshold that matters, from the lowest threshold to the highest."""
    thresholds = np.sort(np.concatenate([owners, impostors]))
    rejected = np.searchsorted(np.sort(owners), thresholds, side="left") / len(owners)
    accepted = 1 - np.searchsorted(np.sort(impostors), thresholds, side="left") / len(impostors)
    return np.append(rejected, 1.0), np.append(accepted, 0.0)


def equal_error_rate(owners: np.ndarray, impostors: np.ndarray) -> float:
    """Where the false-reject and the false-accept rate meet."""
    rejected, accepted = error_curve(owners, impostors)
    place = int(np.argmin(np.abs(rejected - accepted)))
    return float((rejected[place] + accepted[place]) / 2)


def minimum_cost(owners: np.ndarray, impostors: np.ndarray, prior: float = 0.01) -> float:
    """Least detection cost (minDCF) at a prior of owners, both errors costing the same, over that of a fixed answer."""
    rejected, accepted = error_curve(owners, impostors)
    return float((prior * rejected + (1 - prior) * accepted).min() / min(prior, 1 - prior))


def interval(errors: int, trials: int, confidence: float = 0.95) -> tuple[float, float]:
    """Clopper and Pearson's confidence interval of an error rate; trials of one speaker are taken for independent."""
    tail = (1 - confidence) / 2
    low = float(beta.ppf(tail, errors, trials - errors + 1)) if errors else 0.0
    high = float(beta.ppf(1 - tail, errors + 1, trials - errors)) if errors < trials else 1.0
    return low, high
