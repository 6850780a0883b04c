"""Makes the companion of the speaker encoder out of the published package Resemblyzer and the training speakers.

    python scripts/train_voiceprint/companion.py WORK

Resemblyzer's network stays as it was published; what is added behind it is linear and comes from training speakers, as
recorded and in noisy rooms: the mean is removed, and what differs within a speaker or between whole sets (microphones,
languages) made equally small in all directions. Writes `WORK/companion.npz`, which `export.py` puts into the folder.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from augment import Noises, degrade
from cache import training_clips
from features import FBANK, extract, make_fbank, voiced_frames
from half_precision import halve_matrices
from recordings import SAMPLE_RATE, read_waveform, shared_folder
from whitening import Voices, whitening

from assistant.pay.companion import pieces
from assistant.pay.encoder_folder import COMPANION

EMBEDDINGS = "companion.npz"
COMPANION_SIZE = 256
SHARE = 0.4
"""Weight of the companion's cosine in the whole; on the calibration speakers a third to a half are equally good."""
COHORT_SPEAKERS = 1400
CLIPS_A_SPEAKER = 2
LONGEST_SECONDS = 4.0
SHORTEST_SECONDS = 0.5
SHRINKAGE = 0.3
_HOP_SAMPLES = FBANK["hop_length"] * SAMPLE_RATE // 1000


@dataclass(frozen=True)
class Speech:
    """Voiced speech of a training speaker, shape (samples,), as recorded and in a noisy room."""

    speaker: str
    of_set: str
    clean: np.ndarray
    degraded: np.ndarray


def training_speech(work: Path) -> Iterator[Speech]:
    """Clips of `COHORT_SPEAKERS` training speakers; of each speaker's first ones those that have enough speech."""
    fbank = make_fbank()
    noises = Noises(shared_folder() / "noise", held_out=False)
    generator = np.random.default_rng(11)
    met: Counter[str] = Counter()
    speakers: set[str] = set()
    for clip in training_clips(work):
        speaker = clip["speaker"]
        met[speaker] += 1
        if met[speaker] > CLIPS_A_SPEAKER or (speaker not in speakers and len(speakers) == COHORT_SPEAKERS):
            continue
        waveform = read_waveform(Path(clip["path"]))
        mask = np.repeat(voiced_frames(extract(fbank, waveform)), _HOP_SAMPLES)[: len(waveform)]
        speech = waveform[: len(mask)][mask][: int(LONGEST_SECONDS * SAMPLE_RATE)]
        if len(speech) >= SHORTEST_SECONDS * SAMPLE_RATE:
            speakers.add(speaker)
            yield Speech(speaker, clip["set"], speech, degrade(speech, noises, generator))


@dataclass(frozen=True)
class Published:
    """The parts of Resemblyzer's voice encoder; the filters have shape (201, 40)."""

    filters: np.ndarray
    lstm: torch.nn.LSTM
    linear: torch.nn.Linear


def resemblyzer() -> Published:
    """Its network with the published weights."""
    import librosa
    from resemblyzer import VoiceEncoder

    encoder = VoiceEncoder("cpu", verbose=False)
    filters = librosa.filters.mel(sr=SAMPLE_RATE, n_fft=400, n_mels=40)
    return Published(filters.T.astype(np.float32), encoder.lstm, encoder.linear)


class Companion(torch.nn.Module):
    """Power spectra of pieces, `(pieces, 160, 201)`, to an embedding `(1, 256)`.

    Args:
        published: The network.
        mean: What is taken from its embeddings, shape (256,).
        matrix: What they are then multiplied by, shape (256, 256).
        length: Of the embeddings.
    """

    def __init__(self, published: Published, mean: np.ndarray, matrix: np.ndarray, length: float) -> None:
        super().__init__()
        self.lstm, self.linear, self.length = published.lstm, published.linear, length
        self.register_buffer("filters", torch.from_numpy(published.filters))
        self.register_buffer("mean", torch.from_numpy(mean.astype(np.float32)))
        self.register_buffer("matrix", torch.from_numpy(matrix.T.astype(np.float32)))

    def forward(self, power: torch.Tensor) -> torch.Tensor:
        """Shape (1, 256)."""
        _, (hidden, _) = self.lstm(power @ self.filters)
        embeddings = torch.nn.functional.normalize(torch.relu(self.linear(hidden[-1])), dim=1)
        whole = torch.nn.functional.normalize(embeddings.mean(0, keepdim=True), dim=1)
        return torch.nn.functional.normalize((whole - self.mean) @ self.matrix, dim=1) * self.length


def embed_training_speech(work: Path) -> None:
    """Embeds the training speakers with the published network; written to `WORK/companion.npz`."""
    plain = Companion(resemblyzer(), np.zeros(COMPANION_SIZE), np.eye(COMPANION_SIZE), 1.0).eval()
    found: list[np.ndarray] = []
    speakers: list[str] = []
    sets: list[str] = []
    with torch.inference_mode():
        for speech in training_speech(work):
            for waveform in (speech.clean, speech.degraded):
                found.append(plain(torch.from_numpy(pieces(waveform)))[0].numpy())
                speakers.append(speech.speaker)
                sets.append(speech.of_set)
            if len(found) % 500 == 0:
                print(f"{len(found)} embeddings of {len(set(speakers))} speakers", flush=True)
    partial = work / f"partial-{EMBEDDINGS}"
    np.savez(partial, embeddings=np.array(found, np.float64), speakers=speakers, sets=sets)
    partial.replace(work / EMBEDDINGS)


def read_voices(work: Path) -> Voices:
    """What `embed_training_speech` wrote."""
    with np.load(work / EMBEDDINGS) as kept:
        return Voices(kept["embeddings"], kept["speakers"], kept["sets"])


def adapted(published: Published, voices: Voices, share: float) -> Companion:
    """The companion whose cosine has a share in the whole, whitened for what differs between these embeddings."""
    matrix = whitening(voices, SHRINKAGE)
    return Companion(published, voices.embeddings.mean(0), matrix, (share / (1 - share)) ** 0.5).eval()


def write_companion(folder: Path, companion: Companion) -> None:
    """Adds the companion to the folder of an encoder; the manifest stays as it is."""
    import onnx

    torch.onnx.export(
        companion,
        (torch.rand(1, 160, 201),),
        folder / COMPANION,
        input_names=["power"],
        output_names=["embedding"],
        dynamic_axes={"power": {0: "pieces"}},
        dynamo=False,
    )
    model = onnx.load(folder / COMPANION)
    halve_matrices(model)
    onnx.save(model, folder / COMPANION)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("work", type=Path)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    embed_training_speech(arguments.work)


if __name__ == "__main__":
    main()
