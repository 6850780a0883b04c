"""The report of a rehearsal: figures as JSON, and a page with plots for people."""

import base64
import io
import json
from collections.abc import Sequence
from importlib import resources
from pathlib import Path
from typing import Any

import jinja2
import numpy as np

from assistant.rehearse.judging import Verdict


def summarise(verdicts: Sequence[Verdict]) -> dict[str, Any]:
    """All figures of a run; rates are None where nothing was counted.

    Returns:
        ``wrong_purchases`` first: it must be 0. Latencies in seconds, others as fractions.
    """
    transcripts = [latency for verdict in verdicts for latency in verdict.transcript_latencies]
    replies = [latency for verdict in verdicts for latency in verdict.reply_latencies]
    return {
        "wrong_purchases": sum(verdict.wrong_purchases for verdict in verdicts),
        "missed_purchases": sum(verdict.missed_purchases for verdict in verdicts),
        "scenarios": len(verdicts),
        "passed": sum(verdict.passed for verdict in verdicts),
        "intent_accuracy": _rate([verdict.intents for verdict in verdicts]),
        "item_accuracy": _rate([verdict.items for verdict in verdicts]),
        "word_error_rate": _rate([verdict.words for verdict in verdicts]),
        "transcript_latency": _percentiles(transcripts),
        "reply_latency": _percentiles(replies),
    }


def write_report(folder: Path, verdicts: Sequence[Verdict]) -> dict[str, Any]:
    """Writes ``report.json`` and ``report.html`` into ``folder``; returns the summary."""
    folder.mkdir(parents=True, exist_ok=True)
    summary = summarise(verdicts)
    details = [
        {
            "name": verdict.name,
            "passed": verdict.passed,
            "problems": list(verdict.problems),
            "wrong_purchases": verdict.wrong_purchases,
            "missed_purchases": verdict.missed_purchases,
            "tags": list(verdict.tags),
            "conversation": [list(line) for line in verdict.conversation],
        }
        for verdict in verdicts
    ]
    (folder / "report.json").write_text(
        json.dumps(summary | {"details": details}, ensure_ascii=False, indent=1), encoding="utf-8"
    )
    page = jinja2.Environment(autoescape=True).from_string(
        resources.files("assistant.rehearse").joinpath("report.html").read_text("utf-8")
    )
    (folder / "report.html").write_text(
        page.render(
            summary=summary, verdicts=verdicts, latencies=_latency_plot(verdicts), groups=_group_plot(verdicts)
        ),
        encoding="utf-8",
    )
    return summary


def _rate(counts: Sequence[tuple[int, int]]) -> float | None:
    total, part = (sum(column) for column in zip(*counts, strict=True)) if counts else (0, 0)
    return round(part / total, 4) if total else None


def _percentiles(seconds: Sequence[float]) -> dict[str, float] | None:
    if not seconds:
        return None
    p50, p95 = np.percentile(seconds, (50, 95))
    return {"p50": round(float(p50), 3), "p95": round(float(p95), 3)}


def _latency_plot(verdicts: Sequence[Verdict]) -> str:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6, 3), layout="constrained")
    axes = figure.subplots()
    for name, values in (
        ("transcript", [x for verdict in verdicts for x in verdict.transcript_latencies]),
        ("first audio", [x for verdict in verdicts for x in verdict.reply_latencies]),
    ):
        axes.ecdf(values or [0.0], label=name)
    axes.set(xlabel="seconds after the end of speech", ylabel="share of utterances")
    axes.legend()
    return _as_png(figure)


def _group_plot(verdicts: Sequence[Verdict]) -> str:
    from matplotlib.figure import Figure

    tags = sorted({tag for verdict in verdicts for tag in verdict.tags}) or ["all"]
    groups = {tag: [verdict for verdict in verdicts if tag in verdict.tags] or list(verdicts) for tag in tags}
    figure = Figure(figsize=(6, 0.6 + 0.3 * len(tags)), layout="constrained")
    axes = figure.subplots()
    passed = [sum(verdict.passed for verdict in group) for group in groups.values()]
    failed = [len(group) - count for group, count in zip(groups.values(), passed, strict=True)]
    axes.barh(tags, passed, color="tab:green", label="passed")
    axes.barh(tags, failed, left=passed, color="tab:red", label="failed")
    axes.set(xlabel="scenarios")
    axes.legend()
    return _as_png(figure)


def _as_png(figure: Any) -> str:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=110)
    return base64.b64encode(buffer.getvalue()).decode("ascii")
