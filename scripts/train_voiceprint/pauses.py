"""How much of an answer is speech when people pause between the digits: recorded digits with pauses put in."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from augment import Noises, add_noise
from recordings import SAMPLE_RATE, read_manifest, read_waveform

from assistant.hear.voice_activity import SileroVoiceActivity
from assistant.pay.one_voice import coverage
from assistant.pay.voiced_speech import VoicedSpeech

LONGEST_PAUSE_SECONDS = 0.9
"""A pause of a second ends the answer."""
_STRINGS = 100
_DIGITS = 6
_DIGIT_SET = "fsdd"
_NOISE_DECIBELS = (10, 30)
_REFUSED = 0.005


def coverages(shared: Path) -> np.ndarray:
    """Coverage of digit strings, each of one training speaker and with pauses of its own length, in household noise."""
    generator = np.random.default_rng(12)
    noises = Noises(shared / "noise", held_out=False)
    said = [r for r in read_manifest(shared) if r.dataset == _DIGIT_SET and r.split == "train"]
    speakers = sorted({recording.speaker for recording in said})
    voiced = VoicedSpeech(SileroVoiceActivity)
    found = []
    for number in range(_STRINGS):
        own = [recording for recording in said if recording.speaker == speakers[number % len(speakers)]]
        pause = np.zeros(int(generator.uniform(0, LONGEST_PAUSE_SECONDS) * SAMPLE_RATE), np.float32)
        pieces = [np.zeros(SAMPLE_RATE // 2, np.float32)]
        for place in generator.choice(len(own), _DIGITS, replace=False):
            pieces += [read_waveform(own[place].path), pause]
        string = np.concatenate([*pieces, pieces[0]])
        noisy = add_noise(string, noises.sample(len(string), generator), generator.uniform(*_NOISE_DECIBELS))
        found.append(coverage(voiced.mask(noisy)))
    return np.array(found)


def least_coverage(shared: Path) -> float:
    """Coverage that all but a few of such answers have, rounded down to hundredths."""
    return float(np.floor(np.quantile(coverages(shared), _REFUSED) * 100) / 100)
