"""``voicecart wallet``: the built-in test wallet with its play money."""

import argparse
import json

from assistant.commands.main import Subcommands
from assistant.errors import UsageError
from assistant.pay.ledger import Payment
from assistant.shop.money import Money
from assistant.storefront import open_storefront


def register(subcommands: Subcommands) -> None:
    """Adds the command."""
    parser = subcommands.add_parser(
        "wallet", help="balance and newest 50 movements of the built-in test wallet, or a top-up with play money"
    )
    parser.add_argument("action", nargs="?", choices=("balance", "top-up", "history"), default="balance")
    parser.add_argument("amount", nargs="?", metavar="AMOUNT", help="for top-up, such as 25.00")
    parser.add_argument("--json", action="store_true", help="as JSON; amounts in minor units")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Does what was asked."""
    if (options.amount is not None) != (options.action == "top-up"):
        raise UsageError("An amount belongs to 'voicecart wallet top-up AMOUNT', and to nothing else.")
    wallet = open_storefront(options.settings, options.state).wallet
    if wallet is None:
        raise UsageError(
            f'The built-in wallet is not in use: pay.provider is "{options.settings.pay.provider}", which keeps its own'
            " books. 'voicecart orders' shows what was bought."
        )
    match options.action:
        case "history":
            _history(wallet.history(), options.json)
        case "top-up":
            try:
                balance = wallet.top_up(Money.parse(options.amount, options.settings.shop.currency))
            except ValueError as error:
                raise UsageError(f"The wallet was not topped up: {error}.") from error
            _balance(balance, options.json)
        case _:
            _balance(wallet.balance(), options.json)
    return 0


def _balance(balance: Money, as_json: bool) -> None:
    fields = {"balance": balance.minor, "currency": balance.currency}
    print(json.dumps(fields) if as_json else f"{balance.decimal()} {balance.currency}")


def _history(payments: tuple[Payment, ...], as_json: bool) -> None:
    if as_json:
        for payment in payments:
            money = {"amount": payment.amount.minor, "currency": payment.amount.currency}
            what = {"movement": str(payment.movement), "for": payment.key}
            print(json.dumps({"at": payment.at.isoformat()} | what | money, ensure_ascii=False))
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table("at", "what", "for", "amount", box=None, header_style="bold")
    for payment in payments:
        at = payment.at.astimezone().strftime("%Y-%m-%d %H:%M")
        amount = Text(f"{payment.amount.decimal()} {payment.amount.currency}", justify="right")
        table.add_row(at, payment.movement.replace("_", "-"), Text(payment.key), amount)
    Console().print(table)
