"""Backups: made while the shop is in use, refused when they are not whole, and put back all at once."""

import resource
import sqlite3
import subprocess
import sys
from contextlib import closing

import pytest
from household_shop import BREAD, OAT, PRODUCTS, buy, cart_of, check_books, open_shop
from sqlalchemy import update

from assistant.commands.main import main
from assistant.errors import StoreError
from assistant.shop import schema
from assistant.shop.backup import back_up, check_backup, checksum_of, restore
from assistant.shop.database import DATABASE, transaction


@pytest.fixture
def shop(tmp_path):
    shop = open_shop(tmp_path / "state")
    shop.store.import_catalog(PRODUCTS)
    yield shop
    shop.engine.dispose()


@pytest.fixture
def voicecart(tmp_path, capsys):
    """Runs a command; its exit code and what it printed."""

    def run(*words):
        code = main([*words, "--state", str(tmp_path / "state")])
        printed = capsys.readouterr()
        return code, printed.out + printed.err

    return run


def stock(shop):
    return {product.sku: product.stock for product in shop.store.products()}["bread"]


def test_a_shop_in_use_is_backed_up_and_comes_back(shop, voicecart, tmp_path):
    file = tmp_path / "shop.backup"
    placed = buy(shop, cart_of((OAT, 2)), "key")
    with transaction(shop.engine, "home") as connection:
        connection.execute(update(schema.products).values(stock=1))
        assert voicecart("backup", str(file))[0] == 0
    buy(shop, cart_of((OAT, 1)), "after the backup")
    shop.engine.dispose()
    assert subprocess.run(["sha256sum", "--check", "--quiet", checksum_of(file).name], cwd=tmp_path).returncode == 0
    assert file.stat().st_mode & 0o077 == 0
    assert voicecart("restore", "--check", str(file))[0] == 0
    code, told = voicecart("restore", str(file))
    assert code == 0 and "before-restore" in told
    again = open_shop(tmp_path / "state")
    assert again.store.orders() == (placed,) and stock(again) == 10
    check_books(again)
    buy(again, cart_of((BREAD, 1)), "goes on")
    with closing(sqlite3.connect(tmp_path / "state" / f"{DATABASE}.before-restore")) as before:
        assert before.execute("select count(*) from orders").fetchone() == (2,)


def test_a_second_backup_takes_the_place_of_the_first(shop, tmp_path):
    file, database = tmp_path / "shop.backup", tmp_path / "state" / DATABASE
    back_up(database, file)
    first = checksum_of(file).read_text()
    buy(shop, cart_of((OAT, 2)), "key")
    back_up(database, file)
    assert checksum_of(file).read_text() != first and check_backup(file) == schema.SCHEMA_VERSION
    assert sorted(path.name for path in tmp_path.iterdir()) == ["shop.backup", "shop.backup.sha256", "state"]


@pytest.mark.parametrize("harm", ["truncated", "one byte", "emptied", "no checksum", "no file", "no shop"])
def test_what_is_not_whole_is_not_restored(shop, voicecart, tmp_path, harm):
    file = tmp_path / "shop.backup"
    back_up(tmp_path / "state" / DATABASE, file)
    placed = buy(shop, cart_of((OAT, 2)), "key")
    content = bytearray(file.read_bytes())
    match harm:
        case "truncated":
            file.write_bytes(content[: len(content) // 2])
        case "one byte":
            content[5000] ^= 1
            file.write_bytes(content)
        case "emptied":
            file.write_bytes(b"")
        case "no checksum":
            checksum_of(file).unlink()
        case "no file":
            file.unlink()
        case "no shop":
            with closing(sqlite3.connect(tmp_path / "other.db")) as other:
                other.execute("create table anything (at integer)")
            back = tmp_path / "other.db"
            digest = subprocess.run(["sha256sum", str(back)], capture_output=True, text=True).stdout
            back.replace(file)
            checksum_of(file).write_text(digest)
    for words in (("restore", str(file)), ("restore", "--check", str(file))):
        code, told = voicecart(*words)
        assert code == 2 and "The backup" in told and "Traceback" not in told
    assert shop.store.orders() == (placed,)


def test_a_backup_of_a_newer_version_is_refused(shop, tmp_path):
    file, database = tmp_path / "shop.backup", tmp_path / "state" / DATABASE
    with transaction(shop.engine) as connection:
        connection.execute(update(schema.schema_version).values(version=schema.SCHEMA_VERSION + 1))
    back_up(database, file)
    with pytest.raises(StoreError, match="newer Voicecart"):
        restore(file, database)


def test_a_damaged_shop_is_replaced_and_kept(shop, tmp_path):
    file, database = tmp_path / "shop.backup", tmp_path / "state" / DATABASE
    placed = buy(shop, cart_of((OAT, 2)), "key")
    back_up(database, file)
    shop.engine.dispose()
    for damage in (b"this is no database " * 500, b"SQLite format 3\0" + b"\xa5" * 9000):
        database.write_bytes(damage)
        kept = restore(file, database)
        assert kept is not None and kept.read_bytes() == damage
        again = open_shop(tmp_path / "state")
        assert again.store.orders() == (placed,)
        again.engine.dispose()


def test_a_shop_that_somebody_writes_is_not_restored(shop, tmp_path, monkeypatch):
    file, database = tmp_path / "shop.backup", tmp_path / "state" / DATABASE
    back_up(database, file)
    monkeypatch.setattr("assistant.shop.backup._BUSY_SECONDS", 0.1)
    with transaction(shop.engine, "home"), pytest.raises(StoreError, match="another program holds the shop"):
        restore(file, database)


def limited_to(size: int, *words: object) -> subprocess.CompletedProcess[str]:
    """Runs a command that may write no file beyond so many bytes: like a full disk, and needs no rights."""
    limit = lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
    ignoring = "import signal, sys; signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
    code = f"{ignoring}from assistant.commands.main import main\nsys.exit(main(sys.argv[1:]))"
    return subprocess.run(
        [sys.executable, "-c", code, *map(str, words)], preexec_fn=limit, capture_output=True, text=True
    )


def test_on_a_full_disk_everything_stays_as_it_was(shop, tmp_path):
    file, state = tmp_path / "shop.backup", tmp_path / "state"
    back_up(state / DATABASE, file)
    before = file.read_bytes(), checksum_of(file).read_bytes()
    placed = buy(shop, cart_of((OAT, 2)), "key")
    for words in (("backup", file), ("restore", file)):
        refused = limited_to(40_000, *words, "--state", state)
        assert refused.returncode == 2 and "voicecart: No" in refused.stderr and "Traceback" not in refused.stderr
        assert (file.read_bytes(), checksum_of(file).read_bytes()) == before
        assert not [path for path in tmp_path.iterdir() if path.name.endswith((".new", ".unfinished"))]
    assert shop.store.orders() == (placed,)
    assert file.stat().st_size > 40_000


def test_on_a_server_its_own_programs_are_named(voicecart, tmp_path):
    config = tmp_path / "voicecart.toml"
    config.write_text('[shop]\ndatabase = "postgresql://shop:secret@db.example/voicecart"\n')
    for command, program in (("backup", "pg_dump"), ("restore", "pg_restore")):
        code, told = voicecart(command, "file", "--config", str(config))
        assert code == 2 and program in told and "db.example" in told and "secret" not in told
