"""``voicecart checkout``: a typed PIN pays exactly the cart that was read back, once, or nothing at all."""

import contextlib
import io
import json
import os
import pty
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from household_shop import BREAD, LATTE, OAT, OPENING, PRODUCTS, cart_of, check_books, dollars

from assistant.commands.checkout import Checkout
from assistant.commands.main import main
from assistant.errors import OrderError, PaymentUnavailable
from assistant.household import Household
from assistant.parts import Parts
from assistant.pay.outcome import AuthorisationRequest, Declined, DeclineReason
from assistant.pay.pins import Pins
from assistant.pay.roles import Role
from assistant.pay.wallet import Answer, Wallet
from assistant.settings import Settings
from assistant.shop.orders import OrderStatus
from assistant.shop.store import Store
from assistant.storefront import open_storefront

PIN, OTHER = "402915", "402916"
CART = cart_of((OAT, 2), (BREAD, 1))
TOTAL = "8.20"


class Home:
    """A household with a cart, an adult with a PIN and a child; everything real but the voices' templates."""

    def __init__(self, folder) -> None:
        self.state, self.config = folder / "state", folder / "settings.toml"
        self.config.write_text("")
        self.shop = open_storefront(Settings(), self.state)
        self.shop.store.import_catalog(PRODUCTS)
        self.shop.store.save_cart(CART)
        self.household = Household(Parts(Settings(), PRODUCTS, self.state), self.state)
        for number, (name, role) in enumerate((("ann", Role.ADULT), ("tim", Role.CHILD))):
            self.household.voices.save(name, np.eye(8)[number], "0" * 64, 5, role=role)
        self.household.pins.set("ann", PIN)

    def checkout(self, *lines: str, json_wanted: bool = False):
        """Exit code, standard output, errors, and what was not read of the lines."""
        out, err, given = io.StringIO(), io.StringIO(), io.StringIO("".join(f"{line}\n" for line in lines))
        command = ["checkout", "--from-stdin", "--state", str(self.state), "--config", str(self.config)]
        before, sys.stdin = sys.stdin, given
        try:
            with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
                code = main([*command, *(["--json"] if json_wanted else [])])
        finally:
            sys.stdin = before
        assert "Traceback" not in err.getvalue() and PIN not in out.getvalue() + err.getvalue()
        return code, out.getvalue(), err.getvalue(), given.read()

    def nothing_was_bought(self) -> None:
        assert self.shop.store.orders() == () and self.shop.store.cart() == CART
        assert self.shop.wallet.balance() == OPENING
        check_books(self.shop)


@pytest.fixture
def home(tmp_path) -> Home:
    return Home(tmp_path)


def test_the_total_and_the_pin_pay_the_cart_once(home):
    code, out, _, _ = home.checkout(TOTAL, PIN)
    (order,) = home.shop.store.orders()
    assert code == 0 and f"Order {order.id} is paid: 8.20 USD." in out
    assert [word for word in ("2 × oat milk: 6.00 USD", "1 × brown bread: 2.20 USD", "Total: 8.20 USD") if word in out]
    assert order.status is OrderStatus.PAID and order.lines == CART.lines and not home.shop.store.cart()
    assert home.shop.wallet.balance() == OPENING - dollars(TOTAL)
    decision = home.household.audit.entries()[-1].details
    assert (decision["outcome"], decision["speaker"], decision["by_pin"]) == ("authorised", "ann", True)
    again, _, told, _ = home.checkout(TOTAL, PIN)
    assert again == 2 and "cart is empty" in told
    assert len(home.shop.store.orders()) == 1 and home.shop.wallet.balance() == OPENING - dollars(TOTAL)
    check_books(home.shop)
    for path in home.state.rglob("*"):
        assert not path.is_file() or PIN.encode() not in path.read_bytes()


def test_json_is_the_order_and_nothing_else(home):
    code, out, told, _ = home.checkout("8.20 USD", PIN, json_wanted=True)
    order = json.loads(out)
    assert code == 0 and order["total"] == 820 and "Total: 8.20 USD" in told


@pytest.mark.parametrize(
    "lines",
    [(), ("",), ("yes", PIN), ("8.21", PIN), ("8.2", PIN), (TOTAL,), (TOTAL, ""), (TOTAL, OTHER), (TOTAL, f"{PIN}0"),
     (TOTAL, "four zero two nine one five"), (TOTAL, "\udcff"), (PIN, TOTAL)],
)  # fmt: skip
def test_whatever_is_not_exactly_right_buys_nothing(home, lines):
    code, _, told, _ = home.checkout(*lines)
    assert code == 2 and "Nothing was bought" in told
    home.nothing_was_bought()


def test_wrong_pins_lock_out_the_right_one(home):
    home.config.write_text("[pay]\nlockout_failures = 2\nlockout_seconds = 600\n")
    assert [home.checkout(TOTAL, OTHER)[0] for _ in range(2)] == [2, 2]
    code, _, told, unread = home.checkout(TOTAL, PIN)
    assert code == 2 and "taking a break" in told and unread == f"{TOTAL}\n{PIN}\n", "no PIN is asked for"
    home.nothing_was_bought()


@pytest.mark.parametrize("pin", [PIN, OTHER])
def test_pins_that_are_tried_at_the_same_time_are_no_more_tries(home, monkeypatch, pin):
    home.config.write_text("[pay]\nlockout_failures = 2\nlockout_seconds = 600\n")
    owner = Pins.owner

    def while_others_try(pins, given, among):
        wrong = AuthorisationRequest("17", dollars("1.00"))
        for _ in range(2):
            home.household.audit.decided(wrong, Declined(DeclineReason.WRONG_PIN), {}, by_pin=True)
        return owner(pins, given, among)

    monkeypatch.setattr(Pins, "owner", while_others_try)
    code, _, told, _ = home.checkout(TOTAL, pin)
    assert code == 2 and "taking a break" in told and "PIN" not in told, "nor is it told whether it was right"
    home.nothing_was_bought()


@pytest.mark.parametrize(
    ("pay", "told"),
    [
        ("pin_limit = 819", "can't be paid with a PIN"),
        ("order_limit = 819", "more than may be paid"),
        ('adult_categories = ["bakery"]', "can't be paid with a PIN"),
        ('guarded_categories = [["bakery", 100]]', "can't be paid with a PIN"),
        ('quiet_hours = "00:00-23:59"\n', "at this time of day"),
    ],
)
def test_the_limits_are_those_of_a_spoken_pin(home, pay, told):
    home.shop.store.import_catalog([replace(one, category="Food/Bakery") for one in PRODUCTS])
    home.config.write_text(f"[pay]\n{pay}\n")
    code, _, said, unread = home.checkout(TOTAL, PIN)
    assert code == 2 and told in said and PIN in unread
    home.nothing_was_bought()


def test_the_day_limit_counts_what_was_paid_before(home):
    home.config.write_text("[pay]\nday_limit = 1000\n")
    assert home.checkout(TOTAL, PIN)[0] == 0
    home.shop.store.save_cart(cart_of((OAT, 1)))
    code, _, told, _ = home.checkout("3.00", PIN)
    assert code == 2 and "in one day" in told and len(home.shop.store.orders()) == 1
    check_books(home.shop)


def test_without_a_pin_in_the_household_nobody_is_asked(home):
    home.household.pins.remove("ann")
    code, _, told, unread = home.checkout(TOTAL, PIN)
    assert code == 2 and "voices pin" in told and unread
    home.nothing_was_bought()


@pytest.mark.parametrize(
    ("products", "told"),
    [
        ((OAT, LATTE), "no longer sold"),
        ((replace(OAT, price=dollars("3.10")), BREAD), "price has changed"),
        ((OAT, replace(BREAD, stock=0)), "out of stock"),
    ],
)
def test_a_cart_that_the_shop_cannot_serve_is_not_paid(home, products, told):
    home.shop.store.import_catalog(products)
    code, _, said, unread = home.checkout(TOTAL, PIN)
    assert code == 2 and told in said and PIN in unread
    home.nothing_was_bought()


def test_a_provider_that_cannot_be_asked_buys_nothing(home, monkeypatch):
    def away(self, order_id, amount):
        raise PaymentUnavailable("no line")

    monkeypatch.setattr(Wallet, "authorise", away)
    code, _, told, _ = home.checkout(TOTAL, PIN)
    assert code == 2 and "Payments aren't working" in told
    home.nothing_was_bought()


def test_a_death_between_money_and_order_is_mended_by_the_next_checkout(home, monkeypatch):
    def dies(self, *given, **named):
        raise SystemExit(137)

    with monkeypatch.context() as dying:
        dying.setattr(Store, "complete_order", dies)
        dying.setattr(Store, "abandon_order", dies)
        with pytest.raises(SystemExit):
            home.checkout(TOTAL, PIN)
    assert home.shop.wallet.balance() < OPENING and home.shop.store.orders() == ()
    assert home.checkout(TOTAL, PIN)[0] == 0
    assert home.shop.wallet.balance() == OPENING - dollars(TOTAL) and len(home.shop.store.orders()) == 1
    check_books(home.shop)


def test_another_cart_than_the_one_that_was_read_back_is_not_paid(home):
    checkout = Checkout(home.household.parts, home.household)
    purchase = checkout.begin()
    home.shop.store.save_cart(CART.add(cart_of((LATTE, 1)).lines[0]))
    with pytest.raises(OrderError, match="changed"):
        checkout.pay(purchase, PIN)
    assert home.shop.store.orders() == () and home.shop.wallet.balance() == OPENING


def test_when_two_pay_for_one_cart_it_is_bought_once(home):
    store, wallet = home.shop.store, home.shop.wallet
    orders = [store.begin_order(CART, key) for key in ("by voice", "by PIN")]
    assert {wallet.authorise(order.id, order.total) for order in orders} == {Answer.APPROVED}
    store.complete_order(orders[0].id, of_cart=True)
    with pytest.raises(OrderError, match="cart has changed"):
        store.complete_order(orders[1].id, of_cart=True)
    store.abandon_order(orders[1].id)
    assert len(store.orders()) == 1 and wallet.balance() == OPENING - dollars(TOTAL)
    check_books(home.shop)


def at_a_terminal(home: Home, *typed: str) -> tuple[int, str]:
    """Exit code and everything that stood on the screen."""
    person, program = pty.openpty()
    command = [sys.executable, "-m", "assistant", "checkout", "--state", str(home.state), "--config", str(home.config)]
    child = subprocess.Popen(command, stdin=program, stdout=program, stderr=program, start_new_session=True)
    os.close(program)
    screen, answers = b"", list(typed)
    with contextlib.suppress(OSError):  # the terminal's end
        while block := os.read(person, 4096):
            screen += block
            if answers and (screen.endswith(b"yes: ") or screen.endswith(b"PIN: ")):
                os.write(person, answers.pop(0).encode())
    os.close(person)
    return child.wait(120), screen.decode()


def test_a_person_at_a_terminal_says_yes_and_types_a_pin_that_nobody_sees(home):
    code, screen = at_a_terminal(home, "no\n")
    assert code == 2 and "Total: 8.20 USD" in screen and "not confirmed" in screen and "PIN:" not in screen
    home.nothing_was_bought()
    code, screen = at_a_terminal(home, "yes\n", f"{PIN}\n")
    assert code == 0 and "is paid: 8.20 USD" in screen and PIN not in screen
    assert len(home.shop.store.orders()) == 1


def test_without_a_terminal_a_script_says_that_it_is_one(home, capsys, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO(f"yes\n{PIN}\n"))
    assert main(["checkout", "--state", str(home.state)]) == 2
    assert "--from-stdin" in capsys.readouterr().err
    home.nothing_was_bought()
