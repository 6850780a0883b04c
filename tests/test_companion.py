"""The companion: a second network that listens beside the speaker encoder."""

import shutil

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from assistant.errors import ModelDamaged
from assistant.models import find_model, write_manifest
from assistant.pay.companion import pieces, with_companion
from assistant.pay.encoder_folder import COMPANION, identity, read_scoring
from assistant.pay.onnx_encoder import OnnxEncoder
from assistant.settings import Pay

RATE = 16_000


@pytest.fixture
def copied(tmp_path):
    return shutil.copytree(find_model("voicecart-voiceprint"), tmp_path / "encoder")


def noise(samples, seed=0, loudness=0.1):
    return (loudness * np.random.default_rng(seed).standard_normal(samples)).astype(np.float32)


def constant_network(speech):
    return np.array([[3.0, 4.0]])


def test_spectra_are_those_of_the_short_time_fourier_transform():
    speech = noise(int(1.6 * RATE) - 400)
    padded = torch.from_numpy(np.pad(speech / np.sqrt(np.mean(speech**2)) * 10 ** (-24 / 20), (0, 400)))
    window = torch.hann_window(400)
    theirs = torch.stft(padded, 400, 160, window=window, pad_mode="constant", return_complex=True).abs() ** 2
    ours = pieces(speech)
    assert ours.shape == (1, 160, 201)
    np.testing.assert_allclose(ours[0], theirs.T[:160].numpy(), rtol=1e-3, atol=1e-4)


@given(st.integers(min_value=1, max_value=8 * RATE))
def test_pieces_cover_the_speech_and_hold_little_silence(samples):
    cut = pieces(noise(samples))
    assert cut.shape[1:] == (160, 201)
    assert np.isfinite(cut).all()
    end = (77 * (len(cut) - 1) + 160) * 160
    assert samples - end < 77 * 160, "less than the way to another piece is left out"
    assert len(cut) == 1 or end - samples <= 0.25 * 160 * 160, "at least three quarters of the last piece are speech"


def test_loudness_is_not_heard():
    speech = noise(RATE, loudness=0.01)
    np.testing.assert_allclose(pieces(speech), pieces(speech * 20), rtol=1e-2, atol=1e-4)


def test_silence_is_heard_without_harm():
    assert np.isfinite(pieces(np.zeros(RATE, np.float32))).all()


def test_the_cosine_is_the_weighted_mean_of_both(copied):
    network = with_companion(constant_network, copied)
    first, second = network(noise(2 * RATE, 1)), network(noise(2 * RATE, 2))
    np.testing.assert_allclose(first[:2], [0.6, 0.8])
    length = np.linalg.norm(first[2:])
    assert np.linalg.norm(second[2:]) == pytest.approx(length, rel=1e-3)
    weight = length**2 / (1 + length**2)
    assert 0.2 < weight < 0.6
    whole = first @ second / np.linalg.norm(first) / np.linalg.norm(second)
    beside = first[2:] @ second[2:] / length**2
    assert whole == pytest.approx((1 - weight) * 1.0 + weight * beside, abs=1e-3)


def test_a_network_that_gives_nothing_is_noticed(copied, monkeypatch):
    monkeypatch.setattr(OnnxEncoder, "_load", lambda self, folder: lambda speech: np.zeros((1, 192)))
    with pytest.raises(ModelDamaged, match="no usable embedding"):
        OnnxEncoder(Pay(voiceprint=str(copied))).embed(noise(RATE))


def test_without_a_companion_the_network_stands_alone(copied):
    (copied / COMPANION).unlink()
    assert with_companion(constant_network, copied) is constant_network


def test_another_companion_is_another_encoder(copied):
    before = identity(copied)
    (copied / COMPANION).unlink()
    write_manifest(copied)
    assert identity(copied) != before
    with pytest.raises(ModelDamaged, match="another network"):
        read_scoring(copied)


@pytest.mark.parametrize("content", [b"", b"no network", None])
def test_a_damaged_companion_is_refused(copied, content):
    whole = (copied / COMPANION).read_bytes()
    (copied / COMPANION).write_bytes(whole[: len(whole) // 2] if content is None else content)
    with pytest.raises(ModelDamaged):
        OnnxEncoder(Pay(voiceprint=str(copied))).embed(noise(RATE))
    write_manifest(copied)
    with pytest.raises(ModelDamaged):
        OnnxEncoder(Pay(voiceprint=str(copied))).embed(noise(RATE))
