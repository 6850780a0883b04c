"""Opens a feed of any format: which one it is, is seen from its content."""

import io
import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import BinaryIO

from assistant.errors import FeedError
from assistant.shop.feed import MOST_LINES, Entry, FeedResult, collect, native_entries, too_long
from assistant.shop.feeds.encoding import text_lines
from assistant.shop.feeds.merchant_table import read_merchant_table
from assistant.shop.feeds.merchant_xml import read_merchant_xml
from assistant.shop.feeds.shopify import read_shopify
from assistant.shop.feeds.structured_data import read_structured_data

_HEAD = 1 << 16


class FeedFormat(StrEnum):
    """The formats, by the names that ``--format`` takes."""

    NATIVE = "jsonl"
    MERCHANT_TABLE = "google-tsv"
    MERCHANT_XML = "google-xml"
    SHOPIFY = "shopify-csv"
    STRUCTURED_DATA = "json-ld"


Reader = Callable[[BinaryIO, str], Iterator[Entry]]
"""A file and the currency where it names none → entries."""

_READERS: dict[FeedFormat, Reader] = {
    FeedFormat.NATIVE: lambda file, currency: native_entries(_limited(text_lines(file))),
    FeedFormat.MERCHANT_TABLE: read_merchant_table,
    FeedFormat.MERCHANT_XML: read_merchant_xml,
    FeedFormat.SHOPIFY: read_shopify,
    FeedFormat.STRUCTURED_DATA: read_structured_data,
}


@dataclass(frozen=True)
class FeedFile:
    """A feed that is being read.

    Attributes:
        source: Names it in errors.
        entries: What it holds, read as it is asked for; skus may be there twice. Asking raises ``FeedError`` when the
            file cannot be read any further.
        size: Bytes of the file.
        position: Tells how many of them were read.
    """

    source: str
    entries: Iterator[Entry]
    size: int
    position: Callable[[], int]


@contextmanager
def feed_file(path: Path, form: FeedFormat | None = None, currency: str = "USD") -> Iterator[FeedFile]:
    """Opens a feed file to be read entry by entry, however large it is; arguments as for ``open_feed``.

    Raises:
        FeedError: The file cannot be read.
    """
    try:
        file = path.open("rb")
    except OSError as error:
        raise _unreadable(path, error) from error
    with file:
        try:
            chosen = form or detect_format(file.read(_HEAD))
            file.seek(0)
            size = path.stat().st_size
        except OSError as error:
            raise _unreadable(path, error) from error
        entries = _explained(path, _READERS[chosen](file, currency))
        yield FeedFile(f"{path} ({chosen})", entries, size, file.tell)


def open_feed(path: Path, form: FeedFormat | None = None, currency: str = "USD") -> FeedResult:
    """Reads a feed file into memory.

    Args:
        path: The file.
        form: Its format; None looks at its content.
        currency: Of prices in a format that does not name it (Shopify), or where a product names none (JSON-LD).

    Raises:
        FeedError: The file cannot be read, or nothing in it is a product.
    """
    with feed_file(path, form, currency) as feed:
        return collect(feed.entries, feed.source)


def _explained(path: Path, entries: Iterator[Entry]) -> Iterator[Entry]:
    try:
        yield from entries
    except OSError as error:
        raise _unreadable(path, error) from error


def _unreadable(path: Path, error: OSError) -> FeedError:
    if isinstance(error, io.UnsupportedOperation):
        return FeedError(f"Cannot read the feed {path}: it is no file. Save it in one, and import that.")
    return FeedError(f"Cannot read the feed {path}: {error.strerror or error}.")


def detect_format(head: bytes) -> FeedFormat:
    """The format from a file's first bytes; the native one when it is none of the others."""
    wide = head.startswith((b"\xff\xfe", b"\xfe\xff"))
    text = head.decode("utf-16" if wide else "utf-8-sig", "replace").lstrip()
    if text.startswith("<"):
        lowered = text.lower()
        page = "<html" in lowered or "<!doctype html" in lowered or "application/ld+json" in lowered
        return FeedFormat.STRUCTURED_DATA if page else FeedFormat.MERCHANT_XML
    if text.startswith("["):
        return FeedFormat.STRUCTURED_DATA
    first = text.partition("\n")[0]
    if text.startswith("{"):
        linked = any(f'"{key}"' in text[:_HEAD] for key in ("@context", "@type", "@graph"))
        return FeedFormat.STRUCTURED_DATA if linked else FeedFormat.NATIVE
    columns = {cell.strip().strip('"').lower() for cell in first.replace("\t", ",").split(",")}
    if {"title"} < columns and columns & {"handle", "url handle"}:
        return FeedFormat.SHOPIFY
    if {"id", "title"} <= columns or {"id", "removed"} <= columns:
        return FeedFormat.MERCHANT_TABLE
    return FeedFormat.NATIVE


def _limited(lines: Iterator[bytes]) -> Iterator[bytes]:
    """The lines; a file without an end, of blank lines too, is refused."""
    yield from itertools.islice(lines, MOST_LINES)
    if next(lines, None) is not None:
        raise too_long("The feed", MOST_LINES)
