"""Where the secret key of the Stripe account comes from: never the settings file, never a log."""

import os
import stat
from collections.abc import Mapping
from pathlib import Path

from assistant.errors import SettingsError

KEY_VARIABLE = "VOICECART_STRIPE_KEY"
"""Environment variable that holds the key; it goes before the file."""

_SECRET = ("sk_", "rk_")  # secret and restricted keys; a publishable one (pk_) cannot take payments


def stripe_key(key_file: str, environment: Mapping[str, str]) -> str:
    """The key from the environment, else from a file that only its owner may read.

    Raises:
        SettingsError: There is none, other users may read the file, or it is no secret key. The message never holds it.
    """
    key, source = environment.get(KEY_VARIABLE, "").strip(), f"The variable {KEY_VARIABLE}"
    if not key and key_file:
        key, source = _read(Path(key_file)), f"The file {key_file} (pay.stripe_key_file)"
    if not key:
        raise SettingsError(
            f"Payment by Stripe needs the account's key: set {KEY_VARIABLE}, or name a file that holds it in"
            " pay.stripe_key_file."
        )
    if not key.startswith(_SECRET) or not key.isascii() or len(key.split()) != 1:
        raise SettingsError(f"{source} holds no secret key of Stripe: such a key begins with sk_ or rk_.")
    return key


def _read(path: Path) -> str:
    try:
        if os.name == "posix" and stat.S_IMODE(path.stat().st_mode) & 0o077:
            raise SettingsError(f"Other users may read the key of Stripe in {path}. Run: chmod 600 '{path}'")
        return path.read_text("utf-8").strip()
    except OSError as error:
        raise SettingsError(f"The key of Stripe in {path} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise SettingsError(f"The file {path} (pay.stripe_key_file) holds no text, so no key.") from error
