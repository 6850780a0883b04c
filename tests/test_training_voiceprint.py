"""The speaker encoder's training: a wider network that begins as the shipped one, and what half precision costs."""

import sys
from pathlib import Path

import numpy as np
import pytest
import torch

REPOSITORY = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(REPOSITORY / "scripts" / "train_voiceprint"))

from growth import grown  # noqa: E402
from half_precision import halved  # noqa: E402
from network import EncoderShape  # noqa: E402

NARROW = EncoderShape(32, 96)


def weights_of(shape: EncoderShape) -> dict[str, torch.Tensor]:
    """Weights with the statistics of a network that has seen something."""
    torch.manual_seed(5)
    encoder = shape.build().train()
    for _ in range(3):
        encoder(3 * torch.randn(8, 60, 80))
    return encoder.state_dict()


def embeddings(shape: EncoderShape, weights: dict[str, torch.Tensor]) -> np.ndarray:
    """Of four clips of noise, of unit length."""
    encoder = shape.build().eval()
    encoder.load_state_dict(weights)
    torch.manual_seed(6)
    with torch.inference_mode():
        found = encoder(3 * torch.randn(4, 100, 80))[:, 0]
    return torch.nn.functional.normalize(found, dim=1).numpy()


def test_a_grown_encoder_computes_what_the_smaller_one_did() -> None:
    weights, wide = weights_of(NARROW), EncoderShape(48, 144)
    np.testing.assert_allclose(embeddings(wide, grown(weights, wide)), embeddings(NARROW, weights), atol=1e-5)


def test_an_encoder_of_the_same_shape_grows_into_itself() -> None:
    weights = weights_of(NARROW)
    assert all(torch.equal(value, weights[name]) for name, value in grown(weights, NARROW).items())


@pytest.mark.parametrize("shape", [EncoderShape(24, 72), EncoderShape(48, 96)])
def test_an_encoder_that_does_not_fit_is_refused(shape: EncoderShape) -> None:
    with pytest.raises(ValueError, match="does not fit"):
        grown(weights_of(NARROW), shape)


def test_half_precision_keeps_the_embeddings() -> None:
    weights = weights_of(NARROW)
    rounded = halved(weights)
    assert {value.dtype for value in rounded.values() if value.ndim > 1} == {torch.float16}
    cosines = (embeddings(NARROW, weights) * embeddings(NARROW, rounded)).sum(axis=1)
    assert cosines.min() > 0.9999
