"""The acoustic network applied to a whole utterance, in numpy: Vosk keeps its own outputs to itself."""

import numpy as np
import numpy.typing as npt

from assistant.hear.nnet3 import FIRST_CONTEXT, RESIDUAL, SUBSAMPLING, Matrix, StoredNetwork

_STEPS = 127


class AcousticOutputs:
    """A network's outputs.

    Weights are held as numbers of one byte, with a step for every row: a quarter of the memory. The outputs differ a
    little from Vosk's, which matters to no comparison with themselves.

    Args:
        network: As stored.
    """

    def __init__(self, network: StoredNetwork) -> None:
        self._layers = [
            (*_in_steps(layer.weight), layer.bias, layer.scale, layer.shift, layer.distance) for layer in network.layers
        ]
        self._weight, self._bias = network.weight, network.bias
        self._wide = FIRST_CONTEXT + SUBSAMPLING * sum(layer.distance for layer in network.layers)

    def __call__(self, features: Matrix) -> Matrix:
        """Log-scores of entering each phone, then of staying in it: shape ``(frames / 3, 2 phones)``.

        Args:
            features: Shape ``(frames, 40)``, at least one; the first and the last are repeated, as Vosk does.
        """
        frames = -(-len(features) // SUBSAMPLING)
        length = SUBSAMPLING * (frames - 1) + 2 * self._wide + 1
        padded = np.pad(features, ((self._wide, self._wide + SUBSAMPLING), (0, 0)), mode="edge")[:length]
        windows = np.lib.stride_tricks.sliding_window_view(padded, 2 * FIRST_CONTEXT + 1, axis=0)[::SUBSAMPLING]
        hidden: Matrix = windows.transpose(0, 2, 1).reshape(len(windows), -1)
        for codes, steps, bias, scale, shift, distance in self._layers:
            seen = hidden
            if distance:
                seen = np.concatenate([hidden[: -2 * distance], hidden[distance:-distance], hidden[2 * distance :]], 1)
            rectified = np.maximum((seen @ codes.astype(np.float32).T) * steps + bias, 0.0)
            value = rectified * scale + shift
            hidden = value + RESIDUAL * hidden[distance:-distance] if distance else value
        return np.asarray(hidden @ self._weight.T + self._bias, np.float32)


def _in_steps(weight: Matrix) -> tuple[npt.NDArray[np.int8], Matrix]:
    steps = np.abs(weight).max(axis=1) / _STEPS + 1e-12
    return np.round(weight / steps[:, None]).astype(np.int8), steps.astype(np.float32)
