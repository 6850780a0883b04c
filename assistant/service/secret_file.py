"""Secrets in files that only their owner may read."""

import os
import stat
from pathlib import Path

from assistant.errors import SettingsError


def read_secrets(name: str, setting: str, what: str) -> tuple[str, ...]:
    """The lines of a file with a secret each.

    Args:
        name: The file.
        setting: The key of the settings that names it.
        what: What it holds, for people, such as "the device's token".

    Raises:
        SettingsError: It cannot be read, other users may read it, or it holds nothing; the message holds no secret.
    """
    path = Path(name).expanduser()
    try:
        if os.name == "posix" and stat.S_IMODE(path.stat().st_mode) & 0o077:
            raise SettingsError(f"Other users may read {what} in {path}. Run: chmod 600 '{path}'")
        lines = path.read_text("utf-8").splitlines()
    except OSError as error:
        raise SettingsError(f"{what.capitalize()} in {path} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise SettingsError(f"The file {path} ({setting}) holds no text, so not {what}.") from error
    secrets = tuple(line.strip() for line in lines if line.strip())
    if not secrets or not all(one.isascii() and len(one.split()) == 1 for one in secrets):
        raise SettingsError(f"The file {path} ({setting}) does not hold {what}.")
    return secrets
