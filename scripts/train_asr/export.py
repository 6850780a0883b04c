"""A trained network as a model folder: ``am/final.mdl`` for Kaldi's nnet3, ``conf/``, ``topology.json``, checksums.

usage: python -m scripts.train_asr.export NETWORK.pt FOLDER [--matrices one-byte|two-byte|float] [--lattice-beam BEAM]
"""

import argparse
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

from assistant.hear.nnet3 import FIRST_CONTEXT, RESIDUAL
from assistant.hear.utterance_verification import LIMIT
from assistant.models import write_manifest
from scripts.train_asr import kaldi_format as kaldi

MATRICES: dict[str, Callable[[np.ndarray], bytes]] = {
    "one-byte": kaldi.one_byte_matrix,
    "two-byte": kaldi.two_byte_matrix,
    "float": kaldi.matrix,
}
MFCC = "--use-energy=false\n--num-mel-bins=40\n--num-ceps=40\n--low-freq=20\n--high-freq=-400\n--dither=0\n"
DECODING = (
    "--min-active=200\n--max-active=2000\n--beam=12.0\n--lattice-beam={lattice_beam}\n--acoustic-scale=1.0\n"
    "--frame-subsampling-factor=3\n--endpoint.silence-phones=1\n--endpoint.rule2.min-trailing-silence=0.5\n"
    "--endpoint.rule3.min-trailing-silence=0.75\n--endpoint.rule4.min-trailing-silence=1.0\n"
)


def transition_model(phones: int) -> bytes:
    """One emitting state a phone, with an output for entering it and one for staying in it.

    The i-th phone (from 0) gets the transition-ids 2i + 1 (stay, output ``phones`` + i) and 2i + 2 (enter, output i).
    """
    state = [kaldi.integer(0), kaldi.integer(1), kaldi.integer(2)]  # Forward class, self-loop class, two transitions.
    state += [kaldi.integer(0), kaldi.real(0.5), kaldi.integer(1), kaldi.real(0.5)]
    final = [kaldi.integer(-1), kaldi.integer(-1), kaldi.integer(0)]
    parts = [kaldi.token("<TransitionModel>"), kaldi.token("<Topology>")]
    parts += [kaldi.integers(range(1, phones + 1)), kaldi.integers([-1, *[0] * phones])]
    parts += [kaldi.integer(-1), kaldi.integer(1), kaldi.integer(2), *state, *final, kaldi.token("</Topology>")]
    parts += [kaldi.token("<Tuples>"), kaldi.integer(phones)]
    for phone in range(phones):
        parts += [kaldi.integer(value) for value in (phone + 1, 0, phone, phones + phone)]
    log_probabilities = np.array([0.0, *[np.log(0.5)] * (2 * phones)])
    parts += [kaldi.token("</Tuples>"), kaldi.token("<LogProbs>"), kaldi.vector(log_probabilities)]
    return b"".join([*parts, kaldi.token("</LogProbs>"), kaldi.token("</TransitionModel>")])


class _Components:
    """Config lines and components of an nnet3 network, in the order in which they are added."""

    def __init__(self) -> None:
        self.lines = ["input-node name=input dim=40"]
        self.bodies: list[bytes] = []

    def add(self, name: str, kind: str, source: str, *body: bytes) -> None:
        self.lines.append(f"component-node name={name} component={name} input={source}")
        begin = kaldi.token("<ComponentName>") + kaldi.token(name) + kaldi.token(f"<{kind}>")
        self.bodies.append(begin + b"".join(body) + kaldi.token(f"</{kind}>"))


def network(checkpoint: Mapping[str, Any], as_matrix: Callable[[np.ndarray], bytes]) -> bytes:
    """The network; input normalisation folds into the first layer, batch normalisation into scales and biases."""
    weights = {name: value.double().numpy() for name, value in checkpoint["weights"].items()}
    components, previous = _Components(), "input"
    layers = [list(range(-FIRST_CONTEXT, FIRST_CONTEXT + 1))] + [
        [-3 * dilation, 0, 3 * dilation] for dilation in checkpoint["dilations"]
    ]

    def affine(name: str, source: str, weight: np.ndarray, bias: np.ndarray) -> None:
        rate = kaldi.token("<LearningRate>") + kaldi.real(0.001)
        linear = kaldi.token("<LinearParams>") + as_matrix(weight)
        components.add(name, "AffineComponent", source, rate, linear, kaldi.token("<BiasParams>"), kaldi.vector(bias))

    for number, offsets in enumerate(layers):
        weight, bias = weights[f"c.{number}.weight"], weights[f"c.{number}.bias"]
        weight = weight.transpose(0, 2, 1).reshape(len(weight), -1)
        if number == 0:
            deviation = np.tile(checkpoint["deviation"], len(offsets)).astype(np.float64)
            mean = np.tile(checkpoint["mean"], len(offsets)).astype(np.float64)
            weight = weight / deviation
            bias = bias - weight @ mean
        spliced = ", ".join(previous if offset == 0 else f"Offset({previous}, {offset})" for offset in offsets)
        name, size = f"l{number}", len(bias)
        affine(f"{name}.affine", f"Append({spliced})", weight, bias)
        empty = kaldi.vector(np.zeros(0))
        statistics = kaldi.token("<ValueAvg>") + empty + kaldi.token("<DerivAvg>") + empty
        width = kaldi.token("<Dim>") + kaldi.integer(size)
        count = kaldi.token("<Count>") + kaldi.real(0.0)
        components.add(f"{name}.relu", "RectifiedLinearComponent", f"{name}.affine", width, statistics, count)
        scale = weights[f"bn.{number}.weight"] / np.sqrt(weights[f"bn.{number}.running_var"] + 1e-5)
        shift = weights[f"bn.{number}.bias"] - weights[f"bn.{number}.running_mean"] * scale
        scales = kaldi.token("<Scales>") + kaldi.vector(scale)
        components.add(f"{name}.scale", "FixedScaleComponent", f"{name}.relu", scales)
        components.add(
            f"{name}.bias", "FixedBiasComponent", f"{name}.scale", kaldi.token("<Bias>") + kaldi.vector(shift)
        )
        if number == 0:
            previous = f"{name}.bias"
            continue
        residual = f"Sum({name}.bias, Scale({RESIDUAL}, {previous}))"
        backward = kaldi.token("<BackpropScale>") + kaldi.real(1.0)
        components.add(f"{name}.sum", "NoOpComponent", residual, width, backward)
        previous = f"{name}.sum"
    affine("out", previous, weights["out.weight"][:, :, 0], weights["out.bias"])
    components.lines.append("output-node name=output input=out objective=linear")
    head = kaldi.token("<Nnet3>") + ("\n" + "\n".join(components.lines) + "\n\n").encode("ascii")
    counted = kaldi.token("<NumComponents>") + kaldi.integer(len(components.bodies))
    context = kaldi.token("<LeftContext>") + kaldi.integer(0) + kaldi.token("<RightContext>") + kaldi.integer(0)
    priors = kaldi.token("<Priors>") + kaldi.vector(np.zeros(0))
    return head + counted + b"".join(components.bodies) + kaldi.token("</Nnet3>") + context + priors


def export(checkpoint: Mapping[str, Any], folder: Path, matrices: str = "one-byte", lattice_beam: float = 0.5) -> None:
    """Writes the model folder; a README and a licence that are there already stay."""
    for part in ("am", "conf"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    phones = list(checkpoint["phones"])
    model = kaldi.HEADER + transition_model(len(phones)) + network(checkpoint, MATRICES[matrices])
    target = folder / "am" / "final.mdl"
    target.unlink(missing_ok=True)  # Compiled graphs hold hard links to it and keep what they were compiled for.
    (folder / LIMIT).unlink(missing_ok=True)  # It was another network's.
    target.write_bytes(model)
    (folder / "conf" / "mfcc.conf").write_text(MFCC, "ascii")
    (folder / "conf" / "model.conf").write_text(DECODING.format(lattice_beam=lattice_beam), "ascii")
    topology = {
        "phones": phones,
        "context": "mono",
        "silence": phones[0],
    }
    (folder / "topology.json").write_text(json.dumps(topology) + "\n", "ascii")
    write_manifest(folder)


def main() -> None:
    """Reads the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("network", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--matrices", choices=MATRICES, default="one-byte")
    parser.add_argument("--lattice-beam", type=float, default=0.5)
    arguments = parser.parse_args()
    checkpoint = torch.load(arguments.network, map_location="cpu", weights_only=False)
    export(checkpoint, arguments.folder, arguments.matrices, arguments.lattice_beam)


if __name__ == "__main__":
    main()
