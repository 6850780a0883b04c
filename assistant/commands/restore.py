"""``voicecart restore``: puts a backup in the place of the shop."""

import argparse
from pathlib import Path

from assistant.commands.backup import refuse_server
from assistant.commands.main import Subcommands
from assistant.shop.backup import check_backup, restore
from assistant.shop.database import database_file
from assistant.storefront import open_shop_database


def register(subcommands: Subcommands) -> None:
    """Adds the command."""
    parser = subcommands.add_parser(
        "restore",
        help="put a backup in the place of the shop",
        description="Puts what 'voicecart backup FILE' saved in the place of the shop, all of it or nothing, after "
        "checking that it is whole. Stop the device first. The shop as it was before is kept beside the database.",
    )
    parser.add_argument("file", type=Path, metavar="FILE")
    parser.add_argument("--check", action="store_true", help="only look whether the backup is whole and can be used")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Restores or checks.

    Raises:
        UsageError: The shop is on a PostgreSQL server.
        StoreError: The backup cannot be used, or not be put in place; the shop is as it was.
    """
    if options.check:
        print(f"The backup {options.file} is whole (schema {check_backup(options.file)}).")
        return 0
    refuse_server(options.settings, f"pg_restore --clean --if-exists --single-transaction {options.file}", "--dbname=")
    before = restore(options.file, database_file(options.state, options.settings.shop.database))
    # A backup of an earlier version is brought up to date now, not when somebody wants to buy.
    open_shop_database(options.settings, options.state).dispose()
    print(f"The shop is as {options.file} has it." + (f" What was there before is in {before}." if before else ""))
    return 0
