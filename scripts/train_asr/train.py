"""Trains the network on the prepared shards; the same call goes on after an interruption.

usage: python -m scripts.train_asr.train WORK NAME [--start NETWORK.pt] [--minutes 60] …

The learning rate falls over the minutes given, so a run ends when it is meant to whatever else the machine does.
``WORK/NAME/configuration.json`` records what was asked, ``log.jsonl`` the objectives, ``state.pt`` everything needed to
go on, ``network.pt`` the averaged weights to export, at any time.
"""

import argparse
import json
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from assistant.hear.mfcc import mfcc
from assistant.hear.topology import read_topology
from scripts.train_asr.augmentation import read_noises
from scripts.train_asr.batches import IGNORED, Batch, Batches
from scripts.train_asr.growth import grown
from scripts.train_asr.network import Network, context
from scripts.train_asr.objective import count_bigram, lattice_free_mmi
from scripts.train_asr.prepare import read_alignments
from scripts.train_asr.recordings import REPOSITORY, shared_folder


@dataclass(frozen=True)
class Training:
    """What a run is asked to do.

    Attributes:
        minutes: Wall-clock minutes of training.
        start: A checkpoint to begin with, grown to the width and the layers asked for; empty begins from chance.
        hidden: Width of the layers.
        dilations: Of the layers after the first, in output frames.
        cross_entropy_only: Share of the run before the sequence objective sets in.
        rate: Highest learning rate.
        warm_up: Steps until it is reached.
        batch_frames: Feature frames of a batch.
        averaging: Weight of the past in the running average of the weights.
        seed: Of everything random.
        threads: Processor threads.
    """

    minutes: float = 60.0
    start: str = ""
    hidden: int = 384
    dilations: str = "1,1,1,1,2,2"
    cross_entropy_only: float = 0.0
    rate: float = 7e-4
    warm_up: int = 200
    batch_frames: int = 16_000
    averaging: float = 0.995
    seed: int = 7
    threads: int = 1


CROSS_ENTROPY_WEIGHT = 0.1
SQUARED_OUTPUTS_WEIGHT = 0.00025
WEIGHT_DECAY = 1e-3
LARGEST_GRADIENT = 2.0
SAVE_SECONDS = 180.0
BFLOAT16 = bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())
"""Whether the processor multiplies numbers of two bytes; without, they are slower than those of four."""


class Trainer:
    """The state of a run and its steps.

    Args:
        training: What is asked.
        work: Alignments and shards.
        folder: Where the run writes.
    """

    def __init__(self, training: Training, work: Path, folder: Path) -> None:
        self.training, self.folder = training, folder
        torch.set_num_threads(training.threads)
        torch.manual_seed(training.seed)
        path = folder / "state.pt"
        state = torch.load(path, weights_only=False) if path.exists() else None
        begun = state["network"] if state else self._begin(work)
        self.about = {name: begun[name] for name in ("mean", "deviation", "phones", "dilations")}
        phones = list(self.about["phones"])
        numbers = {phone: index for index, phone in enumerate(phones)}
        known = [read_alignments(path, numbers) for path in sorted((work / "alignments").glob("*.tsv"))]
        self.bigram = count_bigram((sequence for clips in known for _, sequence, _ in clips), len(phones))
        self.network = Network(len(phones), begun["hidden"], self.about["dilations"])
        self.network.load_state_dict({name: value.float() for name, value in begun["weights"].items()})
        self.average = {name: value.clone() for name, value in self.network.state_dict().items()}
        self.optimiser = torch.optim.AdamW(self.network.parameters(), training.rate, weight_decay=WEIGHT_DECAY)
        self.step, self.seconds = 0, 0.0
        if state:
            self.optimiser.load_state_dict(state["optimiser"])
            self.average, self.step, self.seconds = state["average"], state["step"], state["seconds"]
        normalisation = (np.asarray(self.about["mean"]), np.asarray(self.about["deviation"]))
        noises = read_noises(shared_folder() / "noise", held_out=False).values()
        self.batches = Batches(
            work / "shards",
            normalisation,
            context(self.about["dilations"]),
            len(phones),
            training.batch_frames,
            training.seed + self.step,
            [mfcc(noise) for noise in noises],
        )

    def _begin(self, work: Path) -> dict[str, Any]:
        dilations = [int(distance) for distance in self.training.dilations.split(",")]
        if self.training.start:
            checkpoint = torch.load(self.training.start, map_location="cpu", weights_only=False)
            return grown(checkpoint, self.training.hidden, dilations)
        phones = read_topology(REPOSITORY / "models" / "voicecart-en").phones
        network = Network(len(phones), self.training.hidden, dilations)
        nn.init.zeros_(network.out.weight)
        nn.init.zeros_(network.out.bias)
        first = Batches(work / "shards", (np.zeros(40), np.ones(40)), 1, len(phones), 10**9, self.training.seed)
        features = next(iter(first)).features
        return {
            "weights": network.state_dict(),
            "hidden": self.training.hidden,
            "phones": list(phones),
            "dilations": dilations,
            "mean": features.mean((0, 2)).numpy(),
            "deviation": features.std((0, 2)).numpy(),
        }

    def learn(self, batch: Batch, progress: float) -> tuple[float, float]:
        """One step; returns the sequence objective per frame and the cross-entropy."""
        rate = self.training.rate * min(1.0, (self.step + 1) / self.training.warm_up) * (1 - progress) ** 0.7 + 5e-6
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        with torch.autocast("cpu", torch.bfloat16, enabled=BFLOAT16):
            outputs, labelled = self.network(batch.features)
        outputs, labelled = outputs.float(), labelled.float()
        crossentropy = functional.cross_entropy(labelled, batch.labels, ignore_index=IGNORED)
        loss, value = crossentropy, 0.0
        if progress >= self.training.cross_entropy_only:
            examples = batch.examples
            frames = [example.frames for example in examples]
            gradient, values = lattice_free_mmi(
                outputs.detach().transpose(1, 2).numpy(),
                frames,
                [example.phones for example in examples],
                [example.starts for example in examples],
                self.bigram,
            )
            value = float(values.sum()) / sum(frames)
            sequence = -(outputs.transpose(1, 2) * torch.from_numpy(gradient.astype(np.float32))).sum() / sum(frames)
            squared = (outputs**2).sum(1).mean()
            loss = sequence + CROSS_ENTROPY_WEIGHT * crossentropy + SQUARED_OUTPUTS_WEIGHT * squared
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(self.network.parameters(), LARGEST_GRADIENT)
        self.optimiser.step()
        kept = self.training.averaging
        for name, weight in self.network.state_dict().items():
            if weight.is_floating_point():
                self.average[name].mul_(kept).add_(weight, alpha=1 - kept)
            else:
                self.average[name] = weight.clone()
        self.step += 1
        return value, float(crossentropy.detach())

    def save(self) -> None:
        """Writes both files whole or not at all."""
        network = self.about | {
            "weights": self.network.state_dict(),
            "hidden": self.network.c[0].out_channels,
        }
        state = {
            "network": network,
            "optimiser": self.optimiser.state_dict(),
            "average": self.average,
            "step": self.step,
            "seconds": self.seconds,
        }
        for name, value in (("state.pt", state), ("network.pt", self.about | {"weights": self.average})):
            torch.save(value, self.folder / "partial")
            (self.folder / "partial").replace(self.folder / name)

    def run(self) -> None:
        """Trains until the minutes are used up."""
        budget = self.training.minutes * 60
        self.network.train()
        began = saved = time.monotonic()
        sums, count = np.zeros(2), 0
        for batch in self.batches:
            sums += self.learn(batch, min(1.0, self.seconds / budget))
            count += 1
            now = time.monotonic()
            self.seconds, began = self.seconds + now - began, now
            if count == 50:
                value, crossentropy = (sums / count).round(4)
                line = {
                    "step": self.step,
                    "minutes": round(self.seconds / 60, 2),
                    "hours_loaded": round(self.batches.hours, 1),
                    "mmi": float(value),
                    "cross_entropy": float(crossentropy),
                }
                with (self.folder / "log.jsonl").open("a") as log:
                    log.write(json.dumps(line) + "\n")
                print(line, flush=True)
                sums, count = np.zeros(2), 0
            if now - saved > SAVE_SECONDS:
                self.save()
                saved = now
            if self.seconds >= budget:
                break
        self.save()


def main() -> None:
    """Reads the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("work", type=Path)
    parser.add_argument("name")
    for name, default in asdict(Training()).items():
        parser.add_argument(f"--{name.replace('_', '-')}", type=type(default), default=default)
    arguments = vars(parser.parse_args())
    work, name = arguments.pop("work"), arguments.pop("name")
    training = Training(**arguments)
    folder = work / name
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "configuration.json").write_text(json.dumps(asdict(training), indent=1) + "\n")
    Trainer(training, work, folder).run()


if __name__ == "__main__":
    main()
