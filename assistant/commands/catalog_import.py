"""``voicecart catalog import``: a feed in the place of the catalog, or as changes to it."""

import argparse
import json
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from assistant.errors import FeedError
from assistant.shop.catalog_update import update_catalog
from assistant.shop.feed import FeedResult
from assistant.shop.feeds.reading import FeedFormat, open_feed
from assistant.storefront import open_storefront

MOST_PRINTED = 100
"""Bad lines that are printed for a person; JSON has them all."""


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of every action that reads a feed."""
    parser.add_argument(
        "--format",
        choices=[str(form) for form in FeedFormat],
        help="the feed's format (default: seen from its content)",
    )
    parser.add_argument(
        "--update",
        action="store_true",
        help="import: add and change the feed's products, remove what it says is removed",
    )


def read(options: argparse.Namespace, path: Path) -> FeedResult:
    """The feed.

    Raises:
        FeedError: It cannot be read, or nothing in it is a product.
    """
    return open_feed(path, form_of(options), options.settings.shop.currency)


def form_of(options: argparse.Namespace) -> FeedFormat | None:
    """The format that was named."""
    return FeedFormat(options.format) if options.format else None


def import_feed(options: argparse.Namespace, path: Path) -> int:
    """Imports the feed; returns 1 when a line was left out."""
    feed = read(options, path)
    shop = open_storefront(options.settings, options.state)
    if options.update:
        change = update_catalog(shop.engine, feed.products, feed.removed, datetime.now(UTC))
        fields = vars(change)
        said = (
            f"Added {change.added}, changed {change.changed}, removed {change.removed}; {change.products} products now"
        )
    else:
        if not feed.products:
            raise FeedError(f"{path} only removes products: import it with --update. The catalog stays as it was.")
        count = shop.store.import_catalog(feed.products)
        fields, said = {"products": count}, f"Imported {count} products in {feed.currency}"
    if options.json:
        problems = [vars(problem) for problem in feed.problems]
        print(json.dumps(fields | {"currency": feed.currency, "problems": problems}, ensure_ascii=False))
        return int(bool(feed.problems))
    for finding in list(bad_lines(feed))[:MOST_PRINTED]:
        print(f"line {finding['line']}: {finding['reason']}", file=sys.stderr)
    if len(feed.problems) > MOST_PRINTED:
        print(f"and {len(feed.problems) - MOST_PRINTED} more; --json has them all", file=sys.stderr)
    left_out = f"; {len(feed.problems)} bad lines were left out" if feed.problems else ""
    print(f"{said}{left_out}. A running daemon takes them on SIGHUP.")
    return int(bool(feed.problems))


def bad_lines(feed: FeedResult | None) -> Iterator[dict[str, Any]]:
    """Findings for the lines that were left out."""
    for problem in feed.problems if feed else ():
        yield {"finding": "bad_line", "line": problem.line, "reason": problem.reason, "sku": problem.sku}
