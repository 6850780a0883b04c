"""``voicecart voices``: who is enrolled; deleting and renaming voices."""

import argparse
import json
from collections.abc import Sequence

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from assistant.commands.main import Subcommands
from assistant.errors import EnrolmentError, UsageError
from assistant.pay.enrolment import check_written_name
from assistant.pay.voices import Voice, Voices
from assistant.shop.database import open_database


def register(subcommands: Subcommands) -> None:
    """Adds the command."""
    parser = subcommands.add_parser(
        "voices",
        help="enrolled voices: list, delete, rename",
        description="list: who may pay by voice. delete NAME: deletes a voice for good. rename OLD NEW.",
    )
    parser.add_argument("action", nargs="?", choices=("list", "delete", "rename"), default="list")
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--json", action="store_true", help="list: one line of JSON per voice")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Does what was asked.

    Raises:
        UsageError: Too many names, or too few.
        EnrolmentError: There is no such voice, or the new name cannot be given.
    """
    voices = Voices(open_database(options.state), options.settings.shop.household, options.state)
    match options.action, options.names:
        case "list", []:
            _list(voices.list(), as_json=options.json)
        case "delete", [name]:
            if not voices.delete(name):
                raise EnrolmentError(f"Nobody is enrolled as {name!r}. 'voicecart voices' lists who is.")
            print(f"The voice of {name} is deleted.")
        case "rename", [old, new]:
            check_written_name(new)
            voices.rename(old, new)
            print(f"The voice of {old} is that of {new} now.")
        case _:
            raise UsageError("Write 'voicecart voices list', 'delete NAME' or 'rename OLD NEW'.")
    return 0


def _list(enrolled: Sequence[Voice], *, as_json: bool) -> None:
    if as_json:
        for voice in enrolled:
            when = voice.enrolled_at.isoformat()
            line = {"name": voice.name, "takes": voice.takes, "enrolled_at": when, "model": voice.model}
            print(json.dumps(line, ensure_ascii=False))
        return
    if not enrolled:
        print("Nobody is enrolled, so nobody can pay by voice. 'voicecart enroll NAME' changes that.")
        return
    table = Table("name", "enrolled", "takes", "speaker encoder", box=None, header_style="bold")
    for voice in enrolled:
        when = f"{voice.enrolled_at.astimezone():%Y-%m-%d %H:%M}"
        table.add_row(escape(voice.name), when, str(voice.takes), voice.model[:12])
    Console().print(table)
