"""What the recognisers are asked: recordings of people never trained on, and synthesised speech."""

import csv
import json
import zlib
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from scripts.train_asr.augmentation import add_noise, noise_held_out, stretch_of
from scripts.train_asr.recordings import RATE, read_waveform, recorded_clips, shared_folder
from scripts.train_asr.sentences import DIGITS
from scripts.train_asr.synthesise import HELD_OUT, Voice

LEVELS = (6, 9, 12, 15, 18, 21, 24)
CAFE_NOISES = ("aircon", "dishwasher", "doing_the_dishes", "running_tap", "street")
"""Kinds of the noise manifest that are like a café or a kitchen."""
VOICES = (
    *(Voice("flite", name) for name in ("slt", "rms", "awb", "kal", "kal16")),
    *(Voice("festival", name) for name in ("kal_diphone", "cmu_us_slt_arctic_hts")),
    *(Voice("espeak", name) for name in ("en-us", "en-gb", "en-gb-scotland", "en-gb-x-rp", "en-029", "en-us+f2")),
    *(Voice("espeak", f"en-us+{variant}") for variant in HELD_OUT),
)
"""One of every installed engine and voice; the variants at the end were never trained on."""


@dataclass(frozen=True)
class Order:
    """A recorded order from the café's menu.

    Attributes:
        samples: float32, 16 kHz.
        slots: Slot → what was ordered.
    """

    samples: np.ndarray
    slots: dict[str, str]


def coffee_orders() -> list[Order]:
    """The recorded orders."""
    clips = recorded_clips("dev", "coffee")
    return [
        Order(read_waveform(clip.path), {slot: value.strip() for slot, value in json.loads(clip.text).items()})
        for clip in clips
    ]


def slot_values(orders: Sequence[Order]) -> dict[str, list[str]]:
    """Slot → all its values."""
    values: dict[str, set[str]] = defaultdict(set)
    for order in orders:
        for slot, value in order.slots.items():
            values[slot].add(value)
    return {slot: sorted(choices) for slot, choices in values.items()}


def held_out_noises(kinds: Sequence[str] = CAFE_NOISES) -> list[np.ndarray]:
    """Noises of these kinds that training never sees."""
    folder = shared_folder() / "noise"
    with (folder / "manifest.tsv").open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE))
    noises = [
        read_waveform(folder / row["path"]) for row in rows if row["kind"] in kinds and noise_held_out(row["path"])
    ]
    return [noise for noise in noises if noise.std() > 1e-4]


def noisy(samples: np.ndarray, noises: Sequence[np.ndarray], decibels: float, number: int) -> np.ndarray:
    """The samples in noise; the same noise for the same number and level."""
    generator = np.random.default_rng((number, int(decibels * 10)))
    noise = stretch_of(noises[generator.integers(len(noises))], len(samples), generator)
    return np.clip(add_noise(samples, noise, decibels), -1.0, 1.0)


@dataclass(frozen=True)
class Spoken:
    """A text and its recording."""

    samples: np.ndarray
    text: str


def an4_test() -> list[Spoken]:
    """The published test part of AN4."""
    return [Spoken(read_waveform(clip.path), clip.text) for clip in recorded_clips("test", "an4")]


def english_of_mandarin_speakers() -> list[Spoken]:
    """Sentences about anything by speakers that training never hears."""
    return [Spoken(read_waveform(clip.path), clip.text) for clip in recorded_clips("dev", "so762")]


def synthesised(voice: Voice, text: str, folder: Path) -> np.ndarray:
    """The text in a voice, half a second of silence around it; files that exist are read again."""
    path = folder / f"{voice}-{zlib.crc32(text.encode()):08x}.wav".replace(":", "-").replace("+", "-")
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        voice.say(text, path)
    return np.pad(read_waveform(path), RATE // 4)


def digit_strings(count: int, seed: int = 3) -> Iterator[str]:
    """Strings of four to six digits; in some, zero is "oh"."""
    generator = np.random.default_rng(seed)
    for _ in range(count):
        said = " ".join(DIGITS[digit] for digit in generator.integers(10, size=generator.integers(4, 7)))
        yield said.replace("zero", "oh") if generator.random() < 0.4 else said
