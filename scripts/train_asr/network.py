"""The network: a time-delay neural network over MFCC with two outputs a phone, one vector every 30 ms."""

from collections.abc import Sequence

import torch
from torch import nn
from torch.nn import functional

from assistant.hear.nnet3 import FIRST_CONTEXT, RESIDUAL, SUBSAMPLING


def context(dilations: Sequence[int]) -> int:
    """Feature frames that the whole network sees on each side."""
    return FIRST_CONTEXT + SUBSAMPLING * sum(dilations)


class Network(nn.Module):
    """MFCC ``(batch, 40, 3 T + 2 context - 2)`` to outputs of the two objectives, each ``(batch, 2 phones, T)``.

    Args:
        phones: How many phones; the first ``phones`` outputs enter a phone, the others stay in it.
        hidden: Width of the layers.
        dilations: Distance in output frames between the three inputs of every layer after the first.
        dropout: Share of activations set to zero in training.
    """

    def __init__(self, phones: int, hidden: int, dilations: Sequence[int], dropout: float = 0.1) -> None:
        super().__init__()
        self.dilations, self.dropout = tuple(dilations), dropout
        first = nn.Conv1d(40, hidden, 2 * FIRST_CONTEXT + 1, stride=SUBSAMPLING)
        self.c = nn.ModuleList([first, *(nn.Conv1d(hidden, hidden, 3, dilation=distance) for distance in dilations)])
        self.bn = nn.ModuleList(nn.BatchNorm1d(hidden) for _ in self.c)
        self.out, self.xe = nn.Conv1d(hidden, 2 * phones, 1), nn.Conv1d(hidden, 2 * phones, 1)

    def forward(self, features: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Outputs for lattice-free MMI and for cross-entropy."""
        hidden = features
        for number, (convolution, norm) in enumerate(zip(self.c, self.bn, strict=True)):
            value = norm(functional.relu(convolution(hidden)))
            value = functional.dropout(value, self.dropout, self.training)
            if number:
                distance = self.dilations[number - 1]
                value = value + RESIDUAL * hidden[:, :, distance:-distance]
            hidden = value
        return self.out(hidden), self.xe(hidden)
