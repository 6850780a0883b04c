"""``voicecart serve``: the shop as an HTTP service, for many speakers."""

import argparse
import json
import logging
import sys

from assistant.commands.main import Subcommands
from assistant.errors import UsageError


def register(subcommands: Subcommands) -> None:
    """Adds the command."""
    parser = subcommands.add_parser(
        "serve",
        help="serve the shop to other devices over HTTP",
        description="Serves catalog, stock, orders and addresses of this shop's database until SIGTERM, which lets "
        "requests under way finish. Devices need a token ('voicecart devices add'). It speaks plain HTTP: beyond this "
        "machine put it behind a server that speaks TLS (docs/service.md).",
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument("--port", type=int, default=8470, help="port; 0 takes a free one (default: %(default)s)")
    parser.add_argument("--openapi", action="store_true", help="print the OpenAPI description and end")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Serves until it is told to stop.

    Raises:
        UsageError: The packages are not installed, or the address cannot be used.
        SettingsError: The carriers' keys cannot be used.
        StoreError: The database cannot be used.
    """
    try:
        from assistant.service.http.application import create_application
        from assistant.service.http.served_shop import ServedShop
        from assistant.service.http.server import serve
        from assistant.service.signature import read_keys
    except ImportError as error:
        raise UsageError(
            f"The service needs more packages ({error.name}): pip install 'voicecart[service]'."
        ) from error
    if options.openapi:
        print(json.dumps(create_application().openapi(), indent=2, ensure_ascii=False))
        return 0
    from assistant.storefront import open_shop_database

    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(levelname)s %(message)s")
    settings = options.settings.shop
    shop = ServedShop(open_shop_database(options.settings, options.state), settings.currency, settings.programmes)
    serve(
        create_application(shop, read_keys(settings.carrier_key_file) if settings.carrier_key_file else None),
        options.host,
        options.port,
        lambda host, port: print(f"Serving on http://{host}:{port}", flush=True),
    )
    return 0
