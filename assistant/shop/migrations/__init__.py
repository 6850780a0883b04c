"""Brings the database of an older Voicecart up to date: one module for each version of the tables.

``version_N.upgrade`` leads from version N - 1 to N with Alembic's operations. The database keeps its version itself
(``schema_version``), which an older Voicecart looks at too and then refuses it. Open a database, and it is done:
everything within one transaction, after a copy of a SQLite file was put beside it.
"""

import importlib
import logging
import sqlite3
from pathlib import Path

from sqlalchemy import Connection, Engine, MetaData, delete, insert, inspect, select

from assistant.errors import StoreError
from assistant.shop import schema, sqlite
from assistant.shop.database import place_of, reading, schema_change

_log = logging.getLogger(__name__)

TABLE_MODULES = (
    "assistant.shop.schema",
    "assistant.shop.promotions.tables",
    "assistant.pay.audit",
    "assistant.pay.ledger",
    "assistant.pay.stripe_records",
    "assistant.pay.voices",
)
"""Every module that declares tables; a module that is missing here has none in a new database until it is used."""


def bring_up_to_date(engine: Engine) -> None:
    """Makes the tables of a new database, or changes those of an older one; nothing to do for one of this version.

    Raises:
        StoreError: The database cannot be used or was written by a newer Voicecart; it is as it was.
    """
    with reading(engine) as connection:
        found = version_of(connection)
    if found == schema.SCHEMA_VERSION:
        return
    if found is not None and found > schema.SCHEMA_VERSION:
        raise StoreError(
            f"The database {place_of(engine)} was written by a newer Voicecart (schema {found}, this one knows"
            f" {schema.SCHEMA_VERSION}). Update Voicecart."
        )
    with schema_change(engine) as connection:
        # Looked at again under the lock: another process may have been faster.
        found = version_of(connection)
        if found is None:
            every_table().create_all(connection)
        elif found < schema.SCHEMA_VERSION:
            kept = _keep_copy(engine, found)
            _log.warning("database of version %d becomes version %d%s", found, schema.SCHEMA_VERSION, kept)
            upgrade(connection, found)
        connection.execute(delete(schema.schema_version))
        connection.execute(insert(schema.schema_version).values(version=schema.SCHEMA_VERSION))


def version_of(connection: Connection) -> int | None:
    """The version of the database's tables; None when it has none yet."""
    if not inspect(connection).has_table(schema.schema_version.name):
        return None
    found = connection.execute(select(schema.schema_version.c.version)).scalar()
    return None if found is None else int(found)


def upgrade(connection: Connection, found: int) -> None:
    """Leads the tables from a version to this program's.

    Version 1 itself is gone through again: what such a database never used, it has no table for.
    """
    from alembic.migration import MigrationContext
    from alembic.operations import Operations

    with Operations.context(MigrationContext.configure(connection)):
        for version in range(found if found == 1 else found + 1, schema.SCHEMA_VERSION + 1):
            importlib.import_module(f"{__name__}.version_{version}").upgrade()


def every_table() -> MetaData:
    """The tables of every module."""
    for module in TABLE_MODULES:
        importlib.import_module(module)
    return schema.metadata


def _keep_copy(engine: Engine, found: int) -> str:
    """Copies a SQLite file before it is changed; says where to."""
    if engine.dialect.name != "sqlite":
        return ""
    path = Path(place_of(engine))
    copy = path.with_name(f"{path.name}.version-{found}")
    try:
        sqlite.copy_database(path, copy)
    except (OSError, sqlite3.Error) as error:
        raise StoreError(
            f"The database {path} is of an older version and cannot be copied before it is changed ({error}); free"
            " some space. Nothing was changed."
        ) from error
    return f"; the old one is kept as {copy}"
