"""Batches of examples of about the same length, from the shards that ``prepare`` has written so far."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from scripts.train_asr.examples import Example, read_examples
from scripts.train_asr.network import SUBSAMPLING
from scripts.train_asr.spectral import SpectralAugmentation

IGNORED = -1


@dataclass(frozen=True)
class Batch:
    """Examples side by side.

    Attributes:
        features: Normalised, ``(batch, 40, SUBSAMPLING (T - 1) + 2 context + 1)``.
        labels: The output expected in every frame, ``(batch, T)``; ``IGNORED`` after a clip's end.
        examples: What the rows hold.
    """

    features: torch.Tensor
    labels: torch.Tensor
    examples: Sequence[Example]


class Batches:
    """An endless stream of batches; new shards join whenever all examples have been seen once more.

    Args:
        folder: The shards.
        normalisation: Mean and deviation of the features, each ``(40,)``.
        wide: Feature frames of context on each side.
        phones: How many phones.
        frames: Feature frames in a batch, context included.
        seed: Of the order and of the jitter.
        noises: Features of noises to mix in, each ``(frames, 40)``; none leaves the examples as they were prepared.
    """

    def __init__(
        self,
        folder: Path,
        normalisation: tuple[np.ndarray, np.ndarray],
        wide: int,
        phones: int,
        frames: int,
        seed: int,
        noises: Sequence[np.ndarray] = (),
    ) -> None:
        self._folder, self._wide, self._phones, self._frames = folder, wide, phones, frames
        self._mean, self._deviation = normalisation
        self._generator = np.random.default_rng(seed)
        self._vary = SpectralAugmentation(noises, self._generator) if noises else None
        self._examples: list[Example] = []
        self._loaded: set[str] = set()

    def __iter__(self) -> Iterator[Batch]:
        while True:
            self._load()
            if not self._examples:
                raise FileNotFoundError(f"no shards in {self._folder}: run prepare first")
            for batch in self._plan():
                yield self._collate([self._examples[index] for index in batch])

    @property
    def hours(self) -> float:
        """Hours of features loaded so far."""
        return sum(len(example.features) for example in self._examples) / 360_000

    def _load(self) -> None:
        for path in sorted(self._folder.glob("*.pickle")):
            if path.name not in self._loaded:
                self._loaded.add(path.name)
                self._examples += read_examples(path)

    def _plan(self) -> list[list[int]]:
        lengths = np.array([len(example.features) for example in self._examples])
        plan: list[list[int]] = [[]]
        for index in np.argsort(lengths + 40 * self._generator.random(len(lengths))):
            if plan[-1] and (len(plan[-1]) + 1) * (lengths[index] + 2 * self._wide) > self._frames:
                plan.append([])
            plan[-1].append(int(index))
        return [plan[index] for index in self._generator.permutation(len(plan))]

    def _collate(self, examples: Sequence[Example]) -> Batch:
        longest, wide = max(example.frames for example in examples), self._wide
        width = SUBSAMPLING * (longest - 1) + 2 * wide + 1
        features = np.empty((len(examples), width, len(self._mean)), np.float32)
        labels = np.full((len(examples), longest), IGNORED, np.int64)
        for row, example in enumerate(examples):
            varied = self._vary(example.features) if self._vary else example.features.astype(np.float32)
            normal = (varied - self._mean) / self._deviation
            count = min(len(normal), width - wide)
            features[row, :wide] = normal[0]
            features[row, wide : wide + count] = normal[:count]
            features[row, wide + count :] = normal[-1]
            ends = np.append(example.starts[1:], example.frames)
            for phone, begin, end in zip(example.phones, example.starts, ends, strict=True):
                labels[row, begin], labels[row, begin + 1 : end] = phone, self._phones + phone
        random = self._generator
        features += 0.1 * random.standard_normal(features.shape, np.float32)
        features += 0.1 * random.standard_normal((len(examples), 1, features.shape[2]), np.float32)  # Another channel.
        features[:, :, 0] += 0.5 * random.standard_normal((len(examples), 1), np.float32)  # Another loudness.
        transposed = torch.from_numpy(np.ascontiguousarray(features.transpose(0, 2, 1)))
        return Batch(transposed, torch.from_numpy(labels), examples)
