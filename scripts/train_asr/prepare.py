"""Augmented copies of the aligned clips as features, in shards.

usage: python -m scripts.train_asr.prepare WORK recorded|synthetic [--copies 0 1 2] [--sets an4 …] [--seed 5]

A shard holds one copy of every N-th aligned clip, so that any number of shards is a fair sample and training may begin
with the first. Shards that exist are kept. Three copies show every clip at every speed; at its own speed most are left
clean, the others pass through rooms, noises and microphones. ``--sets`` makes further copies of some sets only, which
gives them more weight.
"""

import argparse
import hashlib
from collections.abc import Collection
from pathlib import Path

import numpy as np

from assistant.hear.mfcc import mfcc
from assistant.hear.topology import read_topology
from scripts.train_asr.augmentation import change_speed, degrade, read_noises
from scripts.train_asr.examples import Example, write_examples
from scripts.train_asr.recordings import REPOSITORY, read_waveform, shared_folder

SPEEDS = (0.9, 1.0, 1.1)
CLIPS_PER_SHARD = 1500
CLEAN = 0.7
"""Share of the copies at their own speed that are left as they are."""


def read_alignments(
    path: Path, numbers: dict[str, int], sets: Collection[str] = ()
) -> list[tuple[Path, np.ndarray, np.ndarray]]:
    """Path, phone numbers and first output frames of every aligned clip, of all sets unless some are named."""
    clips = []
    for line in path.read_text("utf-8").splitlines():
        audio, dataset, _, phones = line.split("\t")
        if sets and dataset not in sets:
            continue
        pairs = [part.rsplit(":", 1) for part in phones.split()]
        numbered = np.array([numbers[phone] for phone, _ in pairs], np.int16)
        clips.append((Path(audio), numbered, np.array([int(start) for _, start in pairs])))
    return clips


def example_of(waveform: np.ndarray, speed: float, phones: np.ndarray, starts: np.ndarray) -> Example | None:
    """The copy's features with the alignment stretched as its speech was; None when it got too short."""
    features = mfcc(waveform).astype(np.float16)
    moved = np.round(starts / speed).astype(int)
    for index in range(1, len(moved)):  # Every phone keeps a frame of its own.
        moved[index] = max(moved[index], moved[index - 1] + 1)
    example = Example(features, phones, moved.astype(np.int16))
    return example if example.frames > 8 and example.frames > moved[-1] else None


def main() -> None:
    """Reads the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("work", type=Path)
    parser.add_argument("source", choices=("recorded", "synthetic"))
    parser.add_argument("--copies", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--sets", nargs="+", default=[])
    parser.add_argument("--seed", type=int, default=5)
    arguments = parser.parse_args()
    phones = read_topology(REPOSITORY / "models" / "voicecart-en").phones
    numbers = {phone: index for index, phone in enumerate(phones)}
    clips = read_alignments(arguments.work / "alignments" / f"{arguments.source}.tsv", numbers, arguments.sets)
    clips.sort(key=lambda clip: hashlib.sha256(clip[0].name.encode()).digest())
    noises = list(read_noises(shared_folder() / "noise", held_out=False).values())
    folder = arguments.work / "shards"
    folder.mkdir(exist_ok=True)
    name = "-".join([arguments.source, *arguments.sets])
    parts = max(1, len(clips) // CLIPS_PER_SHARD)
    for part in range(parts):
        paths = {copy: folder / f"{name}-{copy}-{part:03d}.pickle" for copy in arguments.copies}
        wanted = [copy for copy in arguments.copies if not paths[copy].exists()]
        generators = {copy: np.random.default_rng((arguments.seed, copy, part)) for copy in wanted}
        examples: dict[int, list[Example]] = {copy: [] for copy in wanted}
        for number, (audio, sequence, starts) in enumerate(clips[part::parts] if wanted else []):
            waveform = read_waveform(audio)
            for copy in wanted:
                turn, generator = (number + copy) % 3, generators[copy]
                changed = change_speed(waveform, SPEEDS[turn])
                if turn != 1 or generator.random() > CLEAN:
                    changed = degrade(changed, noises, generator)
                example = example_of(changed, SPEEDS[turn], sequence, starts)
                if example is not None:
                    examples[copy].append(example)
        for copy in wanted:
            write_examples(paths[copy], examples[copy])
            print(f"{paths[copy].name}: {len(examples[copy])} examples", flush=True)


if __name__ == "__main__":
    main()
