"""Draws training crops from the cache: speakers uniformly, copies and noises at random."""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from augment import Noises
from features import extract, make_fbank
from recordings import SAMPLE_RATE, shared_folder

COPIES = ("clean", "room", "slow", "fast")


@dataclass(frozen=True)
class Batch:
    """Crops `(batch, frames, 80)` in dB, class numbers, teacher's embeddings and where there is one."""

    features: np.ndarray
    speakers: np.ndarray
    teacher: np.ndarray
    taught: np.ndarray


class Copy:
    """One cached copy of the training clips; shards not yet written are simply absent."""

    def __init__(self, folder: Path) -> None:
        self.clips: dict[int, np.ndarray] = {}
        first = 0
        for lengths_path in sorted(folder.glob("*.lengths.npy")):
            shard = int(lengths_path.name[:3])
            lengths = np.load(lengths_path)
            frames = np.load(folder / f"{shard:03d}.npy", mmap_mode="r")
            ends = np.cumsum(lengths)
            first = shard * 500
            for index, (length, end) in enumerate(zip(lengths, ends, strict=True)):
                if length >= 12:
                    self.clips[first + index] = frames[end - length : end]


class CropSampler:
    """Batches of crops from different speakers."""

    def __init__(self, work: Path, seed: int) -> None:
        listing = json.loads((work / "clips.json").read_text())
        names = sorted({clip["speaker"] for clip in listing})
        number = {name: index for index, name in enumerate(names)}
        self.generator = np.random.default_rng(seed)
        self.copies = {name: Copy(work / name) for name in COPIES}
        self.clips_of: dict[int, list[int]] = defaultdict(list)
        for index, clip in enumerate(listing):
            if index in self.copies["clean"].clips:
                self.clips_of[number[clip["speaker"]]].append(index)
        self.speakers = len(names)
        self.classes = 3 * len(names)
        self.teacher, self.speaker_teacher = self._teacher(work)
        self.noises = self._noise_features()

    def _teacher(self, work: Path) -> tuple[dict[int, np.ndarray], dict[int, np.ndarray]]:
        embeddings = {
            int(path.name[:3]) * 500 + row: embedding
            for path in sorted((work / "teacher").glob("???.npy"))
            for row, embedding in enumerate(np.load(path))
        }
        means = {}
        for speaker, clips in self.clips_of.items():
            known = [embeddings[clip] for clip in clips if clip in embeddings]
            if known:
                means[speaker] = np.mean(known, axis=0)
        return embeddings, means

    @staticmethod
    def _noise_features() -> list[np.ndarray]:
        fbank = make_fbank()
        noises = Noises(shared_folder() / "noise", held_out=False).waveforms
        return [10.0 ** (extract(fbank, noise) / 10.0) for noise in noises if len(noise) > SAMPLE_RATE]

    def draw(self, batch_size: int, frames: int) -> Batch:
        """A batch of crops, each of another speaker."""
        speakers = self.generator.choice(list(self.clips_of), size=batch_size, replace=False)
        features = np.empty((batch_size, frames, 80), np.float32)
        classes = np.empty(batch_size, np.int64)
        teacher = np.zeros((batch_size, 256), np.float32)
        taught = np.zeros(batch_size, np.float32)
        for row, speaker in enumerate(speakers):
            copy = str(self.generator.choice(COPIES, p=[0.32, 0.44, 0.12, 0.12]))
            clips = [clip for clip in self.clips_of[speaker] if clip in self.copies[copy].clips]
            if not clips:
                copy, clips = "clean", self.clips_of[speaker]
            features[row], used = self._crop(copy, clips, frames)
            classes[row] = speaker + self.speakers * {"slow": 1, "fast": 2}.get(copy, 0)
            known = [self.teacher[clip] for clip in used if clip in self.teacher]
            if classes[row] == speaker and known:
                # the mean over the speaker's clips has less of the words and the channel in it than one clip has
                teacher[row] = np.mean(known, axis=0) + self.speaker_teacher[speaker]
                taught[row] = 1.0
        return Batch(self._disturb(features), classes, teacher, taught)

    def _crop(self, copy: str, clips: list[int], frames: int) -> tuple[np.ndarray, list[int]]:
        """A stretch of one clip; short clips of the same speaker are joined until they suffice."""
        pieces: list[np.ndarray] = []
        used: list[int] = []
        have = 0
        while have < frames:
            clip = int(self.generator.choice(clips))
            piece = self.copies[copy].clips[clip]
            used.append(clip)
            need = frames - have
            if len(piece) > need:
                start = int(self.generator.integers(len(piece) - need + 1))
                piece = piece[start : start + need]
            pieces.append(piece)
            have += len(piece)
        return np.concatenate(pieces).astype(np.float32), used

    def _disturb(self, features: np.ndarray) -> np.ndarray:
        """Noise, other voices and narrow bands, mixed in as power in the feature domain."""
        power = 10.0 ** (features / 10.0)
        batch, frames, bands = features.shape
        for row in range(batch):
            kind = self.generator.random()
            if kind < 0.40:
                noise = self.noises[self.generator.integers(len(self.noises))]
                start = int(self.generator.integers(max(1, len(noise) - frames)))
                noise = np.resize(noise[start:], (frames, bands)) if len(noise) - start < frames else noise[start:]
                ratio = self.generator.uniform(0, 22)
            elif kind < 0.48:
                noise = 10.0 ** (features[row - 1] / 10.0)
                ratio = self.generator.uniform(8, 22)
            else:
                continue
            noise = noise[:frames]
            gain = power[row].mean() / (noise.mean() + 1e-12) * 10 ** (-ratio / 10)
            power[row] += gain * noise
        mixed = 10.0 * np.log10(power + 1e-10)
        for row in range(batch):
            if self.generator.random() < 0.12:
                band = int(self.generator.integers(52, 78))
                floor = mixed[row].max() - 80.0
                mixed[row, :, band:] = np.maximum(floor, mixed[row, :, band:] - 60.0)
        return mixed.astype(np.float32)
