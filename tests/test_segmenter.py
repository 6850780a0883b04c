"""The segmenter is pure: probabilities and seconds in, begins and ends out."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.hear.segmenter import Segmenter, SegmentEvent
from assistant.settings import Hear

SETTINGS = Hear()
CHUNK = 0.032
STARTED, ENDED = SegmentEvent.STARTED, SegmentEvent.ENDED

probabilities = st.lists(st.floats(0.0, 1.0), max_size=400)


def run(values, settings=SETTINGS):
    segmenter = Segmenter(settings)
    return [(number, event) for number, value in enumerate(values) if (event := segmenter.process(value, CHUNK))]


def chunks_of(seconds):
    return -int(-seconds // CHUNK)


def test_speech_begins_after_enough_voice_and_ends_after_enough_silence():
    begin, end = chunks_of(SETTINGS.begin_seconds), chunks_of(SETTINGS.end_seconds)
    events = run([0.0] * 10 + [0.9] * 30 + [0.0] * 40)
    assert events == [(10 + begin - 1, STARTED), (10 + 30 + end - 1, ENDED)]


def test_a_click_is_no_speech():
    assert run(([0.9] * 2 + [0.0]) * 50) == []


def test_a_short_pause_does_not_end_an_utterance():
    assert [event for _, event in run([0.9] * 10 + [0.0] * 10 + [0.9] * 10 + [0.0] * 30)] == [STARTED, ENDED]


def test_between_the_thresholds_counts_as_what_came_before():
    middle = (SETTINGS.speech_threshold + SETTINGS.silence_threshold) / 2
    assert run([middle] * 200) == []
    assert [event for _, event in run([0.9] * 10 + [middle] * 200)] == [STARTED]
    # Once silence has begun, wavering does not bring the voice back.
    assert [event for _, event in run([0.9] * 10 + [0.0] + [middle] * 200)] == [STARTED, ENDED]


def test_an_utterance_without_end_is_ended():
    events = run([0.9] * 700)
    assert events[0][1] is STARTED and events[1] == (chunks_of(SETTINGS.longest_seconds) - 1, ENDED)


@pytest.mark.parametrize("patience", [0.2, 0.7, 1.5])
def test_the_patience_may_be_changed_while_it_runs(patience):
    segmenter = Segmenter(SETTINGS)
    segmenter.end_seconds = patience
    events = [segmenter.process(value, CHUNK) for value in [0.9] * 10 + [0.0] * 100]
    assert events.index(ENDED) == 10 + chunks_of(patience) - 1


def test_reset_forgets_the_utterance():
    segmenter = Segmenter(SETTINGS)
    assert STARTED in [segmenter.process(0.9, CHUNK) for _ in range(10)]
    segmenter.reset()
    assert not any(segmenter.process(0.0, CHUNK) for _ in range(100))


@given(probabilities)
def test_begins_and_ends_take_turns(values):
    events = [event for _, event in run(values)]
    assert events == [STARTED, ENDED] * (len(events) // 2) + [STARTED] * (len(events) % 2)


@given(probabilities)
def test_utterances_are_neither_too_short_nor_too_long(values):
    events = run(values)
    for (start, _), (end, _) in zip(events[::2], events[1::2], strict=False):
        seconds = (end - start) * CHUNK
        assert seconds <= SETTINGS.longest_seconds
        assert seconds >= min(SETTINGS.end_seconds, SETTINGS.longest_seconds) - 2 * CHUNK


@given(probabilities)
def test_every_begin_is_preceded_by_voice_and_nothing_begins_without(values):
    begin = chunks_of(SETTINGS.begin_seconds)
    for number, event in run(values):
        if event is STARTED:
            assert all(value >= SETTINGS.speech_threshold for value in values[number - begin + 1 : number + 1])


@given(st.lists(st.floats(0.0, 0.49), max_size=400))
def test_silence_of_any_kind_is_no_utterance(values):
    assert run(values) == []


@given(probabilities)
def test_the_same_probabilities_give_the_same_utterances(values):
    assert run(values) == run(values)
