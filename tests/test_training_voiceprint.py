"""The speaker encoder's training: a wider network that begins as the shipped one, and what half precision costs."""

import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

REPOSITORY = Path(__file__).resolve().parents[1]
NARROW = (32, 96)


@pytest.fixture
def training(monkeypatch):
    """The modules of the training, which import SpeechBrain: not while tests are collected."""
    monkeypatch.syspath_prepend(str(REPOSITORY / "scripts" / "train_voiceprint"))
    before = set(sys.modules)
    import growth
    import half_precision
    import network

    yield SimpleNamespace(grown=growth.grown, halved=half_precision.halved, shape=network.EncoderShape)
    for name in ("growth", "half_precision", "network", "features"):
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
