"""Latency, CPU time and memory of the whole loop, from recordings through the real device, on one core.

    .venv/bin/python scripts/benchmark_loop.py [--out docs/performance.md] [--voices flite:slt ...]

Every voice enrols, orders, corrects, confirms, repeats the digits and asks for the order. What is measured runs in a
child process that may use one processor only, its speech engine included; the recordings are made before.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from functools import partial
from pathlib import Path

import numpy as np
import soundfile

from assistant import events
from assistant.assembly import open_device
from assistant.events import EventStream
from assistant.hear.audio import CHUNK_SAMPLES, RATE, Chunk
from assistant.hear.wav_source import WavSource, in_chunks
from assistant.household import Household
from assistant.parts import Parts
from assistant.rehearse.voices import ShopperVoice
from assistant.settings import Settings
from assistant.shop.feed import read_feed
from assistant.speak.loudspeakers import SilentLoudspeaker
from assistant.storefront import shipped_catalog

VOICES = ("flite:slt", "flite:rms", "flite:awb", "espeak:en-us", "espeak:en-us+f3")
DIGITS = "4719"
TURNS = {
    "order, with the wake phrase": "hey genie, order two cartons of oat milk",
    "correction": "no, three",
    "confirmation": "yes",
    "digits, voice judged": "four seven one nine",
    "status of the order, with the wake phrase": "hey genie, where is my order",
}
IDLE_SECONDS = 120
STORY = "The weather turned colder in the evening, so we lit the fire and played cards until everybody was tired. "


def main() -> None:
    """Makes the recordings, measures in children, writes the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("docs/performance.md"))
    parser.add_argument("--voices", nargs="+", default=VOICES)
    parser.add_argument("--measure", nargs=2, metavar=("FOLDER", "WHAT"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure is not None:
        folder, what = options.measure
        work = {"compile": compile_graphs, "idle": idle}.get(what) or partial(converse, number=int(what))
        print(json.dumps(work(Path(folder))))
        return
    with tempfile.TemporaryDirectory(prefix="benchmark-loop-") as name:
        record(Path(name), options.voices)
        load = os.getloadavg()[0]
        compiled = in_child(name, "compile")
        conversations = [in_child(name, str(number)) for number in range(len(options.voices))]
        page = render(compiled, conversations, in_child(name, "idle"), load)
    options.out.write_text(page, "utf-8")
    print(page)


def in_child(folder: str, what: str) -> dict:
    """Measures one thing in a process of its own that has one processor."""
    processor = max(os.sched_getaffinity(0))
    done = subprocess.run(
        [sys.executable, __file__, "--measure", folder, what],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        preexec_fn=lambda: os.sched_setaffinity(0, {processor}),
    )
    return json.loads(done.stdout.splitlines()[-1])


def record(folder: Path, voices: list[str]) -> None:
    """The shoppers' turns and enrolment sentences, and a room in which somebody talks to somebody else."""
    sentences = Parts(Settings(), (), folder).language.enrolment_sentences
    for number, name in enumerate(voices):
        voice = ShopperVoice.parse(name)
        for title, texts in (("turn", TURNS.values()), ("take", sentences)):
            for position, text in enumerate(texts):
                soundfile.write(folder / f"{number}-{title}-{position}.wav", voice.say(text), RATE)
    soundfile.write(folder / "story.wav", ShopperVoice.parse("flite:kal16").say(STORY), RATE)


class Room:
    """An audio source of given samples."""

    def __init__(self, samples):
        self._samples = samples

    def chunks(self):
        """The samples."""
        for count, samples in enumerate(in_chunks([self._samples])):
            yield Chunk(samples, count * CHUNK_SAMPLES / RATE)

    def hold(self, seconds):
        """Nobody answers."""

    def close(self):
        """Nothing to free."""


def compile_graphs(folder: Path) -> dict:
    """The first start over a catalog."""
    parts = Parts(Settings(), read_feed(shipped_catalog()).products, folder)
    began = time.perf_counter()
    parts.recogniser.load()
    return {"seconds": time.perf_counter() - began}


def converse(folder: Path, number: int) -> dict:
    """One voice's conversation."""
    products = read_feed(shipped_catalog()).products
    began = time.perf_counter()
    parts = Parts(Settings(), products, folder)
    memory = [megabytes("VmRSS")]
    parts.recogniser.load()
    assert parts.spotter is not None
    memory.append(megabytes("VmRSS"))
    household = Household(parts, folder / f"state-{number}", fixed_digits=DIGITS)
    takes = [soundfile.read(path, dtype="float32")[0] for path in sorted(folder.glob(f"{number}-take-*.wav"))]
    parts.encoder.embed(takes[0])
    memory.append(megabytes("VmRSS"))
    started = time.perf_counter() - began
    household.enrolments.enrol("owner", takes)
    parts.synthesiser.synthesise("hello")
    engine = megabytes("VmHWM", parts.synthesiser._process.pid)
    seen: list[events.Event] = []
    device = device_for(parts, household, WavSource(sorted(folder.glob(f"{number}-turn-*.wav"))), seen)
    used = time.process_time()
    device.run()
    return {
        "turns": turns_of(seen),
        "placed": sum(isinstance(event, events.OrderPlaced) for event in seen),
        "cpu": (time.process_time() - used) / device.now,
        "start_seconds": started,
        "recogniser": memory[1] - memory[0],
        "encoder": memory[2] - memory[1],
        "peak": megabytes("VmHWM"),
        "engine": engine,
        "products": len(products),
    }


def idle(folder: Path) -> dict:
    """CPU seconds per audio second while it waits for its wake phrase, by what is to be heard meanwhile."""
    story = soundfile.read(folder / "story.wav", dtype="float32")[0]
    rooms = {
        "a quiet room": np.random.default_rng(1).normal(0, 0.001, IDLE_SECONDS * RATE).astype(np.float32),
        "somebody talks all the time, but not to it": np.resize(story, IDLE_SECONDS * RATE),
        "a muted microphone": np.zeros(IDLE_SECONDS * RATE, np.float32),
    }
    result = {}
    for title, samples in rooms.items():
        parts = Parts(Settings(), read_feed(shipped_catalog()).products, folder)
        device = device_for(parts, Household(parts, folder / "state-idle"), Room(samples), [])
        used = time.process_time()
        device.run()
        result[title] = (time.process_time() - used) / IDLE_SECONDS
    return result


def megabytes(key: str, process: int | str = "self") -> float:
    """A line of a process's status: ``VmRSS`` is its memory now, ``VmHWM`` the most it had."""
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith(key))


def device_for(parts: Parts, household: Household, source, seen: list):
    """A device whose events are kept in ``seen``."""
    stream = EventStream()
    stream.subscribe(seen.append)
    return open_device(parts, household, source, SilentLoudspeaker(), stream)


def turns_of(seen: list) -> list[tuple[float, float]]:
    """For every utterance that was answered: seconds from the end of speech to the text and to the first audio."""
    turns = []
    text = None
    for event in seen:
        if isinstance(event, events.Transcript):
            text = event.latency_seconds
        elif isinstance(event, events.Reply) and text is not None:
            turns.append((text, event.latency_seconds))
            text = None
    return turns


def render(compiled: dict, conversations: list[dict], waiting: dict, load: float) -> str:
    """The page."""
    model = next(
        (line.split(":")[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines() if "model name" in line),
        platform.processor(),
    )
    placed = sum(conversation["placed"] for conversation in conversations)
    turns = defaultdict(list)
    for conversation in conversations:
        # Only where every turn was heard as one utterance is it known which is which.
        if len(conversation["turns"]) == len(TURNS):
            for title, turn in zip(TURNS, conversation["turns"], strict=True):
                turns[title].append(turn)
    typical = {key: float(np.median([one[key] for one in conversations])) for key in ("cpu", "start_seconds")}
    most = {key: max(one[key] for one in conversations) for key in ("recogniser", "encoder", "peak", "engine")}
    lines = [
        "# Performance of the whole loop",
        "",
        "Written by `scripts/benchmark_loop.py`; do not edit. Measured on one core of this machine:",
        f"{model}, {os.cpu_count()} cores, Python {platform.python_version()}. Load average before the run: {load:.1f}",
        "(more than 0 means that other programs took part of the time: wall times are then longer than they need be).",
        "Nothing here was measured on a Raspberry Pi.",
        "",
        f"{len(conversations)} synthetic voices each enrol, order, correct, confirm, repeat the digits and ask for the",
        f"order, over a catalog of {conversations[0]['products']} products. Purchases completed: {placed} of"
        f" {len(conversations)}.",
        "",
        "## Seconds from the end of speech",
        f"{Settings().hear.end_seconds} s of it is the silence that ends an utterance (`hear.end_seconds`; 0.3 s more"
        " for digits).",
        "",
        "| what was said | utterances | to the transcript, median | worst | to the first audio, median | worst |",
        "|---|---|---|---|---|---|",
        *(row(title, turns[title]) for title in TURNS),
        row("**all**", [turn for title in TURNS for turn in turns[title]]),
        "",
        "## CPU seconds per second of audio",
        "| | |",
        "|---|---|",
        f"| a conversation: hearing, understanding, shop, voiceprint | {typical['cpu']:.3f} |",
        *(f"| waiting for the wake phrase: {title} | {value:.3f} |" for title, value in waiting.items()),
        "",
        "## Memory and start",
        "| | |",
        "|---|---|",
        f"| peak memory of the device | {most['peak']:.0f} MB |",
        f"| of it, recogniser and wake spotter, once loaded | {most['recogniser']:.0f} MB |",
        f"| of it, speaker encoder, once loaded | {most['encoder']:.0f} MB |",
        f"| besides: the speech engine's own process, peak | {most['engine']:.0f} MB |",
        f"| first start over a catalog: recognition graphs compiled and loaded | {compiled['seconds']:.1f} s |",
        f"| later start: everything loaded | {typical['start_seconds']:.1f} s |",
        "",
    ]
    return "\n".join(lines)


def row(title: str, turns: list) -> str:
    """One line of the latency table."""
    if not turns:
        return f"| {title} | 0 | – | – | – | – |"
    text, audio = np.array(turns).T
    figures = (np.median(text), text.max(), np.median(audio), audio.max())
    return f"| {title} | {len(turns)} | " + " | ".join(f"{figure:.2f}" for figure in figures) + " |"


if __name__ == "__main__":
    main()
