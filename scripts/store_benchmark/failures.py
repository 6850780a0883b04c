"""What befalls a shop while its clients buy: killed clients, a killed server process, a killed database."""

import random
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from scripts.postgresql_server import PostgresqlServer
from scripts.store_benchmark.audit import Findings, audit
from scripts.store_benchmark.clients import Client, Place, opened, products


class Engine:
    """A kind of database, and new places for shops on it.

    Args:
        name: ``sqlite`` or ``postgresql``.
        folder: Where files go.
        server: The PostgreSQL server.
    """

    def __init__(self, name: str, folder: Path, server: PostgresqlServer | None = None) -> None:
        self.name = name
        self.server = server
        self._folder = folder
        self._made = 0

    def new_place(self) -> Place:
        """A shop that nobody has used."""
        self._made += 1
        name = f"{self.name}_{self._made}"
        if self.server is None:
            return Place(self._folder / name)
        self.server.query(f"create database {name}")
        return Place(self._folder / name, self.server.address(name))


def trade(
    engine: Engine,
    clients: int,
    seconds: float,
    stock: int,
    shelf: int,
    seed: int = 0,
    strike: Callable[[Sequence[Client]], None] = lambda clients: None,
) -> tuple[list[tuple[float, float]], Findings, int]:
    """Clients buy for a while in a shop of their own; then everything is compared.

    Args:
        engine: Where.
        clients: How many, each a process and a household.
        seconds: How long they begin new purchases.
        stock: Units of each product.
        shelf: How many products there are to be bought.
        seed: Of their choices.
        strike: Does harm once they have begun.

    Returns:
        When each purchase began and ended, in seconds of one clock; what is wrong; how many clients ended by a signal.
    """
    place, goods = engine.new_place(), products(shelf, stock)
    with opened(place, "shop") as (store, _, _):
        store.import_catalog(goods)
    buyers = [Client(place, f"household {number}", goods, seed * 1000 + number) for number in range(clients)]
    for buyer in buyers:
        buyer.await_ready()
    for buyer in buyers:
        buyer.start(seconds)
    strike(buyers)
    told, taken, killed = {}, [], 0
    for buyer in buyers:
        told[buyer.household], status = buyer.result()
        taken += [(order["begun"], order["ended"]) for order in told[buyer.household]]
        killed += status < 0
        assert status <= 0, f"{buyer.household} failed"
    return taken, audit(place, told, {product.sku: stock for product in goods}), killed


def kill_clients(chance: random.Random, within: float) -> Callable[[Sequence[Client]], None]:
    """Kills every other client, each at a moment of its own."""

    def strike(clients: Sequence[Client]) -> None:
        for client in clients[::2]:
            time.sleep(chance.uniform(0, within / len(clients)))
            client.kill()

    return strike


def kill_server_process(server: PostgresqlServer, chance: random.Random, within: float) -> Callable[..., None]:
    """Kills a process that serves a client; the server then ends all others and starts anew."""

    def strike(clients: Sequence[Client]) -> None:
        time.sleep(chance.uniform(0, within))
        if serving := server.serving():
            server.kill_one(chance.choice(serving))

    return strike


def kill_database(server: PostgresqlServer, chance: random.Random, within: float) -> Callable[..., None]:
    """Kills all processes of the server at once, and starts it again."""

    def strike(clients: Sequence[Client]) -> None:
        time.sleep(chance.uniform(0, within))
        server.kill()
        server.start()

    return strike


def kill_everybody(chance: random.Random, within: float) -> Callable[[Sequence[Client]], None]:
    """Kills all clients at once: a database that is a file lives in them and nowhere else."""

    def strike(clients: Sequence[Client]) -> None:
        time.sleep(chance.uniform(0, within))
        for client in clients:
            client.kill()

    return strike
