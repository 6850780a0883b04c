"""Where the tests' shops are kept: SQLite files, or databases of a PostgreSQL server that the tests start."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Engine

from assistant.pay import pins
from assistant.shop import household_tables
from assistant.shop.database import ensure_tables, open_database

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from scripts.postgresql_server import PostgresqlServer

_TEMPLATE = "template_of_shops"
_LEAVE = """
select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid();
"""
_EMPTY = (
    _LEAVE
    + """
do $$ begin execute (
    select 'truncate ' || string_agg(quote_ident(tablename), ', ') || ' cascade'
    from pg_tables where schemaname = 'public' and tablename <> 'schema_version'
); end $$
"""
)


class Databases:
    """One database for every folder: a file in it, or one of a server's."""

    def __init__(self) -> None:
        self._server: PostgresqlServer | None = None
        self._names: dict[Path, str] = {}
        self._free: list[str] = []
        self._made = 0

    @contextmanager
    def on(self, server: PostgresqlServer | None) -> Iterator[None]:
        """Meanwhile on ``server``, or in files; afterwards the databases are emptied for the next test."""
        self._server = server
        if server is not None and not self._made:
            server.query(f"create database {_TEMPLATE}")
            # With all tables: making them anew for every test would take most of its time.
            engine = open_database(Path(), address=server.address(_TEMPLATE))
            ensure_tables(engine, pins.pins, *household_tables.HOUSEHOLD_TABLES)
            engine.dispose()
        try:
            yield
        finally:
            if server is not None:
                for name in self._names.values():
                    server.query(_EMPTY, name)
                self._free.extend(self._names.values())
            self._names, self._server = {}, None

    def address(self, folder: Path) -> str:
        """What ``shop.database`` says of the folder's database, which is made when it is not there."""
        if self._server is None:
            return ""
        if folder not in self._names:
            self._names[folder] = self._free.pop() if self._free else self._new(_TEMPLATE)
        return self._server.address(self._names[folder])

    def without_tables(self, folder: Path) -> str:
        """As ``address``, of a database that has no table yet."""
        if self._server is not None:
            self._names[folder] = self._new("template1")
        return self.address(folder)

    def _new(self, template: str) -> str:
        assert self._server is not None
        self._made += 1
        self._server.query(f"create database shop_{self._made} template {template}")
        return f"shop_{self._made}"


DATABASES = Databases()


def open_engine(folder: Path, busy_seconds: float = 5.0) -> Engine:
    """The database of a folder, opened as the program does."""
    return open_database(folder, busy_seconds, DATABASES.address(folder))
