"""The shop's database: a SQLite file at home, or a PostgreSQL server for many devices; the same tables and promises.

How transactions are kept apart is told where the engines are: ``sqlite.py`` and ``postgresql.py``.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

from sqlalchemy import Connection, Engine, Table, event, inspect
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from assistant.errors import OutcomeUnknown, StoreError
from assistant.shop import postgresql, schema, sqlite

DATABASE = "voicecart.db"
"""The file's name in the state folder; SQLite keeps two more beside it while it is open (``-wal``, ``-shm``)."""

BUSY_SECONDS = 5.0
"""How long a write waits for another process to finish its own."""

_WRITING = "voicecart_writing"
_HOUSEHOLD = "voicecart_household"
_SCHEMA = "voicecart_schema"


def open_database(folder: Path, busy_seconds: float = BUSY_SECONDS, address: str = "") -> Engine:
    """Opens the shop's database; makes a new one, and brings one of an older Voicecart up to date.

    Args:
        folder: The state folder.
        busy_seconds: How long a write waits for others.
        address: A PostgreSQL server, such as ``postgresql://shop@db.example/voicecart``, or a file; empty takes
            ``voicecart.db`` in the state folder.

    Raises:
        StoreError: It cannot be opened or made, is damaged, or was written by a newer Voicecart.
    """
    from assistant.shop.migrations import bring_up_to_date

    if postgresql.is_address(address):
        engine = postgresql.connect(address, busy_seconds)
        event.listen(engine, "begin", _begin)
    else:
        engine = sqlite.connect(database_file(folder, address), busy_seconds)
        event.listen(engine, "begin", _begin)
        with _explained(engine):
            sqlite.use_write_ahead_log(engine, busy_seconds)
    bring_up_to_date(engine)
    return engine


def database_file(folder: Path, address: str = "") -> Path:
    """The file of a shop that is not on a server; arguments as for ``open_database``."""
    return folder / Path(address or DATABASE).expanduser()


def place_of(engine: Engine) -> str:
    """Where the database is, for people; without a password."""
    file = engine.dialect.name == "sqlite"
    return str(engine.url.database) if file else engine.url.render_as_string(hide_password=True)


def ensure_tables(engine: Engine, *tables: Table) -> None:
    """Makes the tables that are not there yet.

    Raises:
        StoreError: The database cannot be used.
    """
    with reading(engine) as connection:
        present = set(inspect(connection).get_table_names())
    if any(table.name not in present for table in tables):
        # Looked at again under the lock: another process may have made them meanwhile.
        with schema_change(engine) as connection:
            schema.metadata.create_all(connection, tables=tables)


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """A connection that sees the database as it is now, whatever others write meanwhile.

    Raises:
        StoreError: The database cannot be read.
    """
    with _explained(engine), engine.connect() as connection:
        if engine.dialect.name == "postgresql":
            connection = connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        with connection.begin():
            yield connection


@contextmanager
def private_connection(engine: Engine) -> Iterator[Connection]:
    """A connection of its own, for temporary tables: they vanish with it, however the process ends.

    Writing them (``private_change``) neither waits for anybody nor lets anybody wait.

    Raises:
        StoreError: The database cannot be used.
    """
    with _explained(engine), engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            sqlite.keep_temporary_tables_on_disk(connection)
        # Not one of those that are used again: it is closed at the end.
        connection.detach()
        yield connection


@contextmanager
def private_change(connection: Connection) -> Iterator[Connection]:
    """A transaction that changes only the temporary tables of a private connection.

    Raises:
        StoreError: The database refused; nothing was changed.
    """
    with _explained(connection.engine, temporary=True):
        changing = connection.execution_options(**{_WRITING: False, _HOUSEHOLD: None})
        with changing.begin():
            yield changing


@contextmanager
def transaction(
    engine: Engine, household: str | None = None, private: Connection | None = None
) -> Iterator[Connection]:
    """All or nothing: what is done with the connection is committed at the end, or undone when anything fails.

    Transactions of one household happen one after the other, in all processes. One that names no household happens
    alone: for what all households share, such as the catalog. (On SQLite all happen one after the other.)

    Args:
        engine: The database.
        household: Whose transaction it is.
        private: The connection that it happens on, where its temporary tables are needed; None takes any.

    Raises:
        StoreError: The database refused; nothing was changed.
        OutcomeUnknown: The connection broke while it was being committed: ask the database again.
    """
    with _explained(engine), engine.connect() if private is None else nullcontext(private) as connection:
        writing = connection.execution_options(**{_WRITING: True, _HOUSEHOLD: household})
        with writing.begin() as begun:
            yield writing
            try:
                begun.commit()
            except DBAPIError as error:
                if not error.connection_invalidated:
                    raise
                raise OutcomeUnknown(
                    f"The connection to {place_of(engine)} broke: it is not known whether the last change was saved."
                ) from error


@contextmanager
def schema_change(engine: Engine) -> Iterator[Connection]:
    """A transaction that may change the tables; nobody else changes them meanwhile.

    Raises:
        StoreError: The database refused; nothing was changed.
    """
    with _explained(engine), engine.connect() as connection:
        on_sqlite = engine.dialect.name == "sqlite"
        with sqlite.tables_may_change(connection) if on_sqlite else nullcontext():
            changing = connection.execution_options(**{_WRITING: True, _SCHEMA: True})
            with changing.begin():
                yield changing
                if on_sqlite:
                    sqlite.check_references(changing)


@contextmanager
def _explained(engine: Engine, *, temporary: bool = False) -> Iterator[None]:
    try:
        yield
    except (SQLAlchemyError, sqlite3.Error) as error:
        if engine.dialect.name == "postgresql" and isinstance(error, DBAPIError):
            raise StoreError(postgresql.explain(error, engine.url)) from error
        original = error.orig if isinstance(error, DBAPIError) else error
        raise StoreError(sqlite.explain(original, place_of(engine), temporary=temporary)) from error


def _begin(connection: Connection) -> None:
    options = connection.get_execution_options()
    if connection.dialect.name == "sqlite":
        sqlite.begin(connection, options.get(_WRITING, False))
    elif options.get(_SCHEMA, False):
        postgresql.begin_schema_change(connection)
    elif options.get(_WRITING, False):
        postgresql.begin(connection, options.get(_HOUSEHOLD))
