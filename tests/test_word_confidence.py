"""Confidences of words from an n-best list."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.hear.recogniser import HeardWord, Hypothesis
from assistant.hear.word_confidence import word_confidences


def hypothesis(text, share):
    words = tuple(HeardWord(word, float(place), place + 0.9, 0.0) for place, word in enumerate(text.split()))
    return Hypothesis(text, math.log(share) - 1000.0, words)


def test_a_word_that_all_readings_share_is_sure_and_one_that_they_dispute_is_not():
    readings = [hypothesis("two oat milks", 0.6), hypothesis("two goat milks", 0.3), hypothesis("too oat milks", 0.1)]
    assert word_confidences(readings) == pytest.approx((0.9, 0.7, 1.0))


def test_the_same_word_elsewhere_does_not_count():
    readings = [hypothesis("no a b", 0.5), hypothesis("a b no", 0.5)]
    assert word_confidences(readings) == pytest.approx((0.5, 0.5, 0.5))


def test_one_reading_alone_is_sure_and_silence_has_no_words():
    assert word_confidences([hypothesis("yes please", 1.0)]) == (1.0, 1.0)
    assert word_confidences([Hypothesis("", 0.0)]) == ()


@given(st.lists(st.tuples(st.lists(st.sampled_from("abc"), max_size=5), st.floats(-500, 0)), min_size=1, max_size=6))
def test_confidences_are_shares(readings):
    heard = [Hypothesis(" ".join(words), share, hypothesis(" ".join(words), 1.0).words) for words, share in readings]
    confidences = word_confidences(heard)
    assert len(confidences) == len(heard[0].words)
    assert all(0.0 <= value <= 1.0 + 1e-9 for value in confidences)
