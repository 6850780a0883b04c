"""Is it the same voice? Adaptive score normalisation and calibration, pure numpy.

The normalisation is the adaptive s-norm of Matejka et al., "Analysis of Score Normalization in Multilingual Speaker
Recognition", Interspeech 2017; the calibration is an affine map to a log-likelihood ratio (Brummer and du Preez,
"Application-independent evaluation of speaker detection", 2006) with terms for the plain cosine and the amount of
speech.
"""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from assistant.pay.one_voice import OneVoiceLimits

Embedding = npt.NDArray[np.float64]
"""Shape (size,), unit length."""

# The calibration's term for the amount of speech was fitted between these lengths, in seconds.
_REFERENCE_SECONDS = 3.0
_LEAST_SECONDS, _MOST_SECONDS = 1.5, 5.0


@dataclass(frozen=True)
class Calibration:
    """An encoder's own figures, as measured on speakers it was not trained on.

    Attributes:
        cohort_top: How many of the most similar cohort speakers normalise a score.
        scale: Log-likelihood ratio per unit of score.
        offset: Log-likelihood ratio at score zero.
        log_seconds: Log-likelihood ratio per natural logarithm of (voiced seconds / 3).
        threshold: Log-likelihood ratio (natural) that a voice needs to pay.
        minimum_voiced_seconds: Voiced seconds below which there is no decision.
        enrolment_agreement: Cosine that an enrolment take needs to the mean of the others.
        enrolment_voiced_seconds: Voiced seconds that an enrolment take needs.
        enrolment_utterances: Takes recommended.
        one_voice: What the windows of one voice's clip have; None when nobody has measured it for the encoder.
        cosine: Log-likelihood ratio per unit of the plain cosine, beside the score.
    """

    cohort_top: int
    scale: float
    offset: float
    log_seconds: float
    threshold: float
    minimum_voiced_seconds: float
    enrolment_agreement: float
    enrolment_voiced_seconds: float
    enrolment_utterances: int
    one_voice: OneVoiceLimits | None = None
    cosine: float = 0.0


@dataclass(frozen=True)
class Verdict:
    """One comparison.

    Attributes:
        cosine: Of template and test.
        score: The cosine, normalised against the cohort.
        likelihood_ratio: Natural logarithm of how much more likely the test is from the same speaker than not.
        accepted: Whether that, and the amount of speech, are enough.
    """

    cosine: float
    score: float
    likelihood_ratio: float
    accepted: bool


@dataclass(frozen=True, eq=False)
class Scoring:
    """Compares embeddings of one encoder.

    Attributes:
        cohort: Shape (speakers, size), float64 rows of unit length: mean embeddings of training speakers.
            Without rows the plain cosine is the score.
        calibration: The encoder's figures.
    """

    cohort: npt.NDArray[np.float64]
    calibration: Calibration

    def judge(
        self, template: Embedding, test: Embedding, voiced_seconds: float, threshold: float | None = None
    ) -> Verdict:
        """Compares a test with an owner's template.

        Args:
            template: The owner's.
            test: The test's.
            voiced_seconds: Amount of speech in the test.
            threshold: Log-likelihood ratio that is needed; None takes the calibrated one.
        """
        calibration = self.calibration
        cosine = float(template @ test)
        score = (self._normalised(cosine, template) + self._normalised(cosine, test)) / 2
        seconds = min(max(voiced_seconds, _LEAST_SECONDS), _MOST_SECONDS)
        ratio = (
            calibration.scale * score
            + calibration.cosine * cosine
            + calibration.offset
            + calibration.log_seconds * math.log(seconds / _REFERENCE_SECONDS)
        )
        needed = calibration.threshold if threshold is None else threshold
        accepted = voiced_seconds >= calibration.minimum_voiced_seconds and math.isfinite(ratio) and ratio >= needed
        return Verdict(cosine, score, ratio, accepted)

    def _normalised(self, cosine: float, embedding: Embedding) -> float:
        if not len(self.cohort):
            return cosine
        similarities = self.cohort @ embedding
        top = np.sort(similarities)[-self.calibration.cohort_top :]
        return float((cosine - top.mean()) / top.std())


def mean_embedding(embeddings: npt.NDArray[np.float64]) -> Embedding:
    """Unit-length mean of unit-length embeddings, shape (count, size)."""
    mean = embeddings.mean(0)
    return np.asarray(mean / np.linalg.norm(mean), np.float64)


def agreements(embeddings: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Cosine of every embedding, shape (count, size) with count of two or more, to the mean of the others."""
    others = embeddings.sum(0) - embeddings
    return np.asarray((embeddings * others).sum(1) / np.linalg.norm(others, axis=1), np.float64)


def cohesion(embeddings: npt.NDArray[np.float64]) -> float:
    """Cosine of the means of the two parts into which embeddings, shape (count, size), fall most clearly.

    Of two voices, each may agree with the mean of all others, which holds it as well; the parts do not agree with each
    other. The parts lie on either side of the mean along the principal component.
    """
    centred = embeddings - embeddings.mean(0)
    side = centred @ np.linalg.svd(centred, full_matrices=False)[2][0] > 0
    if side.all() or not side.any():
        return 1.0
    return float(np.clip(mean_embedding(embeddings[side]) @ mean_embedding(embeddings[~side]), -1.0, 1.0))
