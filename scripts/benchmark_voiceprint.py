"""Measures the speaker encoder on speakers it never met, beside Resemblyzer on the same trials in the same run.

    python scripts/benchmark_voiceprint.py WORK --output DIR

Needs the shared recordings (VOICECART_SHARED) and, for the comparison, the package resemblyzer. `WORK` keeps the voiced
speech of the held-out speakers between runs. Five utterances enrol an owner; every test of a set is tried against every
owner of that set. Writes `results.json`, `tables.md` and `det.png`.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np

sys.path.insert(0, str(Path(__file__).with_name("train_voiceprint")))

from augment import Noises, add_noise, reverberate, room_response
from cache import load_teacher
from error_rates import equal_error_rate, error_curve, interval, minimum_cost
from held_out import Owner, owners
from recordings import SAMPLE_RATE, shared_folder
from scipy.stats import norm
from trials import Attempts, Embed, attempt, enrol, normalised

from assistant.pay.encoder import open_encoder
from assistant.pay.verification import Scoring
from assistant.settings import Pay

mpl.use("Agg")
from matplotlib import pyplot

USUAL = "3 s"
COST_PROGRAM = """
import json, sys, time
engine, clip = sys.argv[1:]
began = time.process_time()
import numpy as np
wave = np.load(clip)
if engine == "resemblyzer":
    import resemblyzer
    imported = time.process_time()
    encoder = resemblyzer.VoiceEncoder("cpu", verbose=False)
    embed = lambda speech: encoder.embed_utterance(resemblyzer.preprocess_wav(speech))
else:
    from assistant.pay.encoder import open_encoder
    from assistant.settings import Pay
    imported = time.process_time()
    embed = open_encoder(Pay(engine=engine)).embed
embed(wave)
loaded = time.process_time()
spent = []
for _ in range(30):
    started = time.process_time()
    embed(wave)
    spent.append(time.process_time() - started)
# Of this program alone: the resource module's peak counts the process that started it.
peak = next(line for line in open("/proc/self/status") if line.startswith("VmHWM"))
print(json.dumps({
    "import_cpu_seconds": imported - began,
    "first_embedding_cpu_seconds": loaded - imported,
    "embedding_cpu_seconds": min(spent),
    "peak_megabytes": int(peak.split()[1]) / 1024,
    "imports_torch": "torch" in sys.modules,
}))
"""


@dataclass(frozen=True)
class System:
    """An encoder and how its embeddings are scored: `score` gives a matrix (owners, tests)."""

    name: str
    embed: Embed
    score: Callable[[Attempts], np.ndarray]


def ours(engine: str) -> tuple[System, Scoring]:
    """The shipped encoder."""
    encoder = open_encoder(Pay(engine=engine))
    scoring = encoder.scoring
    top = scoring.calibration.cohort_top
    return System("Voicecart", encoder.embed, lambda attempts: normalised(attempts, scoring.cohort, top)), scoring


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


def trials(attempts: Attempts, of_set: str | None) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """As `Attempts.pairs`: of one set, or of all people; synthesised voices are no people."""
    owner, test, own = attempts.pairs()
    kept = attempts.sets[owner] != "synthetic" if of_set is None else attempts.sets[owner] == of_set
    return owner[kept], test[kept], own[kept]


def rates(scores: np.ndarray, attempts: Attempts, of_set: str | None = None) -> dict[str, Any]:
    """Equal error rate and minDCF, over all people or one set."""
    owner, test, own = trials(attempts, of_set)
    picked = scores[owner, test]
    return {
        "owner_trials": int(own.sum()),
        "impostor_trials": int((~own).sum()),
        "equal_error_rate": equal_error_rate(picked[own], picked[~own]),
        "minimum_cost": minimum_cost(picked[own], picked[~own]),
    }


def decisions(scores: np.ndarray, attempts: Attempts, scoring: Scoring, of_set: str | None = None) -> dict[str, Any]:
    """False accepts and false rejects at the shipped threshold."""
    owner, test, own = trials(attempts, of_set)
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


def benchmark(people: list[Owner], systems: list[System], scoring: Scoring, seed: int) -> tuple[dict[str, Any], Any]:
    """All figures, and the usual condition's scores of each system for the plot."""
    results: dict[str, Any] = {"conditions": {}, "sets": {}}
    curves = {}
    for system in systems:
        takes = enrol(people, system.embed)
        for condition, (seconds, change) in changes(seed).items():
            attempts = attempt(condition, people, takes, system.embed, seconds, change)
            scores = system.score(attempts)
            found = results["conditions"].setdefault(condition, {})
            found[system.name] = rates(scores, attempts)
            if system is systems[0]:
                found[system.name] |= decisions(scores, attempts, scoring)
            if condition == USUAL:
                owner, test, own = trials(attempts, None)
                curves[system.name] = error_curve(scores[owner, test][own], scores[owner, test][~own])
                for of_set in sorted(set(attempts.sets)):
                    found = results["sets"].setdefault(of_set, {"owners": int((attempts.sets == of_set).sum())})
                    found[system.name] = rates(scores, attempts, of_set)
                    if system is systems[0]:
                        found[system.name] |= decisions(scores, attempts, scoring, of_set)
            print(condition, system.name, f"{results['conditions'][condition][system.name]['equal_error_rate']:.2%}")
    return results, curves


def costs(people: list[Owner], folder: Path, engines: list[str]) -> dict[str, Any]:
    """CPU and memory of each engine in a process of its own, on one thread, for one test of three seconds.

    The least of thirty embeddings counts: what else the machine does makes the others slower.
    """
    clip = folder / "clip.npy"
    np.save(clip, next(owner for owner in people if owner.tests(3.0)).tests(3.0)[0])
    found = {}
    for engine in engines:
        done = subprocess.run(
            ["env", "OMP_NUM_THREADS=1", sys.executable, "-c", COST_PROGRAM, engine, str(clip)],
            check=True,
            capture_output=True,
            text=True,
        )
        found[engine] = json.loads(done.stdout.splitlines()[-1])
    clip.unlink()
    return found


def plot(curves: dict[str, tuple[np.ndarray, np.ndarray]], path: Path) -> None:
    """DET curves: both axes by the quantiles of the normal distribution."""
    figure, axes = pyplot.subplots(figsize=(5, 5))
    for name, (rejected, accepted) in curves.items():
        axes.plot(norm.ppf(np.clip(accepted, 1e-6, 1 - 1e-6)), norm.ppf(np.clip(rejected, 1e-6, 1 - 1e-6)), label=name)
    ticks = [0.0001, 0.001, 0.01, 0.05, 0.2, 0.4]
    for set_ticks in (axes.set_xticks, axes.set_yticks):
        set_ticks(norm.ppf(ticks), [f"{100 * tick:g} %" for tick in ticks])
    axes.set(
        xlim=norm.ppf([5e-5, 0.4]),
        ylim=norm.ppf([5e-5, 0.4]),
        xlabel="impostors accepted",
        ylabel="owners rejected",
        title="Five utterances enrolled, 3 s of speech tested",
    )
    axes.grid(alpha=0.3)
    axes.legend()
    figure.savefig(path, dpi=110, bbox_inches="tight")


def tables(results: dict[str, Any], names: list[str]) -> str:
    """The figures as Markdown."""
    lines = []
    for title, rows in (("test", results["conditions"]), ("set (3 s)", results["sets"])):
        head = [title, "owners' trials", "impostors' trials", *(f"EER {name}" for name in names)]
        head += [f"minDCF {name}" for name in names] + ["false accepts (95 %)", "false rejects (95 %)"]
        lines += ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
        for row, found in rows.items():
            first = found[names[0]]
            cells = [row, f"{first['owner_trials']:,}", f"{first['impostor_trials']:,}"]
            cells += [f"{found[name]['equal_error_rate']:.2%}" for name in names]
            cells += [f"{found[name]['minimum_cost']:.3f}" for name in names]
            for kind, digits in (("false_accepts", 3), ("false_rejects", 1)):
                low, high = first[f"{kind}_interval"]
                cells.append(f"{100 * first[kind]:.{digits}f} % ({100 * low:.{digits}f}-{100 * high:.{digits}f})")
            lines.append("| " + " | ".join(cells) + " |")
        lines.append("")
    lines += ["| engine | import, CPU s | load and first, CPU s | 3 s of speech, CPU s | peak, MB | imports torch |"]
    lines += ["|---|---|---|---|---|---|"]
    for engine, cost in results["costs"].items():
        cpu = (cost["import_cpu_seconds"], cost["first_embedding_cpu_seconds"], cost["embedding_cpu_seconds"])
        lines.append(
            f"| {engine} | {cpu[0]:.2f} | {cpu[1]:.2f} | {cpu[2]:.4f} | {cost['peak_megabytes']:.0f} | "
            f"{'yes' if cost['imports_torch'] else 'no'} |"
        )
    return "\n".join(lines) + "\n"


def main() -> None:
    """Command line."""
    import torch

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("work", type=Path)
    parser.add_argument("--output", type=Path, default=Path("voiceprint-benchmark"))
    parser.add_argument("--engine", choices=["speechbrain", "onnx"], default="onnx")
    parser.add_argument("--alone", action="store_true", help="without Resemblyzer")
    parser.add_argument("--seed", type=int, default=5)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    arguments.output.mkdir(parents=True, exist_ok=True)
    people = owners(arguments.work, "report")
    system, scoring = ours(arguments.engine)
    systems = [system] if arguments.alone else [system, resemblyzer()]
    results, curves = benchmark(people, systems, scoring, arguments.seed)
    engines = ["onnx", "speechbrain"] + ([] if arguments.alone else ["resemblyzer"])
    results["costs"] = costs(people, arguments.output, engines)
    results["model"] = open_encoder(Pay(engine=arguments.engine)).model
    results["sample_rate"] = SAMPLE_RATE
    plot(curves, arguments.output / "det.png")
    (arguments.output / "results.json").write_text(json.dumps(results, indent=1) + "\n", "utf-8")
    text = tables(results, [system.name for system in systems])
    (arguments.output / "tables.md").write_text(text, "utf-8")
    print(text)


if __name__ == "__main__":
    main()
