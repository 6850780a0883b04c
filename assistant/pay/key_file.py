"""A secret key in a file that only its owner may read."""

import os
import stat
import tempfile
from pathlib import Path

from cryptography.fernet import Fernet

from assistant.errors import StoreError

KEY_FILE = "voices.key"
"""The file with the key of templates and PINs, in the state folder."""


def read_or_make_key(path: Path) -> bytes:
    """The key in ``path``; made there when there is none.

    Raises:
        StoreError: The file cannot be read or written, other users may read it, or it holds no key.
    """
    try:
        if not path.exists():
            _make_key(path)
        if os.name == "posix" and stat.S_IMODE(path.stat().st_mode) & 0o077:
            raise StoreError(f"Other users may read the key {path}. Run: chmod 600 '{path}'")
        key = path.read_bytes().strip()
        Fernet(key)
    except OSError as error:
        raise StoreError(f"The key {path} cannot be used: {error.strerror}.") from error
    except ValueError as error:
        raise StoreError(
            f"{path} holds no key. Restore it from a copy; without one, delete it. What was made with it (voices and"
            " PINs, or the seals of the record) is lost then."
        ) from error
    return key


def _make_key(path: Path) -> None:
    """Writes a new key whole or not at all; when another process was faster, its key stays."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=path.name)  # mode 0600
    new = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(Fernet.generate_key())
            file.flush()
            os.fsync(file.fileno())
        path.hardlink_to(new)
    except FileExistsError:
        pass
    finally:
        new.unlink()
