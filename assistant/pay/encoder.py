"""The speaker encoder: a port from speech to an embedding, and two engines behind it that give the same numbers."""

import logging
import sys
import tempfile
import threading
from abc import ABC, abstractmethod
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from assistant.errors import ModelDamaged, VoicecartError
from assistant.hear.audio import Samples
from assistant.models import find_model
from assistant.pay.companion import with_companion
from assistant.pay.encoder_folder import identity, read_scoring, verify_folder
from assistant.pay.network import Network
from assistant.pay.torchaudio_stand_in import allow_missing_torchaudio
from assistant.pay.verification import Embedding, Scoring
from assistant.settings import Pay

# The widest convolution needs so many frames around it; of less speech nobody could tell a voice anyway.
_LEAST_SAMPLES = 1600


class SpeakerEncoder(Protocol):
    """Turns speech into an embedding, and knows how its embeddings are compared."""

    @property
    def model(self) -> str:
        """What identifies the network; embeddings of different ones cannot be compared. Quick.

        Raises:
            ModelMissing: There is no encoder.
            ModelDamaged: It is not whole.
        """
        ...

    @property
    def scoring(self) -> Scoring:
        """How embeddings are compared; raises as ``model``."""
        ...

    def prepare(self) -> None:
        """Begins to load in the background and returns at once; a failure shows when ``embed`` is called."""
        ...

    def embed(self, speech: Samples) -> Embedding:
        """Embedding of speech.

        Args:
            speech: Voiced speech only, shape (samples,), 16 kHz mono; less than 0.1 s is repeated to that length.

        Returns:
            Shape (size,), unit length.

        Raises:
            ModelMissing: There is no encoder.
            ModelDamaged: It is not whole, or gives no usable embedding.
        """
        ...


def open_encoder(settings: Pay) -> SpeakerEncoder:
    """The encoder with the engine that the settings name; it is looked for when it is first needed."""
    if settings.engine == "onnx":
        from assistant.pay.onnx_encoder import OnnxEncoder

        return OnnxEncoder(settings)
    return SpeechBrainEncoder(settings)


class FolderEncoder(ABC):
    """An encoder in a local folder, whatever runs its network.

    Args:
        settings: Which encoder. It is looked for when it is first needed.
    """

    def __init__(self, settings: Pay) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._network: Network | None = None

    @abstractmethod
    def _load(self, folder: Path) -> Network:
        """The network of a verified folder; raises ModelDamaged or ModelMissing."""

    @cached_property
    def _folder(self) -> Path:
        folder = find_model(self._settings.voiceprint)
        verify_folder(folder)
        return folder

    @cached_property
    def model(self) -> str:
        """SHA-256 of the checkpoint, with its companion's where it has one."""
        return identity(self._folder)

    @cached_property
    def scoring(self) -> Scoring:
        """The folder's cohort and calibration."""
        return read_scoring(self._folder)

    def prepare(self) -> None:
        """Loads the network in a thread of its own, which a process that ends waits for.

        An interpreter that is taken down while torch is being imported fails in the middle of it.
        """
        if self._network is None:
            threading.Thread(target=self._load_quietly, name="speaker encoder").start()

    def embed(self, speech: Samples) -> Embedding:
        """See ``SpeakerEncoder``."""
        network = self._loaded()
        if 0 < len(speech) < _LEAST_SAMPLES:
            speech = np.resize(speech, _LEAST_SAMPLES)
        embedding = np.asarray(network(speech), np.float64).reshape(-1)
        length = float(np.linalg.norm(embedding))
        if not np.isfinite(length) or length == 0:
            raise ModelDamaged(f"The speaker encoder {self._folder} gives no usable embedding.")
        return np.asarray(embedding / length, np.float64)

    def _load_quietly(self) -> None:
        try:
            self._loaded()
        except VoicecartError as error:
            logging.getLogger(__name__).warning("the speaker encoder could not be loaded: %s", error.message)
        except Exception as error:
            logging.getLogger(__name__).warning("the speaker encoder could not be loaded: %s", error)
            logging.getLogger(__name__).debug("how it failed", exc_info=True)

    def _loaded(self) -> Network:
        with self._lock:
            if self._network is None:
                # Not the cached folder: its files are compared with their checksums directly before they are loaded.
                verify_folder(self._folder)
                self._network = with_companion(self._load(self._folder), self._folder)
            return self._network


class SpeechBrainEncoder(FolderEncoder):
    """SpeechBrain's ECAPA-TDNN through its own inference interface and without a network."""

    def _load(self, folder: Path) -> Network:
        """SpeechBrain's model."""
        allow_missing_torchaudio()
        import torch
        from speechbrain.inference.speaker import SpeakerRecognition
        from speechbrain.utils.fetching import FetchConfig, LocalStrategy

        try:
            with tempfile.TemporaryDirectory(prefix="voicecart-") as copies:
                recognition = SpeakerRecognition.from_hparams(
                    source=str(folder),
                    savedir=copies,
                    overrides={"pretrained_path": str(folder)},
                    run_opts={"device": "cpu"},
                    local_strategy=LocalStrategy.COPY,
                    fetch_config=FetchConfig(allow_network=False),
                )
        except Exception as error:
            raise ModelDamaged(f"The speaker encoder {folder} cannot be loaded: {error}.") from error
        _forget_redirects()

        def encode(speech: Samples) -> npt.NDArray[np.floating[Any]]:
            with torch.inference_mode():
                wave = torch.from_numpy(np.array(speech, np.float32))[None]
                return np.asarray(recognition.encode_batch(wave, normalize=True).numpy())

        return encode


def _forget_redirects() -> None:
    """Takes SpeechBrain's stand-ins for old names out of the loaded modules.

    Each imports a package that is not installed as soon as anything looks at it, and debuggers, profilers and test
    tools look at every loaded module.
    """
    from speechbrain.utils.importutils import LazyModule

    for name in [name for name, module in sys.modules.items() if isinstance(module, LazyModule)]:
        del sys.modules[name]
