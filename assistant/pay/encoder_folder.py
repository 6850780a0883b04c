"""The folder of a speaker encoder: what is in it, and whether it is what its maker shipped."""

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np

from assistant.errors import ModelDamaged
from assistant.pay.verification import Calibration, Scoring

CHECKPOINT = "embedding_model.ckpt"
_SUMS = "SHA256SUMS"
_CALIBRATION = "calibration.json"
_COHORT = "cohort.npy"
_LOADED = ("hyperparams.yaml", CHECKPOINT, "mean_var_norm_emb.ckpt", _CALIBRATION, _COHORT)
_RATE = 16_000


def verify_folder(folder: Path) -> None:
    """Compares every file that is loaded with its checksum.

    The hyperparameters may name any Python class: nothing of the folder may be loaded before this.

    Raises:
        ModelDamaged: A file is missing, has no checksum or another one.
    """
    try:
        lines = (folder / _SUMS).read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ModelDamaged(f"The speaker encoder {folder} has no readable {_SUMS}. Install it again.") from error
    sums = {name.strip().lstrip("*"): digest.lower() for digest, _, name in (line.partition(" ") for line in lines)}
    for name in _LOADED:
        path = folder / name
        if not path.is_file():
            raise ModelDamaged(f"The speaker encoder {folder} lacks {name}. Install it again.")
        if sums.get(name) != checksum(path):
            raise ModelDamaged(f"{path} differs from its checksum in {_SUMS}. Install the speaker encoder again.")


def checksum(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read_scoring(folder: Path) -> Scoring:
    """Cohort and calibration.

    Raises:
        ModelDamaged: They cannot be used, or were made for another checkpoint; the message says what is wrong.
    """
    try:
        values: dict[str, Any] = json.loads((folder / _CALIBRATION).read_text("utf-8"))
        cohort = np.load(folder / _COHORT, allow_pickle=False).astype(np.float64)
        enrolment = values["enrolment"]
        calibration = Calibration(
            cohort_top=int(values["cohort_top"]),
            scale=float(values["scale"]),
            offset=float(values["offset"]),
            log_seconds=float(values["log_seconds"]),
            threshold=float(values["threshold_llr"]),
            minimum_voiced_seconds=float(values["minimum_voiced_seconds"]),
            enrolment_agreement=float(enrolment["minimum_agreement_cosine"]),
            enrolment_voiced_seconds=float(enrolment["minimum_voiced_seconds"]),
            enrolment_utterances=int(enrolment["utterances"]),
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelDamaged(f"The calibration of the speaker encoder {folder} cannot be used: {error!r}.") from error
    shape = (values.get("embedding_size"),)
    if cohort.shape[1:] != shape or not 2 <= calibration.cohort_top <= len(cohort) or values["sample_rate"] != _RATE:
        raise ModelDamaged(f"The cohort of the speaker encoder {folder} does not fit its calibration.")
    if values["checkpoint_sha256"] != checksum(folder / CHECKPOINT):
        raise ModelDamaged(f"The calibration of the speaker encoder {folder} was made for another checkpoint.")
    return Scoring(cohort, calibration)
