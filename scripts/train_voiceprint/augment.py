"""Rooms, noises, telephones and levels: what lies between a mouth and a microphone."""

from __future__ import annotations

import csv
import hashlib
from pathlib import Path

import numpy as np
import soxr
from recordings import SAMPLE_RATE, read_waveform
from scipy.signal import butter, fftconvolve, sosfilt


def noise_held_out(path: str) -> bool:
    """Whether a noise clip is kept for benchmarks: about a third of each kind, by a hash of the file name."""
    return hashlib.sha256(path.encode()).digest()[0] % 3 == 0


class Noises:
    """The household noises of one part: training, or held out."""

    def __init__(self, folder: Path, held_out: bool) -> None:
        with (folder / "manifest.tsv").open(encoding="utf-8", newline="") as lines:
            rows = list(csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE))
        paths = [folder / row["path"] for row in rows if noise_held_out(row["path"]) == held_out]
        self.waveforms = [read_waveform(path) for path in paths]

    def sample(self, samples: int, generator: np.random.Generator) -> np.ndarray:
        """A stretch of one noise of the wanted length, repeated when the clip is short."""
        noise = self.waveforms[generator.integers(len(self.waveforms))]
        if len(noise) < samples:
            noise = np.tile(noise, samples // len(noise) + 1)
        start = generator.integers(len(noise) - samples + 1)
        return noise[start : start + samples]


def room_response(generator: np.random.Generator) -> np.ndarray:
    """A simulated room: direct path, a few early reflections and an exponentially decaying coloured tail."""
    reverberation = generator.uniform(0.12, 0.7)
    length = int(SAMPLE_RATE * min(reverberation, 0.5))
    time = np.arange(length) / SAMPLE_RATE
    tail = generator.standard_normal(length) * np.exp(-6.9 * time / reverberation)
    cutoff = generator.uniform(2500, 7000)
    tail = sosfilt(butter(1, cutoff, fs=SAMPLE_RATE, output="sos"), tail)
    tail[: int(0.003 * SAMPLE_RATE)] = 0.0
    response = tail / np.sqrt(np.sum(tail**2)) * 10 ** (-generator.uniform(0, 12) / 20)
    response[0] += 1.0
    for _ in range(6):
        delay = int(generator.uniform(0.001, 0.03) * SAMPLE_RATE)
        response[delay] += generator.choice([-1.0, 1.0]) * generator.uniform(0.05, 0.4)
    return response.astype(np.float32)


def reverberate(waveform: np.ndarray, response: np.ndarray) -> np.ndarray:
    """The waveform heard in a room, cut to its own length."""
    return fftconvolve(waveform, response)[: len(waveform)].astype(np.float32)


def add_noise(waveform: np.ndarray, noise: np.ndarray, signal_to_noise: float) -> np.ndarray:
    """The waveform with noise at the given ratio in dB."""
    speech_power = np.mean(waveform**2) + 1e-9
    noise_power = np.mean(noise**2) + 1e-9
    gain = np.sqrt(speech_power / noise_power * 10 ** (-signal_to_noise / 10))
    return (waveform + gain * noise).astype(np.float32)


def telephone(waveform: np.ndarray) -> np.ndarray:
    """Narrow band: 8 kHz, 300-3400 Hz, 8-bit mu-law."""
    narrow = soxr.resample(waveform, SAMPLE_RATE, 8000)
    narrow = sosfilt(butter(4, [300, 3400], "bandpass", fs=8000, output="sos"), narrow)
    peak = np.max(np.abs(narrow)) + 1e-6
    companded = np.sign(narrow) * np.log1p(255 * np.abs(narrow) / peak) / np.log(256)
    companded = np.round(companded * 127) / 127
    narrow = np.sign(companded) * np.expm1(np.abs(companded) * np.log(256)) / 255 * peak
    return fit_length(soxr.resample(narrow, 8000, SAMPLE_RATE), len(waveform))


def microphone(waveform: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """A cheap microphone's band: a random low and high cut-off, sometimes with clipping."""
    low, high = generator.uniform(60, 250), generator.uniform(3800, 7800)
    shaped = sosfilt(butter(2, [low, high], "bandpass", fs=SAMPLE_RATE, output="sos"), waveform)
    if generator.random() < 0.15:
        limit = np.percentile(np.abs(shaped), 99.0) + 1e-6
        shaped = np.clip(shaped, -limit, limit)
    return shaped.astype(np.float32)


def fit_length(waveform: np.ndarray, samples: int) -> np.ndarray:
    """Cut or zero-pad to a length."""
    if len(waveform) < samples:
        waveform = np.pad(waveform, (0, samples - len(waveform)))
    return waveform[:samples].astype(np.float32)


def degrade(waveform: np.ndarray, noises: Noises, generator: np.random.Generator) -> np.ndarray:
    """One random recording situation of training."""
    if generator.random() < 0.65:
        waveform = reverberate(waveform, room_response(generator))
    if generator.random() < 0.55:
        waveform = add_noise(waveform, noises.sample(len(waveform), generator), generator.uniform(3, 22))
    kind = generator.random()
    if kind < 0.15:
        waveform = telephone(waveform)
    elif kind < 0.5:
        waveform = microphone(waveform, generator)
    return waveform * np.float32(10 ** (generator.uniform(-15, 6) / 20))
