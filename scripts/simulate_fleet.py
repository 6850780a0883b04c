"""Simulates a day's peak on many PostgreSQL nodes: how many are needed, and where a product that all want is kept.

Households are spread over the nodes by their hash, as a distributed PostgreSQL spreads rows by the household. What one
node does is measured (``scripts/benchmark_store.py --json FILE``), not guessed: its best rate of whole orders a second.
Orders arrive at random; products are wanted as by Zipf's law. Three ways to keep the stock are compared:

- ``local``: nobody counts it across nodes (each shop of a household is its own): what the partition alone costs.
- ``owner``: each product's stock stands on one node, and every order of it works there too.
- ``portions``: every node holds a portion of each product's stock and asks the owner only when it is used up.

Prints a Markdown table. Example: ``.venv/bin/python scripts/simulate_fleet.py --benchmark /tmp/store.json``.
"""

import argparse
import json
import math
import sys
from itertools import pairwise
from pathlib import Path

import numpy as np

WAYS = ("local", "owner", "portions")


def best_rate(benchmark: Path) -> float:
    """The most orders a second that one PostgreSQL node took."""
    speeds = json.loads(benchmark.read_text())["speeds"]
    return max(float(one["orders_per_second"]) for one in speeds if one["engine"] == "postgresql")


def popularity(products: int) -> np.ndarray:
    """The share of all orders that each product has, most wanted first; shape (products,)."""
    shares = 1 / np.arange(1, products + 1)
    return shares / shares.sum()


def simulate(
    way: str,
    nodes: int,
    rate: float,
    orders_per_second: float,
    seconds: float,
    products: int,
    stock_share: float,
    portion: int,
    seed: int,
) -> tuple[float, float, float]:
    """One peak.

    Args:
        way: How stock is kept.
        nodes: How many.
        rate: Whole orders that one node does in a second.
        orders_per_second: Of the whole fleet.
        seconds: How long.
        products: How many there are.
        stock_share: Share of an order's work that its stock takes, where that is elsewhere.
        portion: Units that a node fetches from a product's owner at once.
        seed: Of the chance.

    Returns:
        How busy the nodes are on average and the busiest one (1 is all the time); the seconds within which 99 % of
        all work is done, infinite when some node gets more than it can do.
    """
    chance = np.random.default_rng(seed)
    count = int(chance.poisson(orders_per_second * seconds))
    at = chance.uniform(0, seconds, count)
    home = chance.integers(nodes, size=count)
    work = np.full(count, 1 / rate)
    if way != "local":
        wanted = chance.choice(products, size=count, p=popularity(products))
        owner = (wanted * 2_654_435_761 + 12_345) % nodes
        if way == "owner":
            asked = np.ones(count, bool)
        else:
            # Every portion-th order of a product on a node finds its portion used up.
            pair = home.astype(np.int64) * products + wanted
            order = np.argsort(pair, kind="stable")
            firsts = np.r_[True, np.diff(pair[order]) != 0]
            begins = np.maximum.accumulate(np.where(firsts, np.arange(count), 0))
            nth = np.empty(count, np.int64)
            nth[order] = np.arange(count) - begins
            offset = chance.integers(portion, size=count)[order][begins]
            asked = np.empty(count, bool)
            asked[order] = (nth[order] + offset) % portion == 0
        at, home = np.r_[at, at[asked]], np.r_[home, owner[asked]]
        work = np.r_[work, np.full(int(asked.sum()), stock_share / rate)]
    busy = np.bincount(home, weights=work, minlength=nodes) / seconds
    return float(busy.mean()), float(busy.max()), _within(at, home, work, busy.max() >= 1)


def _within(at: np.ndarray, home: np.ndarray, work: np.ndarray, overrun: bool) -> float:
    """The 99th percentile of waiting plus working; each node does one thing after the other, in order of arrival."""
    if overrun:
        return math.inf
    order = np.lexsort((at, home))
    at, home, work = at[order], home[order], work[order]
    # Lindley's recursion for all nodes at once: what is done until now, less the idle time that was lost before.
    begins = np.r_[0, np.flatnonzero(np.diff(home)) + 1, len(home)]
    taken = np.empty(len(at))
    for begin, end in pairwise(begins):
        until = np.cumsum(work[begin:end])
        idle = np.maximum.accumulate(at[begin:end] - (until - work[begin:end]))
        taken[begin:end] = until + idle - at[begin:end]
    return float(np.quantile(taken, 0.99))


def main() -> int:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--benchmark", type=Path, help="JSON of scripts/benchmark_store.py")
    parser.add_argument("--rate", type=float, help="whole orders a second of one node, in place of a measured one")
    parser.add_argument("--orders", type=float, default=544_000, help="orders a second of the whole fleet")
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--products", type=int, default=1_000_000)
    parser.add_argument("--stock-share", type=float, default=0.3, help="of an order's work, done where the stock is")
    parser.add_argument("--portion", type=int, default=20, help="units that a node fetches at once")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    if (options.benchmark is None) == (options.rate is None):
        parser.error("give --benchmark FILE or --rate N")
    rate = options.rate or best_rate(options.benchmark)
    print(f"{options.orders:,.0f} orders a second, {rate:.1f} of them done by one node, {options.seconds:g} seconds:\n")
    print("| stock | nodes | busy on average | busiest node | 99 % within |")
    print("|---|---:|---:|---:|---:|")
    for way in WAYS:
        for spare in (1.25, 2, 4):
            nodes = math.ceil(options.orders * spare / rate)
            mean, most, within = simulate(
                way, nodes, rate, options.orders, options.seconds, options.products, options.stock_share,
                options.portion, options.seed,
            )  # fmt: skip
            late = "never" if math.isinf(within) else f"{1000 * within:.0f} ms"
            print(f"| {way} | {nodes:,} | {mean:.0%} | {most:.0%} | {late} |", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
