"""A larger network that computes what a smaller one does, to go on training from there.

T. Chen, I. Goodfellow and J. Shlens, "Net2Net" (2016): new units start with random inputs and no effect, new layers
pass on what they get.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import nn

from scripts.train_asr.network import RESIDUAL, Network


def grown(checkpoint: Mapping[str, Any], hidden: int, dilations: Sequence[int]) -> dict[str, Any]:
    """The checkpoint of a larger network with the same outputs.

    Args:
        checkpoint: Of the smaller network.
        hidden: Width of the new layers, at least the old one.
        dilations: Of the new layers; they begin with the old ones.

    Raises:
        ValueError: The old network does not fit into the new one.
    """
    before = list(checkpoint["dilations"])
    width = len(checkpoint["weights"]["c.0.bias"])
    if hidden < width or list(dilations[: len(before)]) != before:
        raise ValueError(f"a network of width {width} and dilations {before} does not fit into {hidden}, {dilations}")
    network = Network(len(checkpoint["phones"]), hidden, dilations)
    weights = network.state_dict()
    for name, small in checkpoint["weights"].items():
        small, large = small.float(), weights[name]
        if not small.ndim:
            continue
        if small.ndim == 3 and name != "c.0.weight":  # What comes from new units counts for nothing yet.
            large[: small.shape[0], small.shape[1] :] = 0.0
            large[: small.shape[0], : small.shape[1]] = small
        else:
            large[: small.shape[0]] = small
    added = len(dilations) - len(before)
    for number in range(len(before) + 1, len(dilations) + 1):
        nn.init.zeros_(weights[f"bn.{number}.weight"])
    for name in ("out.weight", "xe.weight"):
        weights[name] /= RESIDUAL**added
    return dict(checkpoint) | {"weights": weights, "hidden": hidden, "dilations": list(dilations)}


def same(first: Mapping[str, Any], second: Mapping[str, Any], frames: int = 300) -> float:
    """Largest difference between the outputs of two networks for the same random features."""
    results = []
    torch.manual_seed(0)
    features = torch.randn(1, 40, frames)
    for checkpoint in (first, second):
        network = Network(len(checkpoint["phones"]), len(checkpoint["weights"]["c.0.bias"]), checkpoint["dilations"])
        network.load_state_dict({name: value.float() for name, value in checkpoint["weights"].items()})
        with torch.inference_mode():
            results.append(network.eval()(features)[0])
    lost = (results[0].shape[2] - results[1].shape[2]) // 2
    return float((results[0][:, :, lost : results[0].shape[2] - lost] - results[1]).abs().max())
