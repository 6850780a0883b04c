"""The audit trail: enrolments, challenges and decisions, append-only and chained by a keyed hash.

An entry's seal is an HMAC over the seal before it and its own content, so that an entry cannot be changed, taken out or
put in without the key. Entries missing at the end show only against a seal that was noted down elsewhere.
"""

import hashlib
import hmac
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

from sqlalchemy import Column, Connection, Engine, Integer, String, Table, Text, func, insert, select

from assistant.errors import StoreError
from assistant.pay.key_file import read_or_make_key
from assistant.pay.outcome import AuthorisationRequest, Authorised, Declined, DeclineReason, Outcome
from assistant.pay.policy import REMEMBERED, Decision
from assistant.shop.database import ensure_tables, reading, transaction
from assistant.shop.money import Money
from assistant.shop.schema import Instant, metadata

KEY_FILE = "audit.key"

# What reading an entry raises that is of another shape than entries are written in.
_NOT_AS_WRITTEN = (ValueError, TypeError, KeyError, AttributeError)
_CHANGED = (
    "The record of payments holds an entry that is not as it was written. 'voicecart audit verify' says which; a backup"
    " from before has it whole."
)

_audit = Table(
    "audit",
    metadata,
    Column("household", String(64), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("at", Instant, nullable=False),
    Column("kind", String(16), nullable=False),
    Column("details", Text, nullable=False),
    Column("seal", String(64), nullable=False),
)


class AuditKind(StrEnum):
    """What an entry is about."""

    ENROLLED = "enrolled"
    RENAMED = "renamed"
    DELETED = "deleted"
    ROLE = "role"
    PIN = "pin"
    CHALLENGE = "challenge"
    DECISION = "decision"


@dataclass(frozen=True)
class AuditEntry:
    """One entry.

    Attributes:
        number: From 1, without gaps.
        at: When it was added.
        kind: What it is about.
        details: Names, reasons and scores; never sound, templates, digits or PINs.
        seal: HMAC-SHA256 in hexadecimal digits.
    """

    number: int
    at: datetime
    kind: AuditKind
    details: Mapping[str, Any]
    seal: str


@dataclass(frozen=True)
class AuditVerification:
    """What checking the chain found.

    Attributes:
        entries: How many entries there are.
        broken: Number of the first entry that is not as it was written; None when all are.
        seal: The newest entry's seal, to be noted down; empty when there is none.
    """

    entries: int
    broken: int | None
    seal: str


class AuditTrail:
    """The audit trail of one household.

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
        ensure_tables(engine, _audit)

    def append(self, kind: AuditKind, **details: Any) -> None:
        """Adds an entry.

        Raises:
            StoreError: It could not be written.
        """
        with transaction(self._engine, self._household) as connection:
            self.add(connection, kind, **details)

    def add(self, connection: Connection, kind: AuditKind, **details: Any) -> None:
        """Adds an entry within a transaction of the same database, so that it stands or falls with what it records.

        Raises:
            StoreError: The key cannot be used.
        """
        key = read_or_make_key(self._key_file)
        at = self._clock()
        text = json.dumps(details, ensure_ascii=False, sort_keys=True)
        last = connection.execute(
            select(_audit.c.number, _audit.c.seal)
            .where(_audit.c.household == self._household)
            .order_by(_audit.c.number.desc())
            .limit(1)
        ).first()
        number, before = (last.number + 1, last.seal) if last else (1, "")
        seal = self._seal(key, before, number, at, kind, text)
        connection.execute(
            insert(_audit).values(
                household=self._household, number=number, at=at, kind=kind.value, details=text, seal=seal
            )
        )

    def decided(
        self,
        request: AuthorisationRequest,
        outcome: Outcome,
        evidence: Mapping[str, float],
        *,
        objection: Callable[[Sequence[Decision]], DeclineReason | None] | None = None,
        by_pin: bool = False,
        requested_by: str = "",
    ) -> Outcome:
        """Adds the decision on an answer to a challenge, with the scores behind it.

        Of those who pay at the same moment, each has looked at the limits before the others were on record. Here one
        waits for the other, so that the limits are looked at once more: they hold for all processes together.

        Args:
            request: What was to be paid.
            outcome: What was decided.
            evidence: Scores of the voice.
            objection: Why the limits say no, from the decisions of the last 30 days. In a pause every answer gets that
                for a reason, so that whoever tries much at a time does not learn what was right. None looks at none.
            by_pin: Whether a PIN was given, and not a voice.
            requested_by: The child whose order needed an adult's approval; empty when none did.

        Returns:
            The decision that is on record: ``outcome``, or that the limits say no.

        Raises:
            StoreError: It could not be written.
        """
        with transaction(self._engine, self._household) as connection:
            if objection is not None:
                no = objection(_decisions(self._entries(connection, self._clock() - REMEMBERED)))
                if no is not None and (isinstance(outcome, Authorised) or no is DeclineReason.LOCKED_OUT):
                    outcome = Declined(no)
            reason = str(outcome.reason) if isinstance(outcome, Declined) else None
            self.add(
                connection,
                AuditKind.DECISION,
                order=request.order_id,
                amount=request.amount.minor,
                currency=request.amount.currency,
                outcome=type(outcome).__name__.lower(),
                reason=reason,
                speaker=outcome.speaker if isinstance(outcome, Authorised) else "",
                evidence=dict(evidence),
                **({"by_pin": True} if by_pin else {}),
                **({"requested_by": requested_by} if requested_by else {}),
            )
        return outcome

    def decisions(self, since: datetime) -> tuple[Decision, ...]:
        """Authorised and declined answers since then, oldest first; whoever was renamed since has the new name.

        Raises:
            StoreError: The database cannot be read.
        """
        return _decisions(self.entries(since))

    def entries(self, since: datetime | None = None) -> tuple[AuditEntry, ...]:
        """All entries, or those since then, oldest first.

        Raises:
            StoreError: The database cannot be read.
        """
        with reading(self._engine) as connection:
            return self._entries(connection, since)

    def _entries(self, connection: Connection, since: datetime | None) -> tuple[AuditEntry, ...]:
        wanted = select(_audit).where(_audit.c.household == self._household).order_by(_audit.c.number)
        if since is not None:
            wanted = wanted.where(_audit.c.at >= since)
        try:
            return tuple(
                AuditEntry(row.number, row.at, AuditKind(row.kind), dict(json.loads(row.details)), row.seal)
                for row in connection.execute(wanted)
            )
        except _NOT_AS_WRITTEN as error:
            raise StoreError(_CHANGED) from error

    def verify(self) -> AuditVerification:
        """Checks every seal.

        Raises:
            StoreError: The database or the key cannot be read.
        """
        key = read_or_make_key(self._key_file)
        mine = _audit.c.household == self._household
        newest = select(_audit.c.seal).where(mine).order_by(_audit.c.number.desc()).limit(1)
        before, number = "", 0
        with reading(self._engine) as connection:
            last = connection.execute(newest).scalar_one_or_none() or ""
            count = connection.execute(select(func.count()).select_from(_audit).where(mine)).scalar_one()
            rows = iter(connection.execute(select(_audit).where(mine).order_by(_audit.c.number)))
            try:
                for number in range(1, count + 1):
                    row = next(rows)
                    seal = self._seal(key, before, number, row.at, row.kind, row.details)
                    if row.number != number or not hmac.compare_digest(seal, row.seal):
                        return AuditVerification(count, number, last)
                    before = seal
            except _NOT_AS_WRITTEN:
                return AuditVerification(count, number, last)
        return AuditVerification(count, None, before)

    def _seal(self, key: bytes, before: str, number: int, at: datetime, kind: str, details: str) -> str:
        content = json.dumps([before, self._household, number, at.astimezone(UTC).isoformat(), str(kind), details])
        return hmac.new(key, content.encode(), hashlib.sha256).hexdigest()


def _decisions(entries: Sequence[AuditEntry]) -> tuple[Decision, ...]:
    """Authorised and declined answers, oldest first; another name does not give anybody the day limit anew.

    Raises:
        StoreError: An entry is of another shape than entries are written in.
    """
    found: list[Decision] = []
    try:
        for entry in entries:
            details = entry.details
            if entry.kind is AuditKind.RENAMED:
                old, new = details["name"], details["new"]
                found = [replace(one, speaker=new) if one.speaker == old else one for one in found]
            elif entry.kind is AuditKind.DECISION and details["outcome"] != "unavailable":
                reason = DeclineReason(details["reason"]) if details["reason"] else None
                amount = Money(details["amount"], details["currency"])
                by_pin = bool(details.get("by_pin", False))
                found.append(Decision(entry.at, amount, details["speaker"], reason, by_pin))
    except _NOT_AS_WRITTEN as error:
        raise StoreError(_CHANGED) from error
    return tuple(found)
