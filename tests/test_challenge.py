import itertools
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assistant.pay.challenge import Challenge, draw_digits
from assistant.shop.money import Money


@settings(deadline=None)
@given(st.integers(1, 8), st.integers())
def test_digits_are_as_many_as_asked_and_no_two_neighbours_are_equal(count, seed):
    digits = draw_digits(count, random.Random(seed))
    assert len(digits) == count and digits.isdecimal()
    assert all(left != right for left, right in itertools.pairwise(digits))


@settings(deadline=None)
@given(st.integers(1, 4), st.integers())
def test_the_digits_before_are_not_drawn_again(count, seed):
    before = draw_digits(count, random.Random(seed))
    assert draw_digits(count, random.Random(seed), before) != before


def test_every_digit_comes_up_at_every_place():
    drawn = [draw_digits(4, random.Random(seed)) for seed in range(500)]
    assert all({digits[place] for digits in drawn} == set("0123456789") for place in range(4))


def test_a_challenge_needs_a_digit():
    with pytest.raises(ValueError):
        draw_digits(0, random.Random(1))


@pytest.mark.parametrize(("now", "expired"), [(9.9, True), (10.0, False), (15.0, False), (22.0, False), (22.1, True)])
def test_an_answer_counts_between_the_question_and_its_expiry(now, expired):
    assert Challenge("4719", "1", Money(100, "USD"), 1, 10.0, 22.0).expired(now) is expired
