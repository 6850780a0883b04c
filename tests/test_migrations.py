"""Databases of earlier versions: brought up to date without loss, and kept as they were beside it."""

import sqlite3
import subprocess
import sys
from datetime import UTC, datetime

import pytest
from databases import DATABASES
from household_shop import buy, cart_of, dollars, open_shop
from sqlalchemy import create_engine, insert, inspect, select

from assistant.errors import StoreError
from assistant.shop import schema
from assistant.shop.database import DATABASE, open_database
from assistant.shop.migrations import every_table, upgrade, version_of
from assistant.shop.product_rows import LAST_MOMENT

NOW = datetime(2026, 11, 11, tzinfo=UTC)


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


OLD_ROWS = {
    "catalogs": {"name": "in use", "revision": 3, "currency": "USD", "imported_at": NOW},
    "products": {
        "sku": "tea",
        "position": 0,
        "feed_line": {
            "sku": "tea",
            "name": "tea",
            "brand": "LEAFY",
            "category": "Drinks/Tea",
            "price": {"amount": "3.00", "currency": "USD"},
            "sale": {"amount": "2.00", "begins": "2026-11-11T00:00:00+08:00"},
        },
        "stock": 7,
    },
    "orders": {
        "household": "home",
        "id": "4721",
        "number": 1,
        "key": "key",
        "status": "paid",
        "paid_at": NOW,
        "total_minor": 600,
        "currency": "USD",
    },
    "order_lines": {
        "household": "home",
        "order_id": "4721",
        "position": 0,
        "sku": "tea",
        "names": {"und": "tea"},
        "unit": "",
        "options": {},
        "unit_price_minor": 300,
        "currency": "USD",
        "quantity": 2,
    },
    "order_history": {"household": "home", "order_id": "4721", "position": 0, "status": "paid", "at": NOW},
    "list_entries": {
        "household": "home",
        "position": 0,
        "text": "honey",
        "sku": None,
        "quantity": 1,
        "added_at": NOW,
    },
}


@pytest.mark.usefixtures("on_each_database")
@pytest.mark.parametrize("version", range(1, schema.SCHEMA_VERSION))
def test_what_every_older_version_has_kept_is_there(tmp_path, monkeypatch, version):
    address = DATABASES.without_tables(tmp_path) or f"sqlite:///{tmp_path / DATABASE}"
    old = create_engine(address.replace("postgresql:", "postgresql+psycopg:"))
    with old.begin() as connection, monkeypatch.context() as patched:
        patched.setattr(schema, "SCHEMA_VERSION", version)
        upgrade(connection, 1)
        connection.execute(insert(schema.schema_version).values(version=version))
        for name, row in OLD_ROWS.items():
            connection.execute(insert(schema.metadata.tables[name]).values(row))
    old.dispose()
    shop = open_shop(tmp_path)
    (tea,), (order,), (entry,) = shop.store.products(), shop.store.orders(), shop.store.shopping_list()
    assert (tea.sku, tea.stock, tea.sale.price) == ("tea", 7, dollars("2.00"))
    assert (order.id, order.total, order.lines[0].quantity) == ("4721", dollars("6.00"), 2)
    assert (entry.text, entry.person) == ("honey", None)
    buy(shop, cart_of((tea, 1)), "goes on")
    with shop.engine.connect() as connection:
        row = connection.execute(select(schema.products)).one()
        assert version_of(connection) == schema.SCHEMA_VERSION
        indexes = {index["name"] for index in inspect(connection).get_indexes("products")}
    if version < 5:
        assert (row.brand, row.category) == ("leafy", "drinks/tea")
        assert (row.sale_begins, row.sale_ends) == (datetime(2026, 11, 10, 16, tzinfo=UTC), LAST_MOMENT)
    assert indexes >= {index.name for index in schema.products.indexes}
    shop.engine.dispose()


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
