"""Noise of a simulated room, made from a seed so that a rehearsal can be repeated."""

import numpy as np

from assistant.hear.audio import RATE, Samples
from assistant.rehearse.voices import ShopperVoice

_BABBLE = (
    ("espeak:en-gb+m3", "I told her that the meeting was moved to the afternoon, but nobody had written it down."),
    ("espeak:en-us+f4", "They went to the lake last summer and the children learned how to swim and to sail."),
    ("espeak:en-gb-scotland+m7", "The weather turned colder in the evening, so we lit the fire and played cards."),
    ("espeak:en-us+f2", "Have you read the article about the new bridge? It will be open by next spring."),
)


def make_noise(kind: str, seconds: float, random: np.random.Generator) -> Samples:
    """Noise of unit power, to be repeated.

    Args:
        kind: ``white``, ``pink`` (power falls with frequency), ``hum`` (mains hum and its harmonics with a little white
            noise, as a refrigerator) or ``babble`` (four other voices at once).
        seconds: Length.
        random: Where randomness comes from.
    """
    count = int(seconds * RATE)
    match kind:
        case "white":
            noise = random.standard_normal(count)
        case "pink":
            spectrum = np.fft.rfft(random.standard_normal(count))
            spectrum[1:] /= np.sqrt(np.arange(1, len(spectrum)))
            spectrum[0] = 0
            noise = np.fft.irfft(spectrum, count)
        case "hum":
            time = np.arange(count) / RATE
            noise = 0.2 * random.standard_normal(count)
            for harmonic in range(1, 12):
                noise += np.sin(2 * np.pi * 50 * harmonic * time) / harmonic
        case "babble":
            noise = np.zeros(count)
            for voice, text in _BABBLE:
                speech = ShopperVoice.parse(voice).say(text)
                noise += np.resize(np.roll(speech / speech.std(), int(random.integers(len(speech)))), count)
        case _:
            raise ValueError(f"{kind!r} is not a kind of noise")
    return np.asarray(noise / np.sqrt(np.mean(noise**2)), np.float32)


def at_ratio(noise: Samples, speech_power: float, decibels: float) -> Samples:
    """``noise`` of unit power, scaled to stand ``decibels`` under speech of ``speech_power`` (mean square)."""
    return np.asarray(noise * np.sqrt(speech_power / 10 ** (decibels / 10)), np.float32)


def speech_power(speech: Samples) -> float:
    """Mean square of the louder half of the frames (20 ms): pauses do not count."""
    frame = RATE // 50
    frames = speech[: len(speech) // frame * frame].reshape(-1, frame)
    powers = np.sort((frames.astype(np.float64) ** 2).mean(1))
    return float(powers[len(powers) // 2 :].mean()) if len(powers) else 0.0
