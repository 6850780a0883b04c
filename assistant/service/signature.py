"""Signed messages: an HMAC over time and body says who sends it, and that it is not an old one sent again."""

import hashlib
import hmac
import re
import time
from collections.abc import Callable, Sequence

from assistant.errors import AccessDenied, SettingsError
from assistant.service.secret_file import read_secrets

HEADER = "Voicecart-Signature"

WINDOW_SECONDS = 300
"""How far a message's time may be from ours, either way."""

_SHORTEST_KEY = 32
_LONGEST_HEADER = 1000
_SIGNATURE = re.compile(r"t=([0-9]{1,12})((?:,v1=[0-9a-f]{64}){1,5})")


class SignedMessages:
    """Recognises messages of those who have a key.

    Args:
        keys: Each counts: while one is exchanged for another, there are two.
        clock: Seconds since 1970.

    Raises:
        SettingsError: A key is too short to be a secret.
    """

    def __init__(self, keys: Sequence[str], clock: Callable[[], float] = time.time) -> None:
        if any(len(key) < _SHORTEST_KEY for key in keys):
            raise SettingsError(
                f"A carrier's key has at least {_SHORTEST_KEY} characters. Make one with 'openssl rand -hex 32'."
            )
        self._keys = tuple(key.encode() for key in keys)
        self._clock = clock

    def check(self, header: str, body: bytes) -> None:
        """Whether a message may be believed.

        Args:
            header: ``t=SECONDS,v1=HEX``, as ``sign`` makes it; of several ``v1`` one is to be right.
            body: The message as it came, to the byte.

        Raises:
            AccessDenied: It is not signed with one of the keys, or was signed too long ago.
        """
        found = _SIGNATURE.fullmatch(header.replace(", ", ",")) if len(header) <= _LONGEST_HEADER else None
        if found is None:
            raise AccessDenied(f"This needs a signature, as '{HEADER}: t=SECONDS,v1=HEX' (docs/service.md).")
        at, given = int(found[1]), [part.removeprefix("v1=") for part in found[2].split(",") if part]
        # All pairs are compared, so that the time it takes tells nothing.
        right = [hmac.compare_digest(_digest(key, at, body), one) for key in self._keys for one in given]
        if not any(right):
            raise AccessDenied("The signature is wrong: it is the HMAC-SHA256 of time, a point, and the body's bytes.")
        if abs(self._clock() - at) > WINDOW_SECONDS:
            raise AccessDenied(f"The signature's time is more than {WINDOW_SECONDS} seconds from ours. Sign it anew.")


def read_keys(name: str) -> SignedMessages:
    """Whoever has one of the keys in a file, one a line.

    Raises:
        SettingsError: The file cannot be used, or other users may read it.
    """
    return SignedMessages(read_secrets(name, "shop.carrier_key_file", "the carriers' keys"))


def sign(key: str, at: int, body: bytes) -> str:
    """The header of a message that is sent at ``at``, seconds since 1970."""
    return f"t={at},v1={_digest(key.encode(), at, body)}"


def _digest(key: bytes, at: int, body: bytes) -> str:
    return hmac.new(key, b"%d." % at + body, hashlib.sha256).hexdigest()
