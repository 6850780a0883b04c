"""Voice activity: how likely a chunk is speech (Silero VAD, in ONNX Runtime)."""

from functools import cache
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from assistant.hear.audio import RATE, Samples
from assistant.models import find_model
from assistant.onnx_session import open_session

_MODEL = "silero-vad"
_CONTEXT_SAMPLES = 64
"""Samples of the chunk before that the network looks at."""
_STATE = (2, 1, 128)
_FAINTEST = 1e-4
"""Peak under which nothing can be speech (3 steps of 16 bits): less than the noise of any microphone that is on."""


class VoiceActivity(Protocol):
    """Judges one chunk after the other."""

    def probability(self, samples: Samples) -> float:
        """Probability (0-1) that the chunk, shape (512,), is speech; remembers what came before."""
        ...

    def reset(self) -> None:
        """Forgets what came before."""
        ...


class SileroVoiceActivity:
    """Silero's network: small enough for every chunk of an idle device (https://github.com/snakers4/silero-vad).

    Raises:
        ModelMissing: The network is not there.
        ModelDamaged: It is not whole.
    """

    def __init__(self) -> None:
        self._network = _network(find_model(_MODEL) / "silero_vad.onnx")
        self._context: npt.NDArray[np.float32] = np.zeros((1, _CONTEXT_SAMPLES), np.float32)
        self._state: npt.NDArray[np.float32] = np.zeros(_STATE, np.float32)
        self._fresh = True

    def probability(self, samples: Samples) -> float:
        """See ``VoiceActivity``; a muted microphone and the silence between recordings cost nothing."""
        if float(np.abs(samples).max(initial=0.0)) < _FAINTEST:
            if not self._fresh:
                self.reset()
            return 0.0
        self._fresh = False
        heard = np.concatenate([self._context, samples[None].astype(np.float32)], axis=1)
        inputs = {"input": heard, "state": self._state, "sr": np.array(RATE, np.int64)}
        probability, self._state = self._network.run(None, inputs)
        self._context = heard[:, -_CONTEXT_SAMPLES:]
        return float(probability[0, 0])

    def reset(self) -> None:
        """See ``VoiceActivity``."""
        self._context = np.zeros_like(self._context)
        self._state = np.zeros_like(self._state)
        self._fresh = True


@cache
def _network(path: Path) -> Any:
    """The session, one for all who listen in this process: it has no state of its own."""
    return open_session(path)[0]
