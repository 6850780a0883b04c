"""The benchmark's figures as Markdown and as DET curves."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from scipy.stats import norm

mpl.use("Agg")
from matplotlib import pyplot


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
    for title, kind in (("test", "conditions"), ("set (3 s)", "sets"), ("people (3 s)", "groups")):
        head = [title, "owners' trials", "impostors' trials", *(f"EER {name}" for name in names)]
        head += [f"minDCF {name}" for name in names] + ["false accepts (95 %)", "false rejects (95 %)"]
        lines += ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
        for row, found in results[kind].items():
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
