"""Loudspeakers; the one that sounds plays through real PortAudio to a virtual ALSA card."""

import subprocess
import sys

import numpy as np
import pytest
import soundfile
from virtual_sound import VirtualSound, run_child

from assistant.errors import AudioDeviceError
from assistant.speak.loudspeakers import FileLoudspeaker, SilentLoudspeaker
from assistant.speak.synthesiser import Speech

BEGIN = """
import json, sys, time
import numpy as np
from assistant.errors import AudioDeviceError
from assistant.speak.loudspeakers import DeviceLoudspeaker, play_live
from assistant.speak.synthesiser import Speech

def speech(hertz, seconds):
    samples = 0.25 * np.sin(2 * np.pi * hertz * np.arange(int(22050 * seconds)) / 22050)
    return Speech(samples.astype(np.float32), 22050)

"""
PLAY = """
loudspeaker = DeviceLoudspeaker("kitchen")
lengths = [loudspeaker.play(speech(300, 1.0)), loudspeaker.play(speech(600, 0.5))]
loudspeaker.close()
lengths.append(loudspeaker.play(speech(900, 0.25)))
loudspeaker.close()
print(json.dumps({"lengths": lengths}))
"""
INTERRUPT = """
loudspeaker = DeviceLoudspeaker()
loudspeaker.play(speech(300, 20.0))
time.sleep(0.5)
loudspeaker.interrupt()
loudspeaker.play(speech(900, 0.5))
loudspeaker.close()
print("{}")
"""
MONITOR = """
play = play_live("kitchen")
for _ in range(32):
    play((0.25 * np.sin(2 * np.pi * 500 * np.arange(512) / 16000)).astype(np.float32))
print("{}")
"""
REFUSE = """
try:
    DeviceLoudspeaker(json.loads(sys.argv[1]))
except AudioDeviceError as error:
    print(json.dumps({"code": error.code, "message": error.message}))
"""


@pytest.fixture(params=[48_000, 44_100])
def card(tmp_path, request):
    sound = VirtualSound(tmp_path, request.param, "kitchenradio")
    sound.drain()
    yield sound
    sound.close()


def sounding_seconds(sound):
    return float((np.abs(sound.heard) > 0.01).sum()) / sound.rate


def test_speeches_are_played_one_after_the_other_at_the_devices_own_rate(card):
    result = run_child(BEGIN + PLAY, card)
    assert result["lengths"] == pytest.approx([1.0, 0.5, 0.25], abs=0.2)
    # A sine is near zero for a few per cent of the time; a virtual card may lose the last blocks in its pipe.
    assert sounding_seconds(card) == pytest.approx(1.75, abs=0.25)
    spectrum = np.abs(np.fft.rfft(card.heard))
    hertz = np.arange(len(spectrum)) * card.rate / len(card.heard)
    loud = hertz[spectrum > 0.3 * spectrum.max()]
    assert loud.min() == pytest.approx(300, abs=15)
    assert any(abs(loud - 600) < 15)


def test_an_interrupted_speech_stops_and_the_next_one_is_heard(card):
    run_child(BEGIN + INTERRUPT, card)
    assert sounding_seconds(card) < 5.0
    end = card.heard[np.abs(card.heard) > 0][-round(card.rate * 0.2) :]
    crossings = np.count_nonzero(np.diff(np.signbit(end))) / 2 / (len(end) / card.rate)
    assert crossings == pytest.approx(900, rel=0.1)


def test_the_demos_monitor_plays_what_the_room_hears(card):
    run_child(BEGIN + MONITOR, card)
    assert sounding_seconds(card) > 0.5


def test_a_loudspeaker_that_is_not_there_is_refused_at_once(tmp_path):
    sound = VirtualSound(tmp_path, 48_000, "kitchenradio")
    try:
        refused = run_child(BEGIN + REFUSE, sound, "bathroom")
        assert refused["code"] == "audio_device_missing" and "kitchenradio" in refused["message"]
        sound.unplug()
        assert "no loudspeaker" in run_child(BEGIN + REFUSE, sound, "")["message"]
    finally:
        sound.close()


def test_without_a_loudspeaker_the_newest_speeches_are_kept_as_files(tmp_path):
    loudspeaker = FileLoudspeaker(tmp_path / "spoken")
    for number in range(60):
        assert loudspeaker.play(Speech(np.full(1000 + number, 0.5, np.float32), 10_000)) == (1000 + number) / 10_000
    loudspeaker.interrupt()
    loudspeaker.close()
    files = sorted((tmp_path / "spoken").iterdir())
    assert len(files) == 50
    samples, rate = soundfile.read(files[9])
    assert rate == 10_000 and len(samples) == 1059 and samples == pytest.approx(0.5, abs=1e-3)


def test_a_folder_that_cannot_be_written_is_an_error_with_a_code(tmp_path):
    (tmp_path / "spoken").write_text("a file where the folder should be")
    with pytest.raises(AudioDeviceError, match="spoken"):
        FileLoudspeaker(tmp_path / "spoken").play(Speech(np.zeros(10, np.float32), 10))


def test_the_silent_one_takes_the_time_of_the_speech():
    assert SilentLoudspeaker().play(Speech(np.zeros(50, np.float32), 100)) == 0.5


def test_portaudio_is_only_loaded_when_it_is_needed():
    code = "import sys, assistant.speak.loudspeakers, assistant.hear.microphone; print('sounddevice' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.strip() == "False"
