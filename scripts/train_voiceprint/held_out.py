"""Owners and attempts made of speakers that were never trained on: five enrolment utterances, and tests.

Every clip first loses its silence, by the rule that the device uses. Clips shorter than an utterance are joined with
others of the same speaker; a speaker with one long clip has it cut into pieces.
"""

from __future__ import annotations

import pickle
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from cache import all_recordings
from recordings import SAMPLE_RATE, Recording, read_waveform
from splits import evaluation_set, fraction, group

from assistant.hear.voice_activity import SileroVoiceActivity
from assistant.pay.voiced_speech import VoicedSpeech

ENROLMENT_UTTERANCES = 5
UTTERANCE_SECONDS = 1.5
MOST_TESTS = 8
TEST_SECONDS = 3.0
_LONGEST_TEST_SECONDS = 5.0


@dataclass(frozen=True)
class Owner:
    """A held-out speaker.

    Attributes:
        name: Pseudonym.
        evaluation_set: Where the recordings come from.
        enrolment: Five utterances, voiced speech, shape (samples,) each.
        speech: What is left, clip after clip: the tests are cut from it.
    """

    name: str
    evaluation_set: str
    enrolment: tuple[np.ndarray, ...]
    speech: tuple[np.ndarray, ...]

    def tests(self, seconds: float) -> list[np.ndarray]:
        """Attempts of exactly so many voiced seconds, at most `MOST_TESTS`, no clip in two of them."""
        tests = (join[: int(seconds * SAMPLE_RATE)] for join in joined(self.speech, seconds))
        return [test for test, _ in zip(tests, range(MOST_TESTS), strict=False)]


def joined(clips: Sequence[np.ndarray], seconds: float) -> list[np.ndarray]:
    """Clips joined until each has so many seconds; a remainder that is too short is dropped."""
    whole: list[np.ndarray] = []
    pieces: list[np.ndarray] = []
    for clip in clips:
        pieces.append(clip)
        if sum(map(len, pieces)) >= seconds * SAMPLE_RATE:
            whole.append(np.concatenate(pieces))
            pieces = []
    return whole


def owners(work: Path, wanted: str) -> list[Owner]:
    """All owners of a group of `splits.py`; kept in `WORK/held_out`, as finding the voiced speech takes minutes."""
    kept = work / "held_out" / f"{wanted}.pickle"
    if not kept.exists():
        found = [owner for owner in map(_owner, _by_speaker(work, wanted)) if owner is not None]
        kept.parent.mkdir(parents=True, exist_ok=True)
        kept.write_bytes(pickle.dumps(found))
    return pickle.loads(kept.read_bytes())


def _by_speaker(work: Path, wanted: str) -> list[list[Recording]]:
    speakers: dict[str, list[Recording]] = defaultdict(list)
    for recording in all_recordings(work):
        if group(recording) == wanted:
            speakers[recording.speaker].append(recording)
    # By a hash of the path: neighbouring files often hold the same sentence.
    return [sorted(clips, key=lambda clip: fraction(clip.path.name)) for _, clips in sorted(speakers.items())]


def _owner(recordings: Sequence[Recording]) -> Owner | None:
    """The speaker as an owner; None when there is too little speech."""
    voiced = VoicedSpeech(SileroVoiceActivity)
    needed = ENROLMENT_UTTERANCES * UTTERANCE_SECONDS * 2 + MOST_TESTS * _LONGEST_TEST_SECONDS
    clips: list[np.ndarray] = []
    for recording in recordings:
        waveform = read_waveform(recording.path)
        speech = voiced(waveform)
        # A single digit, cut to the word, is over before the voice activity detector is sure.
        clips.append(speech if len(speech) >= 0.2 * SAMPLE_RATE else waveform)
        if sum(map(len, clips)) >= needed * SAMPLE_RATE:
            break
    if len(recordings) == 1:
        enrolment, rest = _cut(clips[0])
    else:
        utterances = joined(clips, UTTERANCE_SECONDS)
        enrolment, rest = utterances[:ENROLMENT_UTTERANCES], utterances[ENROLMENT_UTTERANCES:]
    if len(enrolment) < ENROLMENT_UTTERANCES or sum(map(len, rest)) < TEST_SECONDS * SAMPLE_RATE:
        return None
    return Owner(recordings[0].speaker, evaluation_set(recordings[0]), tuple(enrolment), tuple(rest))


def _cut(speech: np.ndarray) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """One clip's first seconds as the enrolment utterances, its last three as the test."""
    first = len(speech) - int(TEST_SECONDS * SAMPLE_RATE)
    if first < ENROLMENT_UTTERANCES * SAMPLE_RATE:
        return [], []
    return np.array_split(speech[:first], ENROLMENT_UTTERANCES), [speech[first:]]
