"""SQLite under the shop: one file, in WAL mode, opened carefully, with errors a person can act on.

Isolation: a reader sees one snapshot; a writer takes the database's only write lock at once (``BEGIN IMMEDIATE``), so
that all transactions of all processes happen one after the other, and none has to be repeated.
"""

import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL

from assistant.errors import StoreError

_WAL_RETRY_SECONDS = 0.02
_LOG_BYTES = 16 << 20


def connect(path: Path, busy_seconds: float) -> Engine:
    """An engine for the database in ``path``, which is made when it is not there; only the user can read it.

    Raises:
        StoreError: It cannot be opened or made.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # Only a file that is not there: closing one that this process has open elsewhere would drop its locks, and
        # another process would then take away the log that is still being written.
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
    except FileExistsError:
        pass
    except OSError as error:
        # A file that can only be read may still be good for looking at orders.
        if not os.access(path, os.R_OK):
            raise StoreError(f"The database {path} cannot be opened: {error.strerror}.") from error
    engine = create_engine(
        URL.create("sqlite", database=str(path)), connect_args={"timeout": busy_seconds}, hide_parameters=True
    )
    event.listen(engine, "connect", _prepare)
    return engine


def use_write_ahead_log(engine: Engine, busy_seconds: float) -> None:
    """Readers and a writer do not wait for each other then; the mode is kept in the file.

    Raises:
        sqlite3.Error: The file is no database, or stays locked.
    """
    deadline = time.monotonic() + busy_seconds
    with closing(engine.raw_connection()) as connection:
        while True:
            try:
                connection.cursor().execute("PRAGMA journal_mode = WAL")
                return
            except sqlite3.OperationalError as error:
                code = error.sqlite_errorcode & 0xFF
                if code == sqlite3.SQLITE_READONLY:
                    return
                # SQLite does not wait for this lock by itself.
                if code != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                    raise
            time.sleep(_WAL_RETRY_SECONDS)


def begin(connection: Connection, writing: bool) -> None:
    """Begins a transaction; a writer takes its lock at once.

    One that has read before could not get the lock any more when another writer came between.
    """
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")


def keep_temporary_tables_on_disk(connection: Connection) -> None:
    """Keeps the connection's temporary tables in a file without a name, however SQLite was compiled."""
    driver: Any = connection.connection.driver_connection
    driver.execute("PRAGMA temp_store = FILE")


@contextmanager
def tables_may_change(connection: Connection) -> Iterator[None]:
    """Leaves foreign keys unenforced meanwhile.

    A table is changed by making it anew, which would delete what refers to it. Entered and
    left outside a transaction, as SQLite ignores the change within one.
    """
    driver: Any = connection.connection.driver_connection
    driver.execute("PRAGMA foreign_keys = OFF")
    try:
        yield
    finally:
        driver.execute("PRAGMA foreign_keys = ON")


def check_references(connection: Connection) -> None:
    """Looks whether every row's foreign keys are there, before a change of the tables is committed.

    Raises:
        StoreError: One is not.
    """
    broken = connection.exec_driver_sql("PRAGMA foreign_key_check").first()
    if broken is not None:
        raise StoreError(f"The database's table {broken[0]} refers to rows of {broken[2]} that are not there.")


def copy_database(source: Path, target: Path) -> None:
    """Copies a database that may be in use to a file that only the user can read; whole or not at all.

    Raises:
        OSError: The copy cannot be written.
        sqlite3.Error: The database cannot be read, or the disk is full.
    """
    unfinished = target.with_name(f".{target.name}.unfinished")
    unfinished.unlink(missing_ok=True)
    try:
        os.close(os.open(unfinished, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
        with closing(sqlite3.connect(source)) as original, closing(sqlite3.connect(unfinished)) as copy:
            original.backup(copy)
            # A single file: the copy must not need a write-ahead log beside it.
            copy.execute("PRAGMA journal_mode = DELETE")
        with unfinished.open("rb") as file:
            os.fsync(file.fileno())
        unfinished.replace(target)
    finally:
        unfinished.unlink(missing_ok=True)


def explain(original: object, path: str, *, temporary: bool = False) -> str:
    """A sentence about an error of SQLite: what is wrong and what to do.

    Args:
        original: The error.
        path: The database.
        temporary: Whether only temporary tables were written, which are kept elsewhere.
    """
    # The low byte of an extended result code is the primary one.
    code = getattr(original, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
    match code:
        case sqlite3.SQLITE_FULL | sqlite3.SQLITE_IOERR if temporary:
            return (
                f"There is no room for temporary files ({original}). Nothing was saved; free some space, or name"
                " another folder in TMPDIR."
            )
        case sqlite3.SQLITE_FULL:
            return f"The disk is full, so nothing was saved. Free some space where {path} is."
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            return f"Another program holds the database {path}. Nothing was saved; try again."
        case sqlite3.SQLITE_READONLY | sqlite3.SQLITE_PERM | sqlite3.SQLITE_AUTH:
            return f"The database {path} may not be written. Nothing was saved; check who owns it and its folder."
        case sqlite3.SQLITE_CANTOPEN:
            return f"The database {path} cannot be opened. Check who owns it and its folder."
        case sqlite3.SQLITE_CORRUPT | sqlite3.SQLITE_NOTADB:
            return f"The database {path} is damaged. Put a backup in its place, or move it away to begin a new one."
        case sqlite3.SQLITE_IOERR:
            return f"The disk failed at the database {path} ({original}). Nothing was saved; is the disk full?"
    return f"The database {path} refused: {original}."


def _prepare(connection: Any, record: object) -> None:
    # SQLAlchemy begins the transactions (``begin``), not the driver, which would begin them too late.
    connection.isolation_level = None
    # A power cut must not undo a paid order (FULL), deleted voices must be gone from the file, and the log does not
    # keep the size that the import of a large catalog gave it.
    log = f"journal_size_limit = {_LOG_BYTES}"
    for setting in ("foreign_keys = ON", "synchronous = FULL", "secure_delete = ON", log):
        connection.execute(f"PRAGMA {setting}")
