"""The devices that may ask the shop's service: each has a token of its own and belongs to one household.

A token is shown once, when it is made. The database keeps its hash: whoever reads the database cannot use it. As a
token is 256 random bits, a fast hash is as good as a slow one.
"""

import hashlib
import hmac
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Column, Engine, Row, String, Table, insert, select, update

from assistant.errors import UsageError
from assistant.shop.database import ensure_tables, reading, transaction
from assistant.shop.schema import Instant, metadata

LONGEST_NAME = 64

# The one table whose key does not begin with the household: the token is what tells the household.
devices = Table(
    "devices",
    metadata,
    Column("id", String(16), primary_key=True, comment="the public part of the token"),
    Column("household", String(64), nullable=False),
    Column("name", String(LONGEST_NAME), nullable=False),
    Column("token_hash", String(64), nullable=False, comment="SHA-256, in hexadecimal digits"),
    Column("added_at", Instant, nullable=False),
    Column("revoked_at", Instant, comment="null: the token is valid"),
)

_TOKEN = re.compile(r"vc_([0-9a-f]{16})_([A-Za-z0-9_-]{43})")
_NOBODYS_HASH = "0" * 64


@dataclass(frozen=True)
class RegisteredDevice:
    """A device of a household.

    Attributes:
        id: The public part of its token.
        household: The only one whose orders and addresses it sees.
        name: What people call it.
        added_at: When its token was made.
        revoked_at: When its token became invalid; None while it is valid.
    """

    id: str
    household: str
    name: str
    added_at: datetime
    revoked_at: datetime | None = None


class Devices:
    """The devices of all households.

    Args:
        engine: The shop's database.
        clock: The time of day.

    Raises:
        StoreError: The database cannot be used.
    """

    def __init__(self, engine: Engine, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        ensure_tables(engine, devices)
        self._engine = engine
        self._clock = clock

    def add(self, name: str, household: str) -> str:
        """Registers a device; gives its token, which nobody can be told again.

        Raises:
            UsageError: The name or the household cannot be used, or the household has a device of that name.
            StoreError: The database refused.
        """
        for what, text in (("device", name), ("household", household)):
            if not 0 < len(text) <= LONGEST_NAME or not text.isprintable() or text != text.strip():
                raise UsageError(f"{text!r} cannot be the name of a {what}: use 1 to {LONGEST_NAME} characters.")
        device_id, secret = secrets.token_hex(8), secrets.token_urlsafe(32)
        valid = (devices.c.household == household) & (devices.c.name == name) & devices.c.revoked_at.is_(None)
        with transaction(self._engine, household) as connection:
            if connection.execute(select(devices.c.id).where(valid)).first() is not None:
                raise UsageError(f"{household} has a device {name!r}. Revoke it first, or choose another name.")
            connection.execute(
                insert(devices).values(
                    id=device_id, household=household, name=name, token_hash=_hash(secret), added_at=self._clock()
                )
            )
        return f"vc_{device_id}_{secret}"

    def all(self) -> tuple[RegisteredDevice, ...]:
        """Every device, those whose token was revoked too, by household and name.

        Raises:
            StoreError: The database cannot be read.
        """
        found = select(devices).order_by(devices.c.household, devices.c.name, devices.c.added_at)
        with reading(self._engine) as connection:
            return tuple(_device(row) for row in connection.execute(found))

    def revoke(self, name: str, household: str) -> None:
        """Makes a device's token invalid from now on.

        Raises:
            UsageError: The household has no such device.
            StoreError: The database refused.
        """
        valid = (devices.c.household == household) & (devices.c.name == name) & devices.c.revoked_at.is_(None)
        with transaction(self._engine, household) as connection:
            if not connection.execute(update(devices).where(valid).values(revoked_at=self._clock())).rowcount:
                raise UsageError(f"{household} has no device {name!r}. 'voicecart devices list' lists them.")

    def recognise(self, token: str) -> RegisteredDevice | None:
        """Whose token it is; None when it is nobody's or was revoked. A wrong secret takes as long as a right one.

        Raises:
            StoreError: The database cannot be read.
        """
        parts = _TOKEN.fullmatch(token)
        device_id, secret = parts.groups() if parts else ("", "")
        with reading(self._engine) as connection:
            row = connection.execute(select(devices).where(devices.c.id == device_id)).first()
        right = hmac.compare_digest(row.token_hash if row else _NOBODYS_HASH, _hash(secret))
        return _device(row) if row is not None and right and row.revoked_at is None else None


def public_part(token: str) -> str:
    """The part of a token that may be told and logged; empty when it has none."""
    parts = _TOKEN.fullmatch(token)
    return parts[1] if parts else ""


def _device(row: Row[Any]) -> RegisteredDevice:
    return RegisteredDevice(row.id, row.household, row.name, row.added_at, row.revoked_at)


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
