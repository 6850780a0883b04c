"""Caches the training clips' features and the teacher's embeddings, shard by shard; run again to go on.

    python scripts/train_voiceprint/cache.py features WORK --copy clean|room
    python scripts/train_voiceprint/cache.py teacher WORK          (needs the package resemblyzer)

`WORK/clips.json` lists the training clips in a fixed shuffled order. A shard holds `SHARD` clips:
`WORK/<copy>/NNN.npy` (float16 frames of all clips, end to end) and `WORK/<copy>/NNN.lengths.npy`.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from augment import Noises, degrade
from features import extract, make_fbank, voiced_frames
from recordings import Recording, read_manifest, read_waveform, shared_folder
from splits import evaluation_set, fraction, group
from synthetic import synthesise

SHARD = 500
COPIES = ("clean", "room")
# The teacher embeds so many clips of a speaker: more change the speaker's mean little.
TAUGHT_CLIPS = 3


def all_recordings(work: Path) -> list[Recording]:
    """The labelled real clips and the synthetic voices."""
    return read_manifest(shared_folder()) + synthesise(work / "synthetic")


def training_clips(work: Path) -> list[dict[str, str]]:
    """The clips to train on: `{"path", "speaker", "set"}`, listed once in `WORK/clips.json`."""
    listing = work / "clips.json"
    if not listing.exists():
        chosen = [recording for recording in all_recordings(work) if group(recording) == "train"]
        chosen.sort(key=lambda recording: fraction(str(recording.path)))
        clips = [{"path": str(r.path), "speaker": r.speaker, "set": evaluation_set(r)} for r in chosen]
        write(listing, json.dumps(clips).encode())
    return json.loads(listing.read_text())


def write(path: Path, content: bytes) -> None:
    """Writes a file whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    partial.write_bytes(content)
    partial.replace(path)


def save_array(path: Path, array: np.ndarray) -> None:
    """Saves a numpy array whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial.npy")
    np.save(partial, array)
    partial.replace(path)


def shards(clips: list[dict[str, str]], folder: Path) -> Iterator[tuple[int, list[dict[str, str]]]]:
    """The shards not yet in `folder`, with progress."""
    count = (len(clips) + SHARD - 1) // SHARD
    for shard in range(count):
        if not (folder / f"{shard:03d}.lengths.npy").exists():
            started = time.monotonic()
            yield shard, clips[shard * SHARD : (shard + 1) * SHARD]
            print(f"{folder.name}: shard {shard + 1} of {count}, {time.monotonic() - started:.0f} s", flush=True)


def cache_features(work: Path, copy: str) -> None:
    """Caches one copy of every training clip: as recorded, or degraded."""
    clips = training_clips(work)
    fbank = make_fbank()
    noises = Noises(shared_folder() / "noise", held_out=False)
    for shard, part in shards(clips, work / copy):
        frames, lengths = [], []
        for clip in part:
            generator = np.random.default_rng(int(fraction(copy + clip["path"]) * 2**32))
            waveform = read_waveform(Path(clip["path"]))
            features = extract(fbank, waveform)
            mask = voiced_frames(features)
            if copy == "room":
                features = extract(fbank, degrade(waveform, noises, generator))
            features = features[mask[: len(features)]]
            frames.append(features.astype(np.float16))
            lengths.append(len(features))
        save_array(work / copy / f"{shard:03d}.npy", np.concatenate(frames))
        save_array(work / copy / f"{shard:03d}.lengths.npy", np.array(lengths))


def load_teacher() -> Callable[[np.ndarray], np.ndarray]:
    """Resemblyzer's encoder: waveform to 256 numbers of unit length."""
    import resemblyzer

    encoder = resemblyzer.VoiceEncoder("cpu", verbose=False)

    def embed(waveform: np.ndarray) -> np.ndarray:
        prepared = resemblyzer.preprocess_wav(waveform)
        if len(prepared) < 4000:
            prepared = waveform
        return encoder.embed_utterance(prepared)

    return embed


def cache_teacher(work: Path) -> None:
    """Caches the teacher's embeddings of each speaker's first clips, float32 `(clips, 256)` a shard, zero elsewhere."""
    clips = training_clips(work)
    embed = load_teacher()
    met: Counter[str] = Counter()
    chosen = set()
    for clip in clips:
        met[clip["speaker"]] += 1
        if met[clip["speaker"]] <= TAUGHT_CLIPS:
            chosen.add(clip["path"])
    for shard, part in shards(clips, work / "teacher"):
        embeddings = np.zeros((len(part), 256), np.float32)
        for row, clip in enumerate(part):
            if clip["path"] in chosen:
                embeddings[row] = embed(read_waveform(Path(clip["path"])))
        save_array(work / "teacher" / f"{shard:03d}.npy", embeddings)
        save_array(work / "teacher" / f"{shard:03d}.lengths.npy", np.ones(len(part), np.int64))


def main() -> None:
    """Command line."""
    import torch

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["clips", "features", "teacher"])
    parser.add_argument("work", type=Path)
    parser.add_argument("--copy", choices=COPIES, default="clean")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    if arguments.what == "clips":
        print(len(training_clips(arguments.work)), "clips")
    elif arguments.what == "features":
        cache_features(arguments.work, arguments.copy)
    else:
        cache_teacher(arguments.work)


if __name__ == "__main__":
    main()
