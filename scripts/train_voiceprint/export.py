"""Makes the folder that the device loads out of a trained encoder: weights, ONNX, cohort, calibration, checksums.

    python scripts/train_voiceprint/export.py WORK NAME models/voicecart-voiceprint

`WORK/companion.npz`, where `companion.py` has written it, brings a companion into the folder. Run
from the repository. Needs the packages onnx and onnxscript. The folder is replaced only when everything worked.
"""

from __future__ import annotations

import argparse
import json
import shutil
from collections import defaultdict
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from augment import Noises, degrade
from batches import CropSampler
from calibration import calibrate
from companion import EMBEDDINGS, SHARE, adapted, read_voices, resemblyzer, training_speech, write_companion
from features import FBANK
from half_precision import halve_matrices, halved
from held_out import Owner, owners
from network import EMBEDDING_SIZE, EncoderShape, sentence_mean
from recordings import shared_folder
from splices import write_limits
from trials import Attempts, attempt, enrol
from whitening import Voices, whitening

from assistant.models import sha256_of, write_manifest
from assistant.pay.encoder import SpeakerEncoder
from assistant.pay.encoder_folder import CHECKPOINT, NETWORK, identity
from assistant.pay.onnx_encoder import OnnxEncoder
from assistant.pay.verification import mean_embedding
from assistant.settings import Pay

_CROP_FRAMES = 150
_CROPS_A_SPEAKER = 5
_CROP_SPEAKERS = 1400
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


def training_voices(encoder: torch.nn.Module, work: Path) -> Voices:
    """Embeds crops of training speakers."""
    embeddings, speakers, sets = [], [], []
    normalise = sentence_mean()
    sampler = CropSampler(work, seed=1)
    with torch.inference_mode():
        for features, speaker, of_set in sampler.plain_crops(_CROP_SPEAKERS, _CROPS_A_SPEAKER, _CROP_FRAMES):
            batch = normalise(torch.from_numpy(features), torch.ones(len(features)))
            embeddings.append(encoder(batch)[:, 0].numpy())
            speakers += [speaker] * len(features)
            sets += [of_set] * len(features)
    return Voices(np.concatenate(embeddings).astype(np.float64), np.array(speakers), np.array(sets))


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


def cohort_of(work: Path, encoder: SpeakerEncoder) -> np.ndarray:
    """Mean embeddings of training speakers, as recorded and in noisy rooms, shape (speakers, size)."""
    found: dict[str, list[np.ndarray]] = defaultdict(list)
    for speech in training_speech(work):
        found[speech.speaker] += [encoder.embed(speech.clean), encoder.embed(speech.degraded)]
    return np.stack([mean_embedding(np.stack(embeddings)) for embeddings in found.values()])


def export(work: Path, name: str, target: Path) -> None:
    """Builds the folder beside `target` and puts it in its place."""
    recipe = json.loads((work / name / "configuration.json").read_text())
    shape = EncoderShape(recipe["channels"], recipe["aggregated_channels"])
    encoder = shape.build().eval()
    encoder.load_state_dict(torch.load(work / name / "encoder.pt", weights_only=True))
    voices = training_voices(encoder, work)
    matrix = whitening(voices, _SHRINKAGE)
    transform_last_layer(encoder, matrix)
    voices = replace(voices, embeddings=voices.embeddings @ matrix.T)
    mean = voices.embeddings.mean(0)
    folder = work / name / "folder"
    shutil.rmtree(folder, ignore_errors=True)
    write_network(folder, encoder, shape, mean)
    if (work / EMBEDDINGS).exists():
        write_companion(folder, adapted(resemblyzer(), read_voices(work), SHARE))
        write_manifest(folder)
    cohort = cohort_of(work, OnnxEncoder(Pay(voiceprint=str(folder.resolve()))))
    people = owners(work, "calibration")
    takes, attempts = conditions(people, folder)
    calibration = calibrate(takes, attempts, cohort)
    calibration |= {
        "embedding_size": cohort.shape[1],
        "sample_rate": FBANK["sample_rate"],
        "encoder_sha256": identity(folder),
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
