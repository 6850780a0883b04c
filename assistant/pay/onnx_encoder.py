"""The speaker encoder without PyTorch: the same network as ONNX, for a Raspberry Pi."""

import json
from pathlib import Path

import numpy as np

from assistant.errors import ModelDamaged, ModelMissing
from assistant.hear.audio import Samples
from assistant.onnx_session import open_session
from assistant.pay.encoder import FolderEncoder
from assistant.pay.encoder_folder import CHECKPOINT, NETWORK, checksum
from assistant.pay.filterbank import Filterbank
from assistant.pay.network import Network


class OnnxEncoder(FolderEncoder):
    """ONNX Runtime on one thread; templates are shared with SpeechBrain's engine, as it is the same network.

    The file says itself which checkpoint it was made of (``checkpoint_sha256``) and which features it wants
    (``features``: the arguments of ``Filterbank`` as JSON); the embeddings' global mean is removed inside of it.
    """

    def _load(self, folder: Path) -> Network:
        """ONNX Runtime's session, behind the filterbank."""
        path = folder / NETWORK
        if not path.is_file():
            raise ModelMissing(
                f"The speaker encoder {folder} has no {NETWORK}. Set pay.engine to 'speechbrain', or export it with "
                "scripts/train_voiceprint/export.py."
            )
        session, facts = open_session(path)
        try:
            filterbank = Filterbank(**json.loads(facts["features"]))
            made_of = facts["checkpoint_sha256"]
        except (KeyError, TypeError, ValueError) as error:
            raise ModelDamaged(f"The speaker encoder {path} does not say how it hears: {error!r}.") from error
        if made_of != checksum(folder / CHECKPOINT):
            raise ModelDamaged(f"{path} was made of another checkpoint than {CHECKPOINT}. Install the encoder again.")

        def encode(speech: Samples) -> np.ndarray:
            return np.asarray(session.run(None, {"features": filterbank(speech)[None]})[0])

        return encode
