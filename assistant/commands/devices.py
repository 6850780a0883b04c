"""``voicecart devices``: the speakers that may ask this shop's service, and their tokens."""

import argparse
import json

from assistant.commands.main import Subcommands
from assistant.errors import UsageError
from assistant.service.devices import Devices
from assistant.storefront import open_shop_database


def register(subcommands: Subcommands) -> None:
    """Adds the command."""
    parser = subcommands.add_parser(
        "devices",
        help="devices that may ask 'voicecart serve': add, list, revoke",
        description="add NAME --household H: prints the device's token once, on standard output; it goes into the file "
        "that shop.service_token_file of the device's settings names. list: every device. revoke NAME --household H: "
        "its token is invalid from then on.",
    )
    parser.add_argument("action", nargs="?", choices=("list", "add", "revoke"), default="list")
    parser.add_argument("name", nargs="?", metavar="NAME", help="what the device is called")
    parser.add_argument("--household", metavar="H", help="add, revoke: whose device (default: shop.household)")
    parser.add_argument("--json", action="store_true", help="list: one device per line, as JSON")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Does what was asked.

    Raises:
        UsageError: A name is missing, taken or unknown.
        StoreError: The database cannot be used.
    """
    if (options.name is None) != (options.action == "list"):
        raise UsageError("Write 'voicecart devices list', 'add NAME --household H' or 'revoke NAME --household H'.")
    household = options.household or options.settings.shop.household
    devices = Devices(open_shop_database(options.settings, options.state))
    match options.action:
        case "add":
            print(devices.add(options.name, household))
        case "revoke":
            devices.revoke(options.name, household)
            print(f"The token of {options.name} of {household} is invalid from now on.")
        case _:
            _list(devices, options.json)
    return 0


def _list(devices: Devices, as_json: bool) -> None:
    found = devices.all()
    for device in found:
        revoked = device.revoked_at.isoformat() if device.revoked_at else None
        fields = {"id": device.id, "household": device.household, "name": device.name, "revoked_at": revoked}
        state = f"revoked {revoked}" if revoked else "valid"
        print(
            json.dumps(fields, ensure_ascii=False)
            if as_json
            else f"{device.household}: {device.name} ({device.id}), {state}"
        )
    if not found and not as_json:
        print("There is no device yet. 'voicecart devices add kitchen --household home' adds one.")
