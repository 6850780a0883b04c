"""The systemd unit: written, removed, asked about."""

import os
import shutil
import subprocess
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from assistant.errors import UsageError

NAME = "voicecart.service"


@dataclass(frozen=True)
class Place:
    """Where a unit lives.

    Attributes:
        folder: The unit's folder.
        manager: The command that speaks to its service manager.
        system: Whether it is the machine's (its own user, started at boot) or one user's.
    """

    folder: Path
    manager: tuple[str, ...]
    system: bool


def place_for(user_id: int, home: Path) -> Place:
    """The machine's manager for root, the user's own otherwise."""
    if user_id == 0:
        return Place(Path("/etc/systemd/system"), ("systemctl",), True)
    return Place(home / ".config/systemd/user", ("systemctl", "--user"), False)


def unit_text(program: Path, settings: Path | None, place: Place) -> str:
    """The unit for this installation."""
    template = resources.files("assistant.service").joinpath(NAME).read_text("utf-8")
    return template.format(
        program=program,
        options=f" --config {settings.resolve()}" if settings else "",
        # A user of its own that exists only while the service runs: nothing else can read its voices and keys.
        identity="DynamicUser=yes" if place.system else "# runs as the user who installed it",
        target="multi-user.target" if place.system else "default.target",
    ).replace("SupplementaryGroups=audio\n", "SupplementaryGroups=audio\n" if place.system else "")


def install(settings: Path | None) -> str:
    """Writes, enables and starts the unit; returns what was done.

    Raises:
        UsageError: No systemd, or it refused.
    """
    place = _place()
    program = shutil.which("voicecart")
    if program is None:
        raise UsageError("The command voicecart is not on PATH; install it with scripts/setup and link it, then retry.")
    place.folder.mkdir(parents=True, exist_ok=True)
    unit = place.folder / NAME
    unit.write_text(unit_text(Path(program).resolve(), settings, place), "utf-8")
    _manage(place, "daemon-reload")
    _manage(place, "enable", "--now", NAME)
    return f"installed {unit}, enabled and started; its log: journalctl {'' if place.system else '--user '}-u voicecart"


def uninstall() -> str:
    """Stops, disables and removes the unit; the state (orders, voices) stays."""
    place = _place()
    unit = place.folder / NAME
    if not unit.is_file():
        return "no unit is installed"
    _manage(place, "disable", "--now", NAME)
    unit.unlink()
    _manage(place, "daemon-reload")
    return f"removed {unit}; orders and voices were kept"


def status() -> str:
    """What the service manager says of the unit."""
    place = _place()
    done = subprocess.run([*place.manager, "status", "--no-pager", NAME], capture_output=True, text=True, check=False)
    return (done.stdout or done.stderr).strip()


def _place() -> Place:
    if shutil.which("systemctl") is None or not Path("/run/systemd/system").is_dir():
        raise UsageError("This machine is not run by systemd; start 'voicecart daemon' with your own service manager.")
    return place_for(os.geteuid(), Path.home())


def _manage(place: Place, *command: str) -> None:
    done = subprocess.run([*place.manager, *command], capture_output=True, text=True, check=False)
    if done.returncode:
        raise UsageError(f"systemctl {' '.join(command)} failed: {done.stderr.strip()}")
