"""A second answer to a challenge: judged by itself, and together with the first when only the voice was refused."""

from functools import cached_property

import pytest
from spectral_encoder import SpectralEncoder, speak, voiced_speech

from assistant.pay.challenge import Challenge
from assistant.pay.enrolment import Enrolments
from assistant.pay.one_voice import OneVoiceLimits
from assistant.pay.outcome import DeclineReason
from assistant.pay.proof import VoiceProof
from assistant.pay.verification import Calibration, Scoring
from assistant.pay.voices import Voices
from assistant.settings import Pay
from assistant.shop.database import open_database
from assistant.shop.money import Money

ANNA, STRANGER = 1, 6
FIRST, SECOND = speak(ANNA, 60, seconds=1.6), speak(ANNA, 61, seconds=1.6)
LIMITS = OneVoiceLimits(window_seconds=0.8, least_score=0.5, least_agreement=0.7, least_coverage=0.3)


class LimitedEncoder(SpectralEncoder):
    """Its calibration has limits for the windows, and more speech counts for more."""

    limits = LIMITS

    @cached_property
    def scoring(self) -> Scoring:
        return Scoring(super().scoring.cohort, Calibration(20, 1.0, 0.0, 1.5, 2.0, 0.8, 0.8, 1.0, 5, self.limits))


class Shop:
    """Proofs over one enrolled voice, with a threshold just above what each answer of hers reaches by itself."""

    def __init__(self, folder, encoder):
        self.voices = Voices(open_database(folder), "home", folder)
        self.encoder = encoder
        takes = [speak(ANNA, words) for words in range(5)]
        Enrolments(self.voices, encoder, voiced_speech(), Pay()).enrol("anna", takes)
        easy = self.proof(-100.0)
        reached = [self.judge(easy, clip, order=str(number)) for number, clip in enumerate((FIRST, SECOND))]
        self.threshold = max(one.evidence["llr"] for one in reached) + 0.05
        self.strict = self.proof(self.threshold)

    def proof(self, threshold):
        return VoiceProof(self.voices, self.encoder, voiced_speech(), lambda text: text, Pay(threshold=threshold))

    def judge(self, proof, clip, order="17", said="4719", now=5.0):
        return proof.judge(Challenge("4719", order, Money(100, "USD"), 1, 0.0, 12.0), [said], clip, now)

    def answers(self, *clips):
        return [self.judge(self.strict, clip) for clip in clips]


@pytest.fixture
def shop(tmp_path):
    return Shop(tmp_path, LimitedEncoder())


def test_two_answers_that_are_refused_by_a_little_prove_the_owner_together(shop):
    first, second = shop.answers(FIRST, SECOND)
    assert (first.speaker, first.reason) == ("", DeclineReason.OTHER_VOICE)
    assert (second.speaker, second.reason) == ("anna", None)
    assert second.fitting.keys() == {"anna"}
    assert second.evidence["answers"] == 2
    assert second.evidence["llr"] >= shop.threshold + 0.5
    assert second.evidence["voiced_seconds"] > 1.5 * first.evidence["voiced_seconds"]


def test_an_answer_that_proves_the_owner_by_itself_needs_no_other(shop):
    first, second = shop.answers(FIRST, speak(ANNA, 62, seconds=4.0))
    assert first.reason is DeclineReason.OTHER_VOICE
    assert second.speaker == "anna" and "answers" not in second.evidence


@pytest.mark.parametrize("clips", [(FIRST, STRANGER), (STRANGER, FIRST), (STRANGER, STRANGER)])
def test_somebody_else_is_proved_by_no_two_answers(shop, clips):
    clips = [speak(STRANGER, 70 + n, seconds=1.6) if clip is STRANGER else clip for n, clip in enumerate(clips)]
    assert {judged.reason for judged in shop.answers(*clips)} == {DeclineReason.OTHER_VOICE}


def test_an_answer_about_another_order_does_not_count(shop):
    assert shop.judge(shop.strict, FIRST, order="17").reason is DeclineReason.OTHER_VOICE
    assert shop.judge(shop.strict, SECOND, order="18").reason is DeclineReason.OTHER_VOICE


@pytest.mark.parametrize(
    "between",
    [{"said": "1111"}, {"now": 99.0}, {"clip": speak(ANNA, 63, seconds=0.3)}],
    ids=["wrong digits", "too late", "too short"],
)
def test_only_answers_that_follow_each_other_count(shop, between):
    clip = between.pop("clip", speak(ANNA, 64, seconds=1.6))
    assert shop.judge(shop.strict, FIRST).reason is DeclineReason.OTHER_VOICE
    assert shop.judge(shop.strict, clip, **between).reason is not None
    assert shop.judge(shop.strict, SECOND).reason is DeclineReason.OTHER_VOICE


def test_who_else_it_might_be_needs_no_more_than_the_threshold(shop):
    takes = [speak(ANNA, words) for words in range(20, 25)]
    Enrolments(shop.voices, shop.encoder, voiced_speech(), Pay()).enrol("tim", takes)
    proof = shop.proof(0.0)
    voice = proof._voice_of(speak(ANNA, 60, seconds=3.0))
    low, high = sorted(proof._compare(voice).fitting.values())
    assert proof._compare(voice, (low + high) / 2).fitting.keys() == {"anna", "tim"}
    assert proof._compare(voice, high + 0.01).reason is DeclineReason.OTHER_VOICE


def test_the_same_clip_twice_is_a_replay_and_no_second_answer(shop):
    assert [one.reason for one in shop.answers(FIRST, FIRST)] == [DeclineReason.OTHER_VOICE, DeclineReason.REPLAYED]


def test_two_answers_whose_windows_disagree_prove_nobody(tmp_path):
    encoder = LimitedEncoder()
    encoder.limits = OneVoiceLimits(0.8, 0.5, 0.99999, 0.3)
    assert {one.reason for one in Shop(tmp_path, encoder).answers(FIRST, SECOND)} == {DeclineReason.OTHER_VOICE}
