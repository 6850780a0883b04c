"""``voicecart catalog``: the shop's products: import, search, check, compile."""

import argparse
import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from assistant.catalog_search import find_products, prepare_search
from assistant.commands.main import Subcommands
from assistant.commands.promotions import check_currency, imported
from assistant.errors import FeedError, UsageError
from assistant.feed_progress import shown
from assistant.parts import Parts
from assistant.service.client.opening import open_sync
from assistant.shop.catalog import ImportedCatalog
from assistant.shop.feed import FeedResult, Problem
from assistant.shop.feeds.reading import FeedFile, FeedFormat, feed_file, open_feed
from assistant.shop.product import Product
from assistant.shop.promotions.price_book import switch_rules
from assistant.shop.promotions.rule_entries import RuleDocument
from assistant.shop.promotions.rule_file import read_rule_file
from assistant.shop.shelf import Shelf
from assistant.shop.staging import StagedCatalog
from assistant.shop.switching import switch_over
from assistant.storefront import offer_of, open_storefront, products_for, summary_of
from assistant.understand.catalog_check import check_catalog
from assistant.understand.catalog_index import SearchableCatalog

_ACTIONS = ("show", "import", "search", "check", "compile", "sync")
_MOST_FOUND = 10


def register(subcommands: Subcommands) -> None:
    """Adds the command."""
    parser = subcommands.add_parser(
        "catalog",
        help="import, search or check the shop's products",
        description="import FEED: puts a feed in the place of the catalog; with --update it adds and changes products, "
        "and removes those that the feed says are removed. Feeds: JSON Lines, Google Merchant Center (TSV, XML), "
        "Shopify product CSV, schema.org JSON-LD (docs/feeds.md). search TEXT: what words find. "
        "check [FEED]: bad lines, names that cannot be told apart, words that cannot be heard. "
        "compile [FEED]: the recognition graphs, ahead of the first start. sync: takes in the catalog of the shop that "
        "shop.service names (docs/service.md). Without FEED: what was imported, else the "
        "household shop that is shipped. Exit code 1: a line was left out, or a finding is bad.",
    )
    parser.add_argument("action", nargs="?", choices=_ACTIONS, default="show")
    parser.add_argument("rest", nargs="*", metavar="FEED|TEXT", help="a feed, or words to search for")
    parser.add_argument(
        "--promotions",
        type=Path,
        metavar="FILE",
        help="import: a promotions file for the new catalog, checked before it",
    )
    parser.add_argument("--update", action="store_true", help="import: keep the products that the feed does not name")
    parser.add_argument(
        "--format", type=FeedFormat, choices=tuple(FeedFormat), help="of the feed (default: seen from its content)"
    )
    parser.add_argument("--out", type=Path, metavar="DIR", help="compile: where to (default: the state folder)")
    parser.add_argument("--json", action="store_true", help="one finding or product per line, as JSON")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Does what was asked; returns 1 when a line was left out or a finding is bad."""
    if options.out and options.action != "compile":
        raise UsageError("--out belongs to 'voicecart catalog compile'.")
    if options.update and options.action != "import":
        raise UsageError("--update belongs to 'voicecart catalog import'.")
    if options.promotions and options.action != "import":
        raise UsageError("--promotions belongs to 'voicecart catalog import'.")
    match options.action:
        case "import":
            return _import(options, _feed(options, required=True))
        case "search":
            return _search(options, " ".join(options.rest))
        case "check":
            return _check(options, _feed(options))
        case "compile":
            return _compile(options, _feed(options))
        case "sync":
            return _sync(options)
        case _:
            return _show(options)


def _feed(options: argparse.Namespace, *, required: bool = False) -> Path | None:
    if len(options.rest) > 1 or (required and not options.rest):
        raise UsageError(f"'voicecart catalog {options.action}' takes one feed.")
    return Path(options.rest[0]) if options.rest else None


def _to_stderr(line: str) -> None:
    print(line, file=sys.stderr)


def _show(options: argparse.Namespace) -> int:
    if options.rest:
        raise UsageError("'voicecart catalog show' takes nothing more.")
    count, currency, gone = summary_of(options.settings, options.state)
    fields = {"products": count, "currency": currency, "out_of_stock": gone}
    print(json.dumps(fields) if options.json else f"{count} products in {currency}, {gone} out of stock.")
    return 0


def _sync(options: argparse.Namespace) -> int:
    if options.rest or not options.settings.shop.service:
        raise UsageError("'voicecart catalog sync' takes no feed, but the setting shop.service.")
    changed = open_sync(options.settings, options.state).sync()
    print(f"Catalog and promotions {'are new' if changed else 'have not changed'}; the stock is the shop's.")
    return 0


def _import(options: argparse.Namespace, path: Path | None) -> int:
    assert path is not None
    rules = read_rule_file(options.promotions) if options.promotions else None
    with _opened(options, path) as feed:
        shop = open_storefront(options.settings, options.state)
        with StagedCatalog(shop.engine) as staged:
            staged.take_feed(shown(feed), feed.source)
            if not staged.count() and not options.update:
                raise FeedError(f"{path} only removes products. Import it with --update; the catalog stays as it was.")
            currency = staged.currency or ImportedCatalog(shop.engine).currency()
            if rules is not None:
                check_currency(rules, currency)
            count = _switch_over(staged, rules, keep_others=options.update)
            if rules is not None:
                print(imported(rules, as_json=options.json), file=sys.stderr)
            elif (old := shop.store.prices.rules().currency) not in ("", currency):
                _to_stderr(
                    f"The promotions, deposits and taxes in use are in {old}: none of them counts in {currency}."
                )
            _tell(staged, count, currency, as_json=options.json)
            prepare_search(options.settings, options.state, _to_stderr)
            return int(staged.problem_count() > 0)


def _switch_over(staged: StagedCatalog, rules: RuleDocument | None, *, keep_others: bool) -> int:
    """Puts the catalog and the rules that belong to it in their place, both or neither."""
    now = datetime.now(UTC)

    def with_rules(connection: Connection) -> None:
        if rules is not None:
            switch_rules(connection, rules, now)

    return switch_over(staged, now, keep_others=keep_others, beside=with_rules)


def _tell(staged: StagedCatalog, count: int, currency: str, *, as_json: bool) -> None:
    if as_json:
        # Piece by piece: of a long feed all lines may be bad.
        head = json.dumps({"products": count, "currency": currency})
        sys.stdout.write(f'{head.removesuffix("}")}, "problems": [')
        for number, problem in enumerate(staged.problems()):
            sys.stdout.write(", " * (number > 0) + json.dumps(vars(problem), ensure_ascii=False))
        print("]}")
        return
    for finding in _bad_lines(staged.problems()):
        print(_readable(finding), file=sys.stderr)
    bad = staged.problem_count()
    left_out = f"; {bad} bad line{'s were' if bad > 1 else ' was'} left out" if bad else ""
    print(f"Imported {count} products in {currency}{left_out}. A running daemon takes them on SIGHUP.")


def _opened(options: argparse.Namespace, path: Path) -> AbstractContextManager[FeedFile]:
    return feed_file(path, options.format, options.settings.shop.currency)


def _read(options: argparse.Namespace, path: Path) -> FeedResult:
    return open_feed(path, options.format, options.settings.shop.currency)


def _search(options: argparse.Namespace, text: str) -> int:
    if not text:
        raise UsageError("What is searched for? 'voicecart catalog search TEXT'.")
    code = options.settings.understand.language
    hits = find_products(options.settings, options.state, text, _MOST_FOUND, _to_stderr)
    if not hits and not options.json:
        print(f"Nothing is called anything like {text!r}.")
    for hit in hits:
        product = hit.product
        fields = {
            "sku": product.sku,
            "name": product.name(code),
            "brand": product.brand,
            "score": round(hit.score, 1),
        }
        fields |= {"price": product.price.minor, "currency": product.price.currency, "stock": product.stock}
        price, brand = product.price.decimal(), f" ({product.brand})" if product.brand else ""
        line = f"{hit.score:5.1f}  {product.sku:<20} {product.name(code)}{brand}, {price} {product.price.currency}"
        print(json.dumps(fields, ensure_ascii=False) if options.json else line)
    return 0


def _check(options: argparse.Namespace, path: Path | None) -> int:
    bad = False
    feed = _read(options, path) if path else None
    for finding in _bad_lines(feed.problems if feed else ()):
        bad = True
        print(_line(finding, options.json))
    products = feed.products if feed else products_for(options.settings, options.state, None)
    parts = Parts(options.settings, products, options.state, _to_stderr)
    for finding, serious in _hard_to_say(parts, products):
        bad |= serious
        print(_line(finding, options.json))
    if not options.json:
        print(f"{len(products)} products can be ordered.")
    return int(bad)


def _compile(options: argparse.Namespace, path: Path | None) -> int:
    folder = options.out or options.state
    offered = _read(options, path).products if path else offer_of(options.settings, options.state, None)
    parts = Parts(options.settings, offered, folder, _to_stderr)
    # Asking for the recogniser compiles its graphs when they are not there yet.
    assert parts.recogniser
    count = offered.count() if isinstance(offered, Shelf) else len(offered)
    line = f"The recognition graphs of {count} products are in {folder / 'graphs'}."
    print(json.dumps({"products": count, "graphs": str(folder / "graphs")}) if options.json else line)
    return 0


def _bad_lines(problems: Iterable[Problem]) -> Iterator[dict[str, Any]]:
    for problem in problems:
        yield {"finding": "bad_line", "line": problem.line, "reason": problem.reason, "sku": problem.sku}


def _hard_to_say(parts: Parts, products: Sequence[Product]) -> Iterator[tuple[dict[str, Any], bool]]:
    """Findings, each with whether it keeps products from being ordered."""
    catalog = SearchableCatalog(products, parts.language, parts.lexicon.pronounce)
    found = check_catalog(catalog, parts.lexicon.pronounce_all)
    for sku, others in found.indistinct.items():
        yield {"finding": "indistinct", "sku": sku, "others": list(others)}, True
    for word, skus in found.unheard.items():
        yield {"finding": "no_pronunciation", "word": word, "skus": list(skus)}, True
    for kind, clashes in (("same_words", found.same_words), ("same_sound", found.same_sound)):
        for clash in clashes:
            yield {"finding": kind, "phrases": list(clash.phrases), "skus": list(clash.skus)}, False


def _line(finding: dict[str, Any], as_json: bool) -> str:
    return json.dumps(finding, ensure_ascii=False) if as_json else _readable(finding)


def _readable(finding: dict[str, Any]) -> str:
    match finding["finding"]:
        case "bad_line":
            return f"line {finding['line']}: {finding['reason']}"
        case "indistinct":
            return f"{finding['sku']}: no words of its own tell it from {_list(finding['others'])}; give it an alias"
        case "no_pronunciation":
            return f"{finding['word']!r} cannot be heard ({_list(finding['skus'])}); give it an alias in other words"
        case "same_words":
            return f"“{finding['phrases'][0]}” means {_list(finding['skus'])}: whoever says it is asked which"
        case _:
            return f"{_list([f'“{text}”' for text in finding['phrases']])} sound the same: {_list(finding['skus'])}"


def _list(names: Sequence[str]) -> str:
    shown = ", ".join(names[:5])
    return shown if len(names) <= 5 else f"{shown} and {len(names) - 5} more"
