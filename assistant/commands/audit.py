"""``voicecart audit``: what happened to voices and payments, and whether anybody changed that record."""

import argparse
import json

from assistant.commands.main import Subcommands
from assistant.errors import UsageError
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
    parser.add_argument("--json", action="store_true", help="one line of JSON per entry, or of what verify found")
    parser.add_argument(
        "--seal", metavar="SEAL", help="verify: one that was noted down earlier must still be in the record"
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Does what was asked; returns 1 when the record was changed.

    Raises:
        UsageError: A seal, and nothing to be verified with it.
        StoreError: The database or the key cannot be used.
    """
    if options.seal is not None and options.action != "verify":
        raise UsageError("A seal belongs to 'voicecart audit verify --seal SEAL'.")
    trail = AuditTrail(
        open_shop_database(options.settings, options.state), options.settings.shop.household, options.state
    )
    if options.action == "verify":
        return _verify(trail, options.seal, as_json=options.json)
    for entry in trail.entries():
        print(_as_json(entry) if options.json else _readable(entry))
    return 0


def _as_json(entry: AuditEntry) -> str:
    content = {"number": entry.number, "at": entry.at.isoformat(), "kind": str(entry.kind)}
    return json.dumps(content | {"details": dict(entry.details), "seal": entry.seal}, ensure_ascii=False)


def _readable(entry: AuditEntry) -> str:
    details = ", ".join(f"{key} {value}" for key, value in entry.details.items() if value not in ("", None, {}))
    return f"{entry.number:6}  {entry.at.astimezone():%Y-%m-%d %H:%M:%S}  {entry.kind:10}  {details}"


def _verify(trail: AuditTrail, seal: str | None, *, as_json: bool) -> int:
    found = trail.verify()
    # An empty seal is one that a script failed to read: it is in no record.
    cut_off = found.broken is None and seal is not None and seal not in {entry.seal for entry in trail.entries()}
    if as_json:
        print(json.dumps({"entries": found.entries, "broken": found.broken, "cut_off": cut_off, "seal": found.seal}))
    elif found.broken is not None:
        print(f"Entry {found.broken} of {found.entries} is not as it was written, or one before it is missing.")
        if found.broken == 1:
            print("When that is so of all entries, audit.key is not the key that they were written with: restore it.")
    elif cut_off:
        print("The entry with that seal is missing: the record was cut off or replaced since.")
    else:
        newest = f" Newest seal: {found.seal}" if found.seal else ""
        print(f"All {found.entries} entries are as they were written.{newest}")
    return int(found.broken is not None or cut_off)
