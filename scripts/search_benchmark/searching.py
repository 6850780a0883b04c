"""A process that only searches: opens an index, answers queries, and prints what it took as JSON.

usage: python -m scripts.search_benchmark.searching FOLDER KEY QUERIES.json
"""

import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from assistant.hear.lexicon import Lexicon
from assistant.languages.language import load_language
from assistant.models import find_model
from assistant.shop.product import Product
from assistant.shop.search.product_search import Source, open_search


def _no_products() -> Iterator[Product]:
    raise SystemExit("The index is not there; the benchmark makes it first.")


def main(folder: Path, key: str, queries: Path) -> None:
    """Answers the queries one after the other; results, milliseconds and memory go to standard output."""
    asked = json.loads(queries.read_text("utf-8"))
    language = load_language("en")
    lexicon = Lexicon(find_model(language.lexicon), folder / "pronunciations")
    search = open_search(folder / "search", Source(key, _no_products), language, lexicon)
    # What a recogniser writes is in its lexicon: no word has to be looked up for the first time.
    lexicon.pronounce_all({word for text in asked for word in text.split()})
    answers, computing, waiting = [], [], []
    for text in asked:
        began, computed = time.perf_counter(), time.thread_time()
        found = search.search(text)
        computing.append((time.thread_time() - computed) * 1000)
        waiting.append((time.perf_counter() - began) * 1000)
        answers.append([one.sku for one in found[:3]])
    memory = dict(line.split(":") for line in Path("/proc/self/status").read_text().splitlines() if ":" in line)
    megabytes = int(memory["VmHWM"].split()[0]) / 1024
    print(json.dumps({"answers": answers, "computing": computing, "waiting": waiting, "megabytes": megabytes}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3]))
