"""The database under the shop: its settings, its errors, a full disk, a backup."""

import os
import sqlite3
import subprocess
import sys
import uuid
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from household_shop import BREAD, OAT, PRODUCTS, buy, cart_of, check_books, dollars, open_shop
from sqlalchemy import event, select, update

from assistant.errors import StoreError
from assistant.pay.ledger import Account
from assistant.pay.wallet import Answer
from assistant.shop import schema
from assistant.shop.database import DATABASE, open_database, reading, transaction


@pytest.fixture
def shop(tmp_path):
    shop = open_shop(tmp_path)
    shop.store.import_catalog(PRODUCTS)
    yield shop
    shop.engine.dispose()


def stock(shop):
    return {product.sku: product.stock for product in shop.store.products()}["bread"]


def test_it_is_in_wal_mode_with_foreign_keys_and_for_the_user_only(shop, tmp_path):
    with reading(shop.engine) as connection:
        found = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "foreign_keys", "synchronous", "busy_timeout", "secure_delete")
        }
    assert found == {
        "journal_mode": "wal",
        "foreign_keys": 1,
        "synchronous": 2,
        "busy_timeout": 5000,
        "secure_delete": 1,
    }
    assert (tmp_path / DATABASE).stat().st_mode & 0o077 == 0


def test_an_order_cannot_lose_its_lines_to_another(shop):
    with pytest.raises(StoreError), transaction(shop.engine) as connection:
        connection.execute(
            schema.order_history.insert().values(
                household="home", order_id="none", position=0, status="paid", at=datetime.now(UTC)
            )
        )


def test_a_failed_transaction_leaves_nothing(shop):
    with pytest.raises(RuntimeError), transaction(shop.engine) as connection:
        connection.execute(update(schema.products).values(stock=0))
        raise RuntimeError
    assert stock(shop) == 10


def test_a_damaged_file_is_said(tmp_path):
    (tmp_path / DATABASE).write_bytes(b"this is no database " * 100)
    with pytest.raises(StoreError, match=r"is damaged\. Put a backup in its place"):
        open_database(tmp_path)


def test_damage_in_the_middle_is_said_when_it_is_met(tmp_path):
    shop = open_shop(tmp_path)
    shop.store.import_catalog([replace(OAT, sku=f"oat {number}") for number in range(500)])
    shop.engine.dispose()
    path = tmp_path / DATABASE
    content = bytearray(path.read_bytes())
    content[4096:] = b"\xa5" * (len(content) - 4096)
    path.write_bytes(content)
    with pytest.raises(StoreError, match="damaged"):
        open_shop(tmp_path).store.products()


def test_a_database_of_a_newer_version_is_refused(tmp_path):
    open_database(tmp_path).dispose()
    with closing(sqlite3.connect(tmp_path / DATABASE)) as connection, connection:
        connection.execute("UPDATE schema_version SET version = 99")
    with pytest.raises(StoreError, match="newer Voicecart"):
        open_database(tmp_path)


def test_a_lock_that_stays_is_said(shop, tmp_path):
    impatient = open_database(tmp_path, busy_seconds=0.1)
    with transaction(shop.engine):
        with pytest.raises(StoreError, match="Another program holds"), transaction(impatient):
            pass
        with reading(impatient) as connection:
            assert connection.execute(select(schema.products.c.sku)).first()


def test_a_program_that_opened_it_twice_and_another_see_what_each_has_written(shop, tmp_path):
    def elsewhere(statement: str) -> str:
        program = (
            "import sqlite3, sys; database = sqlite3.connect(sys.argv[1])\n"
            "with database: print(database.execute(sys.argv[2]).fetchall())\n"
            "database.close()"
        )
        done = subprocess.run(
            [sys.executable, "-c", program, str(tmp_path / DATABASE), statement], capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    assert stock(shop) == 10
    again = open_shop(tmp_path)
    for left in (9, 7):
        elsewhere(f"update products set stock = {left} where sku = 'bread'")
        assert stock(shop) == stock(again) == left
        with transaction(shop.engine) as connection:
            connection.execute(update(schema.products).where(schema.products.c.sku == "bread").values(stock=left - 1))
        assert elsewhere("select stock from products where sku = 'bread'") == f"[({left - 1},)]"
    again.engine.dispose()


def test_a_folder_that_is_a_file_is_said(tmp_path):
    (tmp_path / "state").write_text("")
    with pytest.raises(StoreError, match="cannot be opened"):
        open_database(tmp_path / "state")


def test_a_database_that_may_not_be_written_can_still_be_read(tmp_path):
    shop = open_shop(tmp_path)
    shop.store.import_catalog(PRODUCTS)
    order = buy(shop, cart_of((OAT, 1)), "key")
    shop.engine.dispose()
    with closing(sqlite3.connect(tmp_path / DATABASE)) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")
    protected = open_shop(tmp_path)
    with transaction(protected.engine):
        pass
    # Root may write whatever the file's mode says, so the database itself is told to refuse.
    event.listen(protected.engine, "begin", lambda connection: connection.exec_driver_sql("PRAGMA query_only = ON"))
    assert protected.store.orders() == (order,)
    with pytest.raises(StoreError, match=r"may not be written\. Nothing was saved"):
        protected.store.save_cart(cart_of((OAT, 1)))


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 1 MB of its own where the test may mount one, else None."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("no file system can be mounted here; the limit on pages is tested instead")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def buy_until_full(shop):
    """Purchases until the database refuses; the step at which it did, and the order it was about."""
    for _ in range(10_000):
        cart = cart_of((OAT, 1), (BREAD, 1))
        step, order = "cart", None
        try:
            shop.store.save_cart(cart)
            step = "begin"
            order = shop.store.begin_order(cart, uuid.uuid4().hex)
            step = "authorise"
            assert shop.wallet.authorise(order.id, order.total) is Answer.APPROVED
            step = "complete"
            shop.store.complete_order(order.id)
        except StoreError as error:
            assert "Nothing was saved" in error.message or "nothing was saved" in error.message
            return step, order
    raise AssertionError("the disk never became full")


def test_a_full_disk_while_placing_an_order_is_no_order(small_disk):
    shop = open_shop(small_disk)
    shop.store.import_catalog([OAT, replace(BREAD, stock=100_000)])
    shop.wallet.top_up(dollars("100000"))
    filler = small_disk / "filler"
    steps = set()
    for spare in range(0, 160, 8):
        filler.unlink(missing_ok=True)
        with filler.open("wb") as file:
            free = os.statvfs(small_disk).f_bavail * os.statvfs(small_disk).f_frsize
            file.write(b"\0" * max(0, free - spare * 1024))
        before = shop.store.orders(None)
        step, order = buy_until_full(shop)
        steps.add(step)
        placed = shop.store.orders(None)
        assert placed[len(placed) - len(before) :] == before
        assert order is None or order.id not in {one.id for one in placed}
        check_books(shop)
        filler.unlink()
        # There is room again: what was left is given up, and the shop goes on.
        shop.engine.dispose()
        shop = open_shop(small_disk, seed=spare)
        shop.store.recover()
        check_books(shop)
        assert shop.wallet.account(Account.HELD).minor == 0
    assert len(steps) > 1, "the disk was full at different steps"
    shop.engine.dispose()


def test_a_database_that_may_not_grow_is_no_order(tmp_path):
    shop = open_shop(tmp_path)
    shop.store.import_catalog([OAT, replace(BREAD, stock=100_000)])
    with reading(shop.engine) as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar()
    limit = [pages + 2]
    event.listen(
        shop.engine, "begin", lambda connection: connection.exec_driver_sql(f"PRAGMA max_page_count = {limit[0]}")
    )
    shop.engine.dispose()
    for _ in range(6):
        before = shop.store.orders(None)
        _, order = buy_until_full(shop)
        placed = shop.store.orders(None)
        assert placed[len(placed) - len(before) :] == before
        assert order is None or order.id not in {one.id for one in placed}
        limit[0] += 3
        shop.store.recover()
        check_books(shop)
