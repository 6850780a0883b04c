"""Trains the encoder on cached features. Run again with the same WORK and NAME to go on after an interruption.

    python scripts/train_voiceprint/train.py WORK NAME --minutes 90 [--start CHECKPOINT]

A new run may start from the weights of an encoder of this size or a smaller one (`embedding_model.ckpt` of a model
folder); its heads then begin afresh.
The learning rate follows a cosine over the minutes of training given, so a run ends when it is meant to whatever the
machine is doing. `WORK/NAME/configuration.json` records what was asked, `log.jsonl` the losses, `checkpoint.pt` the
state, `encoder.pt` the finished weights.
"""

from __future__ import annotations

import argparse
import json
import math
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from batches import Batch, CropSampler
from growth import grown
from network import EncoderShape, Heads, sentence_mean

BEGINNING = "beginning.pt"
"""The weights that a run began with, where it did not begin from chance."""
BFLOAT16 = bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())
"""Whether the processor multiplies numbers of two bytes; without, they are slower than those of four."""


@dataclass(frozen=True)
class Training:
    """What a run is asked to do."""

    minutes: float = 90.0
    channels: int = 192
    aggregated_channels: int = 576
    batch_size: int = 64
    frames: int = 125
    peak_rate: float = 2e-3
    warm_up: float = 0.03
    weight_decay: float = 0.02
    margin: float = 0.2
    classification_weight: float = 0.2
    final_classification_weight: float = 0.5
    imitation_weight: float = 10.0
    start: str = ""
    seed: int = 20
    threads: int = 1
    compiled: bool = True


def rate(training: Training, progress: float) -> float:
    """Learning rate after a share `progress` of the run: linear warm-up, then cosine to zero."""
    if progress < training.warm_up:
        return training.peak_rate * max(progress / training.warm_up, 0.02)
    place = (progress - training.warm_up) / (1 - training.warm_up)
    return training.peak_rate * (0.001 + 0.999 * 0.5 * (1 + math.cos(math.pi * min(place, 1.0))))


def mask_spectrum(features: torch.Tensor, generator: np.random.Generator) -> torch.Tensor:
    """Sets a band and a stretch of some normalised crops to their mean, zero."""
    for row in range(len(features)):
        if generator.random() < 0.3:
            width, band = generator.integers(2, 9), generator.integers(0, 72)
            features[row, :, band : band + width] = 0
        if generator.random() < 0.3:
            width, start = generator.integers(3, 12), generator.integers(0, features.shape[1] - 12)
            features[row, start : start + width] = 0
    return features


class Trainer:
    """The state of a run and its steps."""

    def __init__(self, training: Training, work: Path, folder: Path) -> None:
        self.training, self.folder = training, folder
        torch.manual_seed(training.seed)
        torch.set_num_threads(training.threads)
        shape = EncoderShape(training.channels, training.aggregated_channels)
        self.encoder = shape.build()
        self.normalise = sentence_mean()
        self.trained_seconds, self.step = 0.0, 0
        checkpoint = folder / "checkpoint.pt"
        if training.start and not checkpoint.exists():
            start = torch.load(training.start, weights_only=True)
            self.encoder.load_state_dict(grown(start, shape))
            torch.save(self.encoder.state_dict(), folder / BEGINNING)
        state = torch.load(checkpoint, weights_only=True) if checkpoint.exists() else None
        self.step = state["step"] if state else 0
        self.sampler = CropSampler(work, training.seed + self.step)
        self.masking = np.random.default_rng(training.seed + 1 + self.step)
        self.heads = Heads(self.sampler.classes)
        self.optimiser = torch.optim.AdamW(
            [*self.encoder.parameters(), *self.heads.parameters()], weight_decay=training.weight_decay
        )
        if state:
            self.encoder.load_state_dict(state["encoder"])
            self.heads.load_state_dict(state["heads"])
            self.optimiser.load_state_dict(state["optimiser"])
            self.trained_seconds = state["trained_seconds"]
        self.forward = torch.compile(self.encoder, dynamic=False) if training.compiled else self.encoder

    def save(self) -> None:
        """Writes the checkpoint whole or not at all."""
        state = {
            "encoder": self.encoder.state_dict(),
            "heads": self.heads.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "trained_seconds": self.trained_seconds,
            "step": self.step,
        }
        for name, content in (("checkpoint", state), ("encoder", state["encoder"])):
            partial = self.folder / f"{name}.partial"
            torch.save(content, partial)
            partial.replace(self.folder / f"{name}.pt")

    def learn(self, batch: Batch, progress: float) -> dict[str, float]:
        """One step; returns the losses."""
        training = self.training
        for parameters in self.optimiser.param_groups:
            parameters["lr"] = rate(training, progress)
        self.heads.set_margin(training.margin * min(1.0, max(0.0, (progress - 0.05) / 0.45)))
        share = training.final_classification_weight - training.classification_weight
        weight = training.classification_weight + share * progress
        features = self.normalise(torch.from_numpy(batch.features), torch.ones(len(batch.features)))
        features = mask_spectrum(features, self.masking)
        with torch.autocast("cpu", torch.bfloat16, enabled=BFLOAT16):
            embeddings = self.forward(features)[:, 0]
        classification, imitation = self.heads(
            embeddings.float(),
            torch.from_numpy(batch.speakers),
            torch.from_numpy(batch.teacher),
            torch.from_numpy(batch.taught),
        )
        loss = weight * classification + training.imitation_weight * imitation
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_([*self.encoder.parameters(), *self.heads.parameters()], 5.0)
        self.optimiser.step()
        return {"classification": classification.item(), "imitation": imitation.item()}

    def run(self) -> None:
        """Trains until the minutes are used up."""
        training, budget = self.training, self.training.minutes * 60
        self.encoder.train()
        sums: dict[str, float] = {}
        count, saved = 0, time.monotonic()
        while self.trained_seconds < budget:
            started = time.monotonic()
            progress = self.trained_seconds / budget
            losses = self.learn(self.sampler.draw(training.batch_size, training.frames), progress)
            self.step += 1
            spent = time.monotonic() - started
            # the first steps compile the network: that is not training
            self.trained_seconds += min(spent, 10.0)
            count += 1
            sums = {name: sums.get(name, 0.0) + value for name, value in losses.items()}
            if count == 50:
                line: dict[str, float] = {"step": self.step, "minutes": round(self.trained_seconds / 60, 2)}
                line |= {name: round(value / count, 4) for name, value in sums.items()}
                with (self.folder / "log.jsonl").open("a") as log:
                    log.write(json.dumps(line) + "\n")
                print(line, flush=True)
                sums, count = {}, 0
            if time.monotonic() - saved > 180:
                self.save()
                self.sampler.refresh()
                saved = time.monotonic()
        self.save()
        print("finished", self.step, "steps", flush=True)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("work", type=Path)
    parser.add_argument("name")
    for name, default in asdict(Training()).items():
        if isinstance(default, bool):
            parser.add_argument(f"--{name}", action=argparse.BooleanOptionalAction, default=default)
        else:
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
