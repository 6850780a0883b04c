"""One voice from beginning to end: windows that cover a clip, and what becomes of a splice."""

import math
from functools import cached_property

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from spectral_encoder import SpectralEncoder, speak, voiced_speech

from assistant.hear.audio import RATE
from assistant.pay.challenge import Challenge
from assistant.pay.enrolment import Enrolments
from assistant.pay.one_voice import OneVoiceLimits, Unity, coverage, unity, windows
from assistant.pay.outcome import DeclineReason
from assistant.pay.proof import VoiceProof
from assistant.pay.verification import Calibration, Scoring
from assistant.pay.voices import Voices
from assistant.settings import Pay
from assistant.shop.database import open_database
from assistant.shop.money import Money

ANNA, STRANGER = 1, 6
LIMITS = OneVoiceLimits(window_seconds=0.8, least_score=0.5, least_agreement=0.7, least_coverage=0.3)
CHALLENGE = Challenge("4719", "17", Money(100, "USD"), 1, 0.0, 12.0)


class StrictEncoder(SpectralEncoder):
    """Its calibration has limits for the windows."""

    @cached_property
    def scoring(self) -> Scoring:
        return Scoring(super().scoring.cohort, Calibration(20, 1.0, 0.0, 0.5, 2.0, 0.8, 0.8, 1.0, 5, LIMITS))


@pytest.fixture
def proof(tmp_path):
    voices = Voices(open_database(tmp_path), "home", tmp_path)
    encoder = StrictEncoder()
    Enrolments(voices, encoder, voiced_speech(), Pay()).enrol("anna", [speak(ANNA, words) for words in range(5)])
    return VoiceProof(voices, encoder, voiced_speech(), lambda text: text, Pay(threshold=-5.0))


def judge(proof, clip):
    return proof.judge(CHALLENGE, ["4719"], clip, 5.0)


@given(samples=st.integers(0, 5 * RATE), seconds=st.floats(0.2, 2.0))
def test_windows_cover_the_clip_and_overlap_by_half(samples, seconds):
    clip = np.arange(samples, dtype=np.float32)
    pieces = windows(clip, seconds)
    if samples <= round(seconds * RATE):
        assert len(pieces) == 1
        assert len(pieces[0]) == samples
        return
    assert {len(piece) for piece in pieces} == {round(seconds * RATE)}
    assert pieces[0][0] == 0
    assert pieces[-1][-1] == samples - 1
    starts = np.array([piece[0] for piece in pieces])
    assert np.all(np.diff(starts) <= round(seconds * RATE) / 2 + 1)


@given(silence=st.integers(0, 40), inside=st.lists(st.booleans(), max_size=60))
def test_coverage_is_a_share_from_the_first_speech_to_the_last(silence, inside):
    around = [False] * silence
    mask = np.array([*around, True, *inside, True, *around])
    assert coverage(mask) == pytest.approx((sum(inside) + 2) / (len(inside) + 2))
    assert coverage(np.zeros(silence, bool)) == 0.0


@pytest.mark.parametrize("place", range(3))
def test_a_number_that_is_none_is_not_enough(place):
    numbers = [1.0, 5.0, 1.0]
    assert Unity(*numbers).enough(LIMITS)
    numbers[place] = math.nan
    assert not Unity(*numbers).enough(LIMITS)


@pytest.mark.parametrize("place", range(3))
def test_one_window_without_a_score_is_enough_to_refuse(place):
    scores = [5.0, 5.0, 5.0]
    scores[place] = math.nan
    assert not unity([np.array([1.0, 0.0])] * 3, scores).enough(LIMITS)


def test_agreement_is_that_of_the_windows_that_differ_most():
    first, second = np.array([1.0, 0.0]), np.array([0.0, 1.0])
    assert unity([first, first, second], [1.0, 1.0, 1.0]).agreement == 0.0
    assert unity([first], [1.0]).agreement == 1.0


def test_a_clip_of_one_voice_proves_its_owner(proof):
    assert judge(proof, speak(ANNA, 60, seconds=3.0)).speaker == "anna"


@pytest.mark.parametrize("order", [(ANNA, STRANGER), (STRANGER, ANNA)])
def test_half_a_clip_of_somebody_else_proves_nobody(proof, order):
    clip = np.concatenate([speak(person, 60) for person in order])
    judged = judge(proof, clip)
    assert (judged.speaker, judged.reason) == ("", DeclineReason.SPLICED)
    assert judged.evidence["window_agreement"] < LIMITS.least_agreement


def test_a_clip_that_is_mostly_no_speech_proves_nobody(proof):
    words = speak(ANNA, 60, seconds=1.0)
    clip = np.concatenate([words, np.zeros(6 * RATE, np.float32), words])
    judged = judge(proof, clip)
    assert judged.reason is DeclineReason.SPLICED
    assert judged.evidence["coverage"] < LIMITS.least_coverage
