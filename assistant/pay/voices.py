"""The household's voices: templates, encrypted at rest and bound to the encoder that made them.

Every change is noted in the audit trail, in the same transaction.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from cryptography.fernet import Fernet, InvalidToken
from sqlalchemy import (
    Column,
    ColumnElement,
    Engine,
    Integer,
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
from assistant.pay.key_file import read_or_make_key
from assistant.pay.verification import Embedding
from assistant.shop.database import ensure_tables, reading, transaction
from assistant.shop.schema import Instant, metadata

KEY_FILE = "voices.key"

_voices = Table(
    "voices",
    metadata,
    Column("household", String(64), primary_key=True),
    Column("name", String(64), primary_key=True),
    Column("model", String(64), nullable=False),
    Column("takes", Integer, nullable=False),
    Column("enrolled_at", Instant, nullable=False),
    Column("template", LargeBinary, nullable=False),
)


@dataclass(frozen=True)
class Voice:
    """An enrolled person, without the template.

    Attributes:
        name: As given at enrolment.
        model: SHA-256 of the encoder's checkpoint.
        takes: How many takes the template was made of.
        enrolled_at: When.
    """

    name: str
    model: str
    takes: int
    enrolled_at: datetime


class Voices:
    """The enrolled voices of one household.

    Args:
        engine: The shop's database.
        household: Whose voices.
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
        ensure_tables(engine, _voices)

    def list(self) -> tuple[Voice, ...]:
        """Everybody who is enrolled, by name."""
        with reading(self._engine) as connection:
            rows = connection.execute(
                select(_voices.c.name, _voices.c.model, _voices.c.takes, _voices.c.enrolled_at)
                .where(_voices.c.household == self._household)
                .order_by(_voices.c.name)
            ).all()
        return tuple(Voice(row.name, row.model, row.takes, row.enrolled_at) for row in rows)

    def templates(self, model: str) -> Mapping[str, Embedding]:
        """Templates by name, of the voices enrolled with this encoder.

        Raises:
            StoreError: A template cannot be decrypted: another key, or somebody changed the database.
        """
        with reading(self._engine) as connection:
            rows = connection.execute(
                select(_voices).where(_voices.c.household == self._household, _voices.c.model == model)
            ).all()
        return {row.name: self._decrypt(row.name, row.model, row.template) for row in rows}

    def save(self, name: str, template: Embedding, model: str, takes: int, *, replace: bool = False) -> Voice:
        """Stores a voice.

        Raises:
            EnrolmentError: The name is taken and ``replace`` is not set.
            StoreError: The database or the key file cannot be written.
        """
        voice = Voice(name, model, takes, self._clock())
        secret = self._encrypt(name, model, template)
        with transaction(self._engine) as connection:
            if connection.execute(select(_voices.c.name).where(self._named(name))).first() is not None:
                if not replace:
                    raise EnrolmentError(f"{name!r} is already enrolled. Use --replace to enrol that voice again.")
                connection.execute(delete(_voices).where(self._named(name)))
            connection.execute(
                insert(_voices).values(
                    household=self._household,
                    name=name,
                    model=model,
                    takes=takes,
                    enrolled_at=voice.enrolled_at,
                    template=secret,
                )
            )
            self._audit.add(connection, AuditKind.ENROLLED, name=name, model=model, takes=takes)
        return voice

    def rename(self, old: str, new: str) -> Voice:
        """Gives a voice another name.

        Raises:
            EnrolmentError: Nobody is enrolled as ``old``, or somebody is as ``new``.
            StoreError: The database or the key file cannot be used; nothing changed.
        """
        with transaction(self._engine) as connection:
            row = connection.execute(select(_voices).where(self._named(old))).first()
            if row is None:
                raise EnrolmentError(f"Nobody is enrolled as {old!r}. 'voicecart voices' lists who is.")
            if connection.execute(select(_voices.c.name).where(self._named(new))).first() is not None:
                raise EnrolmentError(f"{new!r} is already enrolled. Choose another name.")
            # The name stands inside the encrypted template as well.
            secret = self._encrypt(new, row.model, self._decrypt(old, row.model, row.template))
            connection.execute(update(_voices).where(self._named(old)).values(name=new, template=secret))
            self._audit.add(connection, AuditKind.RENAMED, name=old, new=new)
        return Voice(new, row.model, row.takes, row.enrolled_at)

    def delete(self, name: str) -> bool:
        """Deletes a voice; False when there is none of that name."""
        with transaction(self._engine) as connection:
            deleted = connection.execute(delete(_voices).where(self._named(name))).rowcount > 0
            if deleted:
                self._audit.add(connection, AuditKind.DELETED, name=name)
        return deleted

    def _named(self, name: str) -> ColumnElement[bool]:
        return (_voices.c.household == self._household) & (_voices.c.name == name)

    def _encrypt(self, name: str, model: str, template: Embedding) -> bytes:
        # Whose it is stands inside as well, so that rows of the database cannot be exchanged for one another.
        content = {"household": self._household, "name": name, "model": model, "template": template.tolist()}
        return self._cipher().encrypt(json.dumps(content).encode())

    def _decrypt(self, name: str, model: str, secret: bytes) -> Embedding:
        try:
            content = json.loads(self._cipher().decrypt(secret))
        except InvalidToken as error:
            raise StoreError(
                f"The voice of {name!r} cannot be decrypted with {self._key_file}: the key or the database was changed."
                " Enrol it again with --replace."
            ) from error
        if (content["household"], content["name"], content["model"]) != (self._household, name, model):
            raise StoreError(f"The voice stored as {name!r} is not that voice. Enrol it again with --replace.")
        return np.array(content["template"], np.float64)

    def _cipher(self) -> Fernet:
        return Fernet(read_or_make_key(self._key_file))
