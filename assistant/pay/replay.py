"""Recognising a recording that was played into the device a second time, sample for sample."""

import hashlib

import numpy as np

from assistant.hear.audio import RATE, Samples

_REACH = RATE // 2


def fingerprint(clip: Samples) -> bytes | None:
    """A digest of the half second on either side of the clip's loudest sample.

    The same recording cut at other places has the same fingerprint; a person never makes the same one twice. It finds
    digital copies only: a recording played through a loudspeaker differs in every sample, and is stopped by its old
    digits instead. None for silence: all of it is the same, and it is no recording of anybody.
    """
    pulse = np.round(np.nan_to_num(clip.astype(np.float64)) * 32767).astype(np.int32)
    if not pulse.any():
        return None
    centre = int(np.abs(pulse).argmax()) + _REACH
    around = np.pad(pulse, _REACH)[centre - _REACH : centre + _REACH]
    return hashlib.sha256(around.tobytes()).digest()
