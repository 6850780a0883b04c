"""A checkpoint from the model folder that ``export`` made, to go on training from what is shipped.

usage: python -m scripts.train_asr.restore FOLDER NETWORK.pt [--clips 400]

The folder holds what the network computes but not all of what training needs: batch normalisation and the features'
normalisation are folded into other numbers, and the output for cross-entropy is left out. The statistics are measured
again on recordings; the outputs stay what they are.
"""

import argparse
import re
import struct
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.nn import functional

from assistant.hear.topology import read_topology
from scripts.train_asr.mfcc import COEFFICIENTS, mfcc
from scripts.train_asr.network import RESIDUAL, SUBSAMPLING, Network, context
from scripts.train_asr.recordings import read_waveform, recorded_clips

EPSILON = 1e-5
"""What batch normalisation adds to a variance."""


def restored(folder: Path, features: Iterable[np.ndarray]) -> dict[str, Any]:
    """The checkpoint of a folder's network.

    Args:
        folder: Made by ``export``.
        features: Of speech, each ``(frames, 40)``, to measure statistics on.

    Raises:
        ValueError: The file is not one that ``export`` writes.
    """
    stored = (folder / "am" / "final.mdl").read_bytes()
    phones = read_topology(folder).phones
    weights = {name: _read_affine(stored, name) for name in _names(stored, "affine")}
    scales, shifts = _read_vectors(stored, "scale", b"<Scales> "), _read_vectors(stored, "bias", b"<Bias> ")
    out_weight, out_bias = _read_affine(stored, "out")
    heard = list(features)
    everything = np.concatenate(heard)
    mean, deviation = everything.mean(0), everything.std(0)
    dilations = _dilations(stored)
    hidden = len(out_weight[0])
    network = Network(len(phones), hidden, dilations, dropout=0.0).eval()
    with torch.no_grad():
        for number, (weight, bias) in enumerate(weights.values()):
            taps = weight.reshape(hidden, -1, COEFFICIENTS if number == 0 else hidden)
            if number == 0:
                bias = bias + taps.sum(1) @ mean
                taps = taps * deviation
            network.c[number].weight.copy_(torch.from_numpy(taps.transpose(0, 2, 1).copy()))
            network.c[number].bias.copy_(torch.from_numpy(bias))
        for head in (network.out, network.xe):
            head.weight.copy_(torch.from_numpy(out_weight[:, :, None]))
            head.bias.copy_(torch.from_numpy(out_bias))
        normal = [(frames - mean) / deviation for frames in heard]
        _measure(network, normal, [*scales.values()], [*shifts.values()])
    return {
        "weights": network.state_dict(),
        "hidden": hidden,
        "phones": list(phones),
        "dilations": dilations,
        "mean": mean,
        "deviation": deviation,
    }


def _measure(network: Network, features: list[np.ndarray], scales: list[np.ndarray], shifts: list[np.ndarray]) -> None:
    """Sets every batch normalisation so that it scales and shifts as it did, with statistics of these features."""
    wide = context(network.dilations)
    hidden = [
        torch.from_numpy(np.pad(clip, ((wide, wide), (0, 0)), mode="edge").T[None].astype(np.float32))
        for clip in features
    ]
    for number, (convolution, norm) in enumerate(zip(network.c, network.bn, strict=True)):
        values = [functional.relu(convolution(clip)) for clip in hidden]
        flat = torch.cat([value[0] for value in values], dim=1)
        variance, mean = torch.var_mean(flat, dim=1, correction=0)
        scale, shift = torch.from_numpy(scales[number]), torch.from_numpy(shifts[number])
        norm.running_mean.copy_(mean)
        norm.running_var.copy_(variance)
        norm.weight.copy_(scale * torch.sqrt(variance + EPSILON))
        norm.bias.copy_(shift + mean * scale)
        following = [norm(value) for value in values]
        if number:
            distance = network.dilations[number - 1]
            following = [
                value + RESIDUAL * clip[:, :, distance:-distance] for value, clip in zip(following, hidden, strict=True)
            ]
        hidden = following


def _names(stored: bytes, kind: str) -> list[str]:
    return [match.decode() for match in re.findall(rb"component-node name=(l\d+\." + kind.encode() + rb") ", stored)]


def _dilations(stored: bytes) -> list[int]:
    offsets = re.findall(rb"component-node name=l[1-9]\d*\.affine .*?input=Append\(Offset\(\S+, -(\d+)\)", stored)
    return [int(offset) // SUBSAMPLING for offset in offsets]


def _body(stored: bytes, name: str) -> int:
    """Where a component's own fields begin.

    Raises:
        ValueError: There is no such component.
    """
    begin = f"<ComponentName> {name} ".encode()
    if begin not in stored:
        raise ValueError(f"final.mdl has no component {name}: it was not written by export")
    return stored.index(begin) + len(begin)


def _read_affine(stored: bytes, name: str) -> tuple[np.ndarray, np.ndarray]:
    position = stored.index(b"<LinearParams> ", _body(stored, name)) + len(b"<LinearParams> ")
    weight, position = read_matrix(stored, position)
    position = stored.index(b"<BiasParams> ", position) + len(b"<BiasParams> ")
    return weight, _read_vector(stored, position)


def _read_vectors(stored: bytes, kind: str, token: bytes) -> dict[str, np.ndarray]:
    found = {}
    for name in _names(stored, kind):
        found[name] = _read_vector(stored, stored.index(token, _body(stored, name)) + len(token))
    return found


def _read_vector(stored: bytes, position: int) -> np.ndarray:
    if stored[position : position + 3] != b"FV ":
        raise ValueError("final.mdl holds a vector of an unknown kind")
    (length,) = struct.unpack_from("<i", stored, position + 4)
    return np.frombuffer(stored, "<f4", length, position + 8).copy()


def read_matrix(stored: bytes, position: int) -> tuple[np.ndarray, int]:
    """A matrix in any of the three formats that ``kaldi_format`` writes, and where it ends.

    Raises:
        ValueError: It has another format.
    """
    if stored[position : position + 3] == b"FM ":
        rows, columns = struct.unpack_from("<xixi", stored, position + 3)
        values = np.frombuffer(stored, "<f4", rows * columns, position + 13).reshape(rows, columns)
        return values.copy(), position + 13 + values.nbytes
    kind = next((kind for kind in (b"CM2 ", b"CM ") if stored.startswith(kind, position)), None)
    if kind is None:
        raise ValueError("final.mdl holds a matrix of an unknown kind")
    low, extent, rows, columns = struct.unpack_from("<ffii", stored, position + len(kind))
    begin = position + len(kind) + 16
    if kind == b"CM2 ":
        steps = np.frombuffer(stored, "<u2", rows * columns, begin).reshape(rows, columns)
        return (low + extent * steps / 65535).astype(np.float32), begin + steps.nbytes
    marks = np.frombuffer(stored, "<u2", 4 * columns, begin).reshape(columns, 4).T
    codes = np.frombuffer(stored, np.uint8, rows * columns, begin + marks.nbytes).reshape(columns, rows).T
    edges = low + extent * marks.astype(np.float64) / 65535
    code = codes.astype(np.float64)
    values = np.where(
        codes <= 64,
        edges[0] + (edges[1] - edges[0]) * code / 64,
        np.where(
            codes <= 192,
            edges[1] + (edges[2] - edges[1]) * (code - 64) / 128,
            edges[2] + (edges[3] - edges[2]) * (code - 192) / 63,
        ),
    )
    return values.astype(np.float32), begin + marks.nbytes + codes.nbytes


def main() -> None:
    """Reads the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("network", type=Path)
    parser.add_argument("--clips", type=int, default=400)
    arguments = parser.parse_args()
    clips = recorded_clips("train")
    chosen = clips[:: max(1, len(clips) // arguments.clips)]
    torch.save(restored(arguments.folder, [mfcc(read_waveform(clip.path)) for clip in chosen]), arguments.network)
    print(f"{arguments.network}: statistics of {len(chosen)} clips")


if __name__ == "__main__":
    main()
