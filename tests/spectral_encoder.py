"""A speaker encoder and voices for tests that need no network: spectra of artificial vowels, compared for real."""

from functools import cache, cached_property

import numpy as np
import numpy.typing as npt

from assistant.hear.audio import RATE, Samples
from assistant.pay.verification import Calibration, Embedding, Scoring
from assistant.pay.voiced_speech import VoicedSpeech

_BANDS = 48
_FRAME = 512


@cache
def speak(person: int, words: int, seconds: float = 2.0, level: float = 0.2) -> Samples:
    """Artificial speech: the person is in pitch and resonances, the words are in the syllables' lengths and vowels."""
    traits = np.random.default_rng(person)
    pitch = traits.uniform(90, 240)
    resonances = np.sort(traits.uniform(300, 4500, 4))
    text = np.random.default_rng(words * 1000 + person)
    count = int(seconds * RATE)
    time = np.arange(count) / RATE
    signal = np.zeros(count)
    for harmonic in range(1, int(5000 / pitch)):
        frequency = harmonic * pitch
        gain = sum(np.exp(-(((frequency - resonance) / 180) ** 2)) for resonance in resonances)
        signal += gain * np.sin(2 * np.pi * frequency * time + text.uniform(0, 6))
    beats = np.arange(0, seconds + 0.2, 0.2)
    syllables = np.interp(time, beats, text.uniform(0.5, 1.0, len(beats)))
    signal *= syllables / np.sqrt(np.mean(signal**2)) * level
    noise = text.standard_normal(count) * 0.0005
    return np.asarray(np.pad(signal + noise, RATE // 4), np.float32)


class EnergyActivity:
    """Voice is what is loud."""

    def probability(self, samples: Samples) -> float:
        return float(np.sqrt(np.mean(samples**2)) > 0.01)

    def reset(self) -> None:
        pass


def voiced_speech() -> VoicedSpeech:
    return VoicedSpeech(EnergyActivity)


class SpectralEncoder:
    """Implements ``SpeakerEncoder``: the mean spectrum's shape is the embedding."""

    def __init__(self, model: str = "spectral") -> None:
        self.model = model
        self.prepared = 0
        self.embedded = 0

    @cached_property
    def scoring(self) -> Scoring:
        return Scoring(_cohort(), Calibration(20, 1.0, 0.0, 0.5, 2.0, 0.8, 0.8, 1.0, 5))

    def prepare(self) -> None:
        self.prepared += 1

    def embed(self, speech: Samples) -> Embedding:
        self.embedded += 1
        frames = speech[: len(speech) // _FRAME * _FRAME].reshape(-1, _FRAME).astype(np.float64)
        power = (np.abs(np.fft.rfft(frames * np.hanning(_FRAME))) ** 2).mean(0)[: _BANDS * 3].reshape(_BANDS, 3).mean(1)
        shape = np.log(power + 1e-6)
        shape -= shape.mean()
        return np.asarray(shape / np.linalg.norm(shape), np.float64)


@cache
def _cohort() -> npt.NDArray[np.float64]:
    encoder = SpectralEncoder()
    return np.stack([encoder.embed(speak(person, 1)) for person in range(1000, 1030)])
