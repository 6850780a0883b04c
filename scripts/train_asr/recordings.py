"""Transcribed clips: the recordings' manifest, the synthetic clips' own, and how audio is read."""

import csv
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
import soxr

RATE = 16000
REPOSITORY = Path(__file__).resolve().parents[2]
SYNTHETIC = "synthetic"


@dataclass(frozen=True)
class Clip:
    """One transcribed clip.

    Attributes:
        path: The audio file.
        dataset: The set it belongs to.
        split: ``train``, ``dev`` or ``test``.
        speaker: A pseudonym, or the synthetic voice.
        text: Lower-case words separated by blanks.
    """

    path: Path
    dataset: str
    split: str
    speaker: str
    text: str


def shared_folder() -> Path:
    """The folder with recordings: ``VOICECART_SHARED``, or ``../shared`` beside the checkout.

    Raises:
        FileNotFoundError: It has no ``speech/manifest.tsv``.
    """
    folder = Path(os.environ.get("VOICECART_SHARED", REPOSITORY.parent / "shared"))
    if not (folder / "speech" / "manifest.tsv").is_file():
        raise FileNotFoundError(f"no speech/manifest.tsv in {folder}: set VOICECART_SHARED to the recordings' folder")
    return folder


def recorded_clips(split: str, *datasets: str) -> list[Clip]:
    """English clips of people with a text, of one split, in the manifest's order; all sets unless some are named."""
    folder = shared_folder() / "speech"
    with (folder / "manifest.tsv").open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE))
    return [
        Clip(folder / row["path"], row["set"], row["split"], row["speaker"], row["text"])
        for row in rows
        if row["lang"] == "en" and row["split"] == split and row["text"] and (not datasets or row["set"] in datasets)
    ]


def synthetic_clips(work: Path) -> list[Clip]:
    """What ``synthesise`` has made so far, for training."""
    return [
        Clip(work / SYNTHETIC / name, SYNTHETIC, "train", voice, text)
        for name, voice, text in _rows(work / SYNTHETIC / "manifest.tsv")
    ]


def read_waveform(path: Path) -> np.ndarray:
    """A file as float32 mono at 16 kHz, shape ``(samples,)``."""
    waveform, rate = soundfile.read(path, dtype="float32", always_2d=True)
    mono = waveform.mean(axis=1)
    if rate != RATE:
        mono = soxr.resample(mono, rate, RATE)
    return np.ascontiguousarray(mono, dtype=np.float32)


def _rows(path: Path) -> Iterator[list[str]]:
    if path.is_file():
        for line in path.read_text("utf-8").splitlines():
            yield line.split("\t")
