"""Measures how many orders a second the shop takes on SQLite and on PostgreSQL, and what failures do to it.

Clients are processes; each buys for a household of its own, and all buy the same few products, so that they contend for
the stock. An order is the whole of it: begun with its stock reserved, its money set aside in the test wallet, then paid
and placed. Every commit waits for the disk. After each run the database itself is asked: orders, ledger and stock must
agree, and nothing that a client was told may be missing.

Prints Markdown tables; ``--plot`` draws orders per second, ``--json`` writes everything. Exit code 1 when anything is
oversold, lost or doubled. Example: ``.venv/bin/python scripts/benchmark_store.py --plot docs/store-benchmark.png``.
"""

import argparse
import contextlib
import json
import os
import platform
import random
import statistics
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from scripts.postgresql_server import PostgresqlServer
from scripts.store_benchmark.audit import Findings
from scripts.store_benchmark.failures import (
    Engine,
    kill_clients,
    kill_database,
    kill_everybody,
    kill_server_process,
    trade,
)

_ENOUGH = 10**7  # units that no run sells out
_SHELF = 4  # products that everybody wants
_FEW = 250  # units of each in a rush
_RUSHING = 8  # clients
_RUSH_SECONDS = 1.5


def speed(engine: Engine, clients: int, seconds: float) -> dict[str, Any]:
    """Orders per second, and how long one takes, with so many clients."""
    purchases, found, _ = trade(engine, clients, seconds, _ENOUGH, _SHELF)
    taken = [ended - begun for begun, ended in purchases]
    # What was begun in time is finished, however late: until then counts.
    whole = max(ended for _, ended in purchases) - min(begun for begun, _ in purchases)
    return {
        "engine": engine.name,
        "clients": clients,
        "orders_per_second": len(taken) / whole,
        "median_milliseconds": 1000 * statistics.median(taken),
        "p99_milliseconds": 1000 * statistics.quantiles(taken, n=100, method="inclusive")[-1],
    } | vars(found)


def rush(engine: Engine, rounds: int, strikes: str, strike: Callable[..., Any]) -> dict[str, Any]:
    """Many times: clients buy more than there is while something happens to them."""
    found, killed, chance = Findings(), 0, random.Random(11)
    for number in range(rounds):
        _, new, ended = trade(engine, _RUSHING, _RUSH_SECONDS, _FEW, _SHELF, number, strike(chance, _RUSH_SECONDS))
        found.add(new)
        killed += ended
    result = {"engine": engine.name, "strikes": strikes, "rounds": rounds, "clients_killed": killed} | vars(found)
    _tell(result)
    return result


def _tell(result: dict[str, Any]) -> None:
    print(json.dumps(result), file=sys.stderr, flush=True)


def measure(engines: list[Engine], counts: list[int], seconds: float, rounds: int) -> dict[str, Any]:
    """All speeds and all failures."""
    speeds = []
    for engine in engines:
        for count in counts:
            speeds.append(speed(engine, count, seconds))
            _tell(speeds[-1])
    rushes = []
    for engine in engines:
        rushes.append(rush(engine, rounds, "nothing", lambda chance, within: lambda clients: None))
        rushes.append(rush(engine, rounds, "half of the clients killed", kill_clients))
        if (server := engine.server) is None:
            rushes.append(rush(engine, rounds, "all clients killed at once", kill_everybody))
            continue
        process = lambda chance, within, server=server: kill_server_process(server, chance, within)
        database = lambda chance, within, server=server: kill_database(server, chance, within)
        rushes.append(rush(engine, rounds, "a server process killed", process))
        rushes.append(rush(engine, rounds, "the database killed", database))
    return {"speeds": speeds, "rushes": rushes}


@contextlib.contextmanager
def engines(names: list[str]) -> Iterator[list[Engine]]:
    """A file and a server of its own, removed afterwards."""
    with tempfile.TemporaryDirectory(prefix="voicecart-store-") as folder, contextlib.ExitStack() as stack:
        found = []
        for name in names:
            server = stack.enter_context(contextlib.closing(PostgresqlServer())) if name == "postgresql" else None
            found.append(Engine(name, Path(folder), server))
        yield found


def tables(found: dict[str, Any]) -> str:
    """The results in Markdown."""
    load = os.getloadavg()[0]
    lines = [
        f"{os.cpu_count()} CPUs ({platform.machine()}), load average {load:.1f} at the end.",
        "",
        "| engine | clients | orders per second | median | 99 % within | oversold, lost, doubled |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    for one in found["speeds"]:
        times = f"{one['median_milliseconds']:.0f} ms | {one['p99_milliseconds']:.0f} ms"
        wrong = f"{one['oversold']}, {one['lost']}, {one['doubled']}"
        lines.append(f"| {one['engine']} | {one['clients']} | {one['orders_per_second']:.1f} | {times} | {wrong} |")
    lines += [
        "",
        f"Then {_RUSHING} clients want {_SHELF * _FEW} units, for {_RUSH_SECONDS} seconds or until nothing is left:",
        "",
        "| engine | what happens | times | clients killed | orders paid | oversold | lost | doubled | money held |",
        "|---|---|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for one in found["rushes"]:
        lines.append(
            f"| {one['engine']} | {one['strikes']} | {one['rounds']} | {one['clients_killed']} | {one['orders']}"
            f" | {one['oversold']} | {one['lost']} | {one['doubled']} | {one['held']} |"
        )
    return "\n".join(lines)


def draw(speeds: list[dict[str, Any]], path: Path) -> None:
    """Orders per second over the number of clients."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(1, 2, figsize=(9, 3.4))
    for axis, key, label in zip(
        axes, ("orders_per_second", "p99_milliseconds"), ("orders per second", "99 % within (ms)"), strict=True
    ):
        for name in dict.fromkeys(one["engine"] for one in speeds):
            mine = [one for one in speeds if one["engine"] == name]
            axis.plot([one["clients"] for one in mine], [one[key] for one in mine], marker="o", label=name)
        axis.set_xscale("log", base=2)
        axis.set_xticks([1, 2, 4, 8, 16, 32, 64], labels=["1", "2", "4", "8", "16", "32", "64"])
        axis.set_ylim(bottom=0)
        axis.set_xlabel("clients")
        axis.set_ylabel(label)
        axis.legend()
        axis.grid(alpha=0.3)
    figure.tight_layout()
    figure.savefig(path, dpi=110)


def main() -> int:
    """Measures as asked; 1 when anything is wrong."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--engines", nargs="+", choices=("sqlite", "postgresql"), default=["sqlite", "postgresql"])
    parser.add_argument("--clients", nargs="+", type=int, default=[1, 2, 4, 8, 16, 32, 64])
    parser.add_argument("--seconds", type=float, default=5.0, help="of buying for each number of clients")
    parser.add_argument("--rounds", type=int, default=10, help="of each failure")
    parser.add_argument("--plot", type=Path, metavar="PNG")
    parser.add_argument("--json", type=Path, metavar="FILE")
    options = parser.parse_args()
    with engines(options.engines) as places:
        found = measure(places, options.clients, options.seconds, options.rounds)
    print(tables(found))
    if options.plot:
        draw(found["speeds"], options.plot)
    if options.json:
        options.json.write_text(json.dumps(found, indent=1))
    wrong = ("oversold", "lost", "doubled", "held")
    return int(any(one[what] for what in wrong for one in (*found["speeds"], *found["rushes"])))


if __name__ == "__main__":
    sys.exit(main())
