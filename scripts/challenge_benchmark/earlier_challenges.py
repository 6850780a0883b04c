"""Recordings of earlier challenges: owners who say digits, and what the device's recogniser hears in it."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from augment import add_noise, microphone, reverberate, room_response
from recordings import read_manifest, read_waveform, shared_folder

from assistant.hear.audio import RATE, Samples
from assistant.parts import Parts
from assistant.pay.challenge import draw_digits
from assistant.rehearse.voices import ShopperVoice
from assistant.settings import Pay
from assistant.understand.understanding import Expecting

SYNTHESISED = (
    "flite:slt",
    "flite:rms",
    "flite:awb",
    "flite:kal16",
    "festival:kal_diphone",
    "espeak:en-us",
    "espeak:en-gb+f3",
    "espeak:en-us+m3",
)
WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
PHRASES = (
    "my voice is my signature at home and in the shop",
    "please order bread and butter for the weekend",
    "the weather turned colder in the evening again",
    "seven boxes of green tea stand on the kitchen table",
    "nobody else may pay for what is in my cart",
)
STRINGS_A_SPEAKER = 6
SILENCE = np.zeros(RATE * 2 // 5, np.float32)


@dataclass(frozen=True, eq=False)
class Recording:
    """An owner saying the digits of an earlier challenge; `heard` is what the recogniser made of it, best first."""

    owner: str
    kind: str
    digits: str
    clip: Samples
    heard: tuple[str, ...]


def through_a_loudspeaker(clip: Samples, generator: np.random.Generator) -> Samples:
    """The clip played by a small loudspeaker in a room with some noise."""
    played = reverberate(microphone(clip, generator), room_response(generator))
    noise = generator.standard_normal(len(played)).astype(np.float32)
    return add_noise(played, noise, generator.uniform(15, 30))


def synthesised(randomness: random.Random) -> tuple[dict[str, list[Samples]], list[tuple[str, str, Samples]]]:
    """Enrolment takes by voice, and (voice, digits, clip) of earlier challenges."""
    takes, said = {}, []
    for name in SYNTHESISED:
        voice = ShopperVoice.parse(name)
        takes[name] = [voice.say(phrase) for phrase in PHRASES]
        for _ in range(STRINGS_A_SPEAKER):
            digits = draw_digits(Pay().digits, randomness)
            said.append((name, digits, voice.say(", ".join(WORDS[int(digit)] for digit in digits))))
    return takes, said


def recorded(randomness: random.Random) -> tuple[dict[str, list[Samples]], list[tuple[str, str, Samples]]]:
    """The same of people, whose single digits are put together; an enrolment take is other digits of theirs."""
    by_speaker: dict[str, dict[str, list[Path]]] = {}
    for line, clip in zip(_texts(), read_manifest(shared_folder()), strict=True):
        if clip.dataset == "fsdd":
            by_speaker.setdefault(clip.speaker, {}).setdefault(str(WORDS.index(line)), []).append(clip.path)
    takes, said = {}, []
    for name, digits_of_one in sorted(by_speaker.items()):

        def string(digits: str, own: dict[str, list[Path]] = digits_of_one) -> Samples:
            pause = np.zeros(int(randomness.uniform(0.05, 0.25) * RATE), np.float32)
            # Taken out: no sound is in a take and in a challenge.
            words = [own[digit].pop(randomness.randrange(len(own[digit]))) for digit in digits]
            return np.concatenate([np.concatenate([read_waveform(word), pause]) for word in words])

        takes[name] = [string(draw_digits(8, randomness)) for _ in PHRASES]
        for _ in range(STRINGS_A_SPEAKER):
            digits = draw_digits(Pay().digits, randomness)
            said.append((name, digits, string(digits)))
    return takes, said


def _texts() -> list[str]:
    lines = (shared_folder() / "speech" / "manifest.tsv").read_text("utf-8").splitlines()
    rows = [line.split("\t") for line in lines]
    speaker, text = rows[0].index("speaker"), rows[0].index("text")
    return [row[text] for row in rows[1:] if row[speaker] != "-"]


def recognised(parts: Parts, said: Sequence[tuple[str, str, Samples]], kind: str) -> list[Recording]:
    """What the device's recogniser hears in the strings, as they are and through a loudspeaker."""
    generator = np.random.default_rng(18)
    found = []
    for owner, digits, clip in said:
        for way in ("as recorded", "through a loudspeaker"):
            heard = np.concatenate([SILENCE, clip, SILENCE])
            if way != "as recorded":
                heard = through_a_loudspeaker(heard, generator)
            hearing = parts.recogniser.listen(Expecting.DIGITS)
            hearing.accept(heard)
            texts = tuple(hypothesis.text for hypothesis in hearing.finish())
            found.append(Recording(owner, f"{kind}, {way}", digits, heard, texts))
    return found
