"""Measures the speaker encoder on speakers it never met, beside Resemblyzer on the same trials in the same run.

    python scripts/benchmark_voiceprint.py WORK --output DIR

Needs the shared recordings (VOICECART_SHARED) and, for the comparison, the package resemblyzer. `WORK` keeps the voiced
speech of the held-out speakers between runs. Five utterances enrol an owner; every test of a set is tried against every
owner of that set. Writes `results.json`, `tables.md` and `det.png`.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).with_name("train_voiceprint")))

from augment import Noises, add_noise, reverberate, room_response
from cache import load_teacher
from companion import COMPANION_SIZE
from error_rates import equal_error_rate, error_curve, interval, minimum_cost
from held_out import Owner, owners
from recordings import SAMPLE_RATE, shared_folder
from trials import Attempts, Embed, attempt, enrol, normalised

from assistant.models import find_model
from assistant.pay.encoder import SpeakerEncoder, open_encoder
from assistant.pay.encoder_folder import COMPANION
from assistant.pay.verification import Scoring
from assistant.settings import Pay
from scripts.voiceprint_benchmark.costs import costs
from scripts.voiceprint_benchmark.groups import groups
from scripts.voiceprint_benchmark.report import plot, tables

USUAL = "3 s"


@dataclass(frozen=True)
class System:
    """An encoder and how its embeddings are scored: `score` gives a matrix (owners, tests)."""

    name: str
    embed: Embed
    score: Callable[[Attempts], np.ndarray]


def ours(encoder: SpeakerEncoder) -> System:
    """The shipped encoder."""
    return System("Voicecart", encoder.embed, _scorer(encoder.scoring, encoder.scoring.cohort))


def without_companion(encoder: SpeakerEncoder) -> System:
    """Only SpeechBrain's network of the shipped encoder."""
    cohort = _own_part(encoder.scoring.cohort)

    def embed(speech: np.ndarray) -> np.ndarray:
        return _own_part(encoder.embed(speech))

    return System("its ECAPA-TDNN alone", embed, _scorer(encoder.scoring, cohort))


def _own_part(embeddings: np.ndarray) -> np.ndarray:
    own = embeddings[..., :-COMPANION_SIZE]
    return own / np.linalg.norm(own, axis=-1, keepdims=True)


def _scorer(scoring: Scoring, cohort: np.ndarray) -> Callable[[Attempts], np.ndarray]:
    per_cosine = scoring.calibration.cosine / scoring.calibration.scale

    def score(attempts: Attempts) -> np.ndarray:
        cosines = attempts.templates @ attempts.tests.T
        return normalised(attempts, cohort, scoring.calibration.cohort_top) + per_cosine * cosines

    return score


def resemblyzer() -> System:
    """The published encoder, as it comes: its own preparation of the sound, cosines."""
    embed = load_teacher()

    def unit(speech: np.ndarray) -> np.ndarray:
        embedding = embed(speech).astype(np.float64)
        return embedding / np.linalg.norm(embedding)

    return System("Resemblyzer", unit, lambda attempts: attempts.templates @ attempts.tests.T)


def changes(seed: int) -> dict[str, tuple[float, Callable[[np.ndarray], np.ndarray]]]:
    """Conditions of the tests: voiced seconds, and what happens to the sound; enrolment is always as recorded."""
    noises = Noises(shared_folder() / "noise", held_out=True)

    def noisy(decibels: float) -> Callable[[np.ndarray], np.ndarray]:
        generator = np.random.default_rng(seed)
        return lambda speech: add_noise(speech, noises.sample(len(speech), generator), decibels)

    generator = np.random.default_rng(seed)
    return {
        USUAL: (3.0, lambda speech: speech),
        "1.5 s": (1.5, lambda speech: speech),
        "5 s": (5.0, lambda speech: speech),
        "3 s, another room": (3.0, lambda speech: reverberate(speech, room_response(generator))),
        **{f"3 s, noise at {decibels} dB": (3.0, noisy(decibels)) for decibels in (20, 10, 5)},
    }


def among_people(attempts: Attempts) -> np.ndarray:
    """Which pairs of `Attempts.pairs` are of people; synthesised voices are none."""
    return attempts.sets[attempts.pairs()[0]] != "synthetic"


def rates(scores: np.ndarray, attempts: Attempts, kept: np.ndarray) -> dict[str, Any]:
    """Equal error rate and minDCF over those pairs of `Attempts.pairs` that are kept."""
    owner, test, own = (column[kept] for column in attempts.pairs())
    picked = scores[owner, test]
    return {
        "owner_trials": int(own.sum()),
        "impostor_trials": int((~own).sum()),
        "equal_error_rate": equal_error_rate(picked[own], picked[~own]),
        "minimum_cost": minimum_cost(picked[own], picked[~own]),
    }


def decisions(scores: np.ndarray, attempts: Attempts, kept: np.ndarray, scoring: Scoring) -> dict[str, Any]:
    """False accepts and false rejects at the shipped threshold."""
    owner, test, own = (column[kept] for column in attempts.pairs())
    calibration = scoring.calibration
    ratios = calibration.scale * scores[owner, test] + calibration.offset
    ratios += calibration.log_seconds * np.log(attempts.seconds / 3.0)
    accepted = ratios >= calibration.threshold
    wrong_in, wrong_out = int(accepted[~own].sum()), int((~accepted[own]).sum())
    return {
        "false_accepts": wrong_in / max(1, (~own).sum()),
        "false_accepts_interval": interval(wrong_in, max(1, int((~own).sum()))),
        "false_rejects": wrong_out / max(1, own.sum()),
        "false_rejects_interval": interval(wrong_out, max(1, int(own.sum()))),
    }


def parts(people: list[Owner], attempts: Attempts) -> Iterator[tuple[str, str, np.ndarray]]:
    """Table, row and pairs of the usual condition's breakdowns: by set, and by what people have in common."""
    owner = attempts.pairs()[0]
    for of_set in sorted(set(attempts.sets)):
        yield "sets", of_set, attempts.sets[owner] == of_set
    for name, kept in groups(people, attempts).items():
        own = attempts.pairs()[2][kept]
        if own.any() and not own.all():
            yield "groups", name, kept


def benchmark(people: list[Owner], systems: list[System], scoring: Scoring, seed: int) -> tuple[dict[str, Any], Any]:
    """All figures, and the usual condition's scores of each system for the plot."""
    results: dict[str, Any] = {"conditions": {}, "sets": {}, "groups": {}}
    curves = {}
    for system in systems:
        takes = enrol(people, system.embed)
        for condition, (seconds, change) in changes(seed).items():
            attempts = attempt(condition, people, takes, system.embed, seconds, change)
            scores = system.score(attempts)
            whole = among_people(attempts)
            rows = [("conditions", condition, whole)]
            if condition == USUAL:
                rows += parts(people, attempts)
                owner, test, own = (column[whole] for column in attempts.pairs())
                curves[system.name] = error_curve(scores[owner, test][own], scores[owner, test][~own])
            for table, row, kept in rows:
                found = results[table].setdefault(row, {})
                found[system.name] = rates(scores, attempts, kept)
                if system is systems[0]:
                    found[system.name] |= decisions(scores, attempts, kept, scoring)
            print(condition, system.name, f"{results['conditions'][condition][system.name]['equal_error_rate']:.2%}")
    return results, curves


def main() -> None:
    """Command line."""
    import torch

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("work", type=Path)
    parser.add_argument("--output", type=Path, default=Path("voiceprint-benchmark"))
    parser.add_argument("--voiceprint", default=Pay().voiceprint, help="name or folder of an encoder")
    parser.add_argument("--engine", choices=["speechbrain", "onnx"], default="onnx")
    parser.add_argument("--alone", action="store_true", help="without Resemblyzer")
    parser.add_argument("--seed", type=int, default=5)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    arguments.output.mkdir(parents=True, exist_ok=True)
    people = owners(arguments.work, "report")
    folder = find_model(arguments.voiceprint).resolve()
    encoder = open_encoder(Pay(engine=arguments.engine, voiceprint=str(folder)))
    systems = [ours(encoder)]
    if (folder / COMPANION).exists():
        systems.append(without_companion(encoder))
    if not arguments.alone:
        systems.append(resemblyzer())
    results, curves = benchmark(people, systems, encoder.scoring, arguments.seed)
    speech = next(test for owner in people for test in owner.tests(3.0))
    results["costs"] = costs(speech, folder, resemblyzer=not arguments.alone)
    results["model"] = encoder.model
    results["sample_rate"] = SAMPLE_RATE
    plot(curves, arguments.output / "det.png")
    (arguments.output / "results.json").write_text(json.dumps(results, indent=1) + "\n", "utf-8")
    text = tables(results, [system.name for system in systems])
    (arguments.output / "tables.md").write_text(text, "utf-8")
    print(text)


if __name__ == "__main__":
    main()
