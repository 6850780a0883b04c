"""``voicecart demo`` is a real purchase; ``voicecart evaluate`` reports and judges."""

import json

import numpy as np
import pytest
import soundfile

from assistant.commands.main import main


@pytest.fixture(scope="module")
def graphs(request):
    return str(request.config.cache.mkdir("voicecart"))


def test_the_demo_buys_once_and_refuses_the_stranger(graphs, tmp_path, capsys):
    out = tmp_path / "demo.wav"
    assert main(["demo", "--quiet", "--out", str(out), "--state", graphs]) == 0
    shown = capsys.readouterr().out
    for text in ("From now on your voice can pay", "three cartons of oat milk", "authorised", "declined: other_voice"):
        assert text in shown
    assert str(out) in shown
    samples, rate = soundfile.read(out)
    # Both sides of the conversation are in the recording: it is nowhere silent for long.
    assert rate == 16_000 and len(samples) > 60 * rate
    seconds = np.abs(samples[: len(samples) // rate * rate].reshape(-1, rate)).max(1)
    assert np.mean(seconds > 0.01) > 0.6


def test_evaluate_reports_and_fails_with_a_scenario(graphs, tmp_path, capsys):
    path = tmp_path / "two.yaml"
    path.write_text(
        """
scenarios:
  - name: as it is
    voice: flite:slt
    turns: [{say: "hey genie, help", expect: {intent: help, reply: [you can say]}}]
  - name: as it is not
    tags: [wrong]
    voice: flite:slt
    turns: [{say: "hey genie, help", expect: {intent: stop}}]
"""
    )
    report, recordings = tmp_path / "report", tmp_path / "recordings"
    command = ["evaluate", str(path), "--json", "--report", str(report), "--state", graphs]
    assert main([*command, "--recordings", str(recordings)]) == 1
    summary = json.loads(capsys.readouterr().out)
    assert (summary["scenarios"], summary["passed"], summary["wrong_purchases"]) == (2, 1, 0)
    assert summary["intent_accuracy"] == 0.5 and summary["transcript_latency"]["p50"] > 0
    assert json.loads((report / "report.json").read_text())["details"][1]["passed"] is False
    assert "0 wrong purchases" in (report / "report.html").read_text()
    assert {file.name for file in recordings.iterdir()} == {"as it is.wav", "as it is not.wav"}
    assert main([*command, "--only", "as it is"]) == 1
    assert main(["evaluate", str(tmp_path / "none.yaml")]) == 2
