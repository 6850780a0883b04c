"""Kills purchases with ``kill -9`` at random moments, recovers as the next start would, and compares money and orders.

usage: python scripts/crash_purchases.py [--rounds 1000] [--seed 1] [--folder DIR] [--json FILE]

Each round forks a real process that buys once with the built-in wallet (every fourth cancels it again) and kills it
after a random time, during the purchase or soon after it; the range of that time follows the purchases, so that about
half of them are interrupted. A process that is through stays alive until it is killed. The shop is then
opened and recovered in this process, and the same purchase is asked for again under the same key, as by somebody who
did not hear the answer; money and order are compared after both. All rounds share one database. The summary goes to
standard output as JSON; the exit code is 1 when money and orders disagree in any round.
"""

import argparse
import contextlib
import json
import os
import random
import resource
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import func, select

REPOSITORY = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(REPOSITORY))

from assistant.errors import OrderError  # noqa: E402
from assistant.pay import ledger  # noqa: E402
from assistant.pay.ledger import Account, Movement  # noqa: E402
from assistant.pay.wallet import Answer, Wallet  # noqa: E402
from assistant.shop import schema  # noqa: E402
from assistant.shop.cart import Cart, line_for  # noqa: E402
from assistant.shop.database import open_database, reading  # noqa: E402
from assistant.shop.money import Money  # noqa: E402
from assistant.shop.product import Product  # noqa: E402
from assistant.shop.store import Store  # noqa: E402

HOUSEHOLD = "home"
OPENING = Money(10**9, "USD")
STOCK = 10**6
MILK = Product("milk", {"en": "oat milk"}, Money(249, "USD"), stock=STOCK)
CART = Cart("USD").add(line_for(MILK, 2, {}))
_FIRST_SECONDS = 0.05  # guess at how long a purchase takes, until purchases have been seen
_THROUGH = b"through\n"
_STEP = 1.05  # how fast the guess follows


@dataclass
class Summary:
    """What happened in all rounds.

    Attributes:
        rounds: How many.
        killed: How many of them ended by the signal: all, or the run proves less than it says.
        interrupted: How many purchases had not ended when the signal came.
        crashed_at: How many left the shop in which state.
        double_charges: Orders for which the shop was paid more than once or too much.
        paid_orders_lost: Orders that were announced as placed, or whose money the shop has, and that are not so.
        orders_unpaid: Paid orders for which the shop does not have the money.
        other_disagreements: Money held for nothing, wrong stock, accounts that do not add up.
    """

    rounds: int = 0
    killed: int = 0
    interrupted: int = 0
    crashed_at: Counter[str] = field(default_factory=Counter)
    double_charges: int = 0
    paid_orders_lost: int = 0
    orders_unpaid: int = 0
    other_disagreements: int = 0

    @property
    def agrees(self) -> bool:
        """Whether money and orders agreed in every round."""
        return not (self.double_charges or self.paid_orders_lost or self.orders_unpaid or self.other_disagreements)


@dataclass(frozen=True)
class Shop:
    """The shop as one process sees it."""

    store: Store
    wallet: Wallet
    engine: Any


@contextlib.contextmanager
def opened(folder: Path, seed: int) -> Iterator[Shop]:
    """The shop, opened as at the start of a device."""
    engine = open_database(folder)
    wallet = Wallet(engine, HOUSEHOLD, OPENING)
    try:
        yield Shop(Store(engine, HOUSEHOLD, wallet, randomness=random.Random(seed)), wallet, engine)
    finally:
        # No connection may be carried into a child.
        engine.dispose()


def purchase(shop: Shop, key: str, cancels: bool, announce: Callable[[str], None]) -> None:
    """One purchase; what the person would be told is announced."""
    shop.store.save_cart(CART)
    order = shop.store.begin_order(CART, key)
    if shop.wallet.authorise(order.id, order.total) is Answer.APPROVED:
        announce(f"placed {shop.store.complete_order(order.id).id}")
        if cancels:
            announce(f"cancelled {shop.store.cancel_order(order.id).id}")


def attacked(folder: Path, seed: int, key: str, cancels: bool, after: float) -> tuple[bool, bool, tuple[str, ...]]:
    """A purchase in a process that is killed ``after`` so many seconds.

    Returns:
        Whether the signal ended it, whether the purchase was still under way, and what it announced until then.
    """
    listening, speaking = os.pipe()
    process = os.fork()
    if process == 0:
        # Unbuffered, and never back into the parent's code: what is not written is not announced.
        with contextlib.suppress(BaseException), opened(folder, seed) as shop:
            os.write(speaking, b"open\n")
            purchase(shop, key, cancels, lambda what: os.write(speaking, f"{what}\n".encode()))
            os.write(speaking, _THROUGH)
            signal.pause()
        os._exit(1)
    os.close(speaking)
    with os.fdopen(listening, "rb", buffering=0) as pipe:
        said = pipe.read(5)
        time.sleep(after)
        os.kill(process, signal.SIGKILL)
        exit_code = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
        said += pipe.read()
    if exit_code == 1:
        raise RuntimeError("a purchase failed by itself")
    through = said.endswith(_THROUGH)
    announced = tuple(said.removesuffix(_THROUGH).decode().split("\n")[1:-1])
    return exit_code == -signal.SIGKILL, not through, announced


def left_behind(shop: Shop, key: str) -> str:
    """In which state the crash left the purchase."""
    with reading(shop.engine) as connection:
        mine = (schema.orders.c.household == HOUSEHOLD) & (schema.orders.c.key == key)
        row = connection.execute(select(schema.orders.c.id, schema.orders.c.status).where(mine)).first()
        if row is None:
            return "no order"
        return f"order {row.status}, payment {shop.wallet.state(connection, HOUSEHOLD, row.id)}"


def check(shop: Shop, key: str, announced: tuple[str, ...], summary: Summary) -> None:
    """Compares money and order of one round after the recovery."""
    with reading(shop.engine) as connection:
        mine = schema.orders.c.household == HOUSEHOLD
        rows = connection.execute(select(schema.orders).where(mine, schema.orders.c.key == key)).all()
        charged = sum(_paid(connection, row.id) for row in rows)
        total = func.coalesce(func.sum(schema.orders.c.total_minor), 0)
        of_all = connection.execute(select(total).where(mine, schema.orders.c.status == "paid")).scalar_one()
    bought = sum(row.total_minor for row in rows if row.status == "paid")
    reached = {f"placed {row.id}" for row in rows if row.paid_at is not None}
    reached |= {f"cancelled {row.id}" for row in rows if row.status == "refunded"}
    summary.double_charges += charged > CART.total.minor or len(rows) > 1
    summary.paid_orders_lost += charged > bought or not set(announced) <= reached
    summary.orders_unpaid += charged < bought
    accounts = {account: shop.wallet.account(account).minor for account in Account}
    sold = 2 * of_all // CART.total.minor
    in_order = (
        sum(accounts.values()) == 0
        and accounts[Account.HELD] == 0
        and accounts[Account.SHOP] == of_all
        and accounts[Account.WALLET] == OPENING.minor - of_all
        and shop.store.products()[0].stock == STOCK - sold
        and all(row.status in ("paid", "refunded", "cancelled") for row in rows)
        and all(bool(shop.store.cart()) == (row.paid_at is None) for row in rows)
    )
    summary.other_disagreements += not in_order


def _paid(connection: Any, order: str) -> int:
    """What the shop has of the wallet's money for an order, from the ledger's own entries."""
    movements, entries = ledger.movements, ledger.entries
    moves = [Movement.CAPTURE.value, Movement.REFUND.value]
    found = (
        select(func.coalesce(func.sum(entries.c.amount_minor), 0))
        .join(movements, (movements.c.household == entries.c.household) & (movements.c.number == entries.c.number))
        .where(
            movements.c.household == HOUSEHOLD,
            movements.c.key == order,
            movements.c.movement.in_(moves),
            entries.c.account == Account.SHOP.value,
        )
    )
    return int(connection.execute(found).scalar_one())


def crash(folder: Path, rounds: int, seed: int, done: Callable[[Summary], None] = lambda summary: None) -> Summary:
    """Runs the rounds in an empty folder.

    Args:
        folder: Of the database.
        rounds: How many.
        seed: Of moments and order numbers.
        done: Told after every round.
    """
    summary, moments, seconds = Summary(), random.Random(seed), _FIRST_SECONDS
    with opened(folder, seed) as shop:
        shop.store.import_catalog([MILK])
    for number in range(rounds):
        key, cancels, own = f"round {number}", number % 4 == 3, seed * 1_000_003 + number
        killed, interrupted, announced = attacked(folder, own, key, cancels, moments.uniform(0, 2 * seconds))
        seconds = seconds * _STEP if interrupted else seconds / _STEP
        with opened(folder, own + 500_000) as shop:
            summary.crashed_at[left_behind(shop, key)] += 1
            shop.store.recover()
            check(shop, key, announced, summary)
            # Somebody who did not hear the answer: nothing is bought twice, what was given up stays given up.
            with contextlib.suppress(OrderError):
                order = shop.store.begin_order(CART, key)
                if shop.wallet.authorise(order.id, order.total) is Answer.APPROVED:
                    shop.store.complete_order(order.id)
            shop.store.recover()
            check(shop, key, announced, summary)
            shop.store.save_cart(Cart("USD"))
        summary.rounds += 1
        summary.killed += killed
        summary.interrupted += interrupted
        done(summary)
    return summary


def report(rounds: int) -> contextlib.AbstractContextManager[Callable[[Summary], None]]:
    """Shows how far it is: a bar on a terminal, a line for every tenth elsewhere."""
    if sys.stderr.isatty():
        return _bar(rounds)

    def line(summary: Summary) -> None:
        if summary.rounds % max(rounds // 10, 1) == 0:
            print(f"{summary.rounds} of {rounds} rounds, agreeing: {summary.agrees}", file=sys.stderr, flush=True)

    return contextlib.nullcontext(line)


@contextlib.contextmanager
def _bar(rounds: int) -> Iterator[Callable[[Summary], None]]:
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True)) as progress:
        task = progress.add_task("crashes", total=rounds)
        yield lambda summary: progress.update(task, completed=summary.rounds)


def processor_seconds() -> float:
    """CPU time of this process and of the children it has waited for."""
    used = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in used)


def main() -> int:
    """Runs what the command line asks for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=1000, help="default: %(default)s")
    parser.add_argument("--seed", type=int, default=1, help="of moments and order numbers (default: %(default)s)")
    parser.add_argument("--folder", type=Path, help="where the database is made: the disk that is tried")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the summary there too")
    options = parser.parse_args()
    if options.rounds < 1:
        parser.error("--rounds must be at least 1")
    began, cpu = time.perf_counter(), processor_seconds()
    with tempfile.TemporaryDirectory(prefix="voicecart-", dir=options.folder) as folder, report(options.rounds) as done:
        summary = crash(Path(folder), options.rounds, options.seed, done)
    figures = asdict(summary) | {
        "crashed_at": dict(summary.crashed_at.most_common()),
        "agrees": summary.agrees,
        "seed": options.seed,
        "seconds": round(time.perf_counter() - began, 1),
        "cpu_ms_per_round": round((processor_seconds() - cpu) / options.rounds * 1000, 1),
    }
    text = json.dumps(figures, indent=2)
    print(text)
    if options.json:
        options.json.write_text(text + "\n")
    return int(not summary.agrees)


if __name__ == "__main__":
    sys.exit(main())
