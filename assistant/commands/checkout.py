"""``voicecart checkout``: a person at the keyboard pays the household's cart with a typed PIN."""

import argparse
import contextlib
import getpass
import json
import sys
from dataclasses import dataclass
from typing import TextIO

from assistant.commands.main import Subcommands
from assistant.errors import OrderError, UsageError, VoicecartError
from assistant.household import Household
from assistant.parts import Parts
from assistant.pay.demands import Demands, demands_of
from assistant.pay.outcome import AuthorisationRequest, Authorised, Declined
from assistant.pay.pin_payment import PinPayment
from assistant.shop.cart import Cart
from assistant.shop.money import Money
from assistant.shop.orders import Order
from assistant.storefront import offer_of
from assistant.talk.actions import Say
from assistant.talk.settling import fit_to_shop
from assistant.talk.situation import Knowledge

_NOT_CONFIRMED = "It was not confirmed. Nothing was bought; the cart is kept."


def register(subcommands: Subcommands) -> None:
    """Adds the command."""
    parser = subcommands.add_parser(
        "checkout",
        help="pay the cart with a typed PIN",
        description="Reads the household's cart and its total back, asks for a yes and for an adult's PIN, and pays. "
        "The limits, the pauses after failures and the record are those of paying by voice, with pay.pin_limit; what "
        "needs a voice is not paid. Exit code 2 when nothing was bought.",
    )
    parser.add_argument(
        "--from-stdin",
        action="store_true",
        help="read two lines from standard input in place of a terminal: the total, such as 12.50, in place of a yes, "
        "and the PIN",
    )
    parser.add_argument("--json", action="store_true", help="print the order as JSON; amounts in minor units")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Pays the cart, or says why not.

    Raises:
        UsageError: There is no terminal to ask at.
        OrderError: There is nothing to buy, the shop has changed, or it was not confirmed.
        VoicecartError: The shop or the payment provider cannot be used; nothing was bought.
    """
    if not options.from_stdin and not sys.stdin.isatty():
        raise UsageError(
            "There is no terminal to ask at. A script says --from-stdin and gives the total and the PIN, a line each."
        )
    language = options.settings.understand.language
    parts = Parts(options.settings, offer_of(options.settings, options.state, None), options.state)
    checkout = Checkout(parts, Household(parts, options.state))
    purchase = checkout.begin()
    _read_back(purchase, language, sys.stderr if options.json else sys.stdout)
    outcome = checkout.obstacle(purchase) or checkout.pay(
        purchase, (_ask_script if options.from_stdin else _ask_person)(purchase.total)
    )
    if isinstance(outcome, Say):
        print(f"voicecart: {parts.replies.render(outcome)} Nothing was bought; the cart is kept.", file=sys.stderr)
        return 2
    paid = f"Order {outcome.id} is paid: {_words(outcome.total)}."
    print(json.dumps(outcome.to_json(language), ensure_ascii=False) if options.json else paid)
    return 0


@dataclass(frozen=True)
class Purchase:
    """What was read back: this cart for this total, and what its products demand."""

    cart: Cart
    total: Money
    demands: Demands


class Checkout:
    """The purchase of a household's cart with a PIN: once or not at all, whoever else is paying.

    Args:
        parts: Language and settings.
        household: Whose.
    """

    def __init__(self, parts: Parts, household: Household) -> None:
        self._parts = parts
        self._household = household
        self._settings = parts.settings.pay
        self._payment = PinPayment(
            household.voices, household.pins, household.provider, household.audit, self._settings, household.clock
        )

    def begin(self) -> Purchase:
        """What there is to buy, to be read back; what a program that died left unpaid is given up first.

        Raises:
            OrderError: There is nothing to buy, the shop has changed, or nobody has a PIN.
            VoicecartError: The shop cannot be used.
        """
        store = self._household.store
        self._household.provider.check()
        store.recover()
        cart = store.cart()
        if not cart:
            raise OrderError("The cart is empty. There is nothing to buy.")
        if not self._household.pins.names():
            raise OrderError("Nobody has a PIN. 'voicecart voices pin NAME' gives an adult one. Nothing was bought.")
        products = store.shelf()
        language = self._parts.settings.understand.language
        fitted, notices = fit_to_shop(cart, Knowledge(products=products, cart=cart, language=language))
        if fitted != cart:
            told = " ".join(self._parts.replies.render(notice) for notice in notices)
            raise OrderError(f"{told} Nothing was bought. Ask the device for the cart, and order anew.".strip())
        total = store.prices.pricing().bill(cart, products).total
        return Purchase(cart, total, demands_of(cart.lines, products, self._settings))

    def obstacle(self, purchase: Purchase) -> Say | None:
        """Why no PIN may pay this, known before anybody types one; None when one may.

        Raises:
            StoreError: The audit trail cannot be read.
        """
        reason = self._payment.objection(AuthorisationRequest("", purchase.total, purchase.demands))
        return None if reason is None else Say(f"declined.{reason}")

    def pay(self, purchase: Purchase, pin: str) -> Order | Say:
        """The paid order, or why there is none.

        Args:
            purchase: What was read back and confirmed.
            pin: What was typed.

        Raises:
            OrderError: The cart, a price or the stock has changed since it was read back.
            VoicecartError: The shop cannot be used.
        """
        store, errands = self._household.store, self._household.errands
        if store.cart() != purchase.cart:
            raise OrderError("The cart has changed since it was read back. Nothing was bought.")
        key = f"{self._household.randomness.getrandbits(128):032x}"
        order = store.begin_order(purchase.cart, key, purchase.total)
        try:
            errands.send(order.id, next(iter(errands.addresses.all()), None))
            request = AuthorisationRequest(order.id, order.total, purchase.demands)
            match self._payment.pay(request, pin):
                case Authorised():
                    return store.complete_order(order.id, of_cart=True)
                case Declined(reason=reason):
                    return Say(f"declined.{reason}")
                case _:
                    return Say("payment_unavailable")
        finally:
            # An order that is paid stays as it is; one that cannot be given up now is given up at the next start.
            with contextlib.suppress(VoicecartError):
                store.abandon_order(order.id)


def _read_back(purchase: Purchase, language: str, out: TextIO) -> None:
    """Prints the cart and what it costs."""
    for line in purchase.cart.lines:
        options = "".join(f", {value}" for value in line.options.values())
        print(f"{line.quantity} × {line.name(language)}{options}: {_words(line.total)}", file=out)
    difference = purchase.total - purchase.cart.total
    if difference.minor:
        print(f"promotions, deposits and taxes: {_words(difference)}", file=out)
    print(f"Total: {_words(purchase.total)}", file=out)


def _ask_person(total: Money) -> str:
    """The PIN of a person who has said yes.

    Raises:
        OrderError: They have not.
    """
    try:
        if input(f"Buy it for {_words(total)}? Type yes: ").strip().lower() != "yes":
            raise OrderError(_NOT_CONFIRMED)
        return getpass.getpass("PIN: ")
    except EOFError as error:
        raise OrderError(_NOT_CONFIRMED) from error


def _ask_script(total: Money) -> str:
    """The PIN from standard input, after the total: a script cannot say yes to what it has not read.

    Raises:
        OrderError: The total is another one.
    """
    if sys.stdin.readline().strip() not in (total.decimal(), _words(total)):
        raise OrderError(_NOT_CONFIRMED)
    return sys.stdin.readline().strip()


def _words(money: Money) -> str:
    return f"{money.decimal()} {money.currency}"
