import json
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from assistant.commands.main import main
from assistant.errors import StoreError
from assistant.pay.audit import KEY_FILE, AuditKind, AuditTrail
from assistant.pay.outcome import AuthorisationRequest, Authorised, Declined, DeclineReason, Unavailable
from assistant.shop.database import open_database, transaction
from assistant.shop.money import Money

START = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
UNREADABLE = (
    "update audit set kind = 'nonsense' where number = 3",
    "update audit set details = '{' where number = 3",
    "update audit set details = '[]' where number = 3",
    "update audit set details = '{}' where number = 3",
    "update audit set at = 'yesterday' where number = 3",
    "update audit set seal = 'é' where number = 3",
    "update audit set seal = x'00' where number = 3",
)
REQUEST = AuthorisationRequest("17", Money(1250, "USD"))


@pytest.fixture
def engine(tmp_path):
    return open_database(tmp_path)


@pytest.fixture
def trail(engine, tmp_path):
    ticks = iter(range(1000))
    trail = AuditTrail(engine, "home", tmp_path, lambda: START + timedelta(minutes=next(ticks)))
    trail.append(AuditKind.ENROLLED, name="Zoë", takes=5)
    trail.append(AuditKind.CHALLENGE, order="17", number=1)
    trail.decided(REQUEST, Declined(DeclineReason.OTHER_VOICE, True), {"llr": -3.5})
    trail.decided(REQUEST, Authorised("17", REQUEST.amount, "Zoë"), {"llr": 9.25})
    trail.decided(REQUEST, Unavailable("store_failed"), {})
    return trail


def test_entries_come_back_as_they_were_written(trail):
    entries = trail.entries()
    assert [entry.number for entry in entries] == [1, 2, 3, 4, 5]
    assert entries[0].details == {"name": "Zoë", "takes": 5}
    assert entries[2].details["evidence"] == {"llr": -3.5}
    found = trail.verify()
    assert (found.entries, found.broken, found.seal) == (5, None, entries[-1].seal)


def test_decisions_are_what_the_policy_needs(trail):
    declined, authorised = trail.decisions(START)
    assert (declined.reason, declined.speaker) == (DeclineReason.OTHER_VOICE, "")
    assert (authorised.reason, authorised.speaker, authorised.amount) == (None, "Zoë", REQUEST.amount)
    assert trail.decisions(START + timedelta(minutes=3)) == (authorised,)


@pytest.mark.parametrize(
    ("change", "broken"),
    [
        ("update audit set details = replace(details, 'other_voice', 'too_short') where number = 3", 3),
        ("update audit set kind = 'renamed' where number = 1", 1),
        ("update audit set at = '2026-05-05 12:00:00.000000' where number = 2", 2),
        ("update audit set household = 'other' where number = 2", 2),
        ("delete from audit where number = 2", 2),
        ("delete from audit where number = 1", 1),
        ("update audit set seal = (select seal from audit where number = 4) where number = 5", 5),
        ("update audit set number = number + 10; update audit set number = 14 - number where number > 13", 1),
        ("update audit set number = 9 where number = 5", 5),
        (
            "insert into audit select household, 6, at, kind, details, seal from audit where number = 5",
            6,
        ),
        *((change, 3) for change in UNREADABLE),
    ],
)
def test_a_change_shows(trail, engine, change, broken):
    with transaction(engine) as connection:
        for statement in change.split(";"):
            connection.execute(text(statement))
    assert trail.verify().broken == broken


@pytest.mark.parametrize("change", UNREADABLE)
def test_what_was_made_unreadable_is_told_and_nothing_is_paid(trail, engine, tmp_path, capsys, change):
    with transaction(engine) as connection:
        connection.execute(text(change))
    state = ["--state", str(tmp_path)]
    assert main(["audit", "verify", *state]) == 1
    assert "Entry 3 of 5" in capsys.readouterr().out
    assert main(["audit", "show", *state]) in (0, 2)
    assert "Traceback" not in capsys.readouterr().err
    if "seal" not in change:
        with pytest.raises(StoreError, match="audit verify"):
            trail.decisions(START)


def test_a_record_written_anew_with_another_key_shows(trail, engine, tmp_path):
    (tmp_path / KEY_FILE).unlink()
    assert trail.verify().broken == 1


def test_households_have_their_own_chains(trail, engine, tmp_path):
    other = AuditTrail(engine, "neighbours", tmp_path)
    other.append(AuditKind.DELETED, name="bo")
    assert [entry.number for entry in other.entries()] == [1]
    assert other.verify().broken is None and trail.verify().broken is None


def test_an_entry_that_cannot_be_sealed_is_an_error(trail, tmp_path):
    (tmp_path / KEY_FILE).write_text("no key")
    with pytest.raises(StoreError):
        trail.append(AuditKind.DELETED, name="bo")


def test_the_command_finds_a_record_that_was_cut_off(trail, engine, tmp_path, capsys):
    seal = trail.verify().seal
    state = ["--state", str(tmp_path)]
    assert main(["audit", "verify", *state]) == 0
    assert seal in capsys.readouterr().out
    with transaction(engine) as connection:
        connection.execute(text("delete from audit where number = 5"))
    assert main(["audit", "verify", *state]) == 0
    for missing in (seal, ""):
        assert main(["audit", "verify", "--seal", missing, *state]) == 1
        assert "cut off" in capsys.readouterr().out
    assert main(["audit", "verify", "--seal", seal, "--json", *state]) == 1
    found = json.loads(capsys.readouterr().out)
    assert found == {"entries": 4, "broken": None, "cut_off": True, "seal": trail.entries()[-1].seal}
    assert main(["audit", "show", "--seal", seal, *state]) == 2


def test_the_command_shows_names_and_reasons(trail, tmp_path, capsys):
    assert main(["audit", "show", "--state", str(tmp_path)]) == 0
    shown = capsys.readouterr().out
    assert "Zoë" in shown and "other_voice" in shown
