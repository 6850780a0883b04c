"""A shop on a PostgreSQL server: its tables, its locks, its errors."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from databases import DATABASES, open_engine
from household_shop import BREAD, OAT, OPENING, PRODUCTS, buy, cart_of, check_books, open_shop
from sqlalchemy import create_engine, inspect, update

from assistant.commands.main import main
from assistant.errors import StoreError
from assistant.shop import schema
from assistant.shop.database import open_database, transaction
from assistant.shop.migrations import every_table, upgrade
from assistant.shop.product import Product


@pytest.fixture
def on_server(postgresql):
    with DATABASES.on(postgresql):
        yield


def test_a_migrated_database_has_the_tables_of_a_new_one(on_server, tmp_path):
    engines = [
        create_engine(DATABASES.without_tables(tmp_path / name).replace("postgresql:", "postgresql+psycopg:"))
        for name in ("fresh", "old")
    ]
    fresh, old = engines
    with fresh.begin() as connection:
        every_table().create_all(connection)
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
    for engine in engines:
        engine.dispose()


def test_several_devices_open_a_new_database_at_once(on_server, tmp_path):
    DATABASES.without_tables(tmp_path)
    with ThreadPoolExecutor(4) as pool:
        balances = list(pool.map(lambda seed: open_shop(tmp_path, seed=seed).wallet.balance(), range(4)))
    assert balances == [OPENING] * 4


def test_a_newer_database_is_refused(on_server, tmp_path):
    engine = open_engine(tmp_path)
    newer, known = (update(schema.schema_version).values(version=schema.SCHEMA_VERSION + more) for more in (1, 0))
    with transaction(engine) as connection:
        connection.execute(newer)
    try:
        with pytest.raises(StoreError, match="newer Voicecart"):
            open_engine(tmp_path)
    finally:
        with transaction(engine) as connection:
            connection.execute(known)


def test_a_household_waits_for_itself_and_for_imports_only(on_server, tmp_path):
    shop = open_shop(tmp_path)
    shop.store.import_catalog(PRODUCTS)
    impatient = open_engine(tmp_path, busy_seconds=0.2)
    for household in ("home", "neighbour"):
        with transaction(impatient, household):
            pass
    with transaction(shop.engine, "home"):
        with transaction(impatient, "neighbour"):
            pass
        with pytest.raises(StoreError, match="Another device holds"), transaction(impatient, "home"):
            pass
        with pytest.raises(StoreError, match="Another device holds"), transaction(impatient):
            pass
    refused = pytest.raises(StoreError, match="Another device holds")
    with transaction(shop.engine), refused, transaction(impatient, "neighbour"):
        pass


def test_orders_that_want_the_same_products_in_another_order_never_wait_for_each_other(on_server, tmp_path):
    """Each takes two counted products, one first or the other first: without one order of locks this would deadlock."""
    tea = Product("tea", {"en": "tea"}, BREAD.price, stock=1000)
    bread = Product("bread", {"en": "bread"}, BREAD.price, stock=1000)
    open_shop(tmp_path).store.import_catalog([tea, bread])
    together = threading.Barrier(2)

    def work(household, cart):
        shop = open_shop(tmp_path, household)
        together.wait()
        for number in range(8):
            placed = buy(shop, cart, f"{number}")
            if number % 2:
                shop.store.cancel_order(placed.id)
        check_books(shop, household)
        return len(shop.store.orders())

    with ThreadPoolExecutor(2) as pool:
        one = pool.submit(work, "one", cart_of((tea, 1), (bread, 2)))
        other = pool.submit(work, "other", cart_of((bread, 2), (tea, 1)))
        assert one.result() == other.result() == 8
    left = {product.sku: product.stock for product in open_shop(tmp_path).store.products()}
    assert left == {"tea": 992, "bread": 984}


def test_the_commands_find_the_shop_that_the_settings_name(on_server, tmp_path, capsys):
    shop = open_shop(tmp_path)
    shop.store.import_catalog(PRODUCTS)
    placed = buy(shop, cart_of((OAT, 2)), "key")
    config = tmp_path / "voicecart.toml"
    config.write_text(f'[shop]\ndatabase = "{DATABASES.address(tmp_path)}"\n')
    for command in (["orders"], ["catalog"], ["wallet"], ["addresses"], ["audit", "verify"], ["voices"]):
        assert main([*command, "--state", str(tmp_path / "empty"), "--config", str(config)]) == 0, command
    assert placed.id in capsys.readouterr().out
    assert not list((tmp_path / "empty").glob("*.db"))


@pytest.mark.parametrize(
    ("address", "told"),
    [
        ("mysql://shop@db.example/voicecart", "must be a file or a postgresql:// address, not mysql://"),
        ("://", "no address of a database"),
        ("postgresql://shop:secret@127.0.0.1:1/voicecart", "cannot be reached"),
    ],
)
def test_an_address_that_cannot_be_used_is_said(tmp_path, address, told):
    pytest.importorskip("psycopg")
    with pytest.raises(StoreError) as refused:
        open_database(tmp_path, address=address)
    assert told in refused.value.message and "secret" not in refused.value.message
