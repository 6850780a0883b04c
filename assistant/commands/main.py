"""The program ``voicecart``: reads the options all commands share and hands over to one of them."""

import argparse
import importlib
import os
import pkgutil
import sys
from collections.abc import Sequence
from pathlib import Path

from assistant import __version__, commands
from assistant.errors import VoicecartError
from assistant.settings_file import read_settings, settings_path, state_folder


def build_parser() -> argparse.ArgumentParser:
    """The parser with all commands; each module of this package adds its own."""
    parser = argparse.ArgumentParser(
        prog="voicecart", description="A smart speaker that sells: order, confirm and pay by voice, without a cloud."
    )
    parser.add_argument("--version", action="version", version=f"voicecart {__version__}")
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument("--config", type=Path, metavar="FILE", help=f"settings (default: {settings_path()})")
    shared.add_argument(
        "--state", type=Path, metavar="DIR", help=f"database and compiled graphs (default: {state_folder()})"
    )
    subparsers = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for module in pkgutil.iter_modules(commands.__path__):
        if module.name != "main":
            importlib.import_module(f"assistant.commands.{module.name}").register(Subcommands(subparsers, shared))
    return parser


class Subcommands:
    """What a command module gets to add itself: the sub-parsers, with the shared options already in place."""

    def __init__(
        self, subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]", shared: argparse.ArgumentParser
    ) -> None:
        self._subparsers = subparsers
        self._shared = shared

    def add_parser(self, name: str, *, help: str, description: str | None = None) -> argparse.ArgumentParser:
        """A new command with the shared options; without a description the help line serves as one."""
        return self._subparsers.add_parser(name, parents=[self._shared], help=help, description=description or help)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command; returns the exit code (0 done, 1 partly, 2 refused, 130 interrupted)."""
    try:
        options = build_parser().parse_args(arguments)
        options.settings = read_settings(options.config)
        options.state = options.state or state_folder()
        return int(options.run(options))
    except VoicecartError as error:
        print(f"voicecart: {error.message}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # The reader of a pipe went away (`voicecart … | head`): quiet, as other filters are.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except OSError as error:
        # A folder that cannot be written, a full disk: whatever no command has a sentence of its own for.
        place = f"{error.filename}: " if error.filename else ""
        print(f"voicecart: {place}{error.strerror or error}. Free space, or name another place.", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
