"""``voicecart service``: the daemon under systemd."""

import argparse

from assistant.commands.main import Subcommands
from assistant.service import unit


def register(subcommands: Subcommands) -> None:
    """Adds the command."""
    parser = subcommands.add_parser(
        "service", help="install, uninstall or ask about the systemd service (the machine's as root, else your own)"
    )
    parser.add_argument("action", choices=("install", "uninstall", "status"))
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Does what was asked and says so."""
    match options.action:
        case "install":
            print(unit.install(options.config))
        case "uninstall":
            print(unit.uninstall())
        case _:
            print(unit.status())
    return 0
