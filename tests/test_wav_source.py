"""Recordings as the microphone."""

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from assistant.errors import AudioError
from assistant.hear.audio import CHUNK_SAMPLES, RATE
from assistant.hear.wav_source import WavSource, in_chunks

CHUNK = CHUNK_SAMPLES / RATE


@pytest.fixture
def recording(tmp_path):
    def write(name, level, seconds=0.32, rate=16_000):
        path = tmp_path / f"{name}.wav"
        soundfile.write(path, np.full(round(rate * seconds), level), rate)
        return path

    return write


def levels(chunks):
    return [round(float(np.abs(chunk.samples).max()), 1) for chunk in chunks]


def test_files_come_one_after_the_other_with_silence_around_them(recording):
    source = WavSource([recording("a", 0.5), recording("b", 0.2)], lead_seconds=3 * CHUNK, trailing_seconds=5 * CHUNK)
    assert levels(source.chunks()) == [0.0] * 3 + [0.5] * 10 + [0.0] * 5 + [0.2] * 10 + [0.0] * 5


def test_chunks_have_no_gap_in_time_and_all_the_same_length(recording):
    chunks = list(WavSource([recording("a", 0.5, 0.33)]).chunks())
    assert [chunk.at for chunk in chunks] == pytest.approx([number * CHUNK for number in range(len(chunks))])
    assert {len(chunk.samples) for chunk in chunks} == {CHUNK_SAMPLES}
    assert chunks[0].seconds == CHUNK and chunks[1].end == 2 * CHUNK


def test_the_next_file_waits_while_the_device_speaks(recording):
    source = WavSource([recording("a", 0.5), recording("b", 0.2)], lead_seconds=0, trailing_seconds=2 * CHUNK)
    heard = []
    for number, chunk in enumerate(source.chunks()):
        heard.append(chunk)
        if number == 10:  # The reply to the first file: spoken for a second, replacing one that was longer.
            source.hold(100.0)
            source.hold(1.0)
    assert levels(heard) == [0.5] * 10 + [0.0] * 2 + [0.0] * 32 + [0.2] * 10 + [0.0] * 2


def test_it_waits_for_the_last_reply_too(recording):
    source = WavSource([recording("a", 0.5)], lead_seconds=0, trailing_seconds=CHUNK)
    count = 0
    for _ in source.chunks():
        count += 1
        if count == 10:
            source.hold(10 * CHUNK)
    assert count == 10 + 1 + 10


def test_real_time_takes_as_long_as_the_sound_lasts(recording):
    now = [100.0]
    waits = []

    def sleep(seconds):
        waits.append(seconds)
        now[0] += seconds

    source = WavSource([recording("a", 0.5)], real_time=True, clock=lambda: now[0], sleep=sleep)
    chunks = list(source.chunks())
    assert now[0] - 100.0 == pytest.approx(chunks[-1].at)
    assert max(waits) <= CHUNK + 1e-6


def test_a_closed_source_ends(recording):
    source = WavSource([recording("a", 0.5)] * 50)
    count = 0
    for _ in source.chunks():
        count += 1
        if count == 7:
            source.close()
    assert count == 7


def test_a_bad_file_is_an_error_when_its_turn_comes(recording, tmp_path):
    (tmp_path / "empty.wav").write_bytes(b"")
    source = WavSource([recording("a", 0.5), tmp_path / "empty.wav"])
    with pytest.raises(AudioError, match="empty"):
        list(source.chunks())


@given(st.lists(st.integers(0, 2000), max_size=20))
def test_blocks_of_any_length_become_chunks_and_nothing_is_lost(lengths):
    total = sum(lengths)
    sound = np.arange(1, total + 1, dtype=np.float32)
    blocks = np.split(sound, np.cumsum(lengths)[:-1]) if lengths else []
    chunks = list(in_chunks(blocks))
    assert all(len(chunk) == CHUNK_SAMPLES for chunk in chunks)
    joined = np.concatenate(chunks) if chunks else np.zeros(0, np.float32)
    assert np.array_equal(joined[:total], sound)
    assert len(joined) - total < CHUNK_SAMPLES and not joined[total:].any()
