"""Draws training crops from the cache: speakers uniformly, copies and noises at random."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from augment import Noises
from cache import COPIES, SHARD
from features import MEL_BANDS, extract, make_fbank, warp_bands
from recordings import SAMPLE_RATE, shared_folder

# A voice played faster or slower is another speaker, as far as an encoder is concerned.
SPEEDS = (1.0, 0.9, 1.1)
_SPEED_SHARES = (0.8, 0.1, 0.1)
_COPY_SHARES = (0.42, 0.58)
# Some crops repeat a shorter one, so that the encoder meets utterances with little in them.
_REPEATED_SHARE = 0.35
_SHORTEST_FRAMES = 50
_LEAST_CLIP_FRAMES = 12
_SYNTHETIC_SPEAKERS = 8


@dataclass(frozen=True)
class Batch:
    """Crops `(batch, frames, 80)` in dB, class numbers, the teacher's embeddings and where there is one."""

    features: np.ndarray
    speakers: np.ndarray
    teacher: np.ndarray
    taught: np.ndarray


class Copy:
    """One cached copy of the training clips; shards not yet written are simply absent until `refresh` finds them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.clips: dict[int, np.ndarray] = {}
        self._shards: set[int] = set()
        self.refresh()

    def refresh(self) -> None:
        """Takes in the shards written since the last time."""
        for lengths_path in sorted(self.folder.glob("???.lengths.npy")):
            shard = int(lengths_path.name[:3])
            if shard in self._shards:
                continue
            self._shards.add(shard)
            lengths = np.load(lengths_path)
            frames = np.load(self.folder / f"{shard:03d}.npy", mmap_mode="r")
            for index, (length, end) in enumerate(zip(lengths, np.cumsum(lengths), strict=True)):
                if length >= _LEAST_CLIP_FRAMES:
                    self.clips[shard * SHARD + index] = frames[end - length : end]


class CropSampler:
    """Batches of crops from different speakers."""

    def __init__(self, work: Path, seed: int) -> None:
        self._work = work
        self._listing = json.loads((work / "clips.json").read_text())
        names = sorted({clip["speaker"] for clip in self._listing})
        self._number = {name: index for index, name in enumerate(names)}
        self.speakers = len(names)
        self.classes = len(SPEEDS) * len(names)
        self.generator = np.random.default_rng(seed)
        self._copies = {name: Copy(work / name) for name in COPIES}
        self._warps = {speed: warp_bands(speed) for speed in SPEEDS}
        self._noises = self._noise_powers()
        self.refresh()

    def refresh(self) -> None:
        """Takes in what the cache has gained."""
        for copy in self._copies.values():
            copy.refresh()
        self._clips_of: dict[int, list[int]] = defaultdict(list)
        for index in self._copies["clean"].clips:
            self._clips_of[self._number[self._listing[index]["speaker"]]].append(index)
        self._teacher = {
            int(path.name[:3]) * SHARD + row: embedding
            for path in sorted((self._work / "teacher").glob("???.npy"))
            for row, embedding in enumerate(np.load(path))
            if embedding.any()
        }
        if self._teacher:
            # What all voices have in common says nothing about whose voice it is.
            common = np.mean(list(self._teacher.values()), axis=0)
            for clip, embedding in self._teacher.items():
                self._teacher[clip] = (embedding - common) / np.linalg.norm(embedding - common)
        gathered: dict[int, list[np.ndarray]] = defaultdict(list)
        for clip, embedding in self._teacher.items():
            gathered[self._number[self._listing[clip]["speaker"]]].append(embedding)
        self._speaker_teacher = {speaker: np.mean(known, axis=0) for speaker, known in gathered.items()}

    @staticmethod
    def _noise_powers() -> list[np.ndarray]:
        fbank = make_fbank()
        noises = Noises(shared_folder() / "noise", held_out=False).waveforms
        return [10.0 ** (extract(fbank, noise) / 10.0) for noise in noises if len(noise) > SAMPLE_RATE]

    def draw(self, batch_size: int, frames: int) -> Batch:
        """A batch of crops, each of another speaker."""
        speakers = self.generator.choice(list(self._clips_of), size=batch_size, replace=False)
        features = np.empty((batch_size, frames, MEL_BANDS), np.float32)
        classes = np.empty(batch_size, np.int64)
        teacher = np.zeros((batch_size, 256), np.float32)
        taught = np.zeros(batch_size, np.float32)
        for row, speaker in enumerate(speakers):
            variant = int(self.generator.choice(len(SPEEDS), p=_SPEED_SHARES))
            features[row], used = self._crop(speaker, SPEEDS[variant], frames)
            classes[row] = speaker + self.speakers * variant
            known = [self._teacher[clip] for clip in used if clip in self._teacher]
            if variant == 0 and speaker in self._speaker_teacher:
                # The mean over a speaker's clips has less of the words and the channel in it than one clip has.
                teacher[row] = self._speaker_teacher[speaker] + (np.mean(known, axis=0) if known else 0.0)
                taught[row] = 1.0
        return Batch(self._disturb(features), classes, teacher, taught)

    def plain_crops(self, speakers: int, crops: int, frames: int) -> Iterator[tuple[np.ndarray, int, str]]:
        """For so many speakers chosen at random: crops `(crops, frames, 80)` at their own speed, number, set.

        Only `_SYNTHETIC_SPEAKERS` of them are synthesised voices: to an encoder these are much alike.
        """
        set_of = {self._number[clip["speaker"]]: clip["set"] for clip in self._listing}
        made = [speaker for speaker in sorted(self._clips_of) if set_of[speaker] == "synthetic"]
        real = [speaker for speaker in sorted(self._clips_of) if set_of[speaker] != "synthetic"]
        chosen = [
            *self.generator.choice(made, size=min(_SYNTHETIC_SPEAKERS, len(made)), replace=False),
            *self.generator.choice(real, size=min(speakers - _SYNTHETIC_SPEAKERS, len(real)), replace=False),
        ]
        for speaker in chosen:
            cut = np.stack([self._crop(speaker, 1.0, frames)[0] for _ in range(crops)])
            yield cut, int(speaker), set_of[speaker]

    def _crop(self, speaker: int, speed: float, frames: int) -> tuple[np.ndarray, list[int]]:
        """A stretch of one clip; short clips of the same speaker are joined until they suffice."""
        copy = self._copies[str(self.generator.choice(COPIES, p=_COPY_SHARES))].clips
        clips = self._clips_of[speaker]
        used: list[int] = []
        wanted = int(np.ceil(frames * speed))
        if self.generator.random() < _REPEATED_SHARE:
            wanted = int(self.generator.integers(_SHORTEST_FRAMES, wanted))
        pieces: list[np.ndarray] = []
        missing = wanted
        while missing > 0:
            clip = int(self.generator.choice(clips))
            piece = copy[clip] if clip in copy else self._copies["clean"].clips[clip]
            used.append(clip)
            start = int(self.generator.integers(max(1, len(piece) - missing + 1)))
            pieces.append(piece[start : start + missing])
            missing -= len(pieces[-1])
        crop = np.concatenate(pieces).astype(np.float32)
        if speed != 1.0:
            crop = crop[np.minimum(np.arange(0, len(crop), speed).round().astype(int), len(crop) - 1)]
            crop = crop @ self._warps[speed]
        return np.resize(crop, (frames, MEL_BANDS)), used

    def _disturb(self, features: np.ndarray) -> np.ndarray:
        """Noise, other voices and narrow bands, mixed in as power in the feature domain."""
        power = 10.0 ** (features / 10.0)
        voices = power.copy()
        batch, frames, bands = features.shape
        for row in range(batch):
            kind = self.generator.random()
            if kind < 0.40:
                noise = self._noises[self.generator.integers(len(self._noises))]
                start = int(self.generator.integers(max(1, len(noise) - frames)))
                noise = np.resize(noise[start : start + frames], (frames, bands))
                ratio = self.generator.uniform(0, 22)
            elif kind < 0.48:
                noise = voices[row - 1]
                ratio = self.generator.uniform(8, 22)
            else:
                continue
            power[row] += noise * (power[row].mean() / (noise.mean() + 1e-12) * 10 ** (-ratio / 10))
        mixed = 10.0 * np.log10(power + 1e-10)
        for row in range(batch):
            if self.generator.random() < 0.12:
                band = int(self.generator.integers(52, 78))
                floor = mixed[row].max() - 80.0
                mixed[row, :, band:] = np.maximum(floor, mixed[row, :, band:] - 60.0)
        return mixed.astype(np.float32)
