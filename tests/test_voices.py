from datetime import UTC, datetime

import numpy as np
import pytest
from sqlalchemy import text

from assistant.commands.main import main
from assistant.errors import EnrolmentError, StoreError
from assistant.pay.audit import AuditTrail
from assistant.pay.voices import KEY_FILE, Voices
from assistant.shop.database import DATABASE, open_database, transaction

NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)


def unit(seed: int) -> np.ndarray:
    vector = np.random.default_rng(seed).standard_normal(192)
    return vector / np.linalg.norm(vector)


@pytest.fixture
def engine(tmp_path):
    return open_database(tmp_path)


@pytest.fixture
def voices(engine, tmp_path):
    return Voices(engine, "home", tmp_path, lambda: NOW)


def test_a_voice_comes_back_unchanged(voices):
    saved = voices.save("anna", unit(1), "model-1", 5)
    assert voices.list() == (saved,)
    assert np.array_equal(voices.templates("model-1")["anna"], unit(1))


def test_another_encoder_sees_none_of_its_templates(voices):
    voices.save("anna", unit(1), "model-1", 5)
    assert voices.templates("model-2") == {}


def test_a_name_is_enrolled_once_unless_it_is_replaced(voices):
    voices.save("anna", unit(1), "model-1", 5)
    with pytest.raises(EnrolmentError, match="already enrolled"):
        voices.save("anna", unit(2), "model-1", 5)
    voices.save("anna", unit(2), "model-2", 4, replace=True)
    assert [(voice.model, voice.takes) for voice in voices.list()] == [("model-2", 4)]


def test_renaming_keeps_the_voice(voices):
    voices.save("anna", unit(1), "model-1", 5)
    voices.save("ben", unit(2), "model-1", 5)
    voices.rename("anna", "Anna Lee")
    templates = voices.templates("model-1")
    assert set(templates) == {"Anna Lee", "ben"}
    assert np.array_equal(templates["Anna Lee"], unit(1))
    with pytest.raises(EnrolmentError, match="already enrolled"):
        voices.rename("ben", "Anna Lee")
    with pytest.raises(EnrolmentError, match="Nobody"):
        voices.rename("anna", "x")


def test_a_name_that_sounds_like_another_is_nobody_elses(voices):
    for name in ("anna", "Zo\u00eb", "ben"):
        voices.save(name, unit(1), "model-1", 5)
    for name in ("Anna", "Zoe\u0308"):
        with pytest.raises(EnrolmentError, match="already enrolled"):
            voices.check_name(name)
        with pytest.raises(EnrolmentError, match="already enrolled"):
            voices.save(name, unit(2), "model-1", 5, replace=True)
        with pytest.raises(EnrolmentError, match="already enrolled"):
            voices.rename("ben", name)
    voices.check_name("anna")
    assert voices.rename("anna", "Anna").name == "Anna"
    assert {voice.name for voice in voices.list()} == {"Anna", "Zo\u00eb", "ben"}


def test_households_do_not_share_voices(voices, engine, tmp_path):
    voices.save("anna", unit(1), "model-1", 5)
    assert Voices(engine, "neighbours", tmp_path).list() == ()


def test_the_template_is_not_readable_in_the_files_and_gone_when_deleted(voices, tmp_path, engine):
    voices.save("anna", unit(1), "model-1", 5)
    secret = str(float(unit(1)[0])).encode()
    with transaction(engine) as connection:
        stored = bytes(connection.execute(text("select template from voices")).scalar_one())
    assert secret not in stored
    assert voices.delete("anna") and not voices.delete("anna")
    assert voices.templates("model-1") == {}
    with transaction(engine) as connection:
        connection.execute(text("select 1"))
    engine.dispose()
    files = b"".join(path.read_bytes() for path in tmp_path.glob(f"{DATABASE}*"))
    assert stored[:40] not in files


def test_rows_of_the_database_cannot_be_exchanged(voices, engine):
    voices.save("anna", unit(1), "model-1", 5)
    voices.save("ben", unit(2), "model-1", 5)
    with transaction(engine) as connection:
        connection.execute(
            text("update voices set template = (select template from voices where name = 'ben') where name = 'anna'")
        )
    with pytest.raises(StoreError, match="not that voice"):
        voices.templates("model-1")


def test_a_changed_key_opens_nothing(voices, tmp_path):
    voices.save("anna", unit(1), "model-1", 5)
    (tmp_path / KEY_FILE).unlink()
    with pytest.raises(StoreError, match="Enrol it again"):
        voices.templates("model-1")


def test_a_key_that_others_can_read_is_refused(voices, tmp_path):
    voices.save("anna", unit(1), "model-1", 5)
    (tmp_path / KEY_FILE).chmod(0o644)
    with pytest.raises(StoreError, match="chmod 600"):
        voices.templates("model-1")


def test_the_key_is_made_for_its_owner_only(voices, tmp_path):
    voices.save("anna", unit(1), "model-1", 5)
    assert (tmp_path / KEY_FILE).stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.glob("*key*")].count(KEY_FILE) == 1


def test_every_change_is_in_the_audit_trail(voices, engine, tmp_path):
    voices.save("anna", unit(1), "model-1", 5)
    voices.rename("anna", "ann")
    voices.delete("ann")
    trail = AuditTrail(engine, "home", tmp_path)
    assert [str(entry.kind) for entry in trail.entries()] == ["enrolled", "renamed", "deleted"]
    assert trail.verify().broken is None


def test_the_command_lists_renames_and_deletes(voices, tmp_path, capsys):
    state = ["--state", str(tmp_path)]
    assert main(["voices", *state]) == 0
    assert "Nobody is enrolled" in capsys.readouterr().out
    voices.save("anna", unit(1), "model-1", 5)
    assert main(["voices", "rename", "anna", "ann", *state]) == 0
    assert main(["voices", "list", "--json", *state]) == 0
    assert '"name": "ann"' in capsys.readouterr().out
    assert main(["voices", "delete", "ann", *state]) == 0
    assert main(["voices", "delete", "ann", *state]) == 2
    assert "Nobody is enrolled as 'ann'" in capsys.readouterr().err
    assert voices.list() == ()
