"""Who speaks: somebody who is enrolled, or nobody."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from spectral_encoder import SpectralEncoder, speak, voiced_speech

from assistant.errors import ModelMissing
from assistant.hear.audio import RATE
from assistant.pay.enrolment import Enrolments
from assistant.pay.identification import Identification, identify
from assistant.pay.voices import Voices
from assistant.settings import Pay
from assistant.shop.database import open_database

ANNA, BEN, STRANGER = 1, 2, 6
RATIOS = st.dictionaries(
    st.sampled_from(["anna", "ben", "carla", "dora"]), st.floats(-200, 200, allow_nan=False), max_size=4
)


@pytest.fixture
def encoder():
    return SpectralEncoder()


@pytest.fixture
def voices(tmp_path):
    return Voices(open_database(tmp_path), "home", tmp_path)


@pytest.fixture
def enrol(voices, encoder):
    enrolments = Enrolments(voices, encoder, voiced_speech(), Pay())

    return lambda name, person: enrolments.enrol(name, [speak(person, words) for words in range(5)])


@pytest.fixture
def identification(voices, encoder):
    return Identification(voices, encoder, voiced_speech())


class TestRule:
    @given(RATIOS, st.randoms(use_true_random=False), st.floats(0.5, 10))
    def test_the_order_of_the_voices_does_not_matter(self, ratios, randomness, needed):
        names = list(ratios)
        randomness.shuffle(names)
        assert identify({name: ratios[name] for name in names}, needed) == identify(ratios, needed)

    @given(RATIOS, st.floats(0.5, 10))
    def test_whoever_is_named_is_above_the_limit_and_as_far_ahead_of_everybody_else(self, ratios, needed):
        name = identify(ratios, needed)
        if name is not None:
            others = [ratio for other, ratio in ratios.items() if other != name]
            assert all(ratios[name] - ratio >= needed for ratio in (0.0, *others))

    @given(st.dictionaries(st.text(max_size=3), st.floats(-50, 4.0, exclude_max=True), max_size=4))
    def test_strangers_are_nobody(self, ratios):
        assert identify(ratios, 4.0) is None

    @given(RATIOS, st.floats(0.5, 10), st.floats(0, 50))
    def test_one_more_voice_names_nobody_else(self, ratios, needed, ratio):
        before, after = identify(ratios, needed), identify(ratios | {"eve": ratio}, needed)
        assert after in (before, "eve", None)

    def test_the_only_one_needs_the_limit_as_well(self):
        assert identify({"anna": 4.1}, 4.0) == "anna"
        assert identify({"anna": 3.9}, 4.0) is None

    def test_two_who_sound_alike_are_nobody(self):
        assert identify({"anna": 9.0, "ben": 3.0}, 4.0) == "anna"
        assert identify({"anna": 9.0, "ben": 8.0}, 4.0) is None

    @pytest.mark.parametrize("broken", [math.nan, math.inf, -math.inf])
    def test_numbers_that_are_none_name_nobody(self, broken):
        assert identify({"anna": 9.0, "ben": broken}, 4.0) is None


class TestVoices:
    def test_each_is_known_by_the_voice_and_a_stranger_by_none(self, identification, enrol):
        enrol("anna", ANNA)
        enrol("ben", BEN)
        heard = {person: identification.who(speak(person, 77)) for person in (ANNA, BEN, STRANGER)}
        assert heard == {ANNA: "anna", BEN: "ben", STRANGER: None}

    def test_a_stranger_is_nobody_where_one_person_is_enrolled(self, identification, enrol):
        enrol("anna", ANNA)
        assert identification.who(speak(ANNA, 77)) == "anna"
        assert identification.who(speak(STRANGER, 77)) is None

    def test_one_voice_under_two_names_is_neither(self, identification, enrol):
        enrol("anna", ANNA)
        enrol("annabel", ANNA)
        assert identification.who(speak(ANNA, 77)) is None

    def test_too_little_speech_is_nobody_and_is_not_compared(self, identification, enrol, encoder):
        enrol("anna", ANNA)
        before = encoder.embedded
        assert identification.who(speak(ANNA, 77, seconds=0.5)) is None
        assert identification.who(np.zeros(RATE, np.float32)) is None
        assert encoder.embedded == before

    def test_where_nobody_is_enrolled_no_encoder_is_needed(self, voices):
        class NoEncoder(SpectralEncoder):
            def __init__(self):
                pass

            @property
            def model(self):
                raise ModelMissing("There is no encoder.")

        assert Identification(voices, NoEncoder(), voiced_speech()).who(speak(ANNA, 1)) is None

    def test_voices_of_another_encoder_are_nobody(self, identification, enrol, voices):
        enrol("anna", ANNA)
        other = Identification(voices, SpectralEncoder("another"), voiced_speech())
        assert other.who(speak(ANNA, 77)) is None
