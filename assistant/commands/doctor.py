"""``voicecart doctor``: is everything there that the device needs, and what to do if not."""

import argparse
import json

from rich.console import Console
from rich.markup import escape

from assistant.commands.main import Subcommands
from assistant.service.checks import examine
from assistant.service.finding import Health

_MARKS = {Health.GOOD: "[green]✓[/]", Health.WARNING: "[yellow]![/]", Health.BAD: "[red]✗[/]"}


def register(subcommands: Subcommands) -> None:
    """Adds the command."""
    parser = subcommands.add_parser("doctor", help="check models, packages, sound devices, disk; say what is missing")
    parser.add_argument("--json", action="store_true", help="one check per line, as JSON")
    parser.add_argument("--ask-provider", action="store_true", help="also ask the payment provider over the network")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Prints the findings; returns 1 when something is bad."""
    console = Console(soft_wrap=True)
    worst = 0
    for finding in examine(options.settings, options.state, ask_provider=options.ask_provider):
        worst |= finding.health is Health.BAD
        if options.json:
            print(json.dumps(vars(finding), ensure_ascii=False))
            continue
        console.print(f"{_MARKS[finding.health]} [bold]{escape(finding.what)}[/]: {escape(finding.found)}")
        if finding.remedy:
            console.print(f"    → {escape(finding.remedy)}")
    return int(worst)
