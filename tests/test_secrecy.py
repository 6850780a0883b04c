"""A PIN that is said aloud: its words are in no event, log line, transcript, report or recording."""

import json
import logging
from pathlib import Path

import numpy as np
import pytest
import soundfile

from assistant.events import Declined, Reply, Secrecy, Transcript, Understood, to_json
from assistant.hear.audio import RATE
from assistant.observe.log_lines import log_event
from assistant.parts import Parts
from assistant.rehearse.rehearsal import rehearse
from assistant.rehearse.report import write_report
from assistant.rehearse.scenario import read_scenarios
from assistant.settings import Settings
from assistant.shop.feed import read_feed

FILE = Path(__file__).parent / "scenarios" / "approval.yaml"
SCENARIOS = {scenario.name: scenario for scenario in read_scenarios(FILE).scenarios}


@pytest.fixture(scope="module")
def parts(request):
    feed = FILE.parent / (read_scenarios(FILE).catalog or "")
    made = Parts(Settings(), read_feed(feed).products, request.config.cache.mkdir("voicecart"))
    yield made
    made.close()


def play(parts: Parts, name: str, folder: Path):
    """The events, and the recording's samples."""
    happened = []
    scenario = SCENARIOS[name]
    played = rehearse(
        scenario,
        parts.with_settings(scenario.settings),
        FILE.parent,
        observers=(happened.append, log_event),
        recording=folder / "talk.wav",
    )
    assert played.verdict.passed, played.verdict.problems
    write_report(folder / "report", [played.verdict])
    return happened, soundfile.read(folder / "talk.wav", dtype="float32")[0]


def test_a_pin_that_was_said_is_nowhere(parts, tmp_path, caplog):
    caplog.set_level(logging.DEBUG)
    happened, recording = play(parts, "a PIN after a voice that is not known", tmp_path)
    begin, end = (event.at for event in happened if isinstance(event, Secrecy))
    heard = [event for event in happened if isinstance(event, Transcript)]
    assert heard[-1].at >= begin and (heard[-1].text, heard[-1].alternatives) == ("", ())
    kept = [json.dumps([to_json(event) for event in happened]), caplog.text, recording.tobytes().decode("latin-1")]
    kept += [path.read_text("utf-8") for path in (tmp_path / "report").iterdir()]
    for pin in ("402915", "four zero two nine one five"):
        assert not any(pin in text for text in kept)
    # Somebody spoke for more than two seconds before the device knew what to say, and it is not in the recording.
    speech = next(event for event in reversed(happened) if event.name == "speech_ended")
    assert begin < speech.at - speech.seconds and speech.seconds > 2.0
    secret = recording[round((speech.at - speech.seconds) * RATE) : round(end * RATE)]
    assert len(secret) > 2 * RATE and not secret.any()
    # The challenge before it, which is none, is there.
    assert np.abs(recording[: round(begin * RATE)]).max() > 0.1


def test_what_is_no_pin_is_not_shown_either(parts, tmp_path):
    happened, _ = play(parts, "something else than a PIN", tmp_path)
    begin = next(number for number, event in enumerate(happened) if isinstance(event, Secrecy))
    after = happened[begin:]
    assert [event.text for event in after if isinstance(event, Understood | Transcript)] == ["", ""]
    assert any(isinstance(event, Reply) for event in after) and not any(isinstance(event, Declined) for event in after)
