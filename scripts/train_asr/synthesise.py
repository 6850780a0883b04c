"""Shopping sentences spoken by Debian's speech synthesisers.

usage: python -m scripts.train_asr.synthesise WORK [--count 7000] [--seed 1]

Writes ``WORK/synthetic/*.wav`` and ``manifest.tsv`` (name, voice, text). A second call goes on where the first ended.
"""

import argparse
import subprocess
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile

from assistant.hear.lexicon import Lexicon
from scripts.train_asr.recordings import REPOSITORY, SYNTHETIC, read_waveform
from scripts.train_asr.sentences import WORDS, Sentences

HELD_OUT = ("f5", "m7", "anika", "pablo", "zac", "rob")
"""Variants of espeak-ng never trained on: the benchmark's unseen synthetic voices."""
FLITE = ("slt", "slt", "rms", "awb", "kal", "kal16")
FESTIVAL = ("kal_diphone", "cmu_us_slt_arctic_hts")


@dataclass(frozen=True)
class Voice:
    """A synthesiser's voice and how it is set.

    Attributes:
        engine: ``espeak``, ``flite`` or ``festival``.
        name: The engine's name of the voice.
        stretch: Duration factor, 1 being the voice's own.
        pitch: 0-99 for espeak-ng; others ignore it.
    """

    engine: str
    name: str
    stretch: float = 1.0
    pitch: int = 50

    def __str__(self) -> str:
        return f"{self.engine}:{self.name}"

    def say(self, text: str, path: Path) -> None:
        """Writes a WAV file at the engine's own rate."""
        match self.engine:
            case "espeak":
                rate = f"-s{round(165 / self.stretch)}"
                command = ["espeak-ng", "-v", self.name, rate, f"-p{self.pitch}", "-w", str(path), text]
                subprocess.run(command, check=True, capture_output=True, timeout=60)
            case "flite":
                stretch = f"duration_stretch={self.stretch:.2f}"
                command = ["flite", "-voice", self.name, "--setf", stretch, "-t", text, "-o", str(path)]
                subprocess.run(command, check=True, capture_output=True, timeout=60)
            case _:
                script = f"(voice_{self.name}) (Parameter.set 'Duration_Stretch {self.stretch:.2f})"
                command = ["text2wave", "-eval", script, "-o", str(path)]
                subprocess.run(command, input=text.encode(), check=True, capture_output=True, timeout=60)


def draw_voice(generator: np.random.Generator) -> Voice:
    """A voice for training, seldom one that is slow to run."""
    kind = generator.random()
    stretch = float(np.exp(generator.normal(0.0, 0.15)))
    if kind < 0.7:
        variants, accents = WORDS["espeak_variants"], WORDS["espeak_accents"]
        variant, accent = variants[generator.integers(len(variants))], accents[generator.integers(len(accents))]
        name = f"{accent}+{variant}" if variant else accent
        return Voice("espeak", name, stretch, int(generator.integers(30, 71)))
    if kind < 0.94:
        return Voice("flite", FLITE[generator.integers(len(FLITE))], stretch)
    return Voice("festival", FESTIVAL[generator.integers(len(FESTIVAL))], stretch)


def sentences(seed: int) -> Sentences:
    """A source of sentences with the project's own lexicon behind it."""
    lexicon = Lexicon(REPOSITORY / "models" / "lexicon-en")
    return Sentences(np.random.default_rng(seed), lexicon.general_words, lexicon.words)


def synthesise(work: Path, count: int, seed: int) -> None:
    """Speaks sentences until there are ``count``; the n-th is the same whenever it is made."""
    folder = work / SYNTHETIC
    folder.mkdir(parents=True, exist_ok=True)
    manifest = folder / "manifest.tsv"
    made = len(manifest.read_text("utf-8").splitlines()) if manifest.exists() else 0
    source, generator = sentences(seed), np.random.default_rng(seed + 1)
    with manifest.open("a", encoding="utf-8") as lines:
        for index in range(count):
            text, voice = source.next(), draw_voice(generator)
            if index < made:
                continue
            path = folder / f"{index:05d}.wav"
            voice.say(text, path)
            soundfile.write(path, read_waveform(path), 16000, subtype="PCM_16")
            lines.write(f"{path.name}\t{voice}\t{text.lower()}\n")
            lines.flush()


def main() -> None:
    """Reads the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("work", type=Path)
    parser.add_argument("--count", type=int, default=7000)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    synthesise(arguments.work, arguments.count, arguments.seed)


if __name__ == "__main__":
    main()
