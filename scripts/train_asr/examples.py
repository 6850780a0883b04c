"""What the network is trained on: a clip's features and its phones with times."""

import pickle
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from scripts.train_asr.network import SUBSAMPLING


@dataclass(frozen=True)
class Example:
    """One copy of a clip.

    Attributes:
        features: float16, shape ``(frames, 40)``.
        phones: int16, what is said.
        starts: int16, the output frame in which each phone begins.
    """

    features: np.ndarray
    phones: np.ndarray
    starts: np.ndarray

    @property
    def frames(self) -> int:
        """Output frames."""
        return (len(self.features) + SUBSAMPLING - 1) // SUBSAMPLING


def write_examples(path: Path, examples: Sequence[Example]) -> None:
    """Writes a shard whole or not at all."""
    temporary = path.with_suffix(".partial")
    plain = [(example.features, example.phones, example.starts) for example in examples]
    temporary.write_bytes(pickle.dumps(plain, protocol=5))
    temporary.replace(path)


def read_examples(path: Path) -> list[Example]:
    """Reads a shard."""
    return [Example(*parts) for parts in pickle.loads(path.read_bytes())]
