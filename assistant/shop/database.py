"""The database in the state folder: SQLite in WAL mode, opened carefully, with errors a person can act on."""

import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, Table, create_engine, event, insert, inspect, select
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from assistant.errors import StoreError
from assistant.shop import schema

DATABASE = "voicecart.db"
"""The file's name in the state folder; SQLite keeps two more beside it while it is open (``-wal``, ``-shm``)."""

BUSY_SECONDS = 5.0
"""How long a write waits for another process to finish its own."""

_WRITING = "voicecart_writing"
_WAL_RETRY_SECONDS = 0.02


def open_database(folder: Path, busy_seconds: float = BUSY_SECONDS) -> Engine:
    """Opens the database of a state folder, or makes a new one that only the user can read.

    Raises:
        StoreError: It cannot be opened or made, is damaged, or was written by a newer Voicecart.
    """
    path = folder / DATABASE
    try:
        folder.mkdir(parents=True, exist_ok=True)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    except OSError as error:
        # A file that can only be read may still be good for looking at orders.
        if not os.access(path, os.R_OK):
            raise StoreError(f"The database {path} cannot be opened: {error.strerror}.") from error
    engine = create_engine(
        URL.create("sqlite", database=str(path)), connect_args={"timeout": busy_seconds}, hide_parameters=True
    )
    event.listen(engine, "connect", _prepare)
    event.listen(engine, "begin", _begin)
    _use_wal(engine, busy_seconds)
    ensure_tables(engine, schema.schema_version)
    _check_version(engine)
    return engine


def ensure_tables(engine: Engine, *tables: Table) -> None:
    """Makes the tables that are not there yet.

    Raises:
        StoreError: The database cannot be used.
    """
    with reading(engine) as connection:
        present = set(inspect(connection).get_table_names())
    if any(table.name not in present for table in tables):
        # Looked at again under the write lock: another process may have made them meanwhile.
        with transaction(engine) as connection:
            schema.metadata.create_all(connection, tables=tables)


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """A connection that sees the database as it is now, whatever others write meanwhile.

    Raises:
        StoreError: The database cannot be read.
    """
    with _explained(engine), engine.connect() as connection, connection.begin():
        yield connection


@contextmanager
def transaction(engine: Engine) -> Iterator[Connection]:
    """All or nothing: what is done with the connection is committed at the end, or undone when anything fails.

    Transactions of all processes happen one after the other.

    Raises:
        StoreError: The database refused; nothing was changed.
    """
    with _explained(engine), engine.connect() as connection:
        writing = connection.execution_options(**{_WRITING: True})
        with writing.begin():
            yield writing


@contextmanager
def _explained(engine: Engine) -> Iterator[None]:
    try:
        yield
    except (SQLAlchemyError, sqlite3.Error) as error:
        raise StoreError(_explain(error, str(engine.url.database))) from error


def _explain(error: Exception, path: str) -> str:
    original = error.orig if isinstance(error, DBAPIError) else error
    # The low byte of an extended result code is the primary one.
    code = getattr(original, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
    match code:
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
    # SQLAlchemy begins the transactions (``_begin``), not the driver, which would begin them too late.
    connection.isolation_level = None
    # A power cut must not undo a paid order (FULL), and deleted voices must be gone from the file.
    for setting in ("foreign_keys = ON", "synchronous = FULL", "secure_delete = ON"):
        connection.execute(f"PRAGMA {setting}")


def _begin(connection: Connection) -> None:
    # A writer takes its lock at once: one that has read before cannot get it any more when another came between.
    writing = connection.get_execution_options().get(_WRITING, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")


def _use_wal(engine: Engine, busy_seconds: float) -> None:
    """Write-ahead logging, so that readers and a writer do not wait for each other; kept in the file."""
    deadline = time.monotonic() + busy_seconds
    with _explained(engine), closing(engine.raw_connection()) as connection:
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


def _check_version(engine: Engine) -> None:
    with reading(engine) as connection:
        found = connection.execute(select(schema.schema_version.c.version)).scalar()
    if found is None:
        with transaction(engine) as connection:
            if connection.execute(select(schema.schema_version.c.version)).first() is None:
                connection.execute(insert(schema.schema_version).values(version=schema.SCHEMA_VERSION))
    elif found > schema.SCHEMA_VERSION:
        raise StoreError(
            f"The database {engine.url.database} was written by a newer Voicecart (schema {found}, this one knows"
            f" {schema.SCHEMA_VERSION}). Update Voicecart."
        )
