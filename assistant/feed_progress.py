"""How far a long feed is read: a bar on a terminal, a line now and then elsewhere; of a short one nothing."""

import sys
from collections.abc import Iterator
from itertools import chain, islice

from assistant.shop.feed import Entry
from assistant.shop.feeds.reading import FeedFile

_SHORT = 20_000
"""Entries that are read before anybody wonders."""
_LINE_EVERY = 100_000
_BAR_EVERY = 1_000


def shown(feed: FeedFile) -> Iterator[Entry]:
    """The feed's entries; how many there were is shown on standard error as they pass."""
    yield from _with_bar(feed) if sys.stderr.isatty() else _with_lines(feed)


def _with_lines(feed: FeedFile) -> Iterator[Entry]:
    for count, entry in enumerate(feed.entries, start=1):
        yield entry
        if count % _LINE_EVERY == 0:
            share = f", {100 * feed.position() // feed.size} % of the feed" if feed.size else ""
            print(f"{count:,} entries are read{share}.", file=sys.stderr, flush=True)


def _with_bar(feed: FeedFile) -> Iterator[Entry]:
    yield from islice(feed.entries, _SHORT)
    if (first := next(feed.entries, None)) is None:
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=feed.size or None)
        for count, entry in enumerate(chain((first,), feed.entries), start=_SHORT + 1):
            yield entry
            if count % _BAR_EVERY == 0:
                bar.update(task, completed=feed.position(), description=f"{count:,} entries")
