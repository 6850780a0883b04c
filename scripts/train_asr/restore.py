"""A checkpoint from the model folder that ``export`` made, to go on training from what is shipped.

usage: python -m scripts.train_asr.restore FOLDER NETWORK.pt [--clips 400]

The folder holds what the network computes but not all of what training needs: batch normalisation and the features'
normalisation are folded into other numbers, and the output for cross-entropy is left out. The statistics are measured
again on recordings; the outputs stay what they are.
"""

import argparse
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.nn import functional

from assistant.hear.mfcc import COEFFICIENTS, mfcc
from assistant.hear.nnet3 import Layer, read_network
from assistant.hear.topology import read_topology
from scripts.train_asr.network import RESIDUAL, Network, context
from scripts.train_asr.recordings import read_waveform, recorded_clips

EPSILON = 1e-5
"""What batch normalisation adds to a variance."""


def restored(folder: Path, features: Iterable[np.ndarray]) -> dict[str, Any]:
    """The checkpoint of a folder's network.

    Args:
        folder: Made by ``export``.
        features: Of speech, each ``(frames, 40)``, to measure statistics on.

    Raises:
        ModelDamaged: The file is not one that ``export`` writes.
    """
    stored = read_network(folder)
    phones = read_topology(folder).phones
    heard = list(features)
    everything = np.concatenate(heard)
    mean, deviation = everything.mean(0), everything.std(0)
    dilations = [layer.distance for layer in stored.layers[1:]]
    hidden = len(stored.weight[0])
    network = Network(len(phones), hidden, dilations, dropout=0.0).eval()
    with torch.no_grad():
        for number, layer in enumerate(stored.layers):
            taps, bias = layer.weight.reshape(hidden, -1, hidden if number else COEFFICIENTS), layer.bias
            if number == 0:
                bias = bias + taps.sum(1) @ mean
                taps = taps * deviation
            network.c[number].weight.copy_(torch.from_numpy(taps.transpose(0, 2, 1).copy()))
            network.c[number].bias.copy_(torch.from_numpy(bias))
        for head in (network.out, network.xe):
            head.weight.copy_(torch.from_numpy(stored.weight[:, :, None]))
            head.bias.copy_(torch.from_numpy(stored.bias))
        normal = [(frames - mean) / deviation for frames in heard]
        _measure(network, normal, stored.layers)
    return {
        "weights": network.state_dict(),
        "hidden": hidden,
        "phones": list(phones),
        "dilations": dilations,
        "mean": mean,
        "deviation": deviation,
    }


def _measure(network: Network, features: list[np.ndarray], layers: Sequence[Layer]) -> None:
    """Sets every batch normalisation so that it scales and shifts as it did, with statistics of these features."""
    wide = context(network.dilations)
    hidden = [
        torch.from_numpy(np.pad(clip, ((wide, wide), (0, 0)), mode="edge").T[None].astype(np.float32))
        for clip in features
    ]
    for number, (convolution, norm) in enumerate(zip(network.c, network.bn, strict=True)):
        values = [functional.relu(convolution(clip)) for clip in hidden]
        flat = torch.cat([value[0] for value in values], dim=1)
        variance, mean = torch.var_mean(flat, dim=1, correction=0)
        scale, shift = torch.from_numpy(layers[number].scale), torch.from_numpy(layers[number].shift)
        norm.running_mean.copy_(mean)
        norm.running_var.copy_(variance)
        norm.weight.copy_(scale * torch.sqrt(variance + EPSILON))
        norm.bias.copy_(shift + mean * scale)
        following = [norm(value) for value in values]
        if number:
            distance = network.dilations[number - 1]
            following = [
                value + RESIDUAL * clip[:, :, distance:-distance] for value, clip in zip(following, hidden, strict=True)
            ]
        hidden = following


def main() -> None:
    """Reads the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("network", type=Path)
    parser.add_argument("--clips", type=int, default=400)
    arguments = parser.parse_args()
    clips = recorded_clips("train")
    chosen = clips[:: max(1, len(clips) // arguments.clips)]
    torch.save(restored(arguments.folder, [mfcc(read_waveform(clip.path)) for clip in chosen]), arguments.network)
    print(f"{arguments.network}: statistics of {len(chosen)} clips")


if __name__ == "__main__":
    main()
