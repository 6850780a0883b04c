"""Makes the folder that the device loads out of a trained encoder: weights, ONNX, cohort, calibration, checksums.

    python scripts/train_voiceprint/export.py WORK NAME models/voicecart-voiceprint

Run from the repository. Needs the packages onnx and onnxscript. The folder is replaced only when everything worked.
"""

from __future__ import annotations

import argparse
import json
import shutil
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from augment import Noises, degrade
from batches import CropSampler
from calibration import calibrate
from features import FBANK
from half_precision import halve_matrices, halved
from held_out import Owner, owners
from network import EMBEDDING_SIZE, EncoderShape, sentence_mean
from recordings import shared_folder
from splices import write_limits
from trials import Attempts, attempt, enrol

from assistant.models import sha256_of, write_manifest
from assistant.pay.encoder_folder import CHECKPOINT, NETWORK
from assistant.pay.onnx_encoder import OnnxEncoder
from assistant.settings import Pay

_CROP_FRAMES = 150
_CROPS_A_SPEAKER = 5
COHORT_SPEAKERS = 1400
# Share of a plain identity in the covariance that is whitened.
_SHRINKAGE = 0.1

HYPERPARAMETERS = """\
# ECAPA-TDNN of Voicecart, for speechbrain.inference.speaker.SpeakerRecognition.
pretrained_path: .
compute_features: !new:speechbrain.lobes.features.Fbank
{features}
mean_var_norm: !new:speechbrain.processing.features.InputNormalization
    norm_type: sentence
    std_norm: False
embedding_model: !new:speechbrain.lobes.models.ECAPA_TDNN.ECAPA_TDNN
{network}
mean_var_norm_emb: !new:speechbrain.processing.features.InputNormalization
    norm_type: global
    std_norm: False
modules:
    compute_features: !ref <compute_features>
    mean_var_norm: !ref <mean_var_norm>
    embedding_model: !ref <embedding_model>
    mean_var_norm_emb: !ref <mean_var_norm_emb>
pretrainer: !new:speechbrain.utils.parameter_transfer.Pretrainer
    loadables:
        embedding_model: !ref <embedding_model>
        mean_var_norm_emb: !ref <mean_var_norm_emb>
    paths:
        embedding_model: !ref <pretrained_path>/embedding_model.ckpt
        mean_var_norm_emb: !ref <pretrained_path>/mean_var_norm_emb.ckpt
"""


class Embedder(torch.nn.Module):
    """What the ONNX file computes: features without their mean, `(1, frames, 80)`, to an embedding without its mean."""

    def __init__(self, encoder: torch.nn.Module, mean: torch.Tensor) -> None:
        super().__init__()
        self.encoder = encoder
        self.register_buffer("mean", mean)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Shape (1, 192)."""
        return self.encoder(features)[:, 0] - self.mean


@dataclass(frozen=True)
class Voices:
    """Embeddings `(crops, 192)` of training speakers, undistorted and in rooms: whose each is, and of which set."""

    embeddings: np.ndarray
    speakers: np.ndarray
    sets: np.ndarray

    def means(self) -> tuple[np.ndarray, np.ndarray]:
        """Mean embedding of every speaker, and the speakers' sets."""
        names, first = np.unique(self.speakers, return_index=True)
        return np.stack([self.embeddings[self.speakers == name].mean(0) for name in names]), self.sets[first]


def training_voices(encoder: torch.nn.Module, work: Path) -> Voices:
    """Embeds crops of training speakers."""
    embeddings, speakers, sets = [], [], []
    normalise = sentence_mean()
    sampler = CropSampler(work, seed=1)
    with torch.inference_mode():
        for features, speaker, of_set in sampler.plain_crops(COHORT_SPEAKERS, _CROPS_A_SPEAKER, _CROP_FRAMES):
            batch = normalise(torch.from_numpy(features), torch.ones(len(features)))
            embeddings.append(encoder(batch)[:, 0].numpy())
            speakers += [speaker] * len(features)
            sets += [of_set] * len(features)
    return Voices(np.concatenate(embeddings).astype(np.float64), np.array(speakers), np.array(sets))


def whitening(voices: Voices) -> np.ndarray:
    """Matrix `(192, 192)` that makes what is not the voice equally small in all directions.

    That is what differs within a speaker, and what differs between the means of whole sets: microphones and languages.
    """
    means, sets = voices.means()
    rows = np.searchsorted(np.unique(voices.speakers), voices.speakers)
    within = np.cov((voices.embeddings - means[rows]).T, bias=True)
    of_sets = np.stack([means[sets == name].mean(0) for name in sets])
    covariance = within + np.cov(of_sets.T, bias=True)
    size = len(covariance)
    covariance = (1 - _SHRINKAGE) * covariance + _SHRINKAGE * np.trace(within) / size * np.eye(size)
    values, vectors = np.linalg.eigh(covariance)
    return vectors @ np.diag(values**-0.5) @ vectors.T


def transform_last_layer(encoder: torch.nn.Module, matrix: np.ndarray) -> None:
    """Lets the last, linear layer of the encoder apply a matrix to its embeddings."""
    layer = encoder.fc.conv
    factor = torch.from_numpy(matrix).float()
    with torch.no_grad():
        layer.weight.copy_((factor @ layer.weight[:, :, 0])[:, :, None])
        layer.bias.copy_(factor @ layer.bias)


def indented(values: dict[str, object]) -> str:
    """Keys and values as a block of YAML."""
    return "\n".join(f"    {key}: {json.dumps(value)}" for key, value in values.items())


def write_network(folder: Path, encoder: torch.nn.Module, shape: EncoderShape, mean: np.ndarray) -> None:
    """The folder without cohort and calibration: SpeechBrain's files and the ONNX one."""
    import onnx

    folder.mkdir(parents=True, exist_ok=True)
    (folder / "hyperparams.yaml").write_text(
        HYPERPARAMETERS.format(features=indented(FBANK), network=indented(shape.arguments())), "utf-8"
    )
    weights = halved(encoder.state_dict())
    encoder.load_state_dict(weights)
    torch.save(weights, folder / CHECKPOINT)
    statistics = {
        "count": 1,
        "glob_mean": torch.from_numpy(mean).float(),
        "glob_std": torch.ones(EMBEDDING_SIZE),
    }
    torch.save(statistics, folder / "mean_var_norm_emb.ckpt")
    embedder = Embedder(encoder, statistics["glob_mean"]).eval()
    torch.onnx.export(
        embedder,
        (torch.randn(1, 190, FBANK["n_mels"]),),
        folder / NETWORK,
        input_names=["features"],
        output_names=["embedding"],
        dynamic_shapes={"features": {1: torch.export.Dim("frames", min=7, max=100_000)}},
        dynamo=True,
        external_data=False,
        verbose=False,
    )
    model = onnx.load(folder / NETWORK)
    facts = {"checkpoint_sha256": sha256_of(folder / CHECKPOINT), "features": json.dumps(FBANK)}
    onnx.helper.set_model_props(model, facts)
    for node in model.graph.node:
        # Where in the exporting machine's files a node comes from.
        del node.metadata_props[:]
        node.doc_string = ""
    halve_matrices(model)
    onnx.save(model, folder / NETWORK)
    write_manifest(folder)


def conditions(people: list[Owner], folder: Path) -> tuple[np.ndarray, list[Attempts]]:
    """Enrolment takes of the calibration speakers and their attempts: short, usual, long, and in noisy rooms."""
    encoder = OnnxEncoder(Pay(voiceprint=str(folder.resolve())))
    noises = Noises(shared_folder() / "noise", held_out=False)
    generator = np.random.default_rng(3)
    takes = enrol(people, encoder.embed)
    attempts = [attempt(f"{seconds} s", people, takes, encoder.embed, seconds) for seconds in (1.5, 3.0, 5.0)]
    degraded = attempt(
        "3.0 s, noisy rooms", people, takes, encoder.embed, 3.0, lambda speech: degrade(speech, noises, generator)
    )
    return takes, [*attempts, degraded]


def export(work: Path, name: str, target: Path) -> None:
    """Builds the folder beside `target` and puts it in its place."""
    recipe = json.loads((work / name / "configuration.json").read_text())
    shape = EncoderShape(recipe["channels"], recipe["aggregated_channels"])
    encoder = shape.build().eval()
    encoder.load_state_dict(torch.load(work / name / "encoder.pt", weights_only=True))
    voices = training_voices(encoder, work)
    matrix = whitening(voices)
    transform_last_layer(encoder, matrix)
    voices = replace(voices, embeddings=voices.embeddings @ matrix.T)
    mean = voices.embeddings.mean(0)
    folder = work / name / "folder"
    shutil.rmtree(folder, ignore_errors=True)
    write_network(folder, encoder, shape, mean)
    unit = voices.embeddings - mean
    unit /= np.linalg.norm(unit, axis=1, keepdims=True)
    cohort, _ = replace(voices, embeddings=unit).means()
    cohort /= np.linalg.norm(cohort, axis=1, keepdims=True)
    people = owners(work, "calibration")
    takes, attempts = conditions(people, folder)
    calibration = calibrate(takes, attempts, cohort)
    calibration |= {
        "embedding_size": EMBEDDING_SIZE,
        "sample_rate": FBANK["sample_rate"],
        "checkpoint_sha256": sha256_of(folder / CHECKPOINT),
    }
    np.save(folder / "cohort.npy", cohort.astype(np.float16))
    (folder / "calibration.json").write_text(json.dumps(calibration, indent=1) + "\n", "utf-8")
    shutil.copy(Path(__file__).with_name("model_card.md"), folder / "README.md")
    shutil.copy(Path(__file__).parents[2] / "LICENSE", folder / "LICENSE")
    write_manifest(folder)
    print(json.dumps(calibration["measured"], indent=1))
    write_limits(people, folder)
    put_in_place(folder, target)


def put_in_place(folder: Path, target: Path) -> None:
    """Puts a copy of a folder in the place of another one."""
    new, old = target.with_name(target.name + ".new"), target.with_name(target.name + ".old")
    shutil.rmtree(new, ignore_errors=True)
    shutil.copytree(folder, new)
    if target.exists():
        target.rename(old)
    new.rename(target)
    shutil.rmtree(old, ignore_errors=True)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("work", type=Path)
    parser.add_argument("name")
    parser.add_argument("target", type=Path)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    export(arguments.work, arguments.name, arguments.target)


if __name__ == "__main__":
    main()
