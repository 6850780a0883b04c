"""``voicecart models``: lists, verifies and installs models."""

import argparse
import sys

from assistant.commands.main import Subcommands
from assistant.errors import ModelDamaged, ModelMissing, UsageError
from assistant.model_installation import install_model
from assistant.models import MANIFEST, ModelEntry, locate_model, read_index, verify_model


def register(subcommands: Subcommands) -> None:
    """Adds the command."""
    parser = subcommands.add_parser("models", help="list, verify or install models")
    parser.add_argument("action", nargs="?", choices=("list", "verify", "install"), default="list")
    parser.add_argument("name", nargs="?", help="one model (verify: all when absent)")
    parser.add_argument("--from", dest="source", metavar="PATH", help="archive, folder or address to install from")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Does what was asked; 1 when a model is damaged."""
    if options.source and options.action != "install":
        raise UsageError("--from belongs to 'voicecart models install NAME'.")
    match options.action:
        case "install":
            return _install(options.name, options.source)
        case "verify":
            return _verify(options.name)
        case _:
            return _list()


def _list() -> int:
    from rich.console import Console
    from rich.table import Table

    table = Table("model", "for", "language", "MB", "licence", "state", box=None, header_style="bold")
    for entry in read_index().values():
        table.add_row(entry.name, entry.kind, entry.language, str(entry.megabytes), entry.licence, _state(entry))
    Console().print(table)
    return 0


def _state(entry: ModelEntry) -> str:
    try:
        folder = locate_model(entry.name)
        verify_model(folder)
    except ModelDamaged:
        return "damaged"
    except ModelMissing:
        return "not installed" if entry.source else "missing"
    return str(folder)


def _verify(name: str | None) -> int:
    damaged = 0
    for candidate in [name] if name else list(read_index()):
        try:
            folder = locate_model(candidate)
            verify_model(folder, thorough=True)
        except ModelMissing:
            if name:
                raise
            print(f"{candidate}: not there")
            continue
        except ModelDamaged as error:
            print(f"{candidate}: {error.message}", file=sys.stderr)
            damaged += 1
            continue
        known = (folder / MANIFEST).is_file()
        print(f"{candidate}: " + ("whole" if known else f"there, but without checksums ({MANIFEST}) to verify"))
    return 1 if damaged else 0


def _install(name: str | None, source: str | None) -> int:
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

    entry = read_index().get(name or "")
    if entry is None:
        raise UsageError(f"There is no model {name!r} to install; 'voicecart models' lists them.")
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Progress(*columns) as bar:
        tasks: dict[str, int] = {}

        def show(file: str, done: int, total: int) -> None:
            if file not in tasks:
                tasks[file] = bar.add_task(file, total=total or None)
            bar.update(tasks[file], completed=done)  # type: ignore[arg-type]

        folder = install_model(entry, source, show)
    checked = "its checksum fits the list of models" if entry.sha256 else "the list of models holds no checksum for it"
    print(f"{entry.name} is installed in {folder}; {checked}; {MANIFEST} there is verified from now on.")
    return 0
