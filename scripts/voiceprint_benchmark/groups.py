"""Trials among people who have something in common: a language, or the pitch of their voices.

The recordings carry no label of gender or age. Pitch stands in for both, and says less: impostors within two semitones
of the owner are mostly of the owner's sex, and a high voice is a woman's or a child's.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import numpy as np
from held_out import Owner
from recordings import SAMPLE_RATE, read_manifest, shared_folder
from splits import evaluation_set, group
from trials import Attempts

LANGUAGES = {"en": "English", "zh": "Mandarin"}
SIMILAR_SEMITONES = 2.0
HIGH_HERTZ = 220.0
_FRAME, _HOP = 640, 320
_LOWEST, _HIGHEST = 70.0, 450.0
_PERIODIC = 0.5
_AS_GOOD = 0.9


def pitch(speech: np.ndarray) -> float:
    """Median fundamental frequency in Hz of voiced speech, shape (samples,): the highest peak of the autocorrelation.

    NaN where nothing is periodic.
    """
    frames = np.lib.stride_tricks.sliding_window_view(speech, _FRAME)[::_HOP].astype(np.float64)
    frames = frames - frames.mean(1, keepdims=True)
    spectra = np.abs(np.fft.rfft(frames * np.hanning(_FRAME), 2 * _FRAME)) ** 2
    window = np.fft.irfft(np.abs(np.fft.rfft(np.hanning(_FRAME), 2 * _FRAME)) ** 2)
    shortest, longest = int(SAMPLE_RATE / _HIGHEST), int(SAMPLE_RATE / _LOWEST)
    likeness = np.fft.irfft(spectra)[:, : longest + 1] / window[: longest + 1]
    likeness = likeness / np.maximum(likeness[:, :1], 1e-12)
    # Multiples of the period are as good as the period: the shortest of the good ones.
    within = likeness[:, shortest:]
    lags = (within >= _AS_GOOD * within.max(1, keepdims=True)).argmax(1) + shortest
    periodic = likeness[np.arange(len(lags)), lags] > _PERIODIC
    return float(np.median(SAMPLE_RATE / lags[periodic])) if periodic.any() else float("nan")


def languages() -> dict[str, str]:
    """The language of every evaluation set that has one."""
    found: dict[str, set[str]] = defaultdict(set)
    for recording in read_manifest(shared_folder()):
        if group(recording) == "report":
            found[evaluation_set(recording)].add(recording.language)
    return {of_set: next(iter(spoken)) for of_set, spoken in found.items() if len(spoken) == 1}


def groups(people: Sequence[Owner], attempts: Attempts) -> dict[str, np.ndarray]:
    """For every group which pairs of `Attempts.pairs` belong to it, shape (pairs,); synthesised voices to none."""
    owner, test, own = attempts.pairs()
    real = attempts.sets[owner] != "synthetic"
    spoken = languages()
    of_set = np.array([spoken.get(name, "") for name in attempts.sets])
    semitones = 12 * np.log2([pitch(np.concatenate(person.enrolment)) for person in people])
    other = attempts.of[test]
    similar = np.abs(semitones[owner] - semitones[other]) <= SIMILAR_SEMITONES
    high = semitones > 12 * np.log2(HIGH_HERTZ)
    found = {name: real & (of_set[owner] == code) for code, name in LANGUAGES.items()}
    found[f"impostors within {SIMILAR_SEMITONES:g} semitones of the owner"] = real & (own | similar)
    found[f"owners and impostors above {HIGH_HERTZ:g} Hz"] = real & high[owner] & high[other]
    found[f"owners and impostors below {HIGH_HERTZ:g} Hz"] = real & ~high[owner] & ~high[other]
    return found
