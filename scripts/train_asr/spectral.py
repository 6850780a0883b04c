"""Fresh variation in every epoch, on the features themselves: other noises, other throats, other microphones, gaps.

All 40 cepstra of 40 mel bands are kept, so the logarithms of the bands come back exactly; energies add up there almost
as the sounds would. D. S. Park and others, "SpecAugment" (2019), for the gaps; N. Jaitly and G. Hinton, "Vocal tract
length perturbation" (2013), for the throats.
"""

from collections.abc import Iterable, Sequence

import numpy as np
from scipy.fft import dct, idct

from assistant.hear.mfcc import COEFFICIENTS

_LIFTER = 1 + 11 * np.sin(np.pi * np.arange(COEFFICIENTS) / 22)
"""Kaldi's default weights of the cepstra (``--cepstral-lifter=22``)."""
NOISY, WARPED, COLOURED, MASKED = 0.5, 0.5, 0.5, 0.5
"""Shares of the examples that are changed in each way."""
DECIBELS = (0.0, 24.0)
LARGEST_WARP = 0.12


def bands_of(features: np.ndarray) -> np.ndarray:
    """Log mel energies of Kaldi's cepstra, both ``(frames, 40)``."""
    bands: np.ndarray = idct(features.astype(np.float32) / _LIFTER, norm="ortho", axis=1)
    return bands


def features_of(bands: np.ndarray) -> np.ndarray:
    """Kaldi's cepstra of log mel energies, both ``(frames, 40)``."""
    features: np.ndarray = dct(bands, norm="ortho", axis=1) * _LIFTER
    return features.astype(np.float32)


class SpectralAugmentation:
    """Changes examples as they are put into batches.

    Args:
        noises: Features of noises, each ``(frames, 40)``.
        generator: The only source of chance.
    """

    def __init__(self, noises: Iterable[np.ndarray], generator: np.random.Generator) -> None:
        self._noises: Sequence[np.ndarray] = [bands_of(noise) for noise in noises if len(noise) > 50]
        self._generator = generator

    def __call__(self, features: np.ndarray) -> np.ndarray:
        """Another version of the same speech, ``(frames, 40)``."""
        random, bands = self._generator, bands_of(features)
        if random.random() < WARPED:
            bands = _warped(bands, random.uniform(1 - LARGEST_WARP, 1 + LARGEST_WARP))
        if random.random() < NOISY and self._noises:
            noise = self._noises[random.integers(len(self._noises))]
            start, length = random.integers(len(noise)), len(bands)
            bands = _mixed(bands, noise[(start + np.arange(length)) % len(noise)], random.uniform(*DECIBELS))
        if random.random() < COLOURED:
            position = (np.arange(COEFFICIENTS) + 0.5) / COEFFICIENTS
            waves = np.cos(np.pi * position[:, None] * np.arange(1, 4))
            bands = bands + waves @ random.normal(0, (0.6, 0.4, 0.3))
        if random.random() < MASKED:
            bands = self._masked(bands)
        return features_of(bands)

    def _masked(self, bands: np.ndarray) -> np.ndarray:
        random, level, masked = self._generator, bands.mean(), bands.copy()
        for _ in range(random.integers(1, 3)):
            width = random.integers(1, 7)
            start = random.integers(COEFFICIENTS - width)
            masked[:, start : start + width] = level
        for _ in range(random.integers(0, 3)):
            width = random.integers(1, min(16, max(2, len(bands) // 12)))
            start = random.integers(len(bands) - width)
            masked[start : start + width] = level
        return masked


def _warped(bands: np.ndarray, factor: float) -> np.ndarray:
    place = np.clip(np.arange(COEFFICIENTS) * factor, 0, COEFFICIENTS - 1)
    lower = np.minimum(place.astype(int), COEFFICIENTS - 2)
    share = (place - lower).astype(np.float32)
    warped: np.ndarray = bands[:, lower] * (1 - share) + bands[:, lower + 1] * share
    return warped


def _mixed(bands: np.ndarray, noise: np.ndarray, decibels: float) -> np.ndarray:
    levels = np.sort(np.exp(bands).sum(1))
    speech = levels[len(levels) // 2 :].mean()
    gain = np.log(speech / (np.exp(noise).sum(1).mean() + 1e-9) + 1e-9) - decibels * np.log(10) / 10
    mixed: np.ndarray = np.logaddexp(bands, noise + gain)
    return mixed
