"""The folder of a speaker encoder: what is in it, and whether it is what its maker shipped."""

import hashlib
import json
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np

from assistant.errors import ModelDamaged
from assistant.models import MANIFEST, read_manifest
from assistant.pay.one_voice import OneVoiceLimits
from assistant.pay.verification import Calibration, Scoring

CHECKPOINT = "embedding_model.ckpt"
NETWORK = "encoder.onnx"
COMPANION = "companion.onnx"
_CALIBRATION = "calibration.json"
_COHORT = "cohort.npy"
_NEEDED = ("hyperparams.yaml", CHECKPOINT, "mean_var_norm_emb.ckpt")
_RATE = 16_000

# For a folder without calibration, such as the published spkrec-ecapa-voxceleb: the plain cosine, and more of it than
# the 0.25 that SpeechBrain's own ``verify_batch`` asks for. Nobody has measured what this lets through.
_UNCALIBRATED = Calibration(
    cohort_top=0,
    scale=20.0,
    offset=-5.0,
    log_seconds=0.0,
    threshold=3.0,
    minimum_voiced_seconds=1.0,
    enrolment_agreement=0.4,
    enrolment_voiced_seconds=1.0,
    enrolment_utterances=5,
)


def verify_folder(folder: Path) -> None:
    """Compares every file with its checksum.

    The hyperparameters may name any Python class and any file: nothing of the folder may be loaded before this.

    Raises:
        ModelDamaged: A file is missing, has no checksum or another one.
    """
    sums = read_manifest(folder)
    for name in _NEEDED:
        if name not in sums:
            raise ModelDamaged(f"The speaker encoder {folder} has no checksum of {name}. Install it again.")
    for name, digest in sums.items():
        path = folder / name
        if not path.is_file():
            raise ModelDamaged(f"The speaker encoder {folder} lacks {name}. Install it again.")
        if digest.lower() != checksum(path):
            raise ModelDamaged(f"{path} differs from its checksum in {MANIFEST}. Install the speaker encoder again.")
    for path in folder.rglob("*"):
        if path.is_file() and path.name != MANIFEST and path.relative_to(folder).as_posix() not in sums:
            raise ModelDamaged(f"{path} has no checksum in {MANIFEST}. Remove it, or install the encoder again.")


def checksum(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def identity(folder: Path) -> str:
    """What tells the folder's embeddings from others: SHA-256 of the checkpoint, and of a companion if there is one."""
    if not (folder / COMPANION).exists():
        return checksum(folder / CHECKPOINT)
    both = checksum(folder / CHECKPOINT) + checksum(folder / COMPANION)
    return hashlib.sha256(both.encode()).hexdigest()


def read_scoring(folder: Path) -> Scoring:
    """Cohort and calibration; a cautious plain cosine when the folder has neither.

    Raises:
        ModelDamaged: They cannot be used, or were made for another checkpoint; the message says what is wrong.
    """
    if not (folder / _CALIBRATION).exists() and not (folder / _COHORT).exists():
        return Scoring(np.empty((0, 0)), _UNCALIBRATED)
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
            one_voice=_one_voice(values.get("one_voice")),
            cosine=float(values.get("cosine", 0.0)),
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelDamaged(f"The calibration of the speaker encoder {folder} cannot be used: {error!r}.") from error
    shape = (values.get("embedding_size"),)
    if cohort.shape[1:] != shape or not 2 <= calibration.cohort_top <= len(cohort) or values["sample_rate"] != _RATE:
        raise ModelDamaged(f"The cohort of the speaker encoder {folder} does not fit its calibration.")
    if values["encoder_sha256"] != identity(folder):
        raise ModelDamaged(f"The calibration of the speaker encoder {folder} was made for another network.")
    return Scoring(cohort, calibration)


def _one_voice(values: dict[str, Any] | None) -> OneVoiceLimits | None:
    names = [field.name for field in fields(OneVoiceLimits)]
    return None if values is None else OneVoiceLimits(**{name: float(values[name]) for name in names})
