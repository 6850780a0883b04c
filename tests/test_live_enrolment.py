"""Enrolling by talking, over real PortAudio: the device says sentences, and a person in the room says them after it."""

import subprocess
import sys
import threading
import time

import numpy as np
import pytest
import soxr
from virtual_sound import VirtualSound

from assistant.hear.audio import RATE
from assistant.hear.voice_activity import SileroVoiceActivity
from assistant.languages.language import load_language
from assistant.pay.encoder import open_encoder
from assistant.pay.roles import Role
from assistant.pay.voiced_speech import VoicedSpeech
from assistant.pay.voices import Voices
from assistant.rehearse.voices import ShopperVoice
from assistant.settings import Pay
from assistant.shop.database import open_database

SENTENCES = load_language("en").enrolment_sentences


@pytest.fixture
def card(tmp_path):
    sound = VirtualSound(tmp_path, 44_100)
    sound.feed(np.random.default_rng(7).normal(0, 0.0005, sound.rate))
    sound.drain()
    yield sound
    sound.close()


def wait_until_it_is_quiet(card: VirtualSound) -> None:
    """A person waits for the end of what the device says: somewhat longer than its pauses within a sentence.

    A loudspeaker that has nothing to play may get no sound at all, not even silence.
    """
    known, begun, loud = len(card.heard), False, time.monotonic()
    while not begun or time.monotonic() - loud < 0.9:
        time.sleep(0.05)
        new = card.heard[known:]
        known += len(new)
        if (np.abs(new) > 0.01).any():
            begun, loud = True, time.monotonic()


def test_a_child_enrols_through_microphone_and_loudspeaker(tmp_path, card):
    (tmp_path / "settings.toml").write_text('[pay]\nengine = "onnx"\n')
    place = ("--config", str(tmp_path / "settings.toml"), "--state", str(tmp_path / "state"))
    child = subprocess.Popen(
        [sys.executable, "-u", "-m", "assistant", "enroll", "tim", "--role", "child", "--device", "kitchen", *place],
        env=card.environment | {"COLUMNS": "200"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    # An enrolment that never ends must not hang the tests.
    overdue = threading.Timer(420, child.kill)
    overdue.start()
    lines = []
    try:
        for line in child.stdout:
            lines.append(line)
            asked = next((sentence for sentence in SENTENCES if sentence in line), None)
            if asked:
                wait_until_it_is_quiet(card)
                card.say(soxr.resample(0.7 * ShopperVoice.parse("flite:slt").say(asked), RATE, card.rate))
        errors = child.communicate(timeout=60)[1]
    finally:
        overdue.cancel()
        child.kill()
        child.wait()
    assert child.returncode == 0 and "Traceback" not in errors, errors + "".join(lines)
    assert "tim is enrolled" in lines[-1] and "an adult has to approve" in lines[-1]

    voices, encoder = (
        Voices(open_database(tmp_path / "state"), "home", tmp_path / "state"),
        open_encoder(Pay(engine="onnx")),
    )
    assert voices.roles() == {"tim": Role.CHILD}
    template = voices.templates(encoder.model)["tim"]
    accepted = {}
    for voice in ("flite:slt", "flite:rms"):
        speech = VoicedSpeech(SileroVoiceActivity)(ShopperVoice.parse(voice).say("four zero two nine one five, please"))
        accepted[voice] = encoder.scoring.judge(template, encoder.embed(speech), len(speech) / RATE).accepted
    assert accepted == {"flite:slt": True, "flite:rms": False}
    # No sound is kept.
    assert not [path for path in (tmp_path / "state").rglob("*") if path.suffix in (".wav", ".flac", ".npy")]
