"""PINs: one per adult, hashed with Argon2id, and the hash encrypted with the key of the voices.

A PIN has so few possible values that a hash alone keeps it from nobody who has the database: without the key file there
is nothing to try PINs on. A PIN is in no log, event, message or audit entry.
"""

import json
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError
from cryptography.fernet import Fernet, InvalidToken
from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Engine,
    LargeBinary,
    String,
    Table,
    delete,
    insert,
    select,
    update,
)

from assistant.errors import EnrolmentError, StoreError
from assistant.pay.audit import AuditKind, AuditTrail
from assistant.pay.key_file import KEY_FILE, read_or_make_key
from assistant.shop.database import ensure_tables, reading, transaction
from assistant.shop.schema import Instant, metadata

FEWEST_DIGITS, MOST_DIGITS = 6, 12
"""Length of a PIN: six digits withstand a lockout whose pauses grow to a day; more than twelve nobody remembers."""

pins = Table(
    "pins",
    metadata,
    Column("household", String(64), primary_key=True),
    Column("name", String(64), primary_key=True),
    Column("changed_at", Instant, nullable=False),
    Column("secret", LargeBinary, nullable=False),
)

# Argon2id with 19 MiB and two passes: the least that OWASP's Password Storage Cheat Sheet asks for.
_HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
# Compared with where nobody has a PIN, so that the time taken does not tell.
_NOBODYS = _HASHER.hash("no PIN has letters")


class Pins:
    """The PINs of one household.

    Args:
        engine: The shop's database.
        household: Whose.
        state: Folder of the key file.
        clock: The time of day.

    Raises:
        StoreError: The database cannot be used.
    """

    def __init__(
        self, engine: Engine, household: str, state: Path, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._engine = engine
        self._household = household
        self._key_file = state / KEY_FILE
        self._clock = clock
        self._audit = AuditTrail(engine, household, state, clock)
        ensure_tables(engine, pins)

    def names(self) -> frozenset[str]:
        """Who has a PIN."""
        with reading(self._engine) as connection:
            rows = connection.execute(select(pins.c.name).where(pins.c.household == self._household)).scalars()
            return frozenset(rows)

    def set(self, name: str, pin: str) -> None:
        """Gives a person a PIN, in place of the one they have.

        Raises:
            EnrolmentError: Not a PIN, too easily guessed, or another person's.
            StoreError: It could not be stored; nothing changed.
        """
        check_pin(pin)
        if self.owner(pin, self.names() - {name}) is not None:
            raise EnrolmentError("That PIN cannot be used here. Choose another one.")
        secret = self._seal(name, _HASHER.hash(pin))
        with transaction(self._engine, self._household) as connection:
            deleted = self._delete(connection, name)
            connection.execute(
                insert(pins).values(household=self._household, name=name, changed_at=self._clock(), secret=secret)
            )
            self._audit.add(connection, AuditKind.PIN, name=name, change="changed" if deleted else "set")

    def remove(self, name: str) -> bool:
        """Takes a person's PIN away; False when they have none."""
        with transaction(self._engine, self._household) as connection:
            return self.remove_in(connection, name)

    def remove_in(self, connection: Connection, name: str) -> bool:
        """As ``remove``, within a transaction: a deleted voice takes its PIN along."""
        deleted = self._delete(connection, name)
        if deleted:
            self._audit.add(connection, AuditKind.PIN, name=name, change="removed")
        return deleted

    def rename_in(self, connection: Connection, old: str, new: str) -> None:
        """A person has another name.

        Raises:
            StoreError: The PIN cannot be decrypted.
        """
        row = connection.execute(select(pins.c.secret).where(self._mine(old))).first()
        if row is not None:
            secret = self._seal(new, self._open(old, row.secret))
            connection.execute(update(pins).where(self._mine(old)).values(name=new, secret=secret))

    def owner(self, pin: str, among: Iterable[str]) -> str | None:
        """Whose PIN it is; None when it is nobody's, or not of one person alone.

        Every PIN is compared, whatever comes out: how long it takes tells nothing about which one was right.

        Args:
            pin: What was said or typed.
            among: Who may use a PIN.

        Raises:
            StoreError: A PIN cannot be decrypted: another key, or somebody changed the database.
        """
        names = frozenset(among)
        with reading(self._engine) as connection:
            rows = connection.execute(select(pins).where(pins.c.household == self._household)).all()
        hashes = {row.name: self._open(row.name, row.secret) for row in rows if row.name in names}
        found = [name for name, hashed in hashes.items() if _fits(hashed, pin)]
        if not hashes:
            _fits(_NOBODYS, pin)
        return found[0] if len(found) == 1 else None

    def _delete(self, connection: Connection, name: str) -> bool:
        return connection.execute(delete(pins).where(self._mine(name))).rowcount > 0

    def _mine(self, name: str) -> ColumnElement[bool]:
        return (pins.c.household == self._household) & (pins.c.name == name)

    def _seal(self, name: str, hashed: str) -> bytes:
        # Whose it is stands inside as well, so that rows of the database cannot be exchanged for one another.
        content = {"household": self._household, "name": name, "pin": hashed}
        return self._cipher().encrypt(json.dumps(content).encode())

    def _open(self, name: str, secret: bytes) -> str:
        try:
            content = json.loads(self._cipher().decrypt(secret))
        except InvalidToken as error:
            raise StoreError(
                f"The PIN of {name!r} cannot be decrypted with {self._key_file}: the key or the database was changed."
                f" Take it away and set it anew: voicecart voices pin {name!r} --remove"
            ) from error
        if (content.get("household"), content.get("name")) != (self._household, name) or "pin" not in content:
            raise StoreError(
                f"The PIN stored for {name!r} is not theirs."
                f" Take it away and set it anew: voicecart voices pin {name!r} --remove"
            )
        return str(content["pin"])

    def _cipher(self) -> Fernet:
        return Fernet(read_or_make_key(self._key_file))


def check_pin(pin: str) -> None:
    """Whether ``pin`` may be one.

    Raises:
        EnrolmentError: Other characters than digits, too short or long, or what everybody tries first.
    """
    if not (pin.isascii() and pin.isdecimal()) or not FEWEST_DIGITS <= len(pin) <= MOST_DIGITS:
        raise EnrolmentError(f"A PIN has {FEWEST_DIGITS} to {MOST_DIGITS} digits and nothing else.")
    if len(set(pin)) < 3 or len({(int(b) - int(a)) % 10 for a, b in pairwise(pin)}) == 1:
        raise EnrolmentError("That PIN is too easily guessed. Choose one without a row or a repetition.")


def _fits(hashed: str, pin: str) -> bool:
    try:
        return _HASHER.verify(hashed, pin)
    except (Argon2Error, InvalidHashError):
        return False
