"""The speaker encoder's training: a wider network begins as the shipped one, half precision, the companion's file."""

import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from assistant.pay.companion import pieces, with_companion

REPOSITORY = Path(__file__).resolve().parents[1]
NARROW = (32, 96)


@pytest.fixture
def training(monkeypatch):
    """The modules of the training, which import SpeechBrain: not while tests are collected."""
    monkeypatch.syspath_prepend(str(REPOSITORY / "scripts" / "train_voiceprint"))
    before = set(sys.modules)
    import companion
    import growth
    import half_precision
    import network

    yield SimpleNamespace(
        grown=growth.grown, halved=half_precision.halved, shape=network.EncoderShape, companion=companion
    )
    for name in ("companion", "growth", "half_precision", "network", "features", "augment", "cache", "recordings"):
        if name not in before:
            sys.modules.pop(name, None)


def weights_of(shape):
    """Weights with the statistics of a network that has seen something."""
    torch.manual_seed(5)
    encoder = shape.build().train()
    for _ in range(3):
        encoder(3 * torch.randn(8, 60, 80))
    return encoder.state_dict()


def embeddings(shape, weights):
    """Of four clips of noise, of unit length."""
    encoder = shape.build().eval()
    encoder.load_state_dict(weights)
    torch.manual_seed(6)
    with torch.inference_mode():
        found = encoder(3 * torch.randn(4, 100, 80))[:, 0]
    return torch.nn.functional.normalize(found, dim=1).numpy()


def test_a_grown_encoder_computes_what_the_smaller_one_did(training):
    narrow, wide = training.shape(*NARROW), training.shape(48, 144)
    weights = weights_of(narrow)
    np.testing.assert_allclose(embeddings(wide, training.grown(weights, wide)), embeddings(narrow, weights), atol=1e-5)


def test_an_encoder_of_the_same_shape_grows_into_itself(training):
    narrow = training.shape(*NARROW)
    weights = weights_of(narrow)
    assert all(torch.equal(value, weights[name]) for name, value in training.grown(weights, narrow).items())


@pytest.mark.parametrize("shape", [(24, 72), (48, 96)])
def test_an_encoder_that_does_not_fit_is_refused(training, shape):
    weights = weights_of(training.shape(*NARROW))
    with pytest.raises(ValueError, match="does not fit"):
        training.grown(weights, training.shape(*shape))


def test_half_precision_keeps_the_embeddings(training):
    narrow = training.shape(*NARROW)
    weights = weights_of(narrow)
    rounded = training.halved(weights)
    assert {value.dtype for value in rounded.values() if value.ndim > 1} == {torch.float16}
    assert (embeddings(narrow, weights) * embeddings(narrow, rounded)).sum(axis=1).min() > 0.9999


@pytest.fixture
def companion(training):
    """One of the published shape, with weights of its own."""
    torch.manual_seed(7)
    module = training.companion
    lstm, linear = torch.nn.LSTM(40, 256, 3, batch_first=True), torch.nn.Linear(256, 256)
    filters = np.abs(np.random.default_rng(7).standard_normal((201, 40))).astype(np.float32)
    voices = module.Voices(
        np.random.default_rng(8).standard_normal((60, 256)),
        np.repeat([f"speaker {number}" for number in range(20)], 3),
        np.repeat(["one set", "another"], 30),
    )
    return module.adapted(module.Published(filters, lstm, linear), voices, share=0.4)


@pytest.mark.parametrize("seconds", [0.1, 1.6, 3.0, 7.0])
def test_the_companions_file_computes_what_the_network_does(training, companion, tmp_path, seconds):
    training.companion.write_companion(tmp_path, companion)
    heard = with_companion(lambda speech: np.array([[1.0, 0.0]]), tmp_path)
    speech = (0.1 * np.random.default_rng(9).standard_normal(round(16_000 * seconds))).astype(np.float32)
    with torch.inference_mode():
        expected = companion(torch.from_numpy(pieces(speech)))[0].numpy()
    assert np.linalg.norm(expected) == pytest.approx((0.4 / 0.6) ** 0.5, rel=1e-5)
    np.testing.assert_allclose(heard(speech)[2:], expected, atol=5e-3)
