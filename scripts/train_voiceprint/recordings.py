"""The recordings that train and judge the speaker encoder: the shared folder's manifest and its audio."""

from __future__ import annotations

import csv
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
import soxr

SAMPLE_RATE = 16000
REPOSITORY = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Recording:
    """One clip: where it lies and who speaks."""

    path: Path
    dataset: str
    language: str
    split: str
    speaker: str
    seconds: float


def shared_folder() -> Path:
    """The optional folder with recordings: `VOICECART_SHARED`, or `../shared` beside the checkout.

    Raises:
        FileNotFoundError: the folder has no speech manifest.
    """
    folder = Path(os.environ.get("VOICECART_SHARED", REPOSITORY.parent / "shared"))
    if not (folder / "speech" / "manifest.tsv").is_file():
        raise FileNotFoundError(f"no speech/manifest.tsv in {folder}: set VOICECART_SHARED to the recordings' folder")
    return folder


def read_manifest(shared: Path) -> list[Recording]:
    """Every clip with a labelled speaker."""
    with (shared / "speech" / "manifest.tsv").open(encoding="utf-8", newline="") as lines:
        rows = csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)
        return [
            Recording(
                shared / "speech" / row["path"],
                row["set"],
                row["lang"],
                row["split"],
                row["speaker"],
                float(row["seconds"]),
            )
            for row in rows
            if row["speaker"] != "-"
        ]


def read_waveform(path: Path) -> np.ndarray:
    """A file as float32 mono at 16 kHz, shape `(samples,)`."""
    waveform, rate = soundfile.read(path, dtype="float32", always_2d=True)
    mono = waveform.mean(axis=1)
    if rate != SAMPLE_RATE:
        mono = soxr.resample(mono, rate, SAMPLE_RATE, quality="HQ")
    return np.ascontiguousarray(mono, dtype=np.float32)
