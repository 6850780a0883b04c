import dataclasses
import tomllib

import pytest

from assistant.commands.main import main
from assistant.errors import SettingsError
from assistant.settings import Settings
from assistant.settings_file import explain, read_settings


def write(tmp_path, text):
    path = tmp_path / "voicecart.toml"
    path.write_text(text, "utf-8")
    return path


def test_a_key_overrides_its_default(tmp_path):
    settings = read_settings(write(tmp_path, '[hear]\nwake_phrase = "hello shop"\n[talk]\nreprompts = 1\n'))
    assert settings.hear.wake_phrase == "hello shop"
    assert settings.talk.reprompts == 1
    assert settings.hear.end_seconds == Settings().hear.end_seconds


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("[hear]\nwake_word = 'x'\n", "hear.wake_word"),
        ("[ear]\n", "ear"),
        ("[talk]\nreprompts = 'two'\n", "talk.reprompts"),
        ("[pay]\ndigits = 4.5\n", "pay.digits"),
        ("[pay]\ndigits = 0\n", "pay.digits"),
        ("[pay]\nchallenge_seconds = inf\n", "pay.challenge_seconds"),
        ("[pay]\nthreshold = -inf\n", "pay.threshold"),
        ("[pay]\nvoiced_seconds = nan\n", "pay.voiced_seconds"),
        ("[pay]\nday_limit = -1\n", "pay.day_limit"),
        ("[pay]\nlockout_seconds = -60\n", "pay.lockout_seconds"),
        ("[shop]\ncurrency = 'XXY'\n", "shop.currency"),
        ("[shop]\ncurrency = 'usd'\n", "shop.currency"),
        ("[hear]\nwake = 'shout'\n", "hear.wake"),
        ("[hear\n", "TOML"),
    ],
)
def test_what_cannot_be_used_is_refused_by_name(tmp_path, text, named):
    with pytest.raises(SettingsError) as refused:
        read_settings(write(tmp_path, text))
    assert named in refused.value.message


def test_a_named_file_must_exist(tmp_path, capsys):
    assert main(["config", "--config", str(tmp_path / "absent.toml")]) == 2
    assert "absent.toml" in capsys.readouterr().err


def test_explain_documents_every_key_and_is_a_settings_file_with_the_defaults(tmp_path, capsys):
    assert main(["config", "--explain"]) == 0
    text = capsys.readouterr().out
    keys = {
        f"{section.name}.{key.name}"
        for section in dataclasses.fields(Settings)
        for key in dataclasses.fields(getattr(Settings(), section.name))
    }
    assert {key for key, _, description in explain() if len(description) > 10} == keys
    tomllib.loads(text)
    assert read_settings(write(tmp_path, text)) == Settings()


def test_a_place_that_cannot_be_written_is_said_without_a_traceback(monkeypatch, capsys):
    def full(options):
        raise OSError(28, "No space left on device", "/state/report.json")

    monkeypatch.setattr("assistant.commands.config.run", full)
    assert main(["config"]) == 2
    assert "/state/report.json: No space left on device" in capsys.readouterr().err
