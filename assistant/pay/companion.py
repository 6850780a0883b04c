"""A second, published network that listens beside the speaker encoder: other mistakes than its own.

The network is Resemblyzer's (Wan et al., "Generalized End-to-End Loss for Speaker Verification", ICASSP 2018): an LSTM
over pieces of 1.6 s. Two networks of different kinds, trained on different people, are rarely wrong about the same two
voices. Both embeddings stand side by side in one, so that its cosine is the weighted mean of the two cosines and
everything behind it (templates, cohort, calibration, windows) is as with one network.
"""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from assistant.hear.audio import Samples
from assistant.onnx_session import open_session
from assistant.pay.encoder_folder import COMPANION
from assistant.pay.network import Network

# Resemblyzer's own figures for 16 kHz: what its network was trained with.
_POINTS = 400
_HOP = 160
_PIECE_FRAMES = 160
_FRAMES_BETWEEN_PIECES = 77
_LEAST_COVERAGE = 0.75
# The network hears loudness, as its spectra are no decibels; but that is the distance and no voice. So all speech gets
# the level that most recorded speech has. (Resemblyzer itself only makes quiet speech louder, to -30.)
_DECIBELS = -24.0
_SILENCE = 1e-9


def with_companion(network: Network, folder: Path) -> Network:
    """A network's embedding and the companion's in a row; the network itself where the folder has no companion.

    The companion's length, beside one for the network's, is its weight; the file holds it.

    Raises:
        ModelDamaged: The companion cannot be loaded.
    """
    path = folder / COMPANION
    if not path.is_file():
        return network
    session, _ = open_session(path)

    def encode(speech: Samples) -> npt.NDArray[np.floating[Any]]:
        own = np.asarray(network(speech), np.float64).reshape(-1)
        beside = session.run(None, {"power": pieces(speech)})[0].reshape(-1)
        length = np.linalg.norm(own)
        return np.concatenate([own / length, beside]) if length > 0 else np.zeros(1)

    return encode


def pieces(speech: Samples) -> npt.NDArray[np.float32]:
    """Power spectra of overlapping pieces of 1.6 s of speech of one loudness, short speech filled with silence.

    Args:
        speech: Shape (samples,), 16 kHz mono, at least one sample.

    Returns:
        Shape (pieces, 160, 201).
    """
    loudness = 10 * np.log10(np.mean(speech.astype(np.float64) ** 2) + _SILENCE)
    level = (speech * 10 ** ((_DECIBELS - loudness) / 20)).astype(np.float32)
    frames = -(-(len(speech) + 1) // _HOP)
    starts = list(range(0, max(1, frames - _PIECE_FRAMES + _FRAMES_BETWEEN_PIECES + 1), _FRAMES_BETWEEN_PIECES))
    covered = (len(speech) - starts[-1] * _HOP) / (_PIECE_FRAMES * _HOP)
    if covered < _LEAST_COVERAGE and len(starts) > 1:
        starts.pop()
    samples = max(len(speech), (starts[-1] + _PIECE_FRAMES) * _HOP)
    padded = np.pad(level, (_POINTS // 2, samples - len(speech) + _POINTS // 2))
    cut = np.lib.stride_tricks.sliding_window_view(padded, _POINTS)[::_HOP]
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(_POINTS) / _POINTS)
    spectra = np.fft.rfft(cut * window.astype(np.float32))
    power = (spectra.real**2 + spectra.imag**2).astype(np.float32)
    return np.stack([power[start : start + _PIECE_FRAMES] for start in starts])
