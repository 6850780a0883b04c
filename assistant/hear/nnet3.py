"""The acoustic network out of ``am/final.mdl``, Kaldi's binary format as ``scripts/train_asr/export.py`` writes it."""

import re
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from assistant.errors import ModelDamaged

Matrix = npt.NDArray[np.float32]

SUBSAMPLING = 3
"""Feature frames for one output frame."""
FIRST_CONTEXT = 4
"""Feature frames that the first layer sees on each side."""
RESIDUAL = 0.66
"""Weight of a layer's input beside its output, as in Kaldi's TDNN-F recipes."""


@dataclass(frozen=True)
class Layer:
    """An affine map of neighbouring frames, rectified, then scaled and shifted.

    Attributes:
        weight: Shape ``(outputs, frames × inputs)``.
        bias: Shape ``(outputs,)``.
        scale: Shape ``(outputs,)``.
        shift: Shape ``(outputs,)``.
        distance: Output frames between the three frames that it sees; 0 for the first layer, which sees features.
    """

    weight: Matrix
    bias: Matrix
    scale: Matrix
    shift: Matrix
    distance: int


@dataclass(frozen=True)
class StoredNetwork:
    """A network as numbers.

    Attributes:
        layers: From the features to the last hidden layer.
        weight: Of the outputs, shape ``(2 phones, inputs)``.
        bias: Of the outputs, shape ``(2 phones,)``.
    """

    layers: tuple[Layer, ...]
    weight: Matrix
    bias: Matrix


def read_network(folder: Path) -> StoredNetwork:
    """Reads the network of a model folder.

    Raises:
        ModelDamaged: The file is missing, or is not one that ``export`` writes.
    """
    path = folder / "am" / "final.mdl"
    try:
        stored = path.read_bytes()
        offsets = re.findall(rb"component-node name=l[1-9]\d*\.affine .*?input=Append\(Offset\(\S+, -(\d+)\)", stored)
        distances = [0, *(int(offset) // SUBSAMPLING for offset in offsets)]
        layers = tuple(
            Layer(
                *_affine(stored, f"l{number}.affine"),
                _vector(stored, f"l{number}.scale", b"<Scales> "),
                _vector(stored, f"l{number}.bias", b"<Bias> "),
                distance,
            )
            for number, distance in enumerate(distances)
        )
        return StoredNetwork(layers, *_affine(stored, "out"))
    except (OSError, ValueError, struct.error) as error:
        raise ModelDamaged(f"{path} cannot be read ({error}). Install the model again: voicecart models.") from error


def _fields(stored: bytes, name: str, token: bytes) -> int:
    """Where what follows a token of a component begins."""
    return stored.index(token, stored.index(f"<ComponentName> {name} ".encode())) + len(token)


def _affine(stored: bytes, name: str) -> tuple[Matrix, Matrix]:
    weight, end = read_matrix(stored, _fields(stored, name, b"<LinearParams> "))
    return weight, read_vector(stored, stored.index(b"<BiasParams> ", end) + len(b"<BiasParams> "))


def _vector(stored: bytes, name: str, token: bytes) -> Matrix:
    return read_vector(stored, _fields(stored, name, token))


def read_vector(stored: bytes, position: int) -> Matrix:
    """A vector of single-precision numbers.

    Raises:
        ValueError: It has another format.
    """
    if stored[position : position + 3] != b"FV ":
        raise ValueError("final.mdl holds a vector of an unknown kind")
    (length,) = struct.unpack_from("<i", stored, position + 4)
    return np.frombuffer(stored, "<f4", length, position + 8).copy()


def read_matrix(stored: bytes, position: int) -> tuple[Matrix, int]:
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
    decoded: npt.NDArray[np.floating[Any]] = np.where(
        codes <= 64,
        edges[0] + (edges[1] - edges[0]) * code / 64,
        np.where(
            codes <= 192,
            edges[1] + (edges[2] - edges[1]) * (code - 64) / 128,
            edges[2] + (edges[3] - edges[2]) * (code - 192) / 63,
        ),
    )
    return decoded.astype(np.float32), begin + marks.nbytes + codes.nbytes
