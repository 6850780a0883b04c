"""Google Merchant Center's text feed: a table with tabs (or commas), one item a row."""

from collections.abc import Iterator
from typing import BinaryIO

from assistant.errors import FeedError
from assistant.shop.feed import Entry, Problem
from assistant.shop.feeds.encoding import text_lines
from assistant.shop.feeds.merchant import MerchantItem, attribute_name, merchant_entries
from assistant.shop.feeds.table import rows_of


def read_merchant_table(file: BinaryIO, currency: str) -> Iterator[Entry]:
    """Products, removals and problems; every price names its own currency.

    Raises:
        FeedError: The header cannot be read.
    """
    del currency
    return merchant_entries(_items(file))


def _items(file: BinaryIO) -> Iterator[MerchantItem | Problem]:
    lines = text_lines(file)
    header = next(lines, b"")

    def all_lines() -> Iterator[bytes]:
        yield header
        yield from lines

    for row in rows_of(all_lines(), "\t" if b"\t" in header else ","):
        if isinstance(row, Problem):
            yield row
            continue
        attributes: dict[str, tuple[str, ...]] = {}
        for name, cells in row.cells.items():
            key = attribute_name(name)
            attributes[key] = (*attributes.get(key, ()), *cells)
        yield MerchantItem(row.line, attributes)
    if not header.strip():
        raise FeedError("The feed is empty.")
