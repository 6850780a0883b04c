"""Makes what is not the voice equally small in all directions of an embedding.

That is what differs within a speaker, and what differs between the means of whole sets: microphones and languages.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Voices:
    """Embeddings `(clips, size)` of training speakers, undistorted and in rooms: whose each is, and of which set."""

    embeddings: np.ndarray
    speakers: np.ndarray
    sets: np.ndarray

    def means(self) -> tuple[np.ndarray, np.ndarray]:
        """Mean embedding of every speaker, and the speakers' sets."""
        names, first = np.unique(self.speakers, return_index=True)
        return np.stack([self.embeddings[self.speakers == name].mean(0) for name in names]), self.sets[first]


def whitening(voices: Voices, shrinkage: float) -> np.ndarray:
    """Matrix `(size, size)` for embeddings less their mean.

    Args:
        voices: At least two embeddings of most speakers.
        shrinkage: Share of a plain identity in the covariance, 0 to 1.
    """
    means, sets = voices.means()
    rows = np.searchsorted(np.unique(voices.speakers), voices.speakers)
    within = np.cov((voices.embeddings - means[rows]).T, bias=True)
    of_sets = np.stack([means[sets == name].mean(0) for name in sets])
    covariance = within + np.cov(of_sets.T, bias=True)
    size = len(covariance)
    covariance = (1 - shrinkage) * covariance + shrinkage * np.trace(within) / size * np.eye(size)
    values, vectors = np.linalg.eigh(covariance)
    return vectors @ np.diag(values**-0.5) @ vectors.T
