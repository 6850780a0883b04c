"""The microphone through real PortAudio, recording from a virtual ALSA card in a child process."""

import subprocess
import sys
import threading

import pytest
from virtual_sound import VirtualSound, run_child, tone

LISTEN = """
import dataclasses, json, sys
import numpy as np
from assistant.errors import AudioDeviceError
from assistant.hear.microphone import MicSource
from assistant.settings import Hear

changes, wanted = json.loads(sys.argv[1]), json.loads(sys.argv[2])
chunks = []
try:
    microphone = MicSource(dataclasses.replace(Hear(), **changes))
    for chunk in microphone.chunks():
        chunks.append(chunk)
        if len(chunks) == wanted:
            microphone.close()
except AudioDeviceError as error:
    print(json.dumps({"code": error.code, "message": error.message}))
    sys.exit()
sound = np.concatenate([chunk.samples for chunk in chunks])
spectrum = np.abs(np.fft.rfft(sound * np.hanning(len(sound))))
print(json.dumps({
    "types": sorted({str(chunk.samples.dtype) for chunk in chunks}),
    "lengths": sorted({len(chunk.samples) for chunk in chunks}),
    "gaps": max(abs(second.at - first.end) for first, second in zip(chunks, chunks[1:])),
    "begin": chunks[0].at,
    "seconds": chunks[-1].end,
    "hertz": float(spectrum.argmax() * 16000 / len(sound)),
    "level": float(np.sqrt((sound ** 2).mean())),
}))
"""

FALL_BEHIND = """
import json, sys, time
from assistant.hear.microphone import MicSource
from assistant.settings import Hear

microphone = MicSource(Hear(queue_seconds=0.2))
chunks = microphone.chunks()
next(chunks)
while microphone.dropped_seconds < 0.5:
    time.sleep(0.05)
waiting = microphone._blocks.qsize()
for _ in range(20):
    last = next(chunks)
microphone.close()
list(chunks)
print(json.dumps({"dropped": microphone.dropped_seconds, "waiting": waiting, "at": last.at}))
"""

LOSE_AND_FIND = """
import sys
import numpy as np
from assistant.hear.microphone import MicSource
from assistant.settings import Hear

microphone = MicSource(Hear(microphone="kitchen", reopen_seconds=0.2))
said, at = "", 0.0
for chunk in microphone.chunks():
    assert abs(chunk.at - at) < 1e-6
    at = chunk.end
    now = "sound" if np.abs(chunk.samples).max() > 0.01 else "silence" if not chunk.samples.any() else said
    if now != said:
        said = now
        print(said, flush=True)
"""


@pytest.fixture
def card(tmp_path):
    cards = []

    def make(*arguments, **named):
        cards.append(VirtualSound(tmp_path, *arguments, **named))
        return cards[-1]

    yield make
    for sound in cards:
        sound.close()


@pytest.mark.parametrize("rate", [16_000, 44_100, 48_000])
def test_any_rate_becomes_chunks_of_16_kilohertz(card, rate):
    sound = card(rate)
    sound.feed(tone(rate, 440.0))
    heard = run_child(LISTEN, sound, {"microphone": "kitchen"}, 60)
    assert heard["types"] == ["float32"] and heard["lengths"] == [512]
    assert heard["begin"] == 0.0 and heard["gaps"] < 1e-6 and heard["seconds"] == pytest.approx(60 * 0.032)
    # A virtual card gives its first block twice; the pitch would be off by far more at a wrong rate.
    assert heard["hertz"] == pytest.approx(440.0, abs=5.0)
    assert heard["level"] == pytest.approx(0.25 / 2**0.5, rel=0.2)


def test_an_empty_name_takes_the_default_and_part_of_a_name_suffices_in_any_case(card):
    sound = card()
    sound.feed(tone(sound.rate))
    assert run_child(LISTEN, sound, {}, 3)["level"] > 0.01
    assert run_child(LISTEN, sound, {"microphone": "KITCHENmic"}, 3)["level"] > 0.01


def test_a_name_that_no_microphone_has_is_refused_with_the_names_there_are(card):
    refused = run_child(LISTEN, card(), {"microphone": "studio"}, 1)
    assert refused["code"] == "audio_device_missing"
    assert "studio" in refused["message"] and "kitchenmicrophone" in refused["message"]


def test_no_microphone_at_all_is_said(card):
    sound = card()
    sound.unplug()
    refused = run_child(LISTEN, sound, {}, 1)
    assert refused["code"] == "audio_device_missing" and "no microphone" in refused["message"]


def test_a_device_that_falls_behind_drops_and_counts_what_its_queue_cannot_hold(card):
    sound = card()
    sound.feed(tone(sound.rate))
    result = run_child(FALL_BEHIND, sound)
    assert result["dropped"] >= 0.5
    assert result["waiting"] <= 7  # 0.2 s of blocks of 32 ms
    assert result["at"] == pytest.approx(20 * 0.032)  # audio time has no gap


def test_an_unplugged_microphone_is_silence_and_comes_back(card):
    sound = card()
    sound.feed(tone(sound.rate))
    child = subprocess.Popen(
        [sys.executable, "-c", LOSE_AND_FIND], env=sound.environment, stdout=subprocess.PIPE, text=True
    )
    overdue = threading.Timer(60, child.kill)
    overdue.start()
    try:
        assert child.stdout.readline() == "sound\n"
        sound.unplug()
        assert child.stdout.readline() == "silence\n"
        sound.plug()
        sound.stalled.clear()
        assert child.stdout.readline() == "sound\n"
    finally:
        overdue.cancel()
        child.kill()
        child.wait()
