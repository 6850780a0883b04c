"""Blends a finished run's weights with those that it began with: a point between them errs less than either end.

    python scripts/train_voiceprint/blend.py WORK NAME --share 0.3

Writes `WORK/NAME-blended`, which `export.py` takes like any run. Averaging fine-tuned weights: M. Wortsman et al.,
"Robust fine-tuning of zero-shot models" (2022).
"""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path

import torch
from train import BEGINNING


def blended(trained: dict[str, torch.Tensor], before: dict[str, torch.Tensor], share: float) -> dict[str, torch.Tensor]:
    """`share` of `before`, the rest of `trained`; counters are those of `trained`."""
    return {
        name: torch.lerp(value, before[name], share) if value.is_floating_point() else value
        for name, value in trained.items()
    }


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("work", type=Path)
    parser.add_argument("name")
    parser.add_argument("--share", type=float, default=0.3, help="of the weights that the run began with")
    arguments = parser.parse_args()
    run, target = arguments.work / arguments.name, arguments.work / f"{arguments.name}-blended"
    target.mkdir(exist_ok=True)
    shutil.copy(run / "configuration.json", target)
    trained = torch.load(run / "encoder.pt", weights_only=True)
    before = torch.load(run / BEGINNING, weights_only=True)
    torch.save(blended(trained, before, arguments.share), target / "encoder.pt")


if __name__ == "__main__":
    main()
