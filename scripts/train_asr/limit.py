"""The limit of a network's verification: how badly words that were said fit at worst.

usage: python -m scripts.train_asr.limit WORK FOLDER [--clips 400] [--refused 0.01] [--seed 31]

People of many accents (Common Voice) in household noise at 6 to 18 dB, with what they said. The limit is what so small
a share of them exceeds; it goes into the model folder's ``verification.json``.
"""

import argparse
import json
from pathlib import Path

import numpy as np

from assistant.hear.lexicon import Lexicon
from assistant.hear.utterance_verification import LIMIT, Verifier
from assistant.models import write_manifest
from scripts.train_asr.augmentation import add_noise, read_noises, stretch_of
from scripts.train_asr.recordings import REPOSITORY, read_waveform, recorded_clips, shared_folder

DECIBELS = (6.0, 18.0)


def main() -> None:
    """Reads the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("work", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--clips", type=int, default=400)
    parser.add_argument("--refused", type=float, default=0.01)
    parser.add_argument("--seed", type=int, default=31)
    arguments = parser.parse_args()
    verifier = Verifier(arguments.folder, Lexicon(REPOSITORY / "models" / "lexicon-en", arguments.work), None)
    noises = list(read_noises(shared_folder() / "noise", held_out=False).values())
    generator = np.random.default_rng(arguments.seed)
    clips = recorded_clips("train", "commonvoice")
    found = []
    for index in generator.permutation(len(clips))[: arguments.clips]:
        speech = read_waveform(clips[index].path)
        noise = stretch_of(noises[generator.integers(len(noises))], len(speech), generator)
        misfit = verifier.misfit(add_noise(speech, noise, generator.uniform(*DECIBELS)), clips[index].text)
        if misfit is not None and np.isfinite(misfit):
            found.append(misfit)
    limit = round(float(np.quantile(found, 1 - arguments.refused)), 2)
    (arguments.folder / LIMIT).write_text(json.dumps({"limit": limit}) + "\n", "ascii")
    write_manifest(arguments.folder)
    print(f"{len(found)} clips: median {np.median(found):.2f}, limit {limit}")


if __name__ == "__main__":
    main()
