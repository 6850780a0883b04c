"""Misses against false alarms of a wake phrase, with the shipped model and the spotter that the device uses.

usage: benchmark_wake.py [--phrase TEXT] [--positives 200] [--hours 5] [--after 0] [--decibels 10]
                          [--processes 1] [--curve FILE.png] [--state DIR]

Positives are recordings of the phrase where there are any (VOICECART_SHARED, set "wakeword"), else synthetic voices;
negatives are recorded English speech of all other sets, every other clip in household noise. Noises are of the part
that training never heard. Every score above a low floor counts, so the curve shows what each threshold would give.
"""

import argparse
import multiprocessing
import random
import sys
import time
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import soundfile

REPOSITORY = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(REPOSITORY))

from assistant.hear.audio import CHUNK_SAMPLES, RATE, Samples  # noqa: E402
from assistant.hear.graph import prepare_graphs  # noqa: E402
from assistant.hear.lexicon import Lexicon  # noqa: E402
from assistant.hear.wake import VoskWakeSpotter  # noqa: E402
from assistant.models import find_model  # noqa: E402
from assistant.rehearse.voices import ShopperVoice  # noqa: E402
from assistant.settings import Settings  # noqa: E402
from scripts.hearing_benchmark.recordings import held_out_noises, noisy  # noqa: E402
from scripts.train_asr.recordings import read_waveform, recorded_clips  # noqa: E402

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
FLOOR = -100.0
HEADROOM = np.zeros(RATE * 3 // 10, np.float32)


def scores(spotter: VoskWakeSpotter, samples: Samples) -> list[float]:
    """Every score in one recording, a little silence around it."""
    spotter.reset()
    padded = np.concatenate([HEADROOM, samples, HEADROOM, HEADROOM])
    chunks = (padded[begin : begin + CHUNK_SAMPLES] for begin in range(0, len(padded), CHUNK_SAMPLES))
    return [score for chunk in chunks if (score := spotter.accept(chunk)) is not None]


def positives(phrase: str, count: int) -> tuple[str, list[Samples]]:
    """What they are, and recordings in which the phrase is said once."""
    clips = [clip for clip in recorded_clips("train", "wakeword") if clip.text == phrase]
    if clips:
        random.Random(3).shuffle(clips)
        return "recorded", [read_waveform(clip.path) for clip in clips[:count]]
    return "synthetic", [ShopperVoice.parse(voice).say(phrase + ending) for voice in VOICES for ending in ENDINGS]


def negatives(phrase: str, after: float) -> list[tuple[int, Path]]:
    """Recordings of speech without the phrase, numbered in a fixed random order, without the first so many hours."""
    clips = [clip.path for clip in recorded_clips("train") if phrase not in clip.text]
    random.Random(3).shuffle(clips)
    seconds = heard = 0
    while heard < len(clips) and seconds < 3600 * after:
        seconds += soundfile.info(clips[heard]).duration
        heard += 1
    return list(enumerate(clips))[heard:]


@dataclass(frozen=True)
class Listener:
    """What a process needs to look for the phrase in recordings; every other one is heard in noise.

    Attributes:
        wake: The graph's folder.
        decibels: Of speech over noise.
    """

    wake: Path
    decibels: float

    @cached_property
    def spotter(self) -> VoskWakeSpotter:
        """Takes any score above the floor."""
        return VoskWakeSpotter(self.wake, Settings().hear, FLOOR)

    @cached_property
    def noises(self) -> list[Samples]:
        """Noises that training never heard."""
        return held_out_noises()

    def listen(self, number: int, path: Path) -> tuple[list[float], float, float]:
        """Scores in the recording, its seconds, and the CPU seconds that finding them took."""
        samples = read_waveform(path)
        heard = noisy(samples, self.noises, self.decibels, number) if number % 2 else samples
        began = time.process_time()
        return scores(self.spotter, heard), len(samples) / RATE, time.process_time() - began


_listener: Listener


def begin_listening(listener: Listener) -> None:
    """Gives a process its listener."""
    global _listener
    _listener = listener


def listen(numbered: tuple[int, Path]) -> tuple[list[float], float, float]:
    """``Listener.listen`` in a process of its own."""
    return _listener.listen(*numbered)


def draw(path: Path, title: str, misses: dict[str, np.ndarray], alarms: np.ndarray, hours: float) -> None:
    """The curve: misses of every condition against false alarms an hour."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(6, 4.5))
    thresholds = np.unique(np.concatenate([alarms, *misses.values()]))
    for name, best in misses.items():
        rates = [(alarms >= threshold).sum() / hours for threshold in thresholds]
        missed = [(best < threshold).mean() * 100 for threshold in thresholds]
        axes.plot(rates, missed, drawstyle="steps-post", marker=".", label=name)
    axes.axvline(0.1, color="grey", linestyle=":", label="one in ten hours")
    axes.set_xscale("symlog", linthresh=0.1)
    axes.set_xlim(left=0)
    axes.set_xlabel("false alarms an hour")
    axes.set_ylabel("missed, %")
    axes.set_title(title)
    axes.legend()
    figure.tight_layout()
    figure.savefig(path, dpi=110)


def main() -> None:
    """Prints misses and false alarms for several thresholds."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--phrase", default=Settings().hear.wake_phrase)
    parser.add_argument("--positives", type=int, default=200)
    parser.add_argument("--hours", type=float, default=5.0, help="of speech without the phrase (default: %(default)s)")
    parser.add_argument("--after", type=float, default=0.0, help="hours of it that were heard before (default: none)")
    parser.add_argument("--decibels", type=float, default=10.0)
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--curve", type=Path)
    parser.add_argument("--state", type=Path, default=Path("/tmp/voicecart-benchmark-wake"))
    options = parser.parse_args()
    settings = Settings().hear
    graphs = prepare_graphs(
        find_model(settings.model), {}, options.phrase, Lexicon(find_model("lexicon-en")), options.state, print
    )
    assert graphs.wake is not None
    listener = Listener(graphs.wake, options.decibels)
    kind, spoken = positives(options.phrase, options.positives)
    misses: dict[str, np.ndarray] = {}
    for name, decibels in (("quiet", None), (f"household noise at {options.decibels:g} dB", options.decibels)):
        heard = [noisy(x, listener.noises, decibels, n) if decibels is not None else x for n, x in enumerate(spoken)]
        misses[name] = np.array([max(scores(listener.spotter, samples), default=FLOOR) for samples in heard])
        print(f"{options.phrase!r}, {len(spoken)} {kind}, {name}: scored", flush=True)
    found: list[float] = []
    seconds = spent = told = 0.0
    fresh = Listener(graphs.wake, options.decibels)
    with multiprocessing.get_context("spawn").Pool(options.processes, begin_listening, (fresh,)) as pool:
        for part, length, cost in pool.imap(listen, negatives(options.phrase, options.after), chunksize=8):
            found += part
            seconds, spent = seconds + length, spent + cost
            if seconds - told >= 900:
                told = seconds
                print(f"{seconds / 3600:.2f} of {options.hours:g} hours", flush=True)
            if seconds >= 3600 * options.hours:
                break
    alarms, hours = np.array(found), seconds / 3600
    cost = spent / max(seconds, 1e-9)
    print(f"speech without the phrase: {hours:.2f} hours, {cost:.3f} CPU seconds a second")
    print("| threshold | false alarms | an hour | " + " | ".join(f"missed, {name}" for name in misses) + " |")
    for threshold in (-4.0, -2.0, -1.0, 0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0):
        count = int((alarms >= threshold).sum())
        missed = " | ".join(f"{(best < threshold).sum()} of {len(best)}" for best in misses.values())
        print(f"| {threshold:g} | {count} | {count / max(hours, 1e-9):.2f} | {missed} |")
    if options.curve:
        draw(options.curve, f'"{options.phrase}", {kind} voices', misses, alarms, hours)


if __name__ == "__main__":
    main()
