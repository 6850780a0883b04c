"""Normalisation, calibration and the decision, on embeddings of people who do not exist."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.pay.verification import Calibration, Scoring, agreements, mean_embedding

SIZE = 192
CALIBRATION = Calibration(
    cohort_top=20,
    scale=1.5,
    offset=-4.0,
    log_seconds=0.7,
    threshold=3.0,
    minimum_voiced_seconds=0.8,
    enrolment_agreement=0.4,
    enrolment_voiced_seconds=1.0,
    enrolment_utterances=5,
)
seeds = st.integers(0, 2**32 - 1)


def unit(vector):
    return vector / np.linalg.norm(vector)


def people(seed, count):
    return np.stack([unit(row) for row in np.random.default_rng(seed).standard_normal((count, SIZE))])


def take(person, seed, noise=0.6):
    return unit(person + noise * unit(np.random.default_rng(seed).standard_normal(SIZE)))


@pytest.fixture(scope="module")
def scoring():
    # Of a seed that hypothesis does not draw: an owner must not be in the cohort.
    return Scoring(people(2**40, 200), CALIBRATION)


@given(seed=seeds)
def test_the_same_voice_pays_and_another_does_not(scoring, seed):
    owner, other = people(seed, 2)
    template = mean_embedding(np.stack([take(owner, seed + number) for number in range(5)]))
    own = scoring.judge(template, take(owner, seed + 9), 3.0)
    foreign = scoring.judge(template, unit(other - (other @ template) * template), 3.0)
    assert own.accepted
    assert not foreign.accepted
    assert own.likelihood_ratio > 0 > foreign.likelihood_ratio


@given(seed=seeds, seconds=st.floats(0.8, 20))
def test_template_and_test_may_change_places(scoring, seed, seconds):
    first, second = people(seed, 2)
    there, back = scoring.judge(first, second, seconds), scoring.judge(second, first, seconds)
    assert there.score == pytest.approx(back.score)
    assert there.likelihood_ratio == pytest.approx(back.likelihood_ratio)


def test_the_score_is_the_mean_of_both_normalisations(scoring):
    template, test = people(5, 2)
    cosine = template @ test
    sides = []
    for side in (template, test):
        top = sorted(scoring.cohort @ side)[-CALIBRATION.cohort_top :]
        sides.append((cosine - np.mean(top)) / np.std(top))
    verdict = scoring.judge(template, test, 3.0)
    assert verdict.cosine == pytest.approx(cosine)
    assert verdict.score == pytest.approx(np.mean(sides))
    assert verdict.likelihood_ratio == pytest.approx(1.5 * np.mean(sides) - 4.0)


def test_a_voice_that_resembles_many_is_normalised_down(scoring):
    common, rare = people(77, 2)
    crowd = np.stack([take(common, seed, noise=1.0) for seed in range(40)])
    crowded = Scoring(np.concatenate([scoring.cohort, crowd]), CALIBRATION)
    as_common = crowded.judge(common, take(common, 99), 3.0)
    as_rare = crowded.judge(rare, take(rare, 99), 3.0)
    assert as_common.cosine == pytest.approx(as_rare.cosine, abs=0.1)
    assert as_common.score < as_rare.score - 2


@given(seed=seeds, seconds=st.floats(0, 0.799))
def test_too_little_speech_is_never_enough(scoring, seed, seconds):
    owner = people(seed, 1)[0]
    assert not scoring.judge(owner, owner, seconds).accepted


def test_the_amount_of_speech_counts_between_the_lengths_that_were_measured(scoring):
    owner = people(3, 1)[0]
    below, least, usual, most, above = (
        scoring.judge(owner, take(owner, 1), seconds).likelihood_ratio for seconds in (0.9, 1.5, 3, 5, 60)
    )
    assert below == least
    assert usual - least == pytest.approx(0.7 * math.log(2))
    assert most - usual == pytest.approx(0.7 * math.log(5 / 3))
    assert above == most


@given(seed=seeds, threshold=st.floats(-50, 50))
def test_a_threshold_of_ones_own_replaces_the_calibrated_one(scoring, seed, threshold):
    first, second = people(seed, 2)
    verdict = scoring.judge(first, second, 3.0, threshold)
    assert verdict.accepted == (verdict.likelihood_ratio >= threshold)


@pytest.mark.parametrize("broken", [math.nan, math.inf, -math.inf])
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_numbers_that_are_none_are_refused(scoring, broken):
    owner = people(4, 1)[0]
    template = owner.copy()
    template[0] = broken
    assert not scoring.judge(template, owner, 3.0).accepted
    assert not scoring.judge(owner, template, 3.0).accepted
    assert not scoring.judge(owner, owner, math.nan).accepted


def test_without_a_cohort_the_cosine_is_the_score():
    plain = Scoring(np.empty((0, 0)), CALIBRATION)
    first, second = people(8, 2)
    assert plain.judge(first, second, 3.0).score == pytest.approx(first @ second)


@given(seed=seeds, count=st.integers(1, 8))
def test_a_mean_embedding_has_unit_length_and_keeps_the_direction(seed, count):
    owner = people(seed, 1)[0]
    takes = np.stack([take(owner, seed + number) for number in range(count)])
    mean = mean_embedding(takes)
    assert np.linalg.norm(mean) == pytest.approx(1.0)
    assert mean @ takes.sum(0) == pytest.approx(np.linalg.norm(takes.sum(0)))


@given(seed=seeds)
def test_a_foreign_take_agrees_least(seed):
    owner, other = people(seed, 2)
    takes = np.stack([*(take(owner, seed + number) for number in range(4)), take(other, seed)])
    cosines = agreements(takes)
    assert cosines.argmin() == 4
    assert cosines[0] == pytest.approx(takes[0] @ mean_embedding(takes[1:]))
