"""The figures of ``benchmark_search.py`` as Markdown tables and a plot."""

import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from scripts.search_benchmark.mishearing import KINDS, Query


def figures(
    queries: Sequence[Query], answers: Sequence[Sequence[str]], milliseconds: Sequence[float]
) -> dict[str, Any]:
    """How many queries found their product first and among the first three, and how long they took."""
    first = [bool(skus) and skus[0] == query.sku for query, skus in zip(queries, answers, strict=True)]
    three = [query.sku in skus[:3] for query, skus in zip(queries, answers, strict=True)]
    return {
        "top1": statistics.mean(first),
        "top3": statistics.mean(three),
        "by_kind": {
            kind: statistics.mean(hit for hit, query in zip(first, queries, strict=True) if query.kind == kind)
            for kind in KINDS
        },
        **percentiles(milliseconds),
    }


def percentiles(milliseconds: Sequence[float]) -> dict[str, float]:
    """The median, and what 99 of 100 stay below."""
    ordered = sorted(milliseconds)
    return {"p50": statistics.median(ordered), "p99": ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))]}


def tables(results: Sequence[dict[str, Any]]) -> str:
    """Three tables: search beside RapidFuzz, by kind of mistake, and sources of candidates."""
    lines = [
        "| products | | top 1 | top 3 | p50 ms | p99 ms | faster | memory MB | index MB | index made in s |",
        "|---:|---|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for one in results:
        made = f"{one['index_processor_seconds']:.0f}"
        index = f"{one['memory_megabytes']:.0f} | {one['index_megabytes']:.1f} | {made}"
        faster = one["faster"]
        times = f"{faster:.0f} ×" if faster >= 10 else f"{faster:.1f} ×"
        lines += [
            f"| {one['products']:,} | search, {one['queries']} queries | {_row(one['search'])} | | {index} |",
            f"| | search, the first {one['fewer']} of them | {_row(one['search_on_fewer'])} | {times} | | | |",
            f"| | RapidFuzz over all names, these {one['fewer']} | {_row(one['brute_force'])} | 1 × | | | |",
        ]
    lines += ["", "| top 1 of | " + " | ".join(KINDS) + " |", "|---|" + "---:|" * len(KINDS)]
    for one in results:
        for name, key in (("search", "search"), ("RapidFuzz", "brute_force")):
            kinds = " | ".join(f"{one[key]['by_kind'][kind]:.1%}" for kind in KINDS)
            lines.append(f"| {name}, {one['products']:,} | {kinds} |")
    lines += ["", "| candidates from | products | product among them | p50 ms |", "|---|---:|---:|---:|"]
    for one in results:
        for name, found in one["candidates"].items():
            lines.append(f"| {name} | {one['products']:,} | {found['recall']:.0%} | {found['p50']:.1f} |")
    return "\n".join(lines)


def _row(found: dict[str, Any]) -> str:
    return f"{found['top1']:.1%} | {found['top3']:.1%} | {found['p50']:.1f} | {found['p99']:.1f}"


def draw(results: Sequence[dict[str, Any]], file: Path) -> None:
    """Found first, and time of a query, against the number of products."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    sizes = [one["products"] for one in results]
    figure, (right, fast) = pyplot.subplots(1, 2, figsize=(9, 3.4), layout="constrained")
    for key, name, color in (("search_on_fewer", "search", "tab:blue"), ("brute_force", "RapidFuzz", "tab:orange")):
        right.plot(sizes, [100 * one[key]["top1"] for one in results], "o-", color=color, label=f"{name}, first")
        right.plot(sizes, [100 * one[key]["top3"] for one in results], "o:", color=color, label=f"{name}, first three")
        fast.plot(sizes, [one[key]["p50"] for one in results], "o-", color=color, label=f"{name}, p50")
        fast.plot(sizes, [one[key]["p99"] for one in results], "o:", color=color, label=f"{name}, p99")
    right.set(xscale="log", ylim=(0, 102), xlabel="products", ylabel="queries that find it (%)")
    fast.set(xscale="log", yscale="log", xlabel="products", ylabel="processor time of a query (ms)")
    for axes in (right, fast):
        axes.grid(alpha=0.3)
        axes.legend(fontsize=8)
    figure.savefig(file, dpi=110)
