"""How good a recording is: amount of speech, level, clipping, signal-to-noise ratio. Pure."""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from assistant.hear.audio import RATE, Samples

RATE_FRAME = RATE // 50
"""Samples of a frame: 20 ms."""

# Below this many frames without speech the quietest frames of the take stand for its noise.
_LEAST_NOISE_FRAMES = 5
_QUIETEST_SHARE = 0.1
_FLOOR = 1e-12
# A converter at its limit gives the same value again and again; natural peaks do not stay within 0.1 % for so long.
_CLIPPED_RUN = 4
_CLIPPED_LEVEL = 0.999


@dataclass(frozen=True)
class TakeQuality:
    """Measures of a take.

    Attributes:
        voiced_seconds: Amount of speech.
        level: Of the speech, in decibels below full scale (0 is the loudest possible).
        clipped_share: Share (0-1) of the speech's samples that are cut off at the top.
        signal_to_noise: In decibels; infinite when there is digital silence around the speech.
    """

    voiced_seconds: float
    level: float
    clipped_share: float
    signal_to_noise: float


def measure(take: Samples, voiced: npt.NDArray[np.bool_]) -> TakeQuality:
    """Measures a take.

    Args:
        take: Shape (samples,), 16 kHz mono.
        voiced: Shape (samples,): which samples belong to speech.
    """
    speech = take[voiced].astype(np.float64)
    if not len(speech):
        return TakeQuality(0.0, -math.inf, 0.0, 0.0)
    power = float(np.mean(speech**2))
    return TakeQuality(
        voiced_seconds=len(speech) / RATE,
        level=10 * math.log10(power + _FLOOR),
        clipped_share=_clipped(speech),
        signal_to_noise=_signal_to_noise(take, voiced, power),
    )


def _clipped(speech: npt.NDArray[np.float64]) -> float:
    peak = float(np.abs(speech).max())
    if peak == 0:
        return 0.0
    at_limit = np.abs(speech) >= _CLIPPED_LEVEL * peak
    edges = np.flatnonzero(np.diff(np.concatenate(([0], at_limit.astype(np.int8), [0]))))
    runs = edges[1::2] - edges[::2]
    return float(runs[runs >= _CLIPPED_RUN].sum() / len(speech))


def _signal_to_noise(take: Samples, voiced: npt.NDArray[np.bool_], power: float) -> float:
    count = len(take) // RATE_FRAME
    powers = (take[: count * RATE_FRAME].astype(np.float64).reshape(count, RATE_FRAME) ** 2).mean(1)
    silent = ~voiced[: count * RATE_FRAME].reshape(count, RATE_FRAME).any(1)
    if silent.sum() >= _LEAST_NOISE_FRAMES:
        noise = float(np.median(powers[silent]))
    else:
        noise = float(np.sort(powers)[: max(1, int(count * _QUIETEST_SHARE))].mean()) if count else 0.0
    if noise < _FLOOR:
        return math.inf
    return 10 * math.log10(max(power - noise, _FLOOR) / noise)
