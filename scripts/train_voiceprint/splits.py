"""Which speakers train the encoder, which calibrate its scores and which only judge it.

The manifest's own dev and test speakers judge (group `report`). Further speakers are taken out of the train split, by
a hash of the pseudonym so that the choice never depends on order, and divided between `calibration` and `report`.
"""

from __future__ import annotations

import hashlib

from recordings import Recording

# share of a set's train speakers taken out of training: (calibration, report)
HELD_OUT_SHARES = {
    "so762": (0.08, 0.0),
    "commonvoice-zh": (0.09, 0.13),
    "wuw": (0.07, 0.10),
    "speechcommands": (0.07, 0.10),
    "voices-librispeech": (0.12, 0.16),
    "an4": (0.10, 0.0),
    "synthetic": (0.0, 0.0),
}
# fsdd has six speakers: three are kept to be owners and impostors of one another
FSDD_REPORT = frozenset({"fsddtheo", "fsddlucas", "fsddyweweler"})


def fraction(text: str) -> float:
    """A number in [0, 1) that depends on the text alone."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:6], "big") / 2**48


def evaluation_set(recording: Recording) -> str:
    """The name under which a recording is reported: its set, and the language where a set has two."""
    return f"{recording.dataset}-{recording.language}" if recording.dataset == "commonvoice" else recording.dataset


def group(recording: Recording) -> str:
    """`train`, `calibration` or `report`."""
    if recording.split != "train" or recording.speaker in FSDD_REPORT:
        return "report"
    calibration, report = HELD_OUT_SHARES.get(evaluation_set(recording), (0.0, 0.0))
    place = fraction("voiceprint " + recording.speaker)
    if place < calibration:
        return "calibration"
    return "report" if place < calibration + report else "train"
