"""Backups of a shop that is kept in a file: one file that is whole by itself, and its checksum beside it.

The keys of voices and PINs are files of the state folder and not in it: a backup alone gives nobody's voice away.
"""

import hashlib
import sqlite3
from contextlib import closing
from pathlib import Path

from assistant.errors import StoreError
from assistant.shop import schema, sqlite

_BLOCK = 1 << 20
_BUSY_SECONDS = 10.0
_UNREADABLE = (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT)


def checksum_of(file: Path) -> Path:
    """Where a backup's checksum is kept, as ``sha256sum --check`` reads it."""
    return file.with_name(f"{file.name}.sha256")


def back_up(database: Path, file: Path) -> None:
    """Copies the database as it is at one moment, while it may be in use; checked after it was written.

    Raises:
        StoreError: There is no database, it is damaged, or the copy cannot be written; an older backup then stays.
    """
    if not database.is_file():
        raise StoreError(f"There is no database {database} to be backed up.")
    if file.exists() and file.samefile(database):
        raise StoreError(f"{file} is the database itself. Name another file.")
    fresh = file.with_name(f"{file.name}.new")
    try:
        sqlite.copy_database(database, fresh)
        _check_content(fresh)
        checksum = checksum_of(file)
        checksum.unlink(missing_ok=True)
        fresh.replace(file)
        checksum.write_text(f"{_digest(file)}  {file.name}\n")
    except sqlite3.Error as error:
        raise StoreError(f"No backup was made. {sqlite.explain(error, str(database))}") from error
    except OSError as error:
        raise StoreError(f"No backup was made: {file} cannot be written ({error.strerror}).") from error
    finally:
        fresh.unlink(missing_ok=True)


def check_backup(file: Path) -> int:
    """Looks whether a backup is whole and can be used; the version of its tables.

    Raises:
        StoreError: It is not there, not as it was written, damaged, or of a newer Voicecart.
    """
    checksum = checksum_of(file)
    try:
        digest, expected = _digest(file), checksum.read_text("utf-8").split()
    except (OSError, UnicodeDecodeError) as error:
        raise StoreError(f"The backup {file} and its checksum {checksum.name} cannot both be read: {error}.") from error
    if not expected or expected[0] != digest:
        raise StoreError(f"The backup {file} is not as it was written: its checksum differs. Take another one.")
    try:
        found = _check_content(file)
    except sqlite3.Error as error:
        raise StoreError(f"The backup {file} is damaged ({error}). Take another one.") from error
    if found > schema.SCHEMA_VERSION:
        raise StoreError(
            f"The backup {file} was made by a newer Voicecart (schema {found}, this one knows {schema.SCHEMA_VERSION})."
            " Update Voicecart."
        )
    return found


def restore(file: Path, database: Path) -> Path | None:
    """Puts a backup in the place of the database, all of it or nothing; nobody may use the shop meanwhile.

    Returns:
        Where the database as it was before is kept; None when there was none.

    Raises:
        StoreError: The backup cannot be used, somebody uses the database, or the disk is full; it is as it was.
    """
    check_backup(file)
    database.parent.mkdir(parents=True, exist_ok=True)
    before = database.with_name(f"{database.name}.before-restore")
    try:
        if not database.exists():
            sqlite.copy_database(file, database)
            return None
        try:
            sqlite.copy_database(database, before)
            _overwrite(file, database)
        except sqlite3.DatabaseError as error:
            if error.sqlite_errorcode & 0xFF not in _UNREADABLE:
                raise
            _set_aside(database, before)
            sqlite.copy_database(file, database)
    except sqlite3.Error as error:
        raise StoreError(f"Nothing was restored. {sqlite.explain(error, str(database))}") from error
    except OSError as error:
        raise StoreError(f"Nothing was restored: {error.filename} cannot be written ({error.strerror}).") from error
    return before


def _overwrite(file: Path, database: Path) -> None:
    """In one transaction of the database's own, so that a crash in the middle leaves it as it was."""
    read_only = f"{file.resolve().as_uri()}?mode=ro"
    with (
        closing(sqlite3.connect(read_only, uri=True)) as source,
        closing(sqlite3.connect(database, timeout=_BUSY_SECONDS)) as target,
    ):
        target.execute("PRAGMA synchronous = FULL")
        source.backup(target, progress=_give_way)


def _give_way(status: int, remaining: int, total: int) -> None:
    """Ends a copy that another program does not let begin: by itself it would try again for ever."""
    if status in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        raise StoreError("Nothing was restored: another program holds the shop. Stop the device first.")


def _set_aside(database: Path, before: Path) -> None:
    """Moves a file that is no database any more; what SQLite keeps beside it belongs to it."""
    database.replace(before)
    for suffix in ("-wal", "-shm"):
        database.with_name(database.name + suffix).unlink(missing_ok=True)


def _check_content(file: Path) -> int:
    """The version of the tables.

    Raises:
        sqlite3.Error: The file is no whole database of a shop.
    """
    with closing(sqlite3.connect(f"{file.resolve().as_uri()}?mode=ro", uri=True)) as connection:
        found = connection.execute("PRAGMA integrity_check(1)").fetchone()[0]
        if found != "ok":
            raise sqlite3.DatabaseError(found)
        row = connection.execute("SELECT version FROM schema_version").fetchone()
        if row is None:
            raise sqlite3.DatabaseError("it has no version")
        return int(row[0])


def _digest(file: Path) -> str:
    digest = hashlib.sha256()
    with file.open("rb") as content:
        while block := content.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()
