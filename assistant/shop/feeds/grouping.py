"""Rows of a feed that belong together although others may stand between them: on disk until all of them were read."""

import json
import sqlite3
from collections.abc import Iterator
from itertools import groupby, islice
from typing import Any

from assistant.errors import FeedError

MOST_OF_ONE = 10_000
"""Rows of one group: a product has at most 2,000 variants."""


class Groups:
    """JSON values by a key, in a file without a name that is gone when this is closed or the process ends.

    Raises:
        FeedError: There is no room for it.
    """

    def __init__(self) -> None:
        self._database = sqlite3.connect("", isolation_level=None)
        self._last: tuple[str, int] | None = None
        self._execute("PRAGMA journal_mode = OFF")
        self._execute("CREATE TABLE keys (number INTEGER PRIMARY KEY, key TEXT UNIQUE)")
        self._execute("CREATE TABLE members (number INTEGER, place INTEGER PRIMARY KEY, member TEXT)")
        self._execute("BEGIN")

    def __enter__(self) -> "Groups":
        return self

    def __exit__(self, *error: object) -> None:
        self._database.close()

    def add(self, key: str, member: Any) -> None:
        """Puts a value to those of its key.

        Raises:
            FeedError: There is no room for it.
        """
        if self._last is None or self._last[0] != key:
            self._execute("INSERT OR IGNORE INTO keys (key) VALUES (?)", key)
            ((number,),) = self._execute("SELECT number FROM keys WHERE key = ?", key)
            self._last = key, number
        self._execute("INSERT INTO members (number, member) VALUES (?, ?)", self._last[1], json.dumps(member))

    def each(self) -> Iterator[tuple[str, list[Any]]]:
        """The keys in the order in which they were met, each with its values; a list is cut off after one too many.

        Raises:
            FeedError: There is no room for their order.
        """
        self._execute("CREATE INDEX in_order ON members (number, place)")
        rows = self._execute("SELECT key, member FROM keys JOIN members USING (number) ORDER BY number, place")
        for key, members in groupby(rows, key=lambda row: row[0]):
            yield str(key), [json.loads(member) for _, member in islice(members, MOST_OF_ONE + 1)]

    def _execute(self, statement: str, *values: Any) -> sqlite3.Cursor:
        try:
            return self._database.execute(statement, values)
        except sqlite3.Error as error:
            raise FeedError(
                f"A feed whose rows are grouped needs room for temporary files, and there is none ({error}). Free some"
                " space, or name another folder in TMPDIR."
            ) from error
