"""The device's voice: real pyttsx3, real espeak-ng, in its own process."""

import os
import signal
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assistant.errors import SynthesisError
from assistant.settings import Speak
from assistant.speak.pyttsx3_synthesiser import Pyttsx3Synthesiser


@pytest.fixture(scope="module")
def synthesiser():
    voice = Pyttsx3Synthesiser(Speak(), "en-us")
    yield voice
    voice.close()


def worker_of(synthesiser):
    return synthesiser._process.pid


def loud(speech):
    return np.abs(speech.samples).max() > 0.1


def test_it_speaks_and_goes_on_speaking(synthesiser):
    speeches = [synthesiser.synthesise(f"Two cartons of oat milk, number {number}.") for number in range(5)]
    assert all(loud(speech) and speech.rate == 22_050 for speech in speeches)
    assert all(1.0 < speech.seconds < 6.0 for speech in speeches)
    assert all(speech.samples.dtype == np.float32 and speech.samples.ndim == 1 for speech in speeches)


def test_every_answer_belongs_to_its_text(synthesiser):
    long, short = "one two three four five six seven eight nine ten eleven twelve", "one"
    lengths = [synthesiser.synthesise(text).seconds for text in (long, short, long, short)]
    assert lengths[0] == pytest.approx(lengths[2], abs=0.01)
    assert lengths[0] > 3 * lengths[1]
    assert lengths[1] == pytest.approx(lengths[3], abs=0.01)


@pytest.mark.parametrize("text", ["", "   ", "\n\t", "...", "?!", "\x00"])
def test_text_without_a_word_is_no_sound(synthesiser, text):
    speech = synthesiser.synthesise(text)
    assert speech.seconds == 0 and speech.rate > 0


@pytest.mark.parametrize(
    "text",
    [
        "It costs €3.99, naïve café.",
        "牛奶两盒",
        "молоко",
        "milk 🥛 please",
        "[[h@l'oU]] <speak>&amp;</speak>",
        "one\x00two\x07three\udcff",
        "--help",
        "-v nonsense",
        "quotes \" and ' and \\ and `",
        "a" * 3000,
    ],
)
def test_odd_text_is_spoken(synthesiser, text):
    assert loud(synthesiser.synthesise(text))


def test_text_is_never_a_command(synthesiser, tmp_path):
    target = tmp_path / "written"
    for text in (
        f"$(touch {target})",
        f"; touch {target};",
        f"`touch {target}`",
        f"milk | touch {target} &",
        f"\n{target}",
    ):
        assert loud(synthesiser.synthesise(text))
    assert not target.exists()


@given(st.text(max_size=40))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_text_is_spoken_or_refused(synthesiser, text):
    try:
        speech = synthesiser.synthesise(text)
    except SynthesisError:
        return
    assert np.isfinite(speech.samples).all()


def test_a_killed_worker_is_replaced(synthesiser):
    before = worker_of(synthesiser)
    os.kill(before, signal.SIGKILL)
    assert loud(synthesiser.synthesise("still here"))
    assert worker_of(synthesiser) != before


def test_a_worker_that_hangs_is_given_up_and_replaced():
    voice = Pyttsx3Synthesiser(Speak(timeout_seconds=0.5), "en-us")
    try:
        voice.synthesise("warm up")
        stopped = worker_of(voice)
        os.kill(stopped, signal.SIGSTOP)
        with pytest.raises(SynthesisError, match=r"within 0\.5 s"):
            voice.synthesise("nobody answers")
        with pytest.raises(ProcessLookupError):
            os.kill(stopped, 0)
        voice._settings = Speak()
        assert loud(voice.synthesise("a new worker answers"))
    finally:
        voice.close()


def test_a_worker_that_dies_of_every_text_is_given_up(tmp_path):
    program = tmp_path / "dies.py"
    program.write_text("import sys\nsys.stdin.readline()\nsys.exit(3)\n")
    voice = Pyttsx3Synthesiser(Speak(), "en-us", (sys.executable, str(program)))
    with pytest.raises(SynthesisError, match="died"):
        voice.synthesise("hello")
    voice.close()


@pytest.mark.parametrize("silent", [1, 2])
def test_a_worker_that_makes_no_sound_is_replaced_once(tmp_path, silent):
    """Nobody would repeat digits that were never said."""
    program = tmp_path / "silent.py"
    program.write_text(
        "import json, pathlib, sys, wave\n"
        "for line in sys.stdin:\n"
        "    said = pathlib.Path(__file__).with_suffix('.count')\n"
        "    count = int(said.read_text()) if said.exists() else 0\n"
        "    said.write_text(str(count + 1))\n"
        "    with wave.open(json.loads(line)['path'], 'wb') as file:\n"
        "        file.setparams((1, 2, 22050, 0, 'NONE', ''))\n"
        f"        file.writeframes(b'' if count < {silent} else b'\\1\\0' * 100)\n"
        "    print(json.dumps({'error': None}), flush=True)\n"
    )
    voice = Pyttsx3Synthesiser(Speak(), "en-us", (sys.executable, str(program)))
    if silent == 1:
        assert len(voice.synthesise("four seven one nine").samples) == 100
    else:
        with pytest.raises(SynthesisError, match="no sound"):
            voice.synthesise("four seven one nine")
    voice.close()


def test_a_worker_that_cannot_be_started_is_an_error_with_a_code():
    voice = Pyttsx3Synthesiser(Speak(), "en-us", ("/nonexistent/python",))
    with pytest.raises(SynthesisError) as refused:
        voice.synthesise("hello")
    assert refused.value.code == "synthesis_failed"
    voice.close()


def test_an_unknown_voice_is_named_and_stays_refused():
    voice = Pyttsx3Synthesiser(Speak(voice="klingon-opera"), "en-us")
    for _ in range(2):
        with pytest.raises(SynthesisError, match="klingon-opera"):
            voice.synthesise("hello")
    voice.close()


def test_the_settings_choose_voice_rate_and_volume(synthesiser):
    text = "order two cartons of oat milk"
    usual = synthesiser.synthesise(text)
    changed = {
        "slow": Speak(words_per_minute=90),
        "soft": Speak(volume=0.2),
        "other": Speak(voice="en-us+f3"),
    }
    spoken = {}
    for name, choice in changed.items():
        voice = Pyttsx3Synthesiser(choice, "en-us")
        spoken[name] = voice.synthesise(text)
        voice.close()
    assert spoken["slow"].seconds > 1.3 * usual.seconds
    assert np.abs(spoken["soft"].samples).max() < 0.5 * np.abs(usual.samples).max()
    assert len(spoken["other"].samples) != len(usual.samples)


def test_closing_ends_the_process_and_removes_its_files():
    voice = Pyttsx3Synthesiser(Speak(), "en-us")
    voice.synthesise("goodbye")
    process, folder = voice._process, Path(voice._folder.name)
    assert folder.is_dir()
    voice.close()
    assert process.poll() is not None and not folder.exists()
