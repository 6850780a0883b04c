"""The commands that hear: their lines, their exit codes, and what they say to bad input."""

import json
import resource
import shutil
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
from virtual_sound import VirtualSound

from assistant.commands.main import main
from assistant.models import find_model
from assistant.rehearse.voices import ShopperVoice

VOICE = ShopperVoice.parse("flite:slt")
FEED = [
    {"sku": "TEA", "name": "green tea", "price": {"amount": "2.50", "currency": "USD"}},
    {"sku": "RICE", "name": "brown rice", "price": {"amount": "1.80", "currency": "USD"}},
]


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with recordings, a feed, and the state that the tests share, so that graphs are compiled once."""
    folder = tmp_path_factory.mktemp("audio")
    for name, text in {"yes": "yes", "no": "no", "genie": "hey genie", "weather": "the weather is nice today"}.items():
        soundfile.write(folder / f"{name}.wav", VOICE.say(text), 16_000)
    (folder / "feed.jsonl").write_text("".join(json.dumps(line) + "\n" for line in FEED))
    (folder / "answers.json").write_text(json.dumps(["yes", "no"]))
    return folder


@pytest.fixture(scope="module")
def bad(place):
    """A recording of every bad kind, by name."""
    head = struct.pack("<4sI4s4sIHHIIHH", b"RIFF", 36 + 3200, b"WAVE", b"fmt ", 16, 1, 1, 16_000, 32_000, 2, 16)
    contents = {
        "empty": b"",
        "text": b"Dear diary, this is no recording.\n" * 50,
        "truncated": head + struct.pack("<4sI", b"data", 3200) + bytes(100),
        "zero hertz": head.replace(struct.pack("<II", 16_000, 32_000), bytes(8))
        + struct.pack("<4sI", b"data", 3200)
        + bytes(3200),
    }
    files = {}
    for name, content in contents.items():
        files[name] = place / f"{name}.wav"
        files[name].write_bytes(content)
    return files | {"missing": place / "nowhere.wav", "folder": place}


@pytest.fixture
def voicecart(place, capfd):
    """Runs a command in this process: its exit code, its JSON lines, its standard error."""

    def run(command, *arguments):
        capfd.readouterr()
        code = main([command, *map(str, arguments), "--state", str(place / "state")])
        printed = capfd.readouterr()
        assert "Traceback" not in printed.err
        lines = [json.loads(line) for line in printed.out.splitlines() if line.startswith("{")]
        return code, lines, printed.err

    return run


def bad_lines(lines):
    return {Path(line["input"]).name: line["error"] for line in lines if "error" in line}


def test_transcribe_prints_a_line_for_every_file_in_order(voicecart, place):
    code, lines, errors = voicecart(
        "transcribe", place / "yes.wav", place / "no.wav", "--grammar", place / "answers.json", "--json"
    )
    assert code == 0
    assert [line["text"] for line in lines] == ["yes", "no"]
    for line in lines:
        assert list(line) == ["input", "text", "words", "alternatives", "seconds", "cpu_seconds"]
        assert line["seconds"] == pytest.approx(soundfile.info(line["input"]).duration, abs=0.01)
        assert line["cpu_seconds"] > 0
        (word,) = line["words"]
        assert list(word) == ["word", "start", "end", "confidence"]
        assert 0 <= word["start"] < word["end"] <= line["seconds"] + 0.1 and 0 <= word["confidence"] <= 1
    assert "WARNING" not in errors and "VoskAPI" not in errors


def test_transcribe_without_a_grammar_hears_general_words(voicecart, place):
    code, lines, _ = voicecart("transcribe", place / "weather.wav", "--json")
    assert code == 0
    assert len(lines[0]["words"]) >= 3 and "[unk]" not in lines[0]["text"]
    assert lines[0]["text"] == " ".join(word["word"] for word in lines[0]["words"])


def test_silence_is_no_words_however_long(voicecart, place):
    with soundfile.SoundFile(place / "hour.flac", "w", 8_000, 1) as file:
        for _ in range(60):
            file.write(np.zeros(60 * 8_000, np.int16))
    soundfile.write(place / "moment.wav", np.zeros(16_000), 16_000)
    code, lines, errors = voicecart("transcribe", place / "moment.wav", place / "hour.flac", "--json")
    assert code == 0 and [line["text"] for line in lines] == ["", ""]
    assert [line["words"] for line in lines] == [[], []] and "WARNING" not in errors
    assert lines[1]["seconds"] == pytest.approx(3600, abs=1)


def test_a_long_recording_is_cut_where_nobody_speaks(voicecart, place):
    noise = np.random.default_rng(4).normal(0, 0.001, 12 * 16_000).astype(np.float32)
    soundfile.write(
        place / "long.wav", np.concatenate([noise, VOICE.say("yes"), noise, VOICE.say("no"), noise]), 16_000
    )
    _, lines, _ = voicecart("transcribe", place / "long.wav", "--grammar", place / "answers.json", "--json")
    assert lines[0]["text"] == "yes no"
    first, second = lines[0]["words"]
    assert 11 < first["start"] < 14 and 23 < second["start"] < 28


@pytest.mark.parametrize("command", [("transcribe",), ("wake", "--phrase", "hey genie"), ("understand",)])
def test_bad_files_are_reported_on_their_lines_and_the_rest_is_done(voicecart, place, bad, command):
    files = [
        bad["empty"],
        place / "yes.wav",
        *(bad[name] for name in ("text", "truncated", "zero hertz", "missing", "folder")),
    ]
    feed = ("--catalog", place / "feed.jsonl") if command[0] == "understand" else ()
    code, lines, _ = voicecart(command[0], *files, *command[1:], *feed, "--json")
    assert code == 1
    assert [line["input"] for line in lines] == [str(path) for path in files]
    errors = bad_lines(lines)
    assert len(errors) == 6 and {error["code"] for error in errors.values()} == {"audio_unreadable"}
    assert "empty" in errors["empty.wav"]["message"] and "truncated" in errors["truncated.wav"]["message"]
    assert "0 samples a second" in errors["zero hertz.wav"]["message"]
    assert "error" not in lines[1]


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("--model", "no-such-model"), "No model is called 'no-such-model'"),
        (("--model", "/no/such/folder"), "no model folder"),
        (("--grammar", "{place}/missing.json"), "No such file"),
        (("--grammar", "{place}/feed.jsonl"), "not JSON"),
        (("--model", "{place}"), "is no Vosk model|topology.json cannot be read"),
    ],
)
def test_what_transcribe_cannot_work_with_is_refused(voicecart, place, arguments, reason):
    filled = [argument.replace("{place}", str(place)) for argument in arguments]
    code, lines, errors = voicecart("transcribe", place / "yes.wav", *filled)
    assert code == 2 and lines == []
    assert any(part in errors for part in reason.split("|"))
    assert errors.strip().splitlines()[-1].startswith("voicecart: ")


def test_a_model_that_differs_from_its_checksums_is_named_and_refused(voicecart, place):
    damaged = place / "damaged-model"
    shutil.copytree(find_model("voicecart-en"), damaged)
    network = damaged / "am" / "final.mdl"
    content = bytearray(network.read_bytes())
    content[len(content) // 2] ^= 0xFF
    network.write_bytes(content)
    code, _, errors = voicecart("transcribe", place / "yes.wav", "--model", damaged)
    assert code == 2 and "am/final.mdl differs from its checksum" in errors
    network.unlink()
    code, _, errors = voicecart("transcribe", place / "yes.wav", "--model", damaged)
    assert code == 2 and "am/final.mdl" in errors


def test_wake_finds_the_phrase_and_nothing_else(voicecart, place):
    code, lines, errors = voicecart(
        "wake", place / "genie.wav", place / "weather.wav", "--phrase", "Hey Genie", "--threshold", "3", "--json"
    )
    assert code == 0 and "VoskAPI" not in errors
    assert [list(line) for line in lines] == [["input", "seconds", "detections"]] * 2
    (detection,) = lines[0]["detections"]
    assert 0.2 < detection["at"] <= lines[0]["seconds"] and detection["score"] >= 3
    assert lines[1]["detections"] == []


def test_wake_without_a_threshold_prints_every_likeness(voicecart, place):
    _, all_lines, _ = voicecart("wake", place / "genie.wav", "--phrase", "hey genie", "--json")
    _, none, _ = voicecart("wake", place / "genie.wav", "--phrase", "hey genie", "--threshold", "1000", "--json")
    assert len(all_lines[0]["detections"]) >= 1 and none[0]["detections"] == []


def test_running_speech_without_the_phrase_does_not_keep_the_spotter_busy(place):
    story = ShopperVoice.parse("flite:kal16").say(
        "The weather turned colder in the evening, so we lit the fire and played cards until everybody was tired. "
    )
    soundfile.write(place / "story.wav", np.resize(story, 20 * 16_000), 16_000)
    # Seconds are enough; a lattice that explodes would take many minutes.
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "assistant",
            "wake",
            str(place / "story.wav"),
            "--json",
            "--state",
            str(place / "state"),
        ],
        capture_output=True,
        text=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CPU, (60, 60)),
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["seconds"] == pytest.approx(20)


def test_a_wake_phrase_without_words_is_refused(voicecart, place):
    code, _, errors = voicecart("wake", place / "genie.wav", "--phrase", "?!")
    assert code == 2 and "--phrase" in errors


@pytest.mark.parametrize("kind", ["empty", "text", "truncated", "zero hertz", "missing"])
def test_the_live_loop_refuses_a_bad_recording_and_buys_nothing(voicecart, place, bad, kind):
    code, lines, errors = voicecart("run", "--wav", bad[kind], "--no-wake", "--json", "--catalog", place / "feed.jsonl")
    assert code == 2 and str(bad[kind]) in errors
    assert not {"order_placed", "authorised", "transcript"} & {line["event"] for line in lines}


def test_an_hour_of_silence_in_the_live_loop_is_no_utterance(voicecart, place):
    with soundfile.SoundFile(place / "silent-hour.flac", "w", 8_000, 1) as file:
        for _ in range(60):
            file.write(np.zeros(60 * 8_000, np.int16))
    code, lines, _ = voicecart(
        "run", "--wav", place / "silent-hour.flac", "--no-wake", "--json", "--catalog", place / "feed.jsonl"
    )
    assert code == 0 and {line["event"] for line in lines} <= {"idle"}


@pytest.mark.parametrize(
    "arguments",
    [
        ("--challenge", "1234"),
        ("--challenge", "1234", "--text"),
        ("--challenge", "12a4", "--wav", "x.wav"),
        ("--challenge", "1", "--wav", "x.wav"),
    ],
)
def test_a_fixed_challenge_is_only_for_recordings(voicecart, arguments):
    code, _, errors = voicecart("run", *arguments)
    assert code == 2 and "--challenge" in errors


def test_recordings_of_nobody_enrol_nobody_whatever_they_are_called(tmp_path, capsys):
    name = "[red].wav"  # markup to the table that it stands in
    soundfile.write(tmp_path / name, np.zeros(16000), 16000)
    assert main(["enroll", "anna", "--wav", *[str(tmp_path / name)] * 3, "--state", str(tmp_path / "state")]) == 2
    told = capsys.readouterr().err
    assert name in told and "no speech" in told and "Traceback" not in told


@pytest.mark.parametrize("command", ["run", "doctor"])
def test_a_machine_without_a_microphone_is_told_so(tmp_path, place, command):
    sound = VirtualSound(tmp_path)
    sound.unplug()
    arguments = {"run": ["--catalog", str(place / "feed.jsonl")], "doctor": ["--json"]}[command]
    done = subprocess.run(
        [sys.executable, "-m", "assistant", command, *arguments, "--state", str(place / "state")],
        env=sound.environment,
        capture_output=True,
        text=True,
        timeout=300,
    )
    sound.close()
    assert "Traceback" not in done.stderr
    if command == "run":
        assert done.returncode == 2 and "There is no microphone" in done.stderr
    else:
        findings = {line["what"]: line for line in map(json.loads, done.stdout.splitlines())}
        assert findings["microphone"]["health"] == "warning" and findings["microphone"]["remedy"]
        assert findings["speech"]["health"] == "good" and findings["acoustic model"]["health"] == "good"
