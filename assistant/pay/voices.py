"""The household's voices: templates, encrypted at rest and bound to the encoder that made them.

Every change is noted in the audit trail, in the same transaction.
"""

import json
import unicodedata
from collections.abc import Callable, Mapping, Set
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from cryptography.fernet import Fernet, InvalidToken
from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
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
from assistant.pay.key_file import KEY_FILE, read_or_make_key
from assistant.pay.pins import Pins
from assistant.pay.roles import Role
from assistant.pay.verification import Embedding
from assistant.shop import belongings
from assistant.shop.database import ensure_tables, reading, transaction
from assistant.shop.household_tables import order_people
from assistant.shop.schema import Instant, metadata

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
        self._pins = Pins(engine, household, state, clock)
        ensure_tables(engine, _voices, order_people)

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

    def roles(self) -> Mapping[str, Role]:
        """Who is an adult and who a child, of everybody who is enrolled; it stands inside the encrypted template.

        Raises:
            StoreError: As for ``templates``.
        """
        with reading(self._engine) as connection:
            rows = connection.execute(select(_voices).where(_voices.c.household == self._household)).all()
        return {row.name: _role_in(self._open(row.name, row.model, row.template)) for row in rows}

    def check_name(self, name: str) -> None:
        """Whether nobody else has a name that sounds the same, so that a new voice can have it.

        Raises:
            EnrolmentError: Somebody has.
            StoreError: The voices cannot be read.
        """
        names = {voice.name for voice in self.list()}
        if name not in names:
            _check_sound(name, names)

    def save(
        self,
        name: str,
        template: Embedding,
        model: str,
        takes: int,
        *,
        replace: bool = False,
        role: Role | None = None,
    ) -> Voice:
        """Stores a voice.

        Args:
            name: Whose.
            template: What it is compared with.
            model: SHA-256 of the encoder's checkpoint.
            takes: How many takes the template was made of.
            replace: Whether a voice of that name may be replaced.
            role: Adult or child; None keeps that of the voice that is replaced, and is an adult's for a new one.

        Raises:
            EnrolmentError: The name is taken and ``replace`` is not set, or it sounds like another one.
            StoreError: The database or the key file cannot be written, or the role before cannot be read.
        """
        voice = Voice(name, model, takes, self._clock())
        with transaction(self._engine, self._household) as connection:
            row = connection.execute(select(_voices).where(self._named(name))).first()
            if row is not None:
                if not replace:
                    raise EnrolmentError(f"{name!r} is already enrolled. Use --replace to enrol that voice again.")
                role = role or self._role_before(name, row.model, row.template)
                connection.execute(delete(_voices).where(self._named(name)))
            else:
                _check_sound(name, self._names(connection))
            role = role or Role.ADULT
            if role is Role.CHILD:
                self._pins.remove_in(connection, name)
            secret = self._encrypt(name, model, template, role)
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
            self._audit.add(connection, AuditKind.ENROLLED, name=name, model=model, takes=takes, role=str(role))
        return voice

    def change_role(self, name: str, role: Role) -> None:
        """Makes somebody an adult or a child; a child's PIN goes.

        Raises:
            EnrolmentError: Nobody is enrolled as ``name``.
            StoreError: The database or the key file cannot be used; nothing changed.
        """
        with transaction(self._engine, self._household) as connection:
            row = connection.execute(select(_voices).where(self._named(name))).first()
            if row is None:
                raise EnrolmentError(f"Nobody is enrolled as {name!r}. 'voicecart voices' lists who is.")
            secret = self._encrypt(name, row.model, self._decrypt(name, row.model, row.template), role)
            connection.execute(update(_voices).where(self._named(name)).values(template=secret))
            if role is Role.CHILD:
                self._pins.remove_in(connection, name)
            self._audit.add(connection, AuditKind.ROLE, name=name, role=str(role))

    def rename(self, old: str, new: str) -> Voice:
        """Gives a voice another name; its orders and its shopping list keep to it.

        Raises:
            EnrolmentError: Nobody is enrolled as ``old``, or somebody is as ``new``.
            StoreError: The database or the key file cannot be used; nothing changed.
        """
        with transaction(self._engine, self._household) as connection:
            row = connection.execute(select(_voices).where(self._named(old))).first()
            if row is None:
                raise EnrolmentError(f"Nobody is enrolled as {old!r}. 'voicecart voices' lists who is.")
            _check_sound(new, self._names(connection) - {old})
            # The name stands inside the encrypted template as well.
            content = self._open(old, row.model, row.template)
            secret = self._encrypt(new, row.model, _template_in(content), _role_in(content))
            connection.execute(update(_voices).where(self._named(old)).values(name=new, template=secret))
            self._pins.rename_in(connection, old, new)
            belongings.rename_in(connection, self._household, old, new)
            self._audit.add(connection, AuditKind.RENAMED, name=old, new=new)
        return Voice(new, row.model, row.takes, row.enrolled_at)

    def delete(self, name: str) -> bool:
        """Deletes a voice; what was this person's is the household's. False when there is none of that name."""
        with transaction(self._engine, self._household) as connection:
            deleted = connection.execute(delete(_voices).where(self._named(name))).rowcount > 0
            if deleted:
                self._pins.remove_in(connection, name)
                belongings.release_in(connection, self._household, name)
                self._audit.add(connection, AuditKind.DELETED, name=name)
        return deleted

    def _role_before(self, name: str, model: str, secret: bytes) -> Role:
        try:
            return _role_in(self._open(name, model, secret))
        except StoreError as error:
            raise StoreError(
                f"It cannot be read whether {name!r} is an adult or a child. Say so: --role adult, or --role child."
            ) from error

    def _names(self, connection: Connection) -> Set[str]:
        mine = select(_voices.c.name).where(_voices.c.household == self._household)
        return frozenset(connection.execute(mine).scalars())

    def _named(self, name: str) -> ColumnElement[bool]:
        return (_voices.c.household == self._household) & (_voices.c.name == name)

    def _encrypt(self, name: str, model: str, template: Embedding, role: Role) -> bytes:
        # Whose it is stands inside as well, so that rows of the database cannot be exchanged for one another.
        content = {"household": self._household, "name": name, "model": model, "role": str(role)}
        content |= {"template": template.tolist()}
        return self._cipher().encrypt(json.dumps(content).encode())

    def _decrypt(self, name: str, model: str, secret: bytes) -> Embedding:
        return _template_in(self._open(name, model, secret))

    def _open(self, name: str, model: str, secret: bytes) -> Mapping[str, Any]:
        try:
            content: Mapping[str, Any] = json.loads(self._cipher().decrypt(secret))
        except InvalidToken as error:
            raise StoreError(
                f"The voice of {name!r} cannot be decrypted with {self._key_file}: the key or the database was changed."
                " Enrol it again with --replace."
            ) from error
        if (content["household"], content["name"], content["model"]) != (self._household, name, model):
            raise StoreError(f"The voice stored as {name!r} is not that voice. Enrol it again with --replace.")
        return content

    def _cipher(self) -> Fernet:
        return Fernet(read_or_make_key(self._key_file))


def _check_sound(name: str, others: Set[str]) -> None:
    """Refuses a name that sounds like another one: whoever hears "Anna" cannot know that "anna" is somebody else."""
    for other in others:
        if _sound_of(other) == _sound_of(name):
            raise EnrolmentError(f"{other!r} is already enrolled. Choose another name than {name!r}.")


def _sound_of(name: str) -> str:
    return unicodedata.normalize("NFKC", name).casefold()


def _template_in(content: Mapping[str, Any]) -> Embedding:
    return np.array(content["template"], np.float64)


def _role_in(content: Mapping[str, Any]) -> Role:
    # Voices that were enrolled without a role could always pay.
    return Role(content.get("role", Role.ADULT))
