"""A small run of what ``scripts/benchmark_store.py`` measures: failures while clients buy, and what is left of them."""

import random
import sys
from pathlib import Path

import pytest
from sqlalchemy import update

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from assistant.shop import schema
from assistant.shop.cart import line_for
from assistant.shop.database import transaction
from scripts.postgresql_server import PostgresqlServer
from scripts.store_benchmark.audit import audit
from scripts.store_benchmark.clients import opened, products, purchase
from scripts.store_benchmark.failures import (
    Engine,
    kill_clients,
    kill_database,
    kill_everybody,
    kill_server_process,
    trade,
)


@pytest.fixture(params=["sqlite", "postgresql"])
def engine(request, tmp_path):
    if request.param == "sqlite":
        yield Engine("sqlite", tmp_path)
        return
    request.getfixturevalue("postgresql")  # says why where there is none
    # One of its own: it is going to be killed.
    server = PostgresqlServer(durable=False)
    yield Engine("postgresql", tmp_path, server)
    server.close()


def rush(engine, strike):
    """Three clients want more than the six units there are; nothing may be wrong afterwards."""
    _, found, killed = trade(engine, 3, 60.0, stock=3, shelf=2, seed=5, strike=strike)
    assert found.wrong == 0, found.notes
    assert found.orders <= 6
    return found, killed


def test_everything_is_sold_once(engine):
    found, killed = rush(engine, lambda clients: None)
    assert found.orders >= 3 and killed == 0


def test_killed_clients(engine):
    _, killed = rush(engine, kill_clients(random.Random(2), 0.05))
    assert killed <= 2


def test_a_killed_database(engine):
    chance = random.Random(4)
    if engine.server is None:
        rush(engine, kill_everybody(chance, 0.2))
        return
    found, killed = rush(engine, kill_database(engine.server, chance, 0.2))
    assert found.orders >= 3 and killed == 0
    found, killed = rush(engine, kill_server_process(engine.server, chance, 0.2))
    assert found.orders >= 3 and killed == 0


def test_what_is_wrong_is_found(engine):
    place, goods = engine.new_place(), products(1, 5)
    with opened(place, "home") as (store, wallet, database):
        store.import_catalog(goods)
        cart = store.cart().add(line_for(goods[0], 1))
        number = purchase(store, wallet, cart, "key")
        assert audit(place, {"home": [{"order": number, "key": "key"}]}, {"sku 0": 5}).wrong == 0
        with transaction(database) as connection:
            connection.execute(update(schema.products).values(stock=5))
            connection.execute(update(schema.orders).values(total_minor=1))
    found = audit(place, {"home": [{"order": number, "key": "key"}, {"order": "0", "key": "x"}]}, {"sku 0": 5})
    assert found.oversold == 1 and found.lost == 1 and found.held == 1
