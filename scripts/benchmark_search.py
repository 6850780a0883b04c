"""How well and how fast products are found by words as a recogniser hears them, among thousands and a million.

usage: benchmark_search.py [--sizes 1000 30000 1000000] [--queries 500] [--brute-force 100] [--engines 20]
                           [--work DIR] [--json FILE.json] [--plot FILE.png]

Invented products (scripts/search_benchmark), queries from a model of what is confused with what. Search runs in a
process of its own. Plain ``rapidfuzz.process.extract`` over all names answers the first of the same queries in the same
run, and so do SQLite's full-text indexes as sources of candidates. All times are processor time of one core: a
machine that does other things besides measures the same.
"""

import argparse
import json
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(REPOSITORY))

from assistant.hear.lexicon import Lexicon  # noqa: E402
from assistant.languages.language import load_language  # noqa: E402
from assistant.models import find_model  # noqa: E402
from assistant.shop.search.entry import entries_of  # noqa: E402
from assistant.shop.search.product_search import Source, open_search  # noqa: E402
from assistant.shop.search.spoken_words import SpokenWords  # noqa: E402
from scripts.search_benchmark import engines, report  # noqa: E402
from scripts.search_benchmark.mishearing import KINDS, Mishearing, Query  # noqa: E402
from scripts.search_benchmark.products import make_products  # noqa: E402

WORDS_AND_SOUNDS_UP_TO = 30_000
"""SQLite over words and sounds is left out above: its queries take seconds there."""


def measure(size: int, options: argparse.Namespace) -> dict[str, Any]:
    """All figures of one number of products."""
    language = load_language("en")
    folder = options.work / str(size)
    folder.mkdir(parents=True, exist_ok=True)
    lexicon = Lexicon(find_model(language.lexicon), folder / "pronunciations")
    names, skus, queries = _names_and_queries(size, options.queries, lexicon)
    texts = [query.words for query in queries]
    search = folder / "search"
    shutil.rmtree(search, ignore_errors=True)
    shutil.rmtree(folder / "pronunciations", ignore_errors=True)
    fresh = Lexicon(find_model(language.lexicon), folder / "pronunciations")
    began, elapsed = _processor_seconds(), time.monotonic()
    open_search(search, Source(str(size), lambda: make_products(size)), language, fresh)
    made, waited = _processor_seconds() - began, time.monotonic() - elapsed
    index = next(path for path in search.iterdir() if path.is_dir())
    megabytes = sum(file.stat().st_size for file in index.iterdir()) / 1e6
    found = _search_in_a_process(folder, str(size), texts)
    fewer = queries[: options.brute_force]
    brute = engines.by_brute_force(names, skus, texts[: len(fewer)])
    return {
        "products": size,
        "queries": len(queries),
        "fewer": len(fewer),
        "search": report.figures(queries, found["answers"], found["computing"]),
        "search_on_fewer": report.figures(fewer, found["answers"][: len(fewer)], found["computing"][: len(fewer)]),
        "brute_force": report.figures(fewer, brute.skus, brute.milliseconds),
        "faster": statistics.mean(brute.milliseconds) / statistics.mean(found["computing"][: len(fewer)]),
        "elapsed": report.percentiles(found["waiting"]),
        "memory_megabytes": found["megabytes"],
        "index_megabytes": megabytes,
        "index_processor_seconds": made,
        "index_elapsed_seconds": waited,
        "candidates": _candidates(size, index, names, skus, queries[: options.engines], lexicon, folder),
    }


def _names_and_queries(size: int, count: int, lexicon: Lexicon) -> tuple[list[str], list[str], list[Query]]:
    language = load_language("en")
    randomness = random.Random(13)
    wanted = {randomness.randrange(size) for _ in range(count * 2)}
    names, skus, chosen = [], [], []
    for number, product in enumerate(make_products(size)):
        names.append(language.normalise_name(f"{product.brand} {product.name('en')}"))
        skus.append(product.sku)
        if number in wanted:
            chosen.append(product)
    asked = randomness.sample(chosen, min(count, len(chosen)))
    mishearing = Mishearing(language, lexicon)
    return names, skus, [mishearing.ask_for(one, KINDS[number % len(KINDS)]) for number, one in enumerate(asked)]


def _processor_seconds() -> float:
    """Of this process and of those that it waited for: letter-to-sound runs in one."""
    import resource

    both = (resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN))
    return sum(one.ru_utime + one.ru_stime for one in both)


def _search_in_a_process(folder: Path, key: str, texts: Sequence[str]) -> dict[str, Any]:
    asked = folder / "queries.json"
    asked.write_text(json.dumps(texts), "utf-8")
    command = [sys.executable, "-m", "scripts.search_benchmark.searching", str(folder), key, str(asked)]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, encoding="utf-8", check=False)
    if done.returncode:
        raise SystemExit(done.stderr)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def _candidates(
    size: int,
    index: Path,
    names: Sequence[str],
    skus: Sequence[str],
    queries: Sequence[Query],
    lexicon: Lexicon,
    folder: Path,
) -> dict[str, Any]:
    """How often the product is among the candidates, and what they cost, by the engine they come from."""
    language, texts = load_language("en"), [query.words for query in queries]
    answers = {
        "Tantivy, words and sounds": engines.by_tantivy(
            index, lambda opened: SpokenWords(language, lexicon, opened.phones), texts
        ),
        "SQLite FTS5, trigrams": engines.by_trigrams(folder / "trigrams.db", names, skus, texts),
    }
    if size <= WORDS_AND_SOUNDS_UP_TO:
        spoken = SpokenWords(language, lexicon)
        entries = entries_of(make_products(size), language, spoken)
        database = folder / "words.db"
        answers["SQLite FTS5, words and sounds"] = engines.by_words_and_sounds(database, entries, spoken, texts)
    return {
        name: {
            "recall": statistics.mean(query.sku in skus for query, skus in zip(queries, one.skus, strict=True)),
            "p50": statistics.median(one.milliseconds),
        }
        for name, one in answers.items()
    }


def main() -> None:
    """Measures, prints tables, and writes what it was asked to."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=[1_000, 30_000, 1_000_000])
    parser.add_argument("--queries", type=int, default=500)
    parser.add_argument("--brute-force", type=int, default=100, help="so many of them are answered by RapidFuzz, too")
    parser.add_argument("--engines", type=int, default=20, help="so many are asked of every source of candidates")
    parser.add_argument("--work", type=Path, help="where indexes are made (default: a temporary folder)")
    parser.add_argument("--json", type=Path, metavar="FILE")
    parser.add_argument("--plot", type=Path, metavar="FILE")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        options.work = options.work or Path(temporary)
        results = []
        for size in options.sizes:
            print(f"{size} products …", file=sys.stderr, flush=True)
            results.append(measure(size, options))
            if options.json:
                options.json.write_text(json.dumps(results, indent=1), "utf-8")
    print(report.tables(results))
    if options.plot:
        report.draw(results, options.plot)


if __name__ == "__main__":
    main()
