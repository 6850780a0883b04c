"""The index on disk: a folder of Tantivy's files with a manifest, put in its place when it is whole."""

import json
import os
import shutil
import zlib
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import tantivy

from assistant.errors import StoreError
from assistant.shop.search.entry import Entry
from assistant.shop.search.spoken_words import pieces
from assistant.understand.catalog_words import CatalogWords

FORMAT = 2
"""Raised when what is kept of a product changes."""
MANIFEST = "voicecart.json"
WORDS = "words.json"

_WRITER_BYTES = 128 << 20
_CHUNK_BYTES = 1 << 20
_BLANKS = "blanks"
"""Name of the tokenizer: words and sounds come separated by blanks."""
_FREQUENCIES = "freq"
_BETWEEN_STEMS = "_"


class UnusableIndex(Exception):
    """An index that is not there, not whole, or of another format; it has to be made anew."""


class ProductIndex:
    """An index that is ready to be asked.

    Args:
        folder: Where it is.

    Raises:
        UnusableIndex: It is missing or damaged; the message says what is wrong.
    """

    def __init__(self, folder: Path) -> None:
        manifest = _verified(folder)
        self._folder = folder
        self.phones: tuple[str, ...] = tuple(manifest["phones"])
        """Phones in the order of their letters (see ``SpokenWords``)."""
        try:
            self._index = _with_tokenizer(tantivy.Index.open(str(folder)))
            self._searcher = self._index.searcher()
        except (ValueError, OSError) as error:
            raise UnusableIndex(f"it cannot be opened ({error})") from error
        self._schema = self._index.schema

    def __len__(self) -> int:
        return int(self._searcher.num_docs)

    def candidates(self, stems: Sequence[str], sound: str, limit: int) -> list[Entry]:
        """The entries that share most with what was said, rare words and sounds counting more; best first.

        Args:
            stems: Of the words.
            sound: Of all words (see ``SpokenWords.sound``).
            limit: At most so many.
        """
        terms = [("words", stem) for stem in dict.fromkeys(stems)]
        terms += [("sounds", piece) for piece in dict.fromkeys(pieces(sound))]
        # One flat disjunction of plain terms: only in such a query does Tantivy skip what cannot be among the best.
        query = tantivy.Query.boolean_query(
            [
                (tantivy.Occur.Should, tantivy.Query.term_query(self._schema, field, term, _FREQUENCIES))
                for field, term in terms
            ]
        )
        return self._entries(query, limit) if terms else []

    def called(self, stems: Sequence[str], limit: int) -> list[Entry]:
        """The entries with a name of exactly these stems, in no order.

        Args:
            stems: Of all words of the name.
            limit: At most so many.
        """
        term = _BETWEEN_STEMS.join(stems)
        return self._entries(tantivy.Query.term_query(self._schema, "called", term, _FREQUENCIES), limit)

    def akin(self, heads: Sequence[str], needed: Sequence[str], stems: Sequence[str], limit: int) -> list[Entry]:
        """The entries that have one of ``heads`` and all that is needed, and share most of the other stems; best first.

        Args:
            heads: At least one stem.
            needed: Stems.
            stems: Rare ones count more.
            limit: At most so many.
        """
        head = tantivy.Query.boolean_query([(tantivy.Occur.Should, self._word(stem)) for stem in dict.fromkeys(heads)])
        clauses = [(tantivy.Occur.Must, head)]
        clauses += [(tantivy.Occur.Must, self._word(stem)) for stem in dict.fromkeys(needed)]
        clauses += [(tantivy.Occur.Should, self._word(stem)) for stem in dict.fromkeys(stems)]
        return self._entries(tantivy.Query.boolean_query(clauses), limit)

    def words(self) -> CatalogWords:
        """The words of all entries.

        Raises:
            UnusableIndex: They cannot be read.
        """
        try:
            return CatalogWords.from_json(json.loads((self._folder / WORDS).read_text("utf-8")))
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise UnusableIndex(f"its file {WORDS} cannot be read ({error})") from error

    def _word(self, stem: str) -> tantivy.Query:
        return tantivy.Query.term_query(self._schema, "words", stem, _FREQUENCIES)

    def _entries(self, query: tantivy.Query, limit: int) -> list[Entry]:
        hits = self._searcher.search(query, limit, count=False).hits
        return [_read_entry(self._searcher.doc(address)) for _, address in hits]


def build_index(
    folder: Path,
    batches: Iterable[Sequence[Entry]],
    phones: Callable[[], Sequence[str]],
    words: Callable[[], CatalogWords],
) -> None:
    """Makes an index in ``folder``, whole or not at all; what is there already is replaced.

    Args:
        folder: Where it will be.
        batches: All entries, some thousands at a time.
        phones: Asked when all entries were taken: the phones of their sounds, in the order of their letters.
        words: Asked then, too: the words of all entries.

    Raises:
        StoreError: It cannot be written.
    """
    unfinished = folder.with_name(f".{folder.name}.{os.getpid()}")
    try:
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(parents=True)
        _write(unfinished, batches)
        (unfinished / WORDS).write_text(json.dumps(words().to_json(), ensure_ascii=False), "utf-8")
        _seal(unfinished, phones())
        _put_in_place(unfinished, folder)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise StoreError(
            f"The search index cannot be written to {folder.parent} ({reason}). Free some space, or check who owns it."
        ) from error
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def is_being_made(folder: Path) -> bool:
    """Whether a process is making an index in ``folder`` now; one that was killed has left it behind."""
    name, _, process = folder.name.rpartition(".")
    try:
        os.kill(int(process), 0)
    except (ValueError, OverflowError, ProcessLookupError):
        return False
    except PermissionError:
        return True
    return name.startswith(".")


def _write(folder: Path, batches: Iterable[Sequence[Entry]]) -> None:
    schema = (
        tantivy.SchemaBuilder()
        .add_text_field("words", tokenizer_name=_BLANKS, index_option=_FREQUENCIES)
        .add_text_field("sounds", tokenizer_name=_BLANKS, index_option=_FREQUENCIES)
        .add_text_field("called", tokenizer_name=_BLANKS, index_option=_FREQUENCIES)
        .add_bytes_field("entry", stored=True)
        .build()
    )
    index = _with_tokenizer(tantivy.Index(schema, path=str(folder)))
    # One thread: a device has other things to do, and one segment is faster to search than several.
    writer = index.writer(_WRITER_BYTES, 1)
    for batch in batches:
        for entry in batch:
            writer.add_document(_document(entry))
    writer.commit()
    writer.wait_merging_threads()


def _document(entry: Entry) -> tantivy.Document:
    words = dict.fromkeys(stem for stem in (*entry.stems, *sorted(entry.more)))
    sounds = dict.fromkeys(piece for ways in entry.sounds for sound in ways for piece in pieces(sound))
    document = tantivy.Document()
    document.add_text("words", " ".join(words))
    document.add_text("sounds", " ".join(sounds))
    document.add_text("called", " ".join(_BETWEEN_STEMS.join(stems) for stems in entry.called))
    kept = [entry.sku, entry.names, entry.sounds, sorted(entry.more), entry.price, entry.sold]
    document.add_bytes("entry", json.dumps(kept, ensure_ascii=False, separators=(",", ":")).encode())
    return document


def _read_entry(document: tantivy.Document) -> Entry:
    kept: Any = document.get_first("entry")
    sku, names, sounds, more, price, sold = json.loads(bytes(kept))
    return Entry(sku, tuple(names), tuple(map(tuple, sounds)), (), (), frozenset(more), price, sold)


def _with_tokenizer(index: tantivy.Index) -> tantivy.Index:
    index.register_tokenizer(_BLANKS, tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.whitespace()).build())
    return index


def _seal(folder: Path, phones: Sequence[str]) -> None:
    """Writes the manifest, and sees that everything is on the disk."""
    files = {}
    for file in sorted(folder.iterdir()):
        files[file.name] = _checksum(file)
        with file.open("rb") as written:
            os.fsync(written.fileno())
    text = json.dumps({"format": FORMAT, "phones": list(phones), "files": files}, ensure_ascii=False)
    with (folder / MANIFEST).open("w", encoding="utf-8") as manifest:
        manifest.write(text)
        manifest.flush()
        os.fsync(manifest.fileno())


def _put_in_place(unfinished: Path, folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    try:
        unfinished.rename(folder)
    except OSError:
        # Another process may have made the same index meanwhile; its is as good.
        if not (folder / MANIFEST).is_file():
            raise


def _verified(folder: Path) -> dict[str, Any]:
    try:
        manifest = json.loads((folder / MANIFEST).read_text("utf-8"))
        if not isinstance(manifest, dict) or manifest["format"] != FORMAT:
            raise UnusableIndex("it is of another version of Voicecart")
        for name, checksum in manifest["files"].items():
            if _checksum(folder / name) != checksum:
                raise UnusableIndex(f"its file {name} is damaged")
        if not all(isinstance(phone, str) for phone in manifest["phones"]):
            raise TypeError
    except FileNotFoundError as error:
        raise UnusableIndex(f"{Path(error.filename).name} is missing") from error
    except OSError as error:
        raise UnusableIndex(f"it cannot be read ({error.strerror})") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UnusableIndex(f"{MANIFEST} is damaged") from error
    return manifest


def _checksum(file: Path) -> int:
    """Against a damaged disk, not against malice; read in pieces, so that the file takes no memory."""
    checksum = 0
    with file.open("rb") as content:
        while piece := content.read(_CHUNK_BYTES):
            checksum = zlib.crc32(piece, checksum)
    return checksum
