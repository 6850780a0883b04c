"""What questions about the whole of a large catalog cost: what is on offer, what is new, what else of what is sold out.

usage: benchmark_shortlists.py [--sizes 5000 30000 300000] [--times 20] [--document]

Invented products (scripts/search_benchmark) are put into a catalog: every hundredth was added in the last month, every
fiftieth costs less for a while, every twentieth is sold out; there are 100 promotions of brands, categories and skus.
The questions are typed into a conversation of a household that has bought nothing. Times are milliseconds on the
processor from the words to the answer, the median of all times asked. *Best* is how often the first that is offered for
something sold out is what comparing it with all products puts first. ``--document`` puts the table into docs/search.md.
"""

import argparse
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(REPOSITORY))

from assistant.assembly import open_conversation  # noqa: E402
from assistant.conversation import Conversation  # noqa: E402
from assistant.events import EventStream  # noqa: E402
from assistant.household import Household  # noqa: E402
from assistant.parts import Parts  # noqa: E402
from assistant.settings import Settings  # noqa: E402
from assistant.shop.alternatives import alternatives  # noqa: E402
from assistant.shop.catalog import ImportedCatalog  # noqa: E402
from assistant.shop.database import open_database  # noqa: E402
from assistant.shop.money import Money  # noqa: E402
from assistant.shop.product import Product, Sale  # noqa: E402
from assistant.shop.promotions.rule_entries import RuleDocument  # noqa: E402
from assistant.shop.shelf import Shelf  # noqa: E402
from assistant.storefront import offer_of  # noqa: E402
from scripts.search_benchmark.products import make_products  # noqa: E402

BEGIN, END = "<!-- figures: scripts/benchmark_shortlists.py -->", "<!-- end of these -->"
DOCUMENT = REPOSITORY / "docs" / "search.md"
NOW = datetime.now(UTC)
PROMOTIONS = 100


def main() -> None:
    """Measures every size; prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", nargs="*", type=int, default=[5_000, 30_000, 300_000])
    parser.add_argument("--times", type=int, default=20)
    parser.add_argument("--document", action="store_true")
    options = parser.parse_args()
    lines = ["| products | what's on offer? ms | what's new? ms | something sold out ms | best |", "|" + "---:|" * 5]
    for size in options.sizes:
        with tempfile.TemporaryDirectory(prefix="benchmark-shortlists-") as folder:
            lines.append(measure(Path(folder), size, options.times))
            print(lines[-1], file=sys.stderr, flush=True)
    table = "\n".join(lines)
    print(table)
    if options.document:
        before, _, rest = DOCUMENT.read_text("utf-8").partition(BEGIN)
        DOCUMENT.write_text(f"{before}{BEGIN}\n\n{table}\n\n{END}{rest.partition(END)[2]}", "utf-8")


def measure(folder: Path, size: int, times: int) -> str:
    """The table's row of one number of products."""
    products = tuple(changed(make_products(size)))
    ImportedCatalog(open_database(folder)).switch(products, NOW)
    parts = Parts(Settings(), offer_of(Settings(), folder, None), folder)
    parts.catalog.prepare()
    household = Household(parts, folder, play_money=True)
    household.store.prices.switch(rules(products))
    conversation = open_conversation(parts, household, EventStream(), lambda: 0.0)
    randomness = random.Random(5)
    sold_out = randomness.sample([product for product in products if product.stock == 0], times)
    orders = [parts.language.normalise(f"order one {one.brand} {one.name('en')}") for one in sold_out]
    milliseconds = [cost(conversation, said) for said in (["what's on offer"] * times, ["what's new"] * times, orders)]
    best = count_best(parts, household.store.shelf(), sold_out, products)
    cells = [f"{size:,}", *(f"{one:.0f}" for one in milliseconds), f"{best} of {times}"]
    return f"| {' | '.join(cells)} |"


def changed(products: Iterator[Product]) -> Iterator[Product]:
    """Some new, some on sale, some sold out."""
    for place, product in enumerate(products):
        if place % 100 == 0:
            product = replace(product, added=(NOW - timedelta(days=place // 100 % 30)).date())
        if place % 50 == 7:
            ends = NOW + timedelta(days=1 + place // 50 % 30)
            product = replace(product, sale=Sale(Money(product.price.minor // 2, "USD"), None, ends))
        yield replace(product, stock=0) if place % 20 == 3 else product


def rules(products: Sequence[Product]) -> RuleDocument:
    """Promotions of brands, categories and skus, by turns."""
    scopes: list[dict[str, list[str]]] = []
    for place, product in enumerate(random.Random(3).sample(products, PROMOTIONS)):
        values = {"brands": product.brand, "categories": product.category, "skus": product.sku}
        key = list(values)[place % 3]
        scopes.append({key: [values[key]]})
    entries = [
        {"id": f"p{place}", "name": f"deal {place}", "percent_off": "5", "ends": NOW + timedelta(days=place + 1)}
        | scope
        for place, scope in enumerate(scopes)
    ]
    return RuleDocument.model_validate({"currency": "USD", "promotions": entries})


def cost(conversation: Conversation, said: Sequence[str]) -> float:
    """Processor milliseconds of an answer, the median; each begins a conversation, and the first is not counted."""
    used = []
    for text in (said[0], *said):
        began = time.process_time()
        replies = conversation.heard_text([text]).replies
        used.append(1000 * (time.process_time() - began))
        print(f"{used[-1]:6.1f} ms  {text!r}: {' '.join(replies)}", file=sys.stderr, flush=True)
        conversation.leave()
    return statistics.median(used[1:])


def count_best(parts: Parts, shelf: object, sold_out: Sequence[Product], products: Sequence[Product]) -> int:
    """How often what is offered first is the best of all products, or there is none at all."""
    assert isinstance(shelf, Shelf)
    shortlists = parts.shortlists(shelf)
    assert shortlists is not None
    right = 0
    for product in (shelf[one.sku] for one in sold_out):
        last = product.name("en").split()[-1]
        kin = [other.sku for other in products if other.category == product.category and last in other.name("en")]
        among = {sku: shelf[sku] for sku in kin}
        first, best = (alternatives(product, some, "en")[:1] for some in (shortlists.like(product), among))
        right += [one.sku for one in first] == [one.sku for one in best]
    return right


if __name__ == "__main__":
    main()
