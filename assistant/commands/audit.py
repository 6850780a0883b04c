"""``voicecart audit``: what happened to voices and payments, and whether anybody changed that record."""

import argparse
import json

from assistant.commands.main import Subcommands
from assistant.pay.audit import AuditEntry, AuditTrail
from assistant.storefront import open_shop_database


def register(subcommands: Subcommands) -> None:
    """Adds the command."""
    parser = subcommands.add_parser(
        "audit",
        help="the record of enrolments, challenges and payment decisions: show, verify",
        description="Shows the record of enrolments, challenges and payment decisions, or verifies that nobody changed "
        "it. It holds names, reasons and scores; no sound, no voice templates, no digits.",
    )
    parser.add_argument("action", nargs="?", choices=("show", "verify"), default="show")
    parser.add_argument("--json", action="store_true", help="show: one line of JSON per entry")
    parser.add_argument(
        "--seal", metavar="SEAL", help="verify: one that was noted down earlier must still be in the record"
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Does what was asked; returns 1 when the record was changed."""
    trail = AuditTrail(
        open_shop_database(options.settings, options.state), options.settings.shop.household, options.state
    )
    if options.action == "verify":
        return _verify(trail, options.seal)
    for entry in trail.entries():
        print(_as_json(entry) if options.json else _readable(entry))
    return 0


def _as_json(entry: AuditEntry) -> str:
    content = {"number": entry.number, "at": entry.at.isoformat(), "kind": str(entry.kind)}
    return json.dumps(content | {"details": dict(entry.details), "seal": entry.seal}, ensure_ascii=False)


def _readable(entry: AuditEntry) -> str:
    details = ", ".join(f"{key} {value}" for key, value in entry.details.items() if value not in ("", None, {}))
    return f"{entry.number:6}  {entry.at.astimezone():%Y-%m-%d %H:%M:%S}  {entry.kind:10}  {details}"


def _verify(trail: AuditTrail, seal: str | None) -> int:
    found = trail.verify()
    if found.broken is not None:
        print(f"Entry {found.broken} of {found.entries} is not as it was written, or one before it is missing.")
        return 1
    if seal and seal not in {entry.seal for entry in trail.entries()}:
        print("The entry with that seal is missing: the record was cut off or replaced since.")
        return 1
    newest = f" Newest seal: {found.seal}" if found.seal else ""
    print(f"All {found.entries} entries are as they were written.{newest}")
    return 0
