"""The text encodings that feeds come in: UTF-8, and UTF-16 as spreadsheets save it."""

import codecs
import io
from collections.abc import Iterator
from typing import BinaryIO

from assistant.errors import FeedError
from assistant.shop.feed import lines_of

_PACKED = {b"\x1f\x8b": "gzip", b"PK\x03\x04": "a ZIP archive or a spreadsheet", b"BZh": "bzip2", b"\xfd7zXZ": "xz"}
_PORTION = 1 << 20


def text_lines(file: BinaryIO) -> Iterator[bytes]:
    """Lines in UTF-8 without a byte order mark; a line in another encoding comes as it is.

    Raises:
        FeedError: The file is packed, or no text.
    """
    head = file.read(4)
    file.seek(0)
    for magic, name in _PACKED.items():
        if head.startswith(magic):
            raise FeedError(f"The feed is {name}, not text. Unpack it, or save it as text, and import that.")
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        text = io.TextIOWrapper(file, encoding="utf-16", errors="replace", newline="")
        try:
            while decoded := text.readline(1 << 20):
                yield decoded.encode("utf-8", "replace")
        finally:
            text.detach()
        return
    for number, line in enumerate(lines_of(file)):
        yield line.removeprefix(codecs.BOM_UTF8) if number == 0 else line


def text_portions(file: BinaryIO) -> Iterator[str]:
    """The text of a file, as much at a time as is read at once.

    Raises:
        FeedError: It is not UTF-8 or UTF-16.
    """
    head = file.read(3)
    wide = head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    decoder = codecs.getincrementaldecoder("utf-16" if wide else "utf-8")()
    raw, before = head.removeprefix(codecs.BOM_UTF8), 0
    while True:
        raw += file.read(_PORTION)
        waiting = len(decoder.getstate()[0])
        try:
            text = decoder.decode(raw, final=not raw)
        except UnicodeDecodeError as error:
            raise _not_text(before - waiting + error.start + 1) from None
        if text:
            yield text
        if not raw:
            return
        before, raw = before + len(raw), b""


def whole_text(file: BinaryIO, longest: int) -> str:
    """The whole file.

    Raises:
        FeedError: It is longer than so many bytes, or not UTF-8 or UTF-16.
    """
    raw = file.read(longest + 1)
    if len(raw) > longest:
        raise FeedError(f"The feed is larger than {longest >> 20} MiB. Split it, and import the rest with --update.")
    wide = raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    try:
        return raw.decode("utf-16" if wide else "utf-8-sig")
    except UnicodeDecodeError as error:
        raise _not_text(error.start + 1) from None


def _not_text(byte: int) -> FeedError:
    return FeedError(f"The feed is not UTF-8 (byte {byte}). Save it as UTF-8.")
