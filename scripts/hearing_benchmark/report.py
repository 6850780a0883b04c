"""The benchmark's figures as a table in a document and as a plot."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

BEGIN, END = "<!-- figures: scripts/benchmark_asr.py -->", "<!-- end of figures -->"
Results = Mapping[str, Any]


def table(results: Results) -> str:
    """Markdown: one line a set, one column a recogniser."""
    sets = results["sets"]
    engines = list(dict.fromkeys(engine for figures in sets.values() for engine in figures))
    lines = ["| set | " + " | ".join(engines) + " |", "|---" * (len(engines) + 1) + "|"]
    for name, figures in sets.items():
        cells = [_cell(figures[engine]) if engine in figures else "" for engine in engines]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    lines += ["", "| size and cost | |", "|---|---|"]
    lines += [f"| {name} | {value} |" for name, value in results["costs"].items()]
    return "\n".join(lines)


def _cell(figures: Mapping[str, Any]) -> str:
    text = f"{figures['right']} of {figures['utterances']} right"
    if "word_error_rate" in figures:
        text += f", {100 * figures['word_error_rate']:.1f} % of words wrong"
    return text + f" ({figures['cpu_per_second']:.3f} CPU s/s)"


def write_into(document: Path, results: Results) -> None:
    """Puts the table between the document's two marks.

    Raises:
        ValueError: The marks are not there.
    """
    text = document.read_text("utf-8")
    before, mark, rest = text.partition(BEGIN)
    _, other, after = rest.partition(END)
    if not mark or not other:
        raise ValueError(f"{document} does not hold the marks {BEGIN} and {END}")
    document.write_text(f"{before}{BEGIN}\n\n{table(results)}\n\n{END}{after}", "utf-8")


def plot_noise(path: Path, results: Results) -> None:
    """Share of orders right against the noise level, a line for every recogniser."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot

    curves: dict[str, list[tuple[int, float]]] = {}
    clean: dict[str, float] = {}
    for name, figures in results["sets"].items():
        kind, _, level = name.rpartition(", ")
        for engine, values in figures.items():
            label = f"{engine}: {kind}"
            if level.endswith(" dB") and kind.startswith("coffee"):
                curves.setdefault(label, []).append((int(level.removesuffix(" dB")), 100 * values["share"]))
            elif level == "clean":
                clean[label] = 100 * values["share"]
    figure, axes = pyplot.subplots(figsize=(7, 4))
    for label, points in curves.items():
        title = f"{label} (clean: {clean[label]:.0f} %)" if label in clean else label
        axes.plot(*zip(*sorted(points), strict=True), marker="o", label=title)
    axes.set_xlabel("signal-to-noise ratio (dB), café and kitchen noise held out of training")
    axes.set_ylabel("orders with every slot right (%)")
    axes.set_ylim(0, 101)
    axes.grid(alpha=0.3)
    axes.legend(loc="lower right", fontsize=7)
    figure.tight_layout()
    figure.savefig(path, dpi=110)
    pyplot.close(figure)
