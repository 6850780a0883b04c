"""Recordings of every kind, good and bad."""

import struct
import tracemalloc

import numpy as np
import pytest
import soundfile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assistant.errors import AudioError
from assistant.hear.audio import RATE
from assistant.hear.reading import read_audio, read_blocks


def tone(rate, seconds=0.5, hertz=440.0):
    return 0.4 * np.sin(2 * np.pi * hertz * np.arange(round(rate * seconds)) / rate)


def header(rate=16_000, channels=1, bits=16, promised=3200):
    block = channels * bits // 8
    riff = struct.pack("<4sI4s", b"RIFF", 36 + promised, b"WAVE")
    return (
        riff
        + struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, channels, rate, rate * block, block, bits)
        + struct.pack("<4sI", b"data", promised)
    )


@pytest.mark.parametrize(
    ("suffix", "subtype"),
    [
        ("wav", "PCM_U8"),
        ("wav", "PCM_16"),
        ("wav", "PCM_24"),
        ("wav", "PCM_32"),
        ("wav", "FLOAT"),
        ("wav", "DOUBLE"),
        ("wav", "ULAW"),
        ("flac", "PCM_16"),
        ("flac", "PCM_24"),
        ("ogg", "VORBIS"),
        ("aiff", "PCM_16"),
    ],
)
@pytest.mark.parametrize("rate", [8_000, 16_000, 44_100])
@pytest.mark.parametrize("channels", [1, 2])
def test_every_format_rate_and_channel_count_becomes_16_kilohertz_mono(tmp_path, suffix, subtype, rate, channels):
    path = tmp_path / f"tone.{suffix}"
    soundfile.write(path, np.repeat(tone(rate)[:, None], channels, 1), rate, subtype)
    samples = read_audio(path)
    assert samples.dtype == np.float32 and samples.ndim == 1
    assert len(samples) == pytest.approx(RATE * 0.5, abs=RATE * 0.01)
    spectrum = np.abs(np.fft.rfft(samples))
    assert spectrum.argmax() * RATE / len(samples) == pytest.approx(440, abs=5)
    assert np.abs(samples).max() == pytest.approx(0.4, abs=0.05)


def test_a_stereo_float_file_of_44100_hertz_is_the_average_of_its_channels(tmp_path):
    path = tmp_path / "stereo.wav"
    left = tone(44_100)
    soundfile.write(path, np.stack([left, -left], 1), 44_100, "FLOAT")
    assert np.abs(read_audio(path)).max() < 1e-3


def test_samples_beyond_full_scale_are_clipped(tmp_path):
    path = tmp_path / "loud.wav"
    soundfile.write(path, 20 * tone(16_000), 16_000, "FLOAT")
    assert np.abs(read_audio(path)).max() == 1.0


def test_blocks_are_the_whole_recording(tmp_path):
    path = tmp_path / "long.wav"
    soundfile.write(path, tone(44_100, 25.0), 44_100)
    blocks = list(read_blocks(path))
    assert len(blocks) == 3
    assert np.array_equal(np.concatenate(blocks), read_audio(path))


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty"),
        (b"RI", "not audio"),
        (b"Dear diary, this is no recording.\n" * 100, "not audio"),
        (b"\x00" * 5000, "not audio"),
        (header()[:20], "truncated"),
        (header()[:36], "truncated"),
        (header(), "truncated"),
        (header() + bytes(100), "truncated: it promises 3200 bytes of sound and holds 100"),
        (header(promised=0), "no sound"),
        (header(rate=0) + bytes(3200), "0 samples a second"),
        (header(channels=0) + bytes(3200), "not audio|no sound"),
        (b"fLaC" + bytes(200), "not audio"),
        (b"OggS" + bytes(200), "not audio"),
    ],
)
def test_what_is_no_recording_is_refused_with_the_reason(tmp_path, content, reason):
    path = tmp_path / "bad.wav"
    path.write_bytes(content)
    with pytest.raises(AudioError, match=reason) as refused:
        read_audio(path)
    assert refused.value.code == "audio_unreadable"
    assert str(path) in refused.value.message


def test_a_missing_file_and_a_folder_are_refused(tmp_path):
    with pytest.raises(AudioError, match="No such file"):
        read_audio(tmp_path / "missing.wav")
    with pytest.raises(AudioError, match="folder"):
        read_audio(tmp_path)


def test_numbers_that_are_no_sound_are_refused(tmp_path):
    path = tmp_path / "nan.wav"
    soundfile.write(path, np.array([0.1, np.nan, 0.1], np.float32), 16_000, "FLOAT")
    with pytest.raises(AudioError, match="no numbers"):
        read_audio(path)


def test_a_flac_file_that_was_cut_off_is_refused(tmp_path):
    path = tmp_path / "cut.flac"
    soundfile.write(path, np.random.default_rng(1).uniform(-0.5, 0.5, 64_000), 16_000)
    path.write_bytes(path.read_bytes()[:40_000])
    with pytest.raises(AudioError, match=r"cut\.flac"):
        read_audio(path)


def test_a_wav_that_was_streamed_without_a_length_is_read(tmp_path):
    path = tmp_path / "streamed.wav"
    path.write_bytes(header(promised=0xFFFFFFFF - 36)[:40] + struct.pack("<I", 0xFFFFFFFF) + bytes(3200))
    assert len(read_audio(path)) == 1600


@given(st.binary(max_size=200), st.integers(0, 44))
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_bytes_are_sound_or_refused(tmp_path, tail, kept):
    path = tmp_path / "any.wav"
    path.write_bytes(header(promised=len(tail))[:kept] + tail)
    try:
        samples = read_audio(path)
    except AudioError:
        return
    assert np.isfinite(samples).all() and samples.ndim == 1


def test_an_hour_is_read_in_bounded_memory(tmp_path):
    path = tmp_path / "hour.flac"
    with soundfile.SoundFile(path, "w", 8_000, 1) as file:
        for _ in range(60):
            file.write(np.zeros(60 * 8_000, np.int16))
    tracemalloc.start()
    seconds = sum(len(block) for block in read_blocks(path)) / RATE
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert seconds == pytest.approx(3600, abs=0.1)
    assert peak < 20e6
