"""A wider encoder that computes what a narrower one does, to go on training from there.

T. Chen, I. Goodfellow and J. Shlens, "Net2Net" (2016), in its simplest form: new channels start with random inputs and
no effect.
"""

from __future__ import annotations

import torch
from network import RES2NET_SCALE, EncoderShape


def grown(weights: dict[str, torch.Tensor], shape: EncoderShape) -> dict[str, torch.Tensor]:
    """The weights of an encoder of a larger shape with the same embeddings.

    Args:
        weights: Of the smaller encoder.
        shape: Of the larger one. Its aggregated channels must be as many times its channels as the smaller one's: then
            every layer is made of parts of `channels / RES2NET_SCALE` channels, and every part grows alike, wherever
            layers are split (Res2Net) or laid beside each other.

    Raises:
        ValueError: The smaller encoder does not fit into the larger one.
    """
    channels, aggregated = weights["blocks.0.norm.norm.bias"].numel(), weights["mfa.norm.norm.bias"].numel()
    if channels > shape.channels or channels * shape.aggregated_channels != aggregated * shape.channels:
        raise ValueError(f"an encoder of {channels} channels, {aggregated} aggregated, does not fit into {shape}")
    before, after = channels // RES2NET_SCALE, shape.channels // RES2NET_SCALE

    def places(small: int, large: int) -> torch.Tensor:
        """Where each of the smaller layer's channels is in the larger one."""
        index = torch.arange(small)
        return index if small == large else index // before * after + index % before

    larger = shape.build().state_dict()
    for name, small in weights.items():
        large = larger[name]
        if not small.ndim:
            large.copy_(small)
            continue
        rows = places(small.shape[0], large.shape[0])
        if small.ndim == 1:
            large[rows] = small.to(large.dtype)
            continue
        columns = places(small.shape[1], large.shape[1])
        large[rows] = 0.0  # What comes from new channels counts for nothing yet.
        large[rows[:, None], columns] = small.to(large.dtype)
    return larger
