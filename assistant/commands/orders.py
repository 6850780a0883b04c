"""``voicecart orders``: what was bought, with receipts, and cancelling what is not on its way yet."""

import argparse
import json
from collections.abc import Mapping

from assistant.commands.main import Subcommands
from assistant.errors import UsageError
from assistant.shop.orders import Order
from assistant.shop.receipt import receipt, render_receipt
from assistant.shop.refunds import Gone, ReturnedUnits, refund_of
from assistant.shop.store import Store
from assistant.storefront import open_storefront


def register(subcommands: Subcommands) -> None:
    """Adds the command."""
    parser = subcommands.add_parser(
        "orders",
        help="list orders, show a receipt, cancel an order",
        description="Orders that were paid. 'show' prints a receipt; 'cancel' gives the money back as long as the "
        "order is not on its way.",
    )
    parser.add_argument("action", nargs="?", choices=("list", "show", "cancel"), default="list")
    parser.add_argument("id", nargs="?", metavar="ID", help="number of an order")
    parser.add_argument("--json", action="store_true", help="one order per line, as JSON; amounts in minor units")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Does what was asked."""
    if (options.id is None) != (options.action == "list"):
        raise UsageError(
            "'voicecart orders list' takes no number."
            if options.action == "list"
            else f"Which order? 'voicecart orders {options.action} ID'; 'voicecart orders' lists them."
        )
    shop = open_storefront(options.settings, options.state)
    store, gone = shop.store, shop.errands.returns.gone()
    language = options.settings.understand.language
    match options.action:
        case "show":
            order = store.order(options.id)
            of_it = gone.get(order.id, {})
            print(
                _line(order, language, of_it) if options.json else render_receipt(receipt(order, language, gone=of_it))
            )
        case "cancel":
            order = store.cancel_order(options.id)
            total = f"{order.total.decimal()} {order.total.currency}"
            print(
                _line(order, language, {})
                if options.json
                else f"Order {order.id} is cancelled; {total} were given back."
            )
        case _:
            _list(store, gone, language, options.json)
    return 0


def _list(store: Store, gone: Mapping[str, Gone], language: str, as_json: bool) -> None:
    orders = store.orders(limit=None)
    if as_json:
        for order in orders:
            print(_line(order, language, gone.get(order.id, {})))
        return
    if not orders:
        print("There are no orders yet.")
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table("order", "begun", "status", "what", "total", box=None, header_style="bold")
    for order in orders:
        begun = order.history[0].at.astimezone().strftime("%Y-%m-%d %H:%M")
        what = ", ".join(f"{line.quantity} × {line.name(language)}" for line in order.lines)
        total = f"{order.total.decimal()} {order.total.currency}"
        table.add_row(order.id, begun, order.status.words, Text(what), Text(total, justify="right"))
    Console().print(table)


def _line(order: Order, language: str, gone: Gone) -> str:
    returned = [
        {"line": line, "quantity": quantity, "refund": refund_of(order, ReturnedUnits(line, quantity)).minor}
        for line, quantity in sorted(gone.items())
    ]
    return json.dumps(order.to_json(language) | {"returned": returned}, ensure_ascii=False)
