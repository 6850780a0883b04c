"""Kaldi's binary file format, as far as models need it: ``base/io-funcs.cc``, ``matrix/compressed-matrix.cc``."""

import struct
from collections.abc import Iterable

import numpy as np

HEADER = b"\0B"
"""What every binary Kaldi file begins with."""


def token(name: str) -> bytes:
    """A token such as ``<Nnet3>``."""
    return name.encode("ascii") + b" "


def integer(value: int) -> bytes:
    """A 32-bit integer with its size in front."""
    return b"\4" + struct.pack("<i", value)


def real(value: float) -> bytes:
    """A 32-bit floating-point number with its size in front."""
    return b"\4" + struct.pack("<f", value)


def integers(values: Iterable[int]) -> bytes:
    """A vector of 32-bit integers."""
    array = np.asarray(list(values), "<i4")
    return b"\4" + struct.pack("<i", len(array)) + array.tobytes()


def vector(values: np.ndarray) -> bytes:
    """A vector of 32-bit floating-point numbers."""
    array = np.asarray(values, "<f4")
    return b"FV " + integer(len(array)) + array.tobytes()


def matrix(values: np.ndarray) -> bytes:
    """A matrix (rows, columns) of 32-bit floating-point numbers."""
    array = np.ascontiguousarray(values, "<f4")
    return b"FM " + integer(array.shape[0]) + integer(array.shape[1]) + array.tobytes()


def two_byte_matrix(values: np.ndarray) -> bytes:
    """A matrix in Kaldi's two-byte format ``CM2``: one scale for all values, 65,536 steps."""
    low, extent, head = _global_header(values)
    steps = np.round((np.asarray(values, np.float64) - low) / extent * 65535).astype("<u2")
    return b"CM2 " + head + np.ascontiguousarray(steps).tobytes()


def one_byte_matrix(values: np.ndarray) -> bytes:
    """A matrix in Kaldi's one-byte format ``CM``: per column the 0th, 25th, 75th and 100th percentile, linear between.

    Codes 0-64 lie between the first two, 64-192 between the middle ones, 192-255 between the last two.
    """
    array = np.asarray(values, np.float64)
    low, extent, head = _global_header(array)
    ordered = np.sort(array, axis=0)
    rows = len(array)
    picked = ordered[[0, rows // 4, min(3 * (rows // 4), rows - 1), rows - 1]]
    quantised = np.round((picked - low) / extent * 65535).astype(np.int64)
    for row in range(1, 4):  # The percentiles must rise strictly, and leave room for those after them.
        quantised[row] = np.maximum(quantised[row], quantised[row - 1] + 1)
    quantised = np.minimum(quantised, np.array([65532, 65533, 65534, 65535])[:, None])
    marks = low + extent * quantised / 65535
    first = (array - marks[0]) / (marks[1] - marks[0]) * 64
    middle = 64 + (array - marks[1]) / (marks[2] - marks[1]) * 128
    last = 192 + (array - marks[2]) / (marks[3] - marks[2]) * 63
    codes = np.where(
        array < marks[1],
        np.clip(np.round(first), 0, 64),
        np.where(array < marks[2], np.clip(np.round(middle), 64, 192), np.clip(np.round(last), 192, 255)),
    )
    columns = np.ascontiguousarray(quantised.T.astype("<u2")).tobytes()
    return b"CM " + head + columns + np.ascontiguousarray(codes.T.astype(np.uint8)).tobytes()


def _global_header(values: np.ndarray) -> tuple[float, float, bytes]:
    low = float(np.min(values))
    extent = max(float(np.max(values)) - low, 1e-5)
    return low, extent, struct.pack("<ffii", low, extent, *np.shape(values))
