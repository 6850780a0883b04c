"""Processes that are killed, and processes that get in each other's way."""

import os
import random
import shutil
import signal
import sys
import time
import traceback
from collections import Counter
from pathlib import Path

import pytest
from household_shop import BREAD, OAT, OPENING, PRODUCTS, buy, cart_of, check_books, dollars, open_shop
from sqlalchemy import event

from assistant.errors import SoldOut
from assistant.pay.ledger import Account
from assistant.pay.wallet import Answer
from assistant.shop.orders import OrderStatus
from assistant.shop.product import Product
from assistant.shop.store import Store

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from scripts.crash_purchases import crash

TOTAL = dollars("7.40")
CART = cart_of((OAT, 1), (BREAD, 2))


@pytest.fixture
def folder(tmp_path):
    """A shop with a cart, closed: no connection may be carried into a child."""
    folder = tmp_path / "shop"
    shop = open_shop(folder)
    shop.store.import_catalog(PRODUCTS)
    shop.store.save_cart(CART)
    shop.engine.dispose()
    return folder


def child(work) -> int:
    """Starts a real process that does ``work`` and nothing else; its number."""
    process = os.fork()
    if process:
        return process
    try:
        work()
        os._exit(0)
    except BaseException:
        traceback.print_exc()
        os._exit(1)


def ended(process: int) -> int:
    """How a process ended: its exit code, or minus the signal that killed it."""
    return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])


class KilledAt:
    """Kills its own process, as ``kill -9`` would, at the n-th moment before or after anything the database is told."""

    def __init__(self, engine, step: int) -> None:
        self.left = step
        for name in ("before_cursor_execute", "after_cursor_execute", "commit"):
            event.listen(engine, name, self.moment)

    def moment(self, *args: object) -> None:
        if self.left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        self.left -= 1


def purchase(shop) -> None:
    order = shop.store.begin_order(CART, "the only key")
    assert shop.wallet.authorise(order.id, order.total) is Answer.APPROVED
    shop.store.complete_order(order.id)


def after_restart(folder):
    """The shop as the next start finds it: the order exists once or not at all, and the ledger agrees."""
    shop = open_shop(folder)
    check_books(shop)
    shop.store.recover()
    check_books(shop)
    orders = shop.store.orders()
    assert shop.wallet.account(Account.HELD).minor == 0
    stock = {product.sku: product.stock for product in shop.store.products()}["bread"]
    if orders:
        (order,) = orders
        assert order.status is OrderStatus.PAID and order.lines == CART.lines and order.total == TOTAL
        assert shop.wallet.balance() == OPENING - TOTAL and shop.wallet.account(Account.SHOP) == TOTAL
        assert not shop.store.cart() and stock == 8
    else:
        assert shop.wallet.balance() == OPENING and shop.wallet.account(Account.SHOP).minor == 0
        assert shop.store.cart() == CART and stock == 10
    shop.engine.dispose()
    return orders


def test_killed_at_every_step_an_order_exists_once_or_not_at_all(folder, tmp_path):
    outcomes = []
    for step in range(1000):
        own = shutil.copytree(folder, tmp_path / str(step))

        def work(folder=own, step=step):
            shop = open_shop(folder)
            KilledAt(shop.engine, step)
            purchase(shop)

        how = ended(child(work))
        assert how in (0, -signal.SIGKILL)
        outcomes.append(bool(after_restart(own)))
        if how == 0:
            break
    # Only the kills after the last commit leave an order: it is there from one step on, and never half.
    assert outcomes == sorted(outcomes) and outcomes[-1] and not outcomes[0]
    assert len(outcomes) > 30, "every statement of a purchase was a step"


def test_killed_again_while_recovering(folder, tmp_path):
    shop = open_shop(folder)
    order = shop.store.begin_order(CART, "key")
    shop.wallet.authorise(order.id, order.total)
    shop.engine.dispose()
    for step in range(1000):
        own = shutil.copytree(folder, tmp_path / str(step))

        def work(folder=own, step=step):
            shop = open_shop(folder)
            KilledAt(shop.engine, step)
            shop.store.recover()

        how = ended(child(work))
        assert how in (0, -signal.SIGKILL)
        assert after_restart(own) == ()
        if how == 0:
            assert step > 5
            return


def test_killed_at_any_moment_from_outside_nothing_is_half_done(folder):
    """Kills that also hit the database in the middle of its own writing."""
    moments, longest = random.Random(7), 0.15
    for round_number in range(25):

        def work(seed=round_number):
            shop = open_shop(folder, seed=seed)
            shop.store.recover()
            while True:
                placed = buy(shop, cart_of((OAT, 1)), f"{seed} {random.random()}")
                if random.random() < 0.5:
                    shop.store.cancel_order(placed.id)

        process = child(work)
        time.sleep(moments.uniform(0.02, longest))
        os.kill(process, signal.SIGKILL)
        assert ended(process) == -signal.SIGKILL
        shop = open_shop(folder)
        check_books(shop)
        shop.store.recover()
        check_books(shop)
        assert shop.wallet.account(Account.HELD).minor == 0
        for order in shop.store.orders(None):
            assert order.lines and order.status in (OrderStatus.PAID, OrderStatus.REFUNDED)
        if not shop.store.orders(None):
            longest *= 1.3  # A busy machine has not got as far yet.
        shop.engine.dispose()
    assert shop.store.orders(), "the children got as far as buying"


def test_random_kills_leave_money_and_orders_in_agreement(tmp_path):
    summary = crash(tmp_path, rounds=25, seed=3)
    assert summary.agrees and summary.rounds == summary.killed == 25 and 0 < summary.interrupted < 25


def test_without_recovery_the_random_kills_would_disagree(tmp_path, monkeypatch):
    monkeypatch.setattr(Store, "recover", lambda self: ())
    # Moments are random, so a few kills may all fall where nothing is left over; they do not do so again and again.
    folders = [tmp_path / str(seed) for seed in range(10)]
    for folder in folders:
        folder.mkdir()
    assert any(not crash(folder, rounds=15, seed=seed).agrees for seed, folder in enumerate(folders))


def test_several_processes_never_sell_more_than_there_is(folder):
    def work(seed):
        shop = open_shop(folder, seed=seed)
        for number in range(5):
            try:
                order = shop.store.begin_order(cart_of((BREAD, 1)), f"{seed} {number}")
            except SoldOut:
                continue
            assert shop.wallet.authorise(order.id, order.total) is Answer.APPROVED
            shop.store.complete_order(order.id)

    processes = [child(lambda seed=seed: work(seed)) for seed in range(4)]
    assert [ended(process) for process in processes] == [0] * 4
    shop = open_shop(folder)
    check_books(shop)
    orders = shop.store.orders()
    assert len(orders) == 10 and len({order.id for order in orders}) == 10
    assert {product.sku: product.stock for product in shop.store.products()}["bread"] == 0


def test_several_processes_with_the_same_key_place_one_order(folder):
    processes = [child(lambda: purchase(open_shop(folder, seed=5))) for _ in range(4)]
    assert [ended(process) for process in processes] == [0] * 4
    assert len(after_restart(folder)) == 1


def test_several_processes_open_a_new_database_at_once(tmp_path):
    for round_number in range(5):
        folder = tmp_path / str(round_number)

        def work(folder=folder):
            shop = open_shop(folder)
            assert shop.wallet.balance() == OPENING
            shop.store.import_catalog(PRODUCTS)
            assert shop.store.products() == PRODUCTS

        processes = [child(work) for _ in range(4)]
        assert Counter(ended(process) for process in processes) == {0: 4}
        check_books(open_shop(folder))


def test_a_catalog_is_imported_while_another_process_reads_it(folder):
    cheap, dear = (
        [Product(f"sku {number}", {"en": f"thing {number}"}, price) for number in range(100)]
        for price in (dollars("1.00"), dollars("2.00"))
    )
    shop = open_shop(folder)
    shop.store.import_catalog(cheap)
    shop.engine.dispose()

    def work():
        other = open_shop(folder)
        for number in range(20):
            other.store.import_catalog(cheap if number % 2 else dear)

    process = child(work)
    shop = open_shop(folder)
    seen = set()
    while os.waitpid(process, os.WNOHANG) == (0, 0):
        prices = {product.price for product in shop.store.products()}
        assert len(prices) == 1 and len(shop.store.products()) == 100
        seen |= prices
    assert seen
