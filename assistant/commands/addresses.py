"""``voicecart addresses``: where a household has things delivered."""

import argparse
import json

from assistant.commands.main import Subcommands
from assistant.errors import UsageError
from assistant.shop.addresses import AddressBook
from assistant.storefront import open_shop_database


def register(subcommands: Subcommands) -> None:
    """Adds the command."""
    parser = subcommands.add_parser(
        "addresses",
        help="where things are delivered: list, add, remove",
        description="list: the household's addresses; the first is where everything goes, and is read back before "
        "it is paid. add NAME TEXT: keeps one, such as 'home' '5 Elm Street'. remove NAME.",
    )
    parser.add_argument("action", nargs="?", choices=("list", "add", "remove"), default="list")
    parser.add_argument("rest", nargs="*", metavar="NAME|TEXT")
    parser.add_argument("--json", action="store_true", help="list: one address per line, as JSON")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Does what was asked.

    Raises:
        UsageError: Too many words, or too few.
        OrderError: The name or the address cannot be used, or there is none of that name.
    """
    book = AddressBook(open_shop_database(options.settings, options.state), options.settings.shop.household)
    match options.action, options.rest:
        case "list", []:
            found = book.all()
            for address in found:
                line = {"name": address.name, "text": address.text}
                print(json.dumps(line, ensure_ascii=False) if options.json else f"{address.name}: {address.text}")
            if not found and not options.json:
                print("There is no address yet. 'voicecart addresses add home '5 Elm Street'' adds one.")
        case "add", [name, text]:
            address = book.add(name, text)
            print(f"{address.name}: {address.text}")
        case "remove", [name]:
            book.remove(name)
            print(f"The address {name} is forgotten.")
        case _:
            raise UsageError("Write 'voicecart addresses list', 'add NAME TEXT' or 'remove NAME'.")
    return 0
