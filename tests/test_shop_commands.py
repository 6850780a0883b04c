"""The shop's commands, as a person or a script runs them."""

import contextlib
import io
import json
import resource
import subprocess
import sys
from dataclasses import dataclass

import pytest
from household_shop import BREAD, LATTE, OAT, buy, cart_of, open_shop

from assistant.commands.main import main
from assistant.shop.database import DATABASE

TEA = '{"sku": "tea", "name": "green tea", "price": {"amount": "2.00", "currency": "USD"}, "stock": 5}'
BREAD_LINE = '{"sku": "bread", "name": "brown bread", "brand": "Mill", "price": {"amount": "2.20", "currency": "USD"}}'


@pytest.fixture
def state(tmp_path):
    return tmp_path / "state"


@pytest.fixture
def feed(tmp_path):
    path = tmp_path / "feed.jsonl"
    path.write_text(f'{TEA}\n{{"sku": "bad"}}\n{BREAD_LINE}\n')
    return path


@dataclass(frozen=True)
class Done:
    returncode: int
    stdout: str
    stderr: str


@pytest.fixture
def voicecart(state, monkeypatch):
    """Runs a command in this process; an exception that is no message for a person fails the test."""
    monkeypatch.setenv("COLUMNS", "100")

    def run(*arguments):
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = main([*map(str, arguments), "--state", str(state)])
        return Done(code, out.getvalue(), err.getvalue())

    return run


@pytest.fixture
def program(state):
    """Runs ``python -m assistant``."""

    def run(*arguments, **more):
        command = [sys.executable, "-m", "assistant", *map(str, arguments), "--state", str(state)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, **more)
        assert "Traceback" not in done.stderr, done.stderr
        return done

    return run


@pytest.fixture
def order(state):
    """An order that was paid."""
    shop = open_shop(state)
    shop.store.import_catalog([OAT, BREAD, LATTE])
    placed = buy(shop, cart_of((OAT, 2), (LATTE, 1)), "key")
    shop.engine.dispose()
    return placed


def lines(done):
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_import_keeps_good_lines_reports_bad_ones_and_is_found(voicecart, program, feed, tmp_path):
    done = program("catalog", "import", feed)
    assert done.returncode == 1
    assert done.stdout.startswith("Imported 2 products in USD; 1 bad line was left out.")
    assert done.stderr.startswith("line 2: name: missing; price: missing")
    (found, *_) = lines(voicecart("catalog", "search", "green", "tea", "--json"))
    assert found == {
        "sku": "tea",
        "name": "green tea",
        "brand": "",
        "score": 100.0,
        "price": 200,
        "currency": "USD",
        "stock": 5,
    }
    assert "brown bread (Mill), 2.20 USD" in voicecart("catalog", "search", "Brown Bread").stdout
    # A feed without a good line is refused, and what was imported stays.
    empty = tmp_path / "empty.jsonl"
    empty.write_text("rubbish\n")
    refused = voicecart("catalog", "import", empty)
    assert refused.returncode == 2 and "so the catalog stays as it was" in refused.stderr and not refused.stdout
    assert lines(voicecart("catalog", "--json")) == [{"products": 2, "currency": "USD", "out_of_stock": 0}]


def test_import_as_json(voicecart, feed):
    (result,) = lines(voicecart("catalog", "import", feed, "--json"))
    assert result["products"] == 2
    assert [(problem["line"], problem["sku"]) for problem in result["problems"]] == [(2, None)]


def test_check_reports_bad_lines_clashes_and_words_that_cannot_be_heard(voicecart, tmp_path):
    def product(sku, name, **more):
        return json.dumps({"sku": sku, "name": name, "price": {"amount": "1", "currency": "USD"}} | more)

    path = tmp_path / "clashes.jsonl"
    path.write_text(
        "\n".join(
            [
                product("one", "cola"),
                product("two", "Cola"),
                "rubbish",
                product("flour", "plain flour", aliases=["baking powder"]),
                product("flower", "plain flower"),
                product("tea", "green tea", aliases=["tea"]),
                product("mint", "mint tea", aliases=["tea"]),
                product("sign", "сыр"),
            ]
        )
    )
    done = voicecart("catalog", "check", path, "--json")
    assert done.returncode == 1
    found = {}
    for finding in lines(done):
        found.setdefault(finding.pop("finding"), []).append(finding)
    assert [finding["line"] for finding in found["bad_line"]] == [3]
    assert found["indistinct"] == [{"sku": "one", "others": ["two"]}, {"sku": "two", "others": ["one"]}]
    assert {"phrases": ["tea"], "skus": ["tea", "mint"]} in found["same_words"]
    assert found["same_sound"] == [{"phrases": ["plain flour", "plain flower"], "skus": ["flour", "flower"]}]
    assert found["no_pronunciation"] == [{"word": "сыр", "skus": ["sign"]}]
    text = voicecart("catalog", "check", path).stdout
    assert "line 3: not JSON" in text and "“tea” means tea, mint" in text and "'сыр' cannot be heard (sign)" in text


def test_check_of_a_good_feed_is_quiet(voicecart, tmp_path):
    path = tmp_path / "good.jsonl"
    path.write_text(f"{TEA}\n{BREAD_LINE}\n")
    done = voicecart("catalog", "check", path)
    assert (done.returncode, done.stdout) == (0, "2 products can be ordered.\n")


def test_compile_makes_the_graphs_where_it_is_told(voicecart, feed, tmp_path):
    folder = tmp_path / "compiled"
    done = voicecart("catalog", "compile", feed, "--out", folder)
    assert done.returncode == 0 and f"of 2 products are in {folder / 'graphs'}" in done.stdout
    assert list((folder / "graphs").rglob("Gr.fst"))


def test_orders_list_show_and_cancel(voicecart, program, order, state):
    assert order.id in voicecart("orders").stdout
    (listed,) = lines(voicecart("orders", "list", "--json"))
    assert listed["id"] == order.id and listed["status"] == "paid" and listed["total"] == 1050
    assert [(line["sku"], line["quantity"]) for line in listed["lines"]] == [("oat", 2), ("latte", 1)]
    receipt = voicecart("orders", "show", order.id).stdout.splitlines()
    assert receipt[0] == f"Order {order.id}" and "oat milk" in receipt[2] and receipt[2].endswith("$6.00")
    cancelled = program("orders", "cancel", order.id)
    assert cancelled.stdout == f"Order {order.id} is cancelled; 10.50 USD were given back.\n"
    again = voicecart("orders", "cancel", order.id)
    assert again.returncode == 2 and "is refunded and cannot be cancelled" in again.stderr
    shop = open_shop(state)
    assert shop.wallet.balance().decimal() == "1000.00"


def test_orders_of_an_order_under_way_are_left_alone(voicecart, state):
    shop = open_shop(state)
    shop.store.import_catalog([OAT])
    waiting = shop.store.begin_order(cart_of((OAT, 1)), "key")
    assert voicecart("orders").stdout == "There are no orders yet.\n"
    assert voicecart("orders", "cancel", waiting.id).returncode == 2
    assert shop.store.begin_order(cart_of((OAT, 1)), "key") == waiting


def test_wallet_balance_top_up_and_history(voicecart):
    assert voicecart("wallet").stdout == "1000.00 USD\n"
    assert lines(voicecart("wallet", "top-up", "25.50", "--json")) == [{"balance": 102_550, "currency": "USD"}]
    history = lines(voicecart("wallet", "history", "--json"))
    assert [(one["movement"], one["amount"]) for one in history] == [("top_up", 2_550), ("top_up", 100_000)]
    assert "25.50 USD" in voicecart("wallet", "history").stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["wallet", "top-up"], "'voicecart wallet top-up AMOUNT'"),
        (["wallet", "top-up", "1e9"], "'1e9' is not an amount"),
        (["wallet", "top-up", "0"], "a top-up must be more than zero"),
        (["wallet", "top-up", "0.001"], "more decimals than USD"),
        (["orders", "show"], "Which order?"),
        (["orders", "list", "4721"], "takes no number"),
        (["orders", "show", "4721"], "There is no order 4721"),
        (["catalog", "import"], "takes one feed"),
        (["catalog", "import", "nowhere.jsonl"], "Cannot read the feed nowhere.jsonl"),
        (["catalog", "search"], "What is searched for?"),
        (["catalog", "check", "a", "b"], "takes one feed"),
        (["catalog", "--out", "x"], "--out belongs to"),
    ],
)
def test_what_makes_no_sense_is_refused_with_a_word_of_advice(voicecart, arguments, message):
    done = voicecart(*arguments)
    assert done.returncode == 2 and message in done.stderr and not done.stdout


def test_a_damaged_database_is_said_by_every_command(voicecart, program, state, feed):
    state.mkdir()
    (state / DATABASE).write_bytes(b"\x00rubbish" * 1000)
    for run, arguments in ((program, ["wallet"]), (voicecart, ["orders"]), (voicecart, ["catalog", "import", feed])):
        done = run(*arguments)
        assert done.returncode == 2 and "is damaged. Put a backup in its place" in done.stderr


def test_a_disk_that_is_full_during_an_import_leaves_the_old_catalog(voicecart, program, feed, tmp_path):
    voicecart("catalog", "import", feed)
    large = tmp_path / "large.jsonl"
    large.write_text("\n".join(TEA.replace('"tea"', f'"tea {number}"') for number in range(5000)))

    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000))

    done = program("catalog", "import", large, preexec_fn=limit)
    assert done.returncode == 2 and "Nothing was saved" in done.stderr
    assert lines(voicecart("catalog", "--json"))[0]["products"] == 2


def test_several_commands_at_once_each_count(voicecart, state):
    command = [sys.executable, "-m", "assistant", "wallet", "top-up", "1", "--state", str(state)]
    running = [subprocess.Popen(command, stdout=subprocess.DEVNULL) for _ in range(3)]
    assert [process.wait(timeout=120) for process in running] == [0] * 3
    assert voicecart("wallet").stdout == "1003.00 USD\n"
