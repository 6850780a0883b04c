"""Databases of earlier versions: brought up to date without loss, and kept as they were beside it."""

import sqlite3
import subprocess
import sys

import pytest
from household_shop import open_shop
from sqlalchemy import create_engine, insert, inspect

from assistant.errors import StoreError
from assistant.shop import schema
from assistant.shop.database import DATABASE, open_database
from assistant.shop.migrations import every_table, upgrade, version_of


def test_a_migrated_database_has_the_tables_of_a_new_one(tmp_path):
    fresh = create_engine(f"sqlite:///{tmp_path / 'fresh.db'}")
    with fresh.begin() as connection:
        every_table().create_all(connection)
    old = create_engine(f"sqlite:///{tmp_path / 'old.db'}")
    with old.begin() as connection:
        schema.schema_version.create(connection)
        upgrade(connection, 1)
    wanted, found = inspect(fresh), inspect(old)
    for table in found.get_table_names():
        columns = [
            {one["name"]: (str(one["type"]), one["nullable"]) for one in of.get_columns(table)}
            for of in (found, wanted)
        ]
        assert columns[0] == columns[1], table
        keys = [of.get_pk_constraint(table)["constrained_columns"] for of in (found, wanted)]
        assert keys[0] == keys[1], table


def test_an_old_database_is_kept_and_opened(tmp_path):
    old = create_engine(f"sqlite:///{tmp_path / DATABASE}")
    with old.begin() as connection:
        schema.schema_version.create(connection)
        connection.execute(insert(schema.schema_version).values(version=1))
    old.dispose()
    engine = open_database(tmp_path)
    with engine.connect() as connection:
        assert version_of(connection) == schema.SCHEMA_VERSION
    copy = sqlite3.connect(tmp_path / f"{DATABASE}.version-1")
    assert copy.execute("select version from schema_version").fetchall() == [(1,)]
    assert open_shop(tmp_path).errands.addresses.all() == ()


def test_a_newer_database_is_refused(tmp_path):
    engine = open_database(tmp_path)
    with engine.begin() as connection:
        connection.execute(schema.schema_version.update().values(version=schema.SCHEMA_VERSION + 1))
    engine.dispose()
    with pytest.raises(StoreError):
        open_database(tmp_path)


def test_what_only_migrations_and_servers_need_is_not_loaded_at_home():
    code = "import sys, assistant.shop.database; sys.exit(any(name in sys.modules for name in ('psycopg', 'alembic')))"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
