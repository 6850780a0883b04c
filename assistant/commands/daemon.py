"""``voicecart daemon``: the device that nobody watches, for a service manager."""

import argparse
import logging
import signal
import sys
from collections.abc import Callable
from pathlib import Path

from assistant.assembly import open_device
from assistant.commands.main import Subcommands
from assistant.events import EventStream
from assistant.hear.microphone import MicSource
from assistant.household import Household
from assistant.observe.log_lines import log_event
from assistant.parts import Parts
from assistant.service.carrier_folder import CarrierFolder
from assistant.service.client.opening import sync_at_start, with_service
from assistant.service.daemon import Daemon, Running
from assistant.service.notification import Notification
from assistant.settings import Settings
from assistant.settings_file import read_settings
from assistant.sound_devices import rescan
from assistant.speak.loudspeakers import live_loudspeaker
from assistant.storefront import coupons_for, offer_of, places_for

logger = logging.getLogger("voicecart")


def register(subcommands: Subcommands) -> None:
    """Adds the command."""
    parser = subcommands.add_parser(
        "daemon",
        help="run unattended: log lines, retries, signals",
        description="Listens and sells until SIGTERM, which lets it finish its sentence. SIGHUP reads settings and "
        "catalog again. Without a microphone, model or catalog it says so in its log and tries again until all is "
        "there. 'voicecart service install' runs it under systemd.",
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Runs until SIGTERM or Ctrl-C."""
    # The journal adds the time; anyone else can.
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(levelname)s %(message)s")
    # Its line for every request would bury those that matter.
    logging.getLogger("httpx").setLevel(logging.WARNING)
    notification = Notification()
    daemon = Daemon(
        lambda: read_settings(options.config),
        lambda settings: _open(settings, options.state, notification, lambda: daemon.renew()),
        notification,
        prepare=lambda settings: _parts(settings, options.state).prepare(),
    )
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda number, frame: daemon.leave())
    signal.signal(signal.SIGHUP, lambda number, frame: daemon.reload())
    signal.signal(signal.SIGUSR1, lambda number, frame: daemon.push_to_talk())
    daemon.run()
    return 0


def _open(settings: Settings, state: Path, notification: Notification, renew: Callable[[], None]) -> Running:
    # Looked for first: while it is missing, nothing else need be loaded again and again.
    rescan()
    source = MicSource(settings.hear)
    if settings.shop.service:
        sync_at_start(settings, state)
    parts = _parts(settings, state)
    stream = EventStream()
    stream.subscribe(log_event)
    try:
        loudspeaker = live_loudspeaker(settings.speak, state, stream)
        household = Household(parts, state)
        beat = _with_carriers(household, settings, notification.alive) if settings.shop.carrier_folder else None
        device = open_device(parts, household, source, loudspeaker, stream, beat or notification.alive)
        return with_service(device, household, settings, renew)
    except BaseException:
        parts.close()
        raise


def _parts(settings: Settings, state: Path) -> Parts:
    coupons, places = coupons_for(settings, state), places_for(settings, state)
    return Parts(settings, offer_of(settings, state, None), state, logger.info, coupons, places)


def _with_carriers(household: Household, settings: Settings, alive: Callable[[], None]) -> Callable[[], None]:
    """The beat that also takes in what carriers have put into their folder."""
    folder = Path(settings.shop.carrier_folder).expanduser()
    folder.mkdir(parents=True, exist_ok=True)
    carriers = CarrierFolder(folder, household.errands.record_carrier_event)

    def beat() -> None:
        alive()
        carriers.look()

    return beat
