"""What search is compared with: RapidFuzz over all names, and SQLite's full-text index as the source of candidates."""

import sqlite3
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from rapidfuzz import process

from assistant.shop.search.entry import Entry
from assistant.shop.search.index import ProductIndex
from assistant.shop.search.product_search import CANDIDATES
from assistant.shop.search.spoken_words import SpokenWords, pieces


@dataclass(frozen=True)
class Answers:
    """What queries found.

    Attributes:
        skus: Of each query, best first.
        milliseconds: Processor time of each.
    """

    skus: list[list[str]]
    milliseconds: list[float]


def by_brute_force(names: Sequence[str], skus: Sequence[str], queries: Iterable[str]) -> Answers:
    """``rapidfuzz.process.extract`` over all names, as it comes."""
    return _timed(queries, lambda text: [skus[number] for _, _, number in process.extract(text, names, limit=3)])


def by_tantivy(folder: Path, spoken: Callable[[ProductIndex], SpokenWords], queries: Iterable[str]) -> Answers:
    """The candidates of the index that the shop uses."""
    index = ProductIndex(folder)
    words = spoken(index)

    def find(text: str) -> list[str]:
        said = text.split()
        return [entry.sku for entry in index.candidates(words.stems(said), words.sound(said), CANDIDATES)]

    return _timed(queries, find)


def by_trigrams(database: Path, names: Sequence[str], skus: Sequence[str], queries: Iterable[str]) -> Answers:
    """SQLite FTS5 with its trigram tokenizer over the names; a query is any of its trigrams, ranked by BM25."""
    _fill(database, "trigram", names)
    return _ask(database, skus, queries, lambda text: {text[at : at + 3] for at in range(len(text) - 2)})


def by_words_and_sounds(
    database: Path, entries: Sequence[Entry], spoken: SpokenWords, queries: Iterable[str]
) -> Answers:
    """SQLite FTS5 over the same words and sounds as the shop's index."""

    def terms(stems: Iterable[str], sounds: Iterable[str]) -> set[str]:
        # In hexadecimal, as sounds hold letters that the tokenizer would cut at.
        return {
            *(f"w{stem}" for stem in stems),
            *(f"s{piece.encode().hex()}" for one in sounds for piece in pieces(one)),
        }

    _fill(
        database,
        "unicode61",
        [" ".join(terms((*one.stems, *one.more), [way for ways in one.sounds for way in ways])) for one in entries],
    )
    skus = [entry.sku for entry in entries]
    return _ask(database, skus, queries, lambda text: terms(spoken.stems(text.split()), [spoken.sound(text.split())]))


def _fill(database: Path, tokenizer: str, texts: Iterable[str]) -> None:
    database.unlink(missing_ok=True)
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("PRAGMA journal_mode = OFF")
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute(f"CREATE VIRTUAL TABLE names USING fts5(name, content='', tokenize='{tokenizer}')")
        connection.executemany("INSERT INTO names(rowid, name) VALUES (?, ?)", enumerate(texts))
        connection.execute("INSERT INTO names(names) VALUES ('optimize')")
        connection.commit()


def _ask(
    database: Path, skus: Sequence[str], queries: Iterable[str], terms_of: Callable[[str], Iterable[str]]
) -> Answers:
    query = f"SELECT rowid FROM names WHERE names MATCH ? ORDER BY rank LIMIT {CANDIDATES}"
    with closing(sqlite3.connect(database)) as connection:

        def find(text: str) -> list[str]:
            any_of = " OR ".join(f'"{term}"' for term in sorted(terms_of(text)))
            return [skus[number] for (number,) in connection.execute(query, (any_of,))]

        return _timed(queries, find)


def _timed(queries: Iterable[str], find: Callable[[str], list[str]]) -> Answers:
    skus, milliseconds = [], []
    for text in queries:
        began = time.thread_time()
        skus.append(find(text))
        milliseconds.append((time.thread_time() - began) * 1000)
    return Answers(skus, milliseconds)
