"""``voicecart voices``: who is enrolled; deleting and renaming voices."""

import argparse
import getpass
import json
import sys

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from assistant.commands.main import Subcommands
from assistant.errors import EnrolmentError, UsageError
from assistant.pay.enrolment import check_written_name
from assistant.pay.pins import Pins
from assistant.pay.roles import Role
from assistant.pay.voices import Voices
from assistant.storefront import open_shop_database


def register(subcommands: Subcommands) -> None:
    """Adds the command."""
    parser = subcommands.add_parser(
        "voices",
        help="enrolled voices: list, delete, rename, role, PIN",
        description="list: who may order and pay by voice. delete NAME: deletes a voice for good. rename OLD NEW. role "
        "NAME adult|child. pin NAME: sets the PIN that may stand in for a voice that was refused (pay.spoken_pin), "
        "asked for twice on a terminal and read from standard input elsewhere; with --remove it is taken away.",
    )
    parser.add_argument("action", nargs="?", choices=("list", "delete", "rename", "role", "pin"), default="list")
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--remove", action="store_true", help="pin: take it away")
    parser.add_argument("--json", action="store_true", help="list: one line of JSON per voice")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Does what was asked.

    Raises:
        UsageError: Too many names, or too few.
        EnrolmentError: There is no such voice, or the new name cannot be given.
    """
    engine, household = open_shop_database(options.settings, options.state), options.settings.shop.household
    voices, pins = Voices(engine, household, options.state), Pins(engine, household, options.state)
    match options.action, options.names:
        case "list", []:
            _list(voices, pins, as_json=options.json)
        case "delete", [name]:
            if not voices.delete(name):
                raise EnrolmentError(f"Nobody is enrolled as {name!r}. 'voicecart voices' lists who is.")
            print(f"The voice of {name} is deleted.")
        case "rename", [old, new]:
            check_written_name(new)
            voices.rename(old, new)
            print(f"The voice of {old} is that of {new} now.")
        case "role", [name, role] if role in set(Role):
            voices.change_role(name, Role(role))
            print(f"{name} is {'an adult' if role == Role.ADULT else 'a child'} now.")
        case "pin", [name]:
            _pin(voices, pins, name, remove=options.remove)
        case _:
            raise UsageError(
                "Write 'voicecart voices list', 'delete NAME', 'rename OLD NEW', 'role NAME adult|child' or 'pin NAME'."
            )
    return 0


def _pin(voices: Voices, pins: Pins, name: str, *, remove: bool) -> None:
    """Sets or removes a PIN; it is never shown."""
    if remove:
        print(f"{name} has no PIN now." if pins.remove(name) else f"{name} had no PIN.")
        return
    role = voices.roles().get(name)
    if role is not Role.ADULT:
        who = f"Nobody is enrolled as {name!r}." if role is None else f"{name} is a child, and only adults pay."
        raise EnrolmentError(f"{who} 'voicecart voices' lists who is enrolled.")
    if sys.stdin.isatty():
        pin = getpass.getpass(f"New PIN of {name}: ")
        if pin != getpass.getpass("Once more: "):
            raise EnrolmentError("The two were not the same. Nothing was changed.")
    else:
        pin = sys.stdin.readline().strip()
    pins.set(name, pin)
    print(f"{name} has a PIN now.")


def _list(voices: Voices, pins: Pins, *, as_json: bool) -> None:
    enrolled, roles, with_pin = voices.list(), voices.roles(), pins.names()
    if as_json:
        for voice in enrolled:
            when = voice.enrolled_at.isoformat()
            line = {"name": voice.name, "takes": voice.takes, "enrolled_at": when, "model": voice.model}
            line |= {"role": str(roles[voice.name]), "pin": voice.name in with_pin}
            print(json.dumps(line, ensure_ascii=False))
        return
    if not enrolled:
        print("Nobody is enrolled, so nobody can pay by voice. 'voicecart enroll NAME' changes that.")
        return
    table = Table("name", "role", "PIN", "enrolled", "takes", "speaker encoder", box=None, header_style="bold")
    for voice in enrolled:
        when = f"{voice.enrolled_at.astimezone():%Y-%m-%d %H:%M}"
        pin = "yes" if voice.name in with_pin else "no"
        table.add_row(escape(voice.name), str(roles[voice.name]), pin, when, str(voice.takes), voice.model[:12])
    Console().print(table)
