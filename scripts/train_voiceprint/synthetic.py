"""Speech synthesisers as speakers: a device that hears one must still refuse another.

Each espeak-ng variant, and each flite or festival voice, counts as a person. Voices named in `HELD_OUT` are never
trained on.
"""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from recordings import Recording, read_waveform
from splits import fraction

ESPEAK_VARIANTS = [
    "f1",
    "f2",
    "f3",
    "f4",
    "f5",
    "m1",
    "m2",
    "m3",
    "m4",
    "m5",
    "m6",
    "m7",
    "m8",
    "klatt",
    "klatt2",
    "klatt3",
    "klatt4",
    "adam",
    "Alex",
    "Alicia",
    "Andrea",
    "Andy",
    "Annie",
    "antonio",
    "aunty",
    "belinda",
    "benjamin",
    "boris",
    "caleb",
    "david",
    "Denis",
    "Diogo",
    "ed",
    "edward",
    "edward2",
    "Gene",
    "Gene2",
    "grandma",
    "grandpa",
    "Gustave",
    "Henrique",
    "Hugo",
    "iven",
    "iven2",
    "iven3",
    "Jacky",
    "john",
    "kaukovalta",
    "Lee",
    "linda",
    "Marco",
    "Mario",
    "max",
    "Michael",
    "michel",
    "Mike",
    "Nguyen",
    "norbert",
    "pablo",
    "paul",
    "pedro",
    "quincy",
    "rob",
    "robert",
    "robosoft",
    "robosoft3",
    "robosoft5",
    "sandro",
    "shelby",
    "steph",
    "steph3",
    "travis",
    "Tweaky",
    "victor",
    "zac",
    "anika",
    "croak",
]
ESPEAK_ACCENTS = ("en-us", "en-gb", "en-gb-scotland", "cmn-latn-pinyin", "de", "fr-fr", "hi", "es")
FLITE_VOICES = ("kal", "slt", "rms", "awb")
HELD_OUT = frozenset(
    [
        "espeak-f3",
        "espeak-m6",
        "espeak-Annie",
        "espeak-Mario",
        "espeak-linda",
        "espeak-max",
        "espeak-Lee",
        "espeak-steph",
        "espeak-zac",
        "espeak-Gene",
        "espeak-pedro",
        "espeak-klatt3",
        "espeak-hi",
        "espeak-es",
        "flite-rms",
        "flite-awb",
    ]
)
DIGITS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
PRODUCTS = [
    "oat milk",
    "brown bread",
    "coffee beans",
    "paper towels",
    "dish soap",
    "orange juice",
    "green tea",
    "rice",
    "olive oil",
    "dog food",
    "shampoo",
    "light bulbs",
    "yoghurt",
    "bananas",
    "tomato soup",
    "tooth paste",
    "butter",
    "chocolate",
    "washing powder",
    "mineral water",
]
CARRIERS = (
    "order two cartons of {}",
    "add a pack of {} to my cart",
    "I would like some {} please",
    "how much is the {}",
    "no, make it three {}",
    "please remove the {} from the list",
    "where is my {} order",
    "do you have {} in stock",
)


@dataclass(frozen=True)
class SyntheticVoice:
    """A synthesiser's voice and the command that speaks with it."""

    name: str
    engine: str
    voice: str


def voices() -> list[SyntheticVoice]:
    """Every synthetic speaker."""
    listed = [SyntheticVoice(f"espeak-{v}", "espeak-ng", f"en-us+{v}") for v in ESPEAK_VARIANTS]
    listed += [SyntheticVoice(f"espeak-{a}", "espeak-ng", a) for a in ESPEAK_ACCENTS]
    listed += [SyntheticVoice(f"flite-{v}", "flite", v) for v in FLITE_VOICES]
    return listed


def phrase(generator: np.random.Generator) -> str:
    """A digit string or an order."""
    if generator.random() < 0.5:
        return " ".join(generator.choice(DIGITS, size=generator.integers(4, 8)))
    return str(generator.choice(CARRIERS)).format(generator.choice(PRODUCTS))


def speak(voice: SyntheticVoice, text: str, path: Path, generator: np.random.Generator) -> None:
    """Synthesises `text` to a WAV file; rate and pitch vary a little, as a person's do."""
    if voice.engine == "flite":
        stretch = generator.uniform(0.9, 1.15)
        command = ["flite", "-voice", voice.voice, "--setf", f"duration_stretch={stretch:.2f}", "-t", text, "-o", path]
    else:
        rate, pitch = int(generator.integers(130, 185)), int(generator.integers(45, 56))
        command = ["espeak-ng", "-v", voice.voice, "-s", str(rate), "-p", str(pitch), "-w", path, text]
    subprocess.run([str(part) for part in command], check=True, capture_output=True, timeout=60)


def synthesise(folder: Path, clips_per_voice: int = 24) -> list[Recording]:
    """Renders every voice once into `folder` (existing files are kept) and lists the clips as recordings."""
    recordings = []
    for voice in voices():
        generator = np.random.default_rng(int(fraction(voice.name) * 2**32))
        split = "dev" if voice.name in HELD_OUT else "train"
        for index in range(clips_per_voice):
            path = folder / voice.name / f"{index:02d}.wav"
            text = phrase(generator)
            if not path.exists():
                path.parent.mkdir(parents=True, exist_ok=True)
                speak(voice, text, path, generator)
            seconds = len(read_waveform(path)) / 16000
            recordings.append(Recording(path, "synthetic", "en", split, voice.name, seconds))
    return recordings
