"""Phones with times for every transcribed training clip, by a network that is there already.

usage: python -m scripts.train_asr.align WORK NETWORK.pt recorded|synthetic [--gap 1.3] [--known ALIGNMENTS.tsv]

Words that no dictionary has are pronounced by letter-to-sound; of several pronunciations the alignment picks one. The
result is ``WORK/alignments/recorded.tsv`` or ``synthetic.tsv``: path, set, gap, then ``phone:first output frame`` for
each phone. Clips that do not fit their text (a gap above the limit) are left out. A second call adds the clips that are
new. Alignments known already (path below ``speech/``, score, ``phone:start:frames`` in 10 ms frames) are taken as they
are.
"""

import argparse
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

from assistant.hear.alignment import align
from assistant.hear.lexicon import Lexicon
from assistant.hear.mfcc import mfcc
from scripts.train_asr.network import Network, context
from scripts.train_asr.recordings import (
    REPOSITORY,
    Clip,
    read_waveform,
    recorded_clips,
    shared_folder,
    synthetic_clips,
)


def load_network(checkpoint: Mapping[str, Any]) -> Network:
    """The network of a checkpoint, ready to be applied."""
    hidden = len(checkpoint["weights"]["c.0.bias"])
    network = Network(len(checkpoint["phones"]), hidden, checkpoint["dilations"])
    network.load_state_dict({name: value.float() for name, value in checkpoint["weights"].items()})
    return network.eval()


def outputs_of(network: Network, checkpoint: Mapping[str, Any], features: np.ndarray) -> np.ndarray:
    """Outputs ``(T, 2 phones)`` for features ``(frames, 40)``, the first and last frame repeated as Vosk does."""
    wide = context(network.dilations)
    normal = (features - checkpoint["mean"]) / checkpoint["deviation"]
    frames = (len(features) + 2) // 3
    padded = np.pad(normal, ((wide, wide), (0, 0)), mode="edge")[: 3 * (frames - 1) + 2 * wide + 1]
    padded = np.pad(padded, ((0, 3 * (frames - 1) + 2 * wide + 1 - len(padded)), (0, 0)), mode="edge")
    with torch.inference_mode():
        result = network(torch.from_numpy(padded.T[None].astype(np.float32)))[0][0]
    return result.T.numpy().astype(np.float64)


def known_alignments(path: Path, phones: set[str]) -> Iterator[tuple[Path, str]]:
    """Audio file and this module's notation of every alignment made elsewhere; noises become silence."""
    folder = shared_folder() / "speech"
    for line in path.read_text("utf-8").splitlines():
        name, _, alignment = line.split("\t")
        parts: list[tuple[str, int]] = []
        for part in alignment.split():
            phone, start, _ = part.rsplit(":", 2)
            phone = phone if phone in phones else "SIL"
            if not (parts and phone == "SIL" == parts[-1][0]):
                first = -(-int(start) // 3) if parts else 0
                parts.append((phone, max(first, parts[-1][1] + 1) if parts else 0))
        yield folder / name, " ".join(f"{phone}:{start}" for phone, start in parts)


class Aligner:
    """Aligns clips with a network.

    Args:
        checkpoint: The network.
        lexicon: Pronunciations.
        gap: Above this a clip does not fit its text.
    """

    def __init__(self, checkpoint: Mapping[str, Any], lexicon: Lexicon, gap: float) -> None:
        self._checkpoint, self._lexicon, self._gap = checkpoint, lexicon, gap
        self._network = load_network(checkpoint)
        self._numbers = {phone: index for index, phone in enumerate(checkpoint["phones"])}

    def align(self, clip: Clip) -> str | None:
        """Gap and phones in this module's notation; None when the clip does not fit its text."""
        words = [self._lexicon.pronounce(word) for word in clip.text.split()]
        features = mfcc(read_waveform(clip.path))
        if not all(words) or len(features) < 20:
            return None
        variants = [[[self._numbers[phone] for phone in variant] for variant in word] for word in words]
        found = align(outputs_of(self._network, self._checkpoint, features), variants)
        if found is None or found.gap > self._gap:
            return None
        names = self._checkpoint["phones"]
        pairs = zip(found.phones, found.starts, strict=True)
        return f"{found.gap:.3f}\t" + " ".join(f"{names[phone]}:{start}" for phone, start in pairs)


def main() -> None:
    """Reads the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("work", type=Path)
    parser.add_argument("network", type=Path)
    parser.add_argument("source", choices=("recorded", "synthetic"))
    parser.add_argument("--gap", type=float, default=1.3)
    parser.add_argument("--known", type=Path)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    checkpoint = torch.load(arguments.network, map_location="cpu", weights_only=False)
    target = arguments.work / "alignments" / f"{arguments.source}.tsv"
    target.parent.mkdir(parents=True, exist_ok=True)
    seen = target.with_suffix(".seen")
    done = set(seen.read_text("utf-8").splitlines()) if seen.exists() else set()
    clips = recorded_clips("train") if arguments.source == "recorded" else synthetic_clips(arguments.work)
    clips = [clip for clip in clips if str(clip.path) not in done]
    known = dict(known_alignments(arguments.known, set(checkpoint["phones"]))) if arguments.known else {}
    lexicon = Lexicon(REPOSITORY / "models" / "lexicon-en", arguments.work)
    lexicon.pronounce_all({word for clip in clips if clip.path not in known for word in clip.text.split()})
    aligner, kept = Aligner(checkpoint, lexicon, arguments.gap), 0
    with target.open("a", encoding="utf-8") as lines, seen.open("a", encoding="utf-8") as names:
        for clip in clips:
            names.write(f"{clip.path}\n")
            found = f"0\t{known[clip.path]}" if clip.path in known else aligner.align(clip)
            if found is not None:
                lines.write(f"{clip.path}\t{clip.dataset}\t{found}\n")
                kept += 1
    print(f"{kept} of {len(clips)} clips aligned")


if __name__ == "__main__":
    main()
