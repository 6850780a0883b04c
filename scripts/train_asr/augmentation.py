"""What lies between a mouth and a microphone: rooms, household noise, telephones, cheap microphones, levels."""

import csv
import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import soxr
from scipy.signal import butter, fftconvolve, sosfilt

from scripts.train_asr.recordings import RATE, read_waveform

_SMALLEST = 1e-9


def noise_held_out(name: str) -> bool:
    """Whether a noise clip is kept for benchmarks: about a third, by a hash of its file name."""
    return hashlib.sha256(name.encode()).digest()[0] % 3 == 0


def read_noises(folder: Path, held_out: bool) -> dict[str, np.ndarray]:
    """Noises of one part, by file name: those kept for benchmarks, or those for training."""
    with (folder / "manifest.tsv").open(encoding="utf-8", newline="") as lines:
        names = [row["path"] for row in csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)]
    noises = {name: read_waveform(folder / name) for name in names if noise_held_out(name) == held_out}
    return {name: noise for name, noise in noises.items() if len(noise) > RATE // 2 and noise.std() > 1e-4}


def stretch_of(noise: np.ndarray, samples: int, generator: np.random.Generator) -> np.ndarray:
    """A stretch of a noise from a random place, repeated when it is too short."""
    return np.resize(np.roll(noise, -int(generator.integers(len(noise)))), samples)


def speech_power(waveform: np.ndarray) -> float:
    """Mean square of the loud half of a clip's 20 ms pieces, so that pauses around the words do not count."""
    length = RATE // 50
    pieces = waveform[: len(waveform) // length * length].reshape(-1, length)
    if not len(pieces):
        return float(np.mean(waveform**2)) + _SMALLEST
    powers = np.sort((pieces**2).mean(axis=1))
    return float(powers[len(powers) // 2 :].mean()) + _SMALLEST


def add_noise(waveform: np.ndarray, noise: np.ndarray, decibels: float) -> np.ndarray:
    """The waveform with noise at a signal-to-noise ratio; noise has the same length."""
    gain = np.sqrt(speech_power(waveform) / (np.mean(noise**2) + _SMALLEST) * 10 ** (-decibels / 10))
    return (waveform + gain * noise).astype(np.float32)


def room(waveform: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """A simulated room: the direct sound, a few early reflections, a decaying tail that loses its treble."""
    reverberation = generator.uniform(0.1, 0.6)
    length = int(RATE * min(reverberation, 0.4))
    tail = generator.standard_normal(length) * np.exp(-6.9 * np.arange(length) / RATE / reverberation)
    tail = sosfilt(butter(1, generator.uniform(2500, 7000), fs=RATE, output="sos"), tail)
    tail[: RATE // 300] = 0.0
    response = tail / np.sqrt(np.sum(tail**2)) * 10 ** (-generator.uniform(0, 14) / 20)
    response[0] += 1.0
    for delay in generator.integers(RATE // 1000, RATE // 35, size=5):
        response[delay] += generator.choice((-1.0, 1.0)) * generator.uniform(0.05, 0.35)
    power = speech_power(waveform)
    wet = fftconvolve(waveform, response)[: len(waveform)]
    return (wet * np.sqrt(power / speech_power(wet))).astype(np.float32)


def telephone(waveform: np.ndarray) -> np.ndarray:
    """8 kHz, 300-3400 Hz, 8 bits of mu-law."""
    narrow = soxr.resample(waveform, RATE, 8000)
    narrow = sosfilt(butter(3, [300, 3400], "bandpass", fs=8000, output="sos"), narrow)
    peak = np.max(np.abs(narrow)) + _SMALLEST
    companded = np.round(np.sign(narrow) * np.log1p(255 * np.abs(narrow) / peak) / np.log(256) * 127) / 127
    narrow = np.sign(companded) * np.expm1(np.abs(companded) * np.log(256)) / 255 * peak
    wide = soxr.resample(narrow, 8000, RATE)
    return np.resize(wide, len(waveform)).astype(np.float32)


def microphone(waveform: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """A cheap microphone: less bass and treble, now and then clipped."""
    band = [generator.uniform(50, 250), generator.uniform(4000, 7800)]
    shaped = sosfilt(butter(1, band, "bandpass", fs=RATE, output="sos"), waveform)
    if generator.random() < 0.1:
        limit = np.percentile(np.abs(shaped), 99.5) + _SMALLEST
        shaped = np.clip(shaped, -limit, limit)
    return shaped.astype(np.float32)


def degrade(waveform: np.ndarray, noises: Sequence[np.ndarray], generator: np.random.Generator) -> np.ndarray:
    """A random recording situation; the length stays."""
    if generator.random() < 0.5:
        waveform = room(waveform, generator)
    if generator.random() < 0.8:
        noise = stretch_of(noises[generator.integers(len(noises))], len(waveform), generator)
        if generator.random() < 0.25:  # Two things at once.
            other = stretch_of(noises[generator.integers(len(noises))], len(waveform), generator)
            noise = noise / (noise.std() + 1e-4) + other / (other.std() + 1e-4)
        waveform = add_noise(waveform, noise, generator.uniform(3, 25))
    kind = generator.random()
    if kind < 0.1:
        waveform = telephone(waveform)
    elif kind < 0.35:
        waveform = microphone(waveform, generator)
    return np.clip(waveform * 10 ** (generator.uniform(-18, 3) / 20), -1.0, 1.0).astype(np.float32)


def change_speed(waveform: np.ndarray, speed: float) -> np.ndarray:
    """Faster and higher, or slower and lower."""
    return soxr.resample(waveform, RATE * speed, RATE).astype(np.float32)
