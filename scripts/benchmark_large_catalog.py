"""What a large catalog costs a speaker, and how well its products are heard: import, start, memory, orders.

usage: benchmark_large_catalog.py [--sizes 5000 30000 100000] [--whole] [--orders 20] [--work DIR] [--json FILE.json]
                                  [--document]

Invented products (scripts/search_benchmark) are imported with the command itself; a device over them starts twice, and
then hears orders of one product each, by brand and name, in synthetic voices: of any products, and of products on the
household's shopping list. Every step runs in a process of its own, its figures include the tools it starts. The speaker
encoder, which no catalog changes, is not loaded. ``--whole`` measures the other way: every name in the grammar, every
product in memory, as of small catalogs. ``--json`` adds the figures to a file, ``--document`` puts all of that file
into docs/search.md.
"""

import argparse
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(REPOSITORY))

from assistant.household import Household  # noqa: E402
from assistant.parts import Parts  # noqa: E402
from assistant.settings_file import read_settings  # noqa: E402
from assistant.shop.feed import read_feed  # noqa: E402
from assistant.shop.feed_product import to_feed  # noqa: E402
from assistant.shop.product import Product  # noqa: E402
from assistant.storefront import offer_of, open_storefront  # noqa: E402
from assistant.understand.understanding import Context, Expecting, Understanding  # noqa: E402
from scripts.hearing_benchmark.recordings import VOICES, synthesised  # noqa: E402
from scripts.search_benchmark.products import make_products  # noqa: E402

BEGIN, END = "<!-- figures: scripts/benchmark_large_catalog.py -->", "<!-- end of figures -->"
DOCUMENT = REPOSITORY / "docs" / "search.md"
WANTED = "wanted.jsonl"
ON_LIST = 200
"""Products on the household's shopping list."""
QUANTITIES = {"a": 1, "two": 2, "three": 3}
OUTCOMES = ("right", "asked", "wrong")
Figures = dict[str, Any]


def main() -> None:
    """Measures every size; prints and keeps the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", nargs="*", type=int, default=[5_000, 30_000, 100_000])
    parser.add_argument("--whole", action="store_true")
    parser.add_argument("--orders", type=int, default=20)
    parser.add_argument("--work", type=Path, help="folder for feeds, state and recordings; kept")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--document", action="store_true")
    parser.add_argument("--child", nargs=2, metavar=("WHAT", "FOLDER"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        what, folder = options.child
        work = {"list": fill_list, "start": start, "orders": hear_orders}[what]
        print(json.dumps(work(Path(folder), options.orders)))
        return
    results: Figures = json.loads(options.json.read_text("utf-8")) if options.json and options.json.exists() else {}
    with tempfile.TemporaryDirectory(prefix="benchmark-large-") as name:
        for size in options.sizes:
            folder = (options.work or Path(name)) / f"{size}{'-whole' if options.whole else ''}"
            results[folder.name] = measure(folder, size, options.whole, options.orders)
            if options.json:
                options.json.write_text(json.dumps(results, indent=1) + "\n", "utf-8")
    print(table(results))
    if options.document:
        before, _, rest = DOCUMENT.read_text("utf-8").partition(BEGIN)
        DOCUMENT.write_text(f"{before}{BEGIN}\n\n{table(results)}\n\n{END}{rest.partition(END)[2]}", "utf-8")


def measure(folder: Path, size: int, whole: bool, orders: int) -> Figures:
    """All figures of one number of products."""
    shutil.rmtree(folder / "state", ignore_errors=True)
    folder.mkdir(parents=True, exist_ok=True)
    feed, settings = folder / "feed.jsonl", folder / "settings.toml"
    if not feed.exists():
        with feed.open("w", encoding="utf-8") as file:
            file.writelines(json.dumps(to_feed(product), ensure_ascii=False) + "\n" for product in make_products(size))
    choose(feed, size, orders)
    settings.write_text(f"[understand]\nmany_products = {size + 1}\n" if whole else "", "utf-8")
    shared = ("--state", str(folder / "state"), "--config", str(settings))
    found = {"import": watched(f"{folder.name}: import", ("-m", "assistant", "catalog", "import", str(feed), *shared))}
    for title, what in (("list", "list"), ("first", "start"), ("later", "start"), ("orders", "orders")):
        command = (__file__, "--orders", str(orders), "--child", what, str(folder))
        found[title] = watched(f"{folder.name}: {title}", command)
    files = [path for path in (folder / "state").rglob("*") if path.is_file()]
    # The states' models share their files.
    sizes = {path.stat().st_ino: path.stat().st_size for path in files}
    return found | {"state_megabytes": sum(sizes.values()) / 1e6}


def watched(title: str, command: Sequence[str]) -> Figures:
    """Runs Python; seconds, processor seconds and the most memory, with the tools it starts, and what it printed."""
    print(f"{title} …", file=sys.stderr, flush=True)
    began = time.monotonic()
    with subprocess.Popen((sys.executable, *command), stdout=subprocess.PIPE, text=True, cwd=REPOSITORY) as process:
        assert process.stdout is not None
        output = process.stdout.read().splitlines()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"{title} failed.")
    cost = {"seconds": time.monotonic() - began, "processor": usage.ru_utime + usage.ru_stime}
    cost["megabytes"] = usage.ru_maxrss * 1024 / 1e6
    print(f"{title}: " + ", ".join(f"{value:.0f} {key}" for key, value in cost.items()), file=sys.stderr, flush=True)
    return cost | (json.loads(output[-1]) if output[-1].startswith("{") else {})


def choose(feed: Path, size: int, orders: int) -> None:
    """Notes which products of a feed are ordered: some of all, then those that are put on the list."""
    randomness = random.Random(11)
    places = set(randomness.sample(range(size), orders + ON_LIST))
    with feed.open(encoding="utf-8") as lines:
        found = [line for place, line in enumerate(lines) if place in places]
    randomness.shuffle(found)
    feed.with_name(WANTED).write_text("".join(found), "utf-8")


def wanted(folder: Path, orders: int) -> tuple[list[Product], list[Product]]:
    """Products to be ordered: some of all, and those on the list."""
    found = list(read_feed(folder / WANTED).products)
    return found[:orders], found[orders:]


def fill_list(folder: Path, orders: int) -> Figures:
    """Puts products on the household's shopping list."""
    store = open_storefront(read_settings(folder / "settings.toml"), folder / "state").store
    for product in wanted(folder, orders)[1]:
        store.add_to_list(product.name("en"), product.sku)
    return {}


def opened(folder: Path) -> tuple[Parts, Household]:
    """A device over the imported catalog, ready to listen, and its household."""
    state, settings = folder / "state", read_settings(folder / "settings.toml")
    parts = Parts(settings, offer_of(settings, state, None), state)
    parts.recogniser.load()
    parts.catalog.prepare()
    return parts, Household(parts, state)


def start(folder: Path, orders: int) -> Figures:
    """A device that starts."""
    _, household = opened(folder)
    return {"lines": len(household.store.cart().lines), "own_megabytes": peak_megabytes()}


def hear_orders(folder: Path, orders: int) -> Figures:
    """Orders of any products, and of those on the list."""
    parts, household = opened(folder)
    anything, listed = wanted(folder, orders)
    found: Figures = {}
    for title, products in (("any", anything), ("listed", listed[:orders])):
        outcomes = dict.fromkeys((*OUTCOMES, "not found"), 0)
        used = 0.0
        for number, product in enumerate(products):
            word, quantity = list(QUANTITIES.items())[number % len(QUANTITIES)]
            text = f"i want {word} {product.brand} {product.name('en')}"
            samples = synthesised(VOICES[number % len(VOICES)], text, folder.parent / "voices")
            began = time.process_time()
            hearing = parts.recogniser.listen(Expecting.COMMAND)
            hearing.accept(samples)
            heard = [hypothesis.text for hypothesis in hearing.finish()]
            meant = parts.understand(heard, Context())
            shelf = household.store.shelf()
            assert all(item.sku in shelf for item in meant.items)
            used += time.process_time() - began
            outcome = judged(meant, product, quantity)
            outcomes[outcome] += 1
            print(f"{outcome:9} {text!r}, heard as {heard[0]!r}", file=sys.stderr, flush=True)
        found[title] = outcomes | {"seconds_each": used / len(products)}
    return found | {"own_megabytes": peak_megabytes()}


def judged(meant: Understanding, product: Product, quantity: int) -> str:
    """Whether exactly this was understood, it is among what is asked about, or something else is read back."""
    if [(item.sku, item.quantity) for item in meant.items] == [(product.sku, quantity)]:
        return "right"
    asked = {sku for one in meant.unresolved for sku in (*one.candidates, one.suggestion)}
    return "wrong" if meant.items else "asked" if product.sku in asked else "not found"


def peak_megabytes() -> float:
    """The most memory that this process has had."""
    lines = Path("/proc/self/status").read_text("ascii").splitlines()
    return next(int(line.split()[1]) * 1024 / 1e6 for line in lines if line.startswith("VmHWM"))


def table(results: Figures) -> str:
    """The figures as Markdown."""
    lines = [
        "| products | import | first start | later start | device MB | state MB | an order | any: right | asked | wrong"
        " | listed: right | asked | wrong |",
        "|---:|" + "---:|" * 12,
    ]
    for name, one in sorted(results.items(), key=lambda item: (int(item[0].partition("-")[0]), item[0])):
        size, _, whole = name.partition("-")
        cells = [f"{int(size):,}{', all names' if whole else ''}"]
        cells += [f"{one[step]['processor']:.0f} s, {one[step]['megabytes']:.0f} MB" for step in ("import", "first")]
        cells += [f"{one['later']['processor']:.0f} s", f"{one['orders']['own_megabytes']:.0f}"]
        cells += [f"{one['state_megabytes']:.0f}", f"{one['orders']['any']['seconds_each']:.2f} s"]
        cells += [str(one["orders"][kind][outcome]) for kind in ("any", "listed") for outcome in OUTCOMES]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
