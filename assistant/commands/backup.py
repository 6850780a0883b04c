"""``voicecart backup``: a copy of the shop while it is in use."""

import argparse
from pathlib import Path

from assistant.commands.main import Subcommands
from assistant.errors import UsageError
from assistant.settings import Settings
from assistant.shop import postgresql
from assistant.shop.backup import back_up, checksum_of
from assistant.shop.database import database_file


def register(subcommands: Subcommands) -> None:
    """Adds the command."""
    parser = subcommands.add_parser(
        "backup",
        help="copy the shop to a file, while it is in use",
        description="Copies catalog, carts, orders, wallet and voices to FILE as they are at one moment, and writes "
        "the checksum to FILE.sha256. The keys of voices and PINs are not in it: keep the state folder's .key files "
        "elsewhere. 'voicecart restore FILE' puts it back.",
    )
    parser.add_argument("file", type=Path, metavar="FILE")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Makes the backup.

    Raises:
        UsageError: The shop is on a PostgreSQL server.
        StoreError: No backup could be made.
    """
    refuse_server(options.settings, f"pg_dump --format=custom --file={options.file}", "")
    back_up(database_file(options.state, options.settings.shop.database), options.file)
    print(f"The shop is saved in {options.file}, its checksum in {checksum_of(options.file).name}.")
    return 0


def refuse_server(settings: Settings, program: str, option: str) -> None:
    """Says what to do where PostgreSQL's own programs are to be used.

    Raises:
        UsageError: The shop is on a PostgreSQL server.
    """
    address = settings.shop.database
    if postgresql.is_address(address):
        place = postgresql.without_password(address)
        raise UsageError(f'The shop is on a PostgreSQL server: {program} {option}"{place}".')
