"""Tables as spreadsheets write them (RFC 4180, and the same with tabs): rows by the names of the header."""

import csv
import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from assistant.errors import FeedError
from assistant.shop.feed import LONGEST_LINE, Problem, check_line

_LONGEST_ROW = LONGEST_LINE
"""Characters of a row; one that is longer has a quotation mark that is never closed."""
_MOST_UNCLOSED = 100
"""Every row with an open quotation mark is read again from its second line on: a file full of them is given up."""
_UNCLOSED = 'a quotation mark (") is opened and never closed; close it, or write two in its place'


@dataclass(frozen=True)
class Row:
    """One row.

    Attributes:
        line: Where it begins, from 1.
        cells: Name of the column, in lower case with single blanks → its cells that are not empty; a name may stand in
            the header several times.
    """

    line: int
    cells: Mapping[str, tuple[str, ...]]

    def text(self, *names: str) -> str:
        """The first cell under any of the names that is not empty; empty when there is none."""
        return next((cell for name in names for cell in self.cells.get(name, ())), "")


def rows_of(lines: Iterator[bytes], delimiter: str) -> Iterator[Row | Problem]:
    """The rows below the header.

    Args:
        lines: The table's lines, in UTF-8.
        delimiter: Between cells.

    Raises:
        FeedError: The header cannot be read.
    """
    reader = _Reader(lines, delimiter)
    header: list[str] | None = None
    for found in reader.rows():
        if isinstance(found, Problem):
            if header is None:
                raise FeedError(f"The first line of the table must name its columns: {found.reason}.")
            yield found
            continue
        line, cells = found
        if header is None:
            header = [" ".join(cell.split()).lower() for cell in cells]
        elif any(cell.strip() for cell in cells):
            if any(cell.strip() for cell in cells[len(header) :]):
                yield Problem(line, f"{len(cells)} cells, but the header names {len(header)} columns")
            else:
                yield Row(line, _by_name(header, cells))


def _by_name(header: list[str], cells: list[str]) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for name, cell in zip(header, cells, strict=False):
        if cell.strip():
            found[name] = (*found.get(name, ()), cell.strip())
    return found


class _Unclosed(Exception):
    """A row that does not end."""


class _Reader:
    """Feeds ``csv`` line by line and knows which lines the present row is made of."""

    def __init__(self, lines: Iterator[bytes], delimiter: str) -> None:
        self._lines = enumerate(lines, start=1)
        self._delimiter = delimiter
        self._bad: list[Problem] = []
        self._row: list[tuple[int, bytes]] = []

    def rows(self) -> Iterator[tuple[int, list[str]] | Problem]:
        unclosed = 0
        while True:
            reader = csv.reader(self._texts(), delimiter=self._delimiter)
            try:
                yield from self._rows(reader)
                return
            except (_Unclosed, csv.Error) as error:
                reason = _UNCLOSED if isinstance(error, _Unclosed) else str(error)
                first, *rest = self._row
                yield from self._noticed()
                yield Problem(first[0], reason)
                unclosed += 1
                if unclosed >= _MOST_UNCLOSED:
                    yield Problem(first[0], "so many rows do not end that nothing after this one was read")
                    return
                self._lines = itertools.chain(rest, self._lines)  # type: ignore[assignment]

    def _rows(self, reader: Iterator[list[str]]) -> Iterator[tuple[int, list[str]] | Problem]:
        while True:
            self._row = []
            cells = next(reader, None)
            yield from self._noticed()
            if cells is None:
                return
            if cells:
                yield self._row[0][0], cells

    def _noticed(self) -> Iterator[Problem]:
        yield from self._bad
        self._bad.clear()

    def _texts(self) -> Iterator[str]:
        length = 0
        for number, line in self._lines:
            try:
                check_line(line)
            except ValueError as error:
                advice = "" if len(line) > LONGEST_LINE else "; save the table as UTF-8"
                self._bad.append(Problem(number, f"{error}{advice}"))
                continue
            length = len(line) + (length if self._row else 0)
            self._row.append((number, line))
            if length > _LONGEST_ROW:
                raise _Unclosed
            yield line.decode()
        if self._row:
            raise _Unclosed
