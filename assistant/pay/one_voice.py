"""One voice from beginning to end: a clip is cut into windows that must sound like each other and like the owner.

The voice of a whole clip is a mean, in which half a sentence of somebody else may pass; no single window of it does.
Pure numpy.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from assistant.hear.audio import RATE, Samples


@dataclass(frozen=True)
class OneVoiceLimits:
    """What a clip of one voice has, as measured for one encoder: ``one_voice`` in its ``calibration.json``.

    Attributes:
        window_seconds: Voiced seconds of a window.
        least_score: Normalised score that every window needs against the owner's template.
        least_agreement: Cosine that every two windows need, which share no sound where the clip is long enough.
        least_coverage: Share of the clip, from its first speech to its last, that is speech.
    """

    window_seconds: float
    least_score: float
    least_agreement: float
    least_coverage: float


@dataclass(frozen=True)
class Unity:
    """How much a clip is of one voice.

    Attributes:
        coverage: Share of speech from the first to the last of it (0-1).
        score: The least score of a window.
        agreement: The least cosine of two windows; 1 when there is only one.
    """

    coverage: float
    score: float
    agreement: float

    def enough(self, limits: OneVoiceLimits) -> bool:
        """Whether it is one voice; numbers that are none are not enough."""
        return (
            self.coverage >= limits.least_coverage
            and self.score >= limits.least_score
            and self.agreement >= limits.least_agreement
        )


def windows(speech: Samples, seconds: float) -> tuple[Samples, ...]:
    """Windows of equal length that cover voiced speech, each at least half over its neighbour.

    Args:
        speech: Voiced speech, shape (samples,), 16 kHz mono.
        seconds: Length of a window; less speech than that is one window.
    """
    length = round(seconds * RATE)
    if len(speech) <= length:
        return (speech,)
    count = int(np.ceil((len(speech) - length) / (length / 2))) + 1
    return tuple(speech[start : start + length] for start in np.linspace(0, len(speech) - length, count).astype(int))


def coverage(voiced: npt.NDArray[np.bool_]) -> float:
    """Share of speech from the first to the last of it; 0 when there is none.

    Args:
        voiced: For every sample whether it belongs to speech.
    """
    places = np.flatnonzero(voiced)
    return float(voiced[places[0] : places[-1] + 1].mean()) if len(places) else 0.0


def unity(
    embeddings: Sequence[npt.NDArray[np.floating[Any]]],
    scores: Sequence[float],
    covered: float = 1.0,
) -> Unity:
    """How much the windows of a clip are of one voice.

    Args:
        embeddings: Of the windows, in their order, unit length each.
        scores: Each window's normalised score against the owner.
        covered: The clip's ``coverage``.
    """
    together = np.stack(embeddings)
    count = len(together)
    # Windows two apart share no sound; of two or so windows, all that there are is the first and the last.
    apart = min(2, count - 1)
    first, second = np.triu_indices(count, max(apart, 1))
    cosines = (together @ together.T)[first, second]
    return Unity(covered, float(np.min(scores)), float(cosines.min()) if count > 1 else 1.0)
