"""Misses and false alarms of the wake phrase, with the shipped model and the spotter that the device uses.

usage: benchmark_wake.py [--phrase TEXT] [--minutes 8] [--state DIR]

Misses are counted over synthetic voices, in quiet and in pink noise. False alarms need recordings: the folder
VOICECART_SHARED (default: ../shared) with speech/manifest.tsv; without it they are left out.
"""

import argparse
import csv
import os
import random
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from assistant.hear.audio import CHUNK_SAMPLES, RATE, Samples
from assistant.hear.graph import prepare_graphs
from assistant.hear.lexicon import Lexicon
from assistant.hear.reading import read_audio
from assistant.hear.wake import VoskWakeSpotter
from assistant.models import find_model
from assistant.rehearse.room import at_ratio, make_noise, speech_power
from assistant.rehearse.voices import ShopperVoice
from assistant.settings import Settings

VOICES = [
    "flite:slt",
    "flite:rms",
    "flite:awb",
    "flite:kal16",
    "festival:kal_diphone",
    "espeak:en-us",
    "espeak:en-gb+f3",
    "espeak:en-us+m3",
    "espeak:en-us+f2",
    "espeak:en-gb-scotland",
    "espeak:en-us+m7:150:40",
    "espeak:en-gb+f4:180:60",
]
ENDINGS = ("", ", order two cartons of oat milk", ", where is my order")
READ_SPEECH = ("commonvoice", "librispeech", "ljspeech")
DECIBELS = (None, 20.0, 10.0)


def detections(spotter: VoskWakeSpotter, samples: Samples) -> int:
    """How often the phrase is spotted in one recording."""
    spotter.reset()
    chunks = (samples[begin : begin + CHUNK_SAMPLES] for begin in range(0, len(samples), CHUNK_SAMPLES))
    return sum(spotter.accept(chunk) is not None for chunk in chunks)


def in_noise(speech: Samples, decibels: float | None, generator: np.random.Generator) -> Samples:
    """The phrase with room around it, in pink noise."""
    speech = np.pad(speech, (RATE * 2 // 5, RATE * 3 // 10))
    if decibels is None:
        return speech
    noise = make_noise("pink", len(speech) / RATE + 0.1, generator)[: len(speech)]
    return np.clip(speech + at_ratio(noise, speech_power(speech), decibels), -1, 1).astype(np.float32)


def read_speech(folder: Path) -> Iterator[Samples]:
    """English read speech in a fixed random order."""
    with (folder / "speech" / "manifest.tsv").open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE))
    paths = [row["path"] for row in rows if row["set"] in READ_SPEECH and row["lang"] == "en"]
    random.Random(3).shuffle(paths)
    return (read_audio(folder / "speech" / path) for path in paths)


def main() -> None:
    """Prints one line for each noise level, and one for the false alarms."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--phrase", default=Settings().hear.wake_phrase)
    parser.add_argument(
        "--minutes", type=float, default=8.0, help="of speech without the phrase (default: %(default)s)"
    )
    parser.add_argument("--state", type=Path, default=Path("/tmp/voicecart-benchmark-wake"))
    options = parser.parse_args()
    settings = Settings().hear
    lexicon = Lexicon(find_model("lexicon-en"))
    graphs = prepare_graphs(find_model(settings.model), {}, options.phrase, lexicon, options.state, print)
    assert graphs.wake is not None
    spotter = VoskWakeSpotter(graphs.wake, settings)
    spoken = [ShopperVoice.parse(voice).say(options.phrase + ending) for voice in VOICES for ending in ENDINGS]
    generator = np.random.default_rng(1)
    for decibels in DECIBELS:
        missed = sum(not detections(spotter, in_noise(speech, decibels, generator)) for speech in spoken)
        place = "quiet" if decibels is None else f"pink noise at {decibels:.0f} dB"
        print(f"{place}: {missed} of {len(spoken)} missed", flush=True)
    folder = Path(os.environ.get("VOICECART_SHARED", "../shared"))
    if not (folder / "speech" / "manifest.tsv").is_file():
        print(f"no recordings in {folder}: false alarms are not measured")
        return
    seconds, alarms = 0.0, 0
    for samples in read_speech(folder):
        alarms += detections(spotter, samples)
        seconds += len(samples) / RATE
        if seconds >= 60 * options.minutes:
            break
    print(f"read speech without the phrase: {alarms} false alarms in {seconds / 60:.1f} minutes")


if __name__ == "__main__":
    main()
