"""Measures whether replayed and synthesised speech could be told from recorded speech by a small classifier.

    python scripts/train_voiceprint/countermeasure.py

Needs the shared recordings (VOICECART_SHARED), espeak-ng, flite and festival. Recorded speech of training speakers,
loudspeaker replays of it (simulated: the loudspeaker's band and distortion, a second room) and synthesisers train a
logistic regression on spectral statistics; held-out speakers, and each synthesiser that the training did not have,
judge it. Everything passes the codec of the recordings and a room first, so that neither gives the answer away. Prints
a table; ships nothing.
"""

from __future__ import annotations

import argparse
import io
from collections.abc import Iterable

import numpy as np
import soundfile
from augment import add_noise, fit_length, reverberate, room_response
from error_rates import equal_error_rate
from recordings import SAMPLE_RATE, read_manifest, read_waveform, shared_folder
from scipy.fft import dct
from scipy.optimize import minimize
from scipy.signal import butter, sosfilt
from splits import fraction, group
from synthetic import CARRIERS, DIGITS, PRODUCTS

from assistant.rehearse.voices import ShopperVoice

CLIPS = 160
SECONDS = 2.5
VOICES = {
    "espeak-ng": ("espeak:en-us", "espeak:en-gb+f3", "espeak:en-us+m3", "espeak:en-us+f2", "espeak:en-gb-scotland"),
    "flite": ("flite:slt", "flite:rms", "flite:awb"),
    "festival": ("festival:kal_diphone",),
}
CLIPS_A_SYNTHESISER = 60
_FRAME, _HOP = 512, 256
_BANDS = 40
_COEFFICIENTS = 20
_PENALTY = 0.01


def encoded(waveform: np.ndarray) -> np.ndarray:
    """The waveform after the codec of the shared recordings (Ogg Opus)."""
    buffer = io.BytesIO()
    soundfile.write(buffer, waveform, SAMPLE_RATE, format="OGG", subtype="OPUS")
    buffer.seek(0)
    return fit_length(soundfile.read(buffer, dtype="float32")[0], len(waveform))


def replayed(waveform: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """The waveform out of a small loudspeaker: the room it was recorded in, a narrow band, a little distortion."""
    heard = reverberate(waveform, room_response(generator))
    low, high = generator.uniform(120, 400), generator.uniform(5000, 7500)
    shaped = sosfilt(butter(2, [low, high], "bandpass", fs=SAMPLE_RATE, output="sos"), heard)
    drive = generator.uniform(1.0, 3.0) / (np.abs(shaped).max() + 1e-6)
    return np.tanh(drive * shaped).astype(np.float32)


def in_a_room(waveform: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """What the device's microphone hears of it, equally loud."""
    heard = reverberate(waveform, room_response(generator))
    noise = generator.standard_normal(len(heard)).astype(np.float32)
    heard = add_noise(heard, noise, generator.uniform(15, 35))
    return (heard * (0.05 / (np.sqrt(np.mean(heard**2)) + 1e-6))).astype(np.float32)


def features(waveform: np.ndarray) -> np.ndarray:
    """Means and deviations of linear-frequency cepstra and of their changes over the louder frames."""
    frames = np.lib.stride_tricks.sliding_window_view(waveform, _FRAME)[::_HOP] * np.hanning(_FRAME)
    power = np.abs(np.fft.rfft(frames)) ** 2
    loud = power.sum(1) >= np.quantile(power.sum(1), 0.3)
    bands = np.stack([part.mean(1) for part in np.array_split(power[:, 1:], _BANDS, axis=1)], axis=1)
    cepstra = dct(np.log(bands + 1e-9), axis=1, norm="ortho")[:, :_COEFFICIENTS]
    changes = np.diff(cepstra, axis=0, prepend=cepstra[:1])
    return np.concatenate([s for part in (cepstra[loud], changes[loud]) for s in (part.mean(0), part.std(0))])


def recorded(wanted: str, count: int) -> list[np.ndarray]:
    """Clips of speakers of a group, one a speaker before anybody has a second, chosen by a hash."""
    seen: dict[str, int] = {}
    ranked = []
    for clip in sorted(read_manifest(shared_folder()), key=lambda clip: fraction(clip.path.name)):
        if group(clip) == wanted and clip.seconds >= SECONDS:
            seen[clip.speaker] = seen.get(clip.speaker, 0) + 1
            ranked.append((seen[clip.speaker], len(ranked), clip))
    return [_middle(read_waveform(clip.path)) for _, _, clip in sorted(ranked)[:count]]


def synthesised(voices: Iterable[str], count: int, generator: np.random.Generator) -> list[np.ndarray]:
    """Digit strings and orders in turn by the voices."""
    chosen = [ShopperVoice.parse(voice) for voice in voices]
    found = []
    for number in range(count):
        words = " ".join(generator.choice(DIGITS, size=7))
        if number % 2:
            words = f"{generator.choice(CARRIERS)}, thank you".format(generator.choice(PRODUCTS))
        found.append(_middle(chosen[number % len(chosen)].say(words)))
    return found


def _middle(waveform: np.ndarray) -> np.ndarray:
    length = int(SECONDS * SAMPLE_RATE)
    start = max(0, (len(waveform) - length) // 2)
    return fit_length(waveform[start : start + length], length)


def heard(clips: Iterable[np.ndarray], generator: np.random.Generator) -> np.ndarray:
    """Features of clips in a room, shape (clips, features)."""
    return np.stack([features(in_a_room(clip, generator)) for clip in clips])


class Classifier:
    """Logistic regression on standardised features; the higher the score, the more genuine."""

    def __init__(self, genuine: np.ndarray, fake: np.ndarray) -> None:
        inputs = np.concatenate([genuine, fake])
        self._mean, self._deviation = inputs.mean(0), inputs.std(0) + 1e-9
        sign = np.repeat([1.0, -1.0], [len(genuine), len(fake)])
        weight = np.repeat([0.5 / len(genuine), 0.5 / len(fake)], [len(genuine), len(fake)])
        columns = np.pad((inputs - self._mean) / self._deviation, ((0, 0), (0, 1)), constant_values=1.0)

        def loss(factors: np.ndarray) -> tuple[float, np.ndarray]:
            margin = sign * (columns @ factors)
            slope = columns.T @ (-weight * sign / (1 + np.exp(np.clip(margin, -50, 50))))
            return float((weight * np.logaddexp(0, -margin)).sum() + _PENALTY * factors @ factors), (
                slope + 2 * _PENALTY * factors
            )

        self._factors = minimize(loss, np.zeros(columns.shape[1]), jac=True, method="L-BFGS-B").x

    def __call__(self, inputs: np.ndarray) -> np.ndarray:
        """Scores, shape (clips,)."""
        return (inputs - self._mean) / self._deviation @ self._factors[:-1] + self._factors[-1]


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clips", type=int, default=CLIPS, help="recorded clips to train and as many to judge")
    arguments = parser.parse_args()
    generator = np.random.default_rng(21)
    real = {wanted: recorded(wanted, arguments.clips) for wanted in ("train", "report")}
    genuine = {wanted: heard(clips, generator) for wanted, clips in real.items()}
    replays = {wanted: heard([replayed(c, generator) for c in clips], generator) for wanted, clips in real.items()}
    spoken = {
        name: heard([encoded(c) for c in synthesised(voices, CLIPS_A_SYNTHESISER, generator)], generator)
        for name, voices in VOICES.items()
    }
    print("| attack | trained on | clips, genuine and not | EER | attacks let pass where 1 % of genuine are refused |")
    print("|" + "---|" * 5)

    def row(attack: str, trained: str, classifier: Classifier, fake: np.ndarray) -> None:
        scores, fakes = classifier(genuine["report"]), classifier(fake)
        passed = float((fakes >= np.quantile(scores, 0.01)).mean())
        rate = equal_error_rate(scores, fakes)
        print(f"| {attack} | {trained} | {len(scores)}, {len(fakes)} | {rate:.1%} | {passed:.1%} |", flush=True)

    row("replay (simulated)", "replays", Classifier(genuine["train"], replays["train"]), replays["report"])
    for name, fake in spoken.items():
        others = [other for other in spoken if other != name]
        known = np.concatenate([fake[::2], *(spoken[other] for other in others)])
        row(name, "all synthesisers", Classifier(genuine["train"], known), fake[1::2])
        unknown = np.concatenate([spoken[other] for other in others])
        row(name, " and ".join(others), Classifier(genuine["train"], unknown), fake)


if __name__ == "__main__":
    main()
