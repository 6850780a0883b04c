"""``voicecart config``: what the settings are, and what every key means."""

import argparse
import dataclasses
import json

from assistant.commands.main import Subcommands
from assistant.settings_file import explain


def register(subcommands: Subcommands) -> None:
    """Adds the command."""
    parser = subcommands.add_parser("config", help="show the settings in force, or explain every key")
    parser.add_argument("--explain", action="store_true", help="every key with its default, meaning and unit, as TOML")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Prints TOML: the settings in force, or with ``--explain`` the documented defaults."""
    in_force = dataclasses.asdict(options.settings)
    section = ""
    for key, default, description in explain():
        table, name = key.split(".")
        if table != section:
            print(f"{chr(10) if section else ''}[{table}]")
            section = table
        value = default if options.explain else in_force[table][name]
        if options.explain:
            print(f"# {description}")
        # JSON's strings, numbers and booleans are valid TOML; a key without a value is shown as a comment.
        print(f"# {name} is not set" if value is None else f"{name} = {json.dumps(value)}")
    return 0
