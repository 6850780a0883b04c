import shutil

import numpy as np
import pytest

from assistant.errors import ModelDamaged
from assistant.hear.audio import CHUNK_SAMPLES, RATE
from assistant.hear.voice_activity import SileroVoiceActivity
from assistant.models import find_model
from assistant.rehearse.voices import ShopperVoice


def chunks(clip):
    return np.pad(clip, (0, -len(clip) % CHUNK_SAMPLES)).reshape(-1, CHUNK_SAMPLES)


@pytest.fixture(scope="module")
def spoken():
    return ShopperVoice.parse("flite:slt").say("one red balloon")


def test_speech_is_told_from_noise_and_hum(spoken):
    activity = SileroVoiceActivity()
    assert np.median([activity.probability(chunk) for chunk in chunks(spoken)]) > 0.9
    time = np.arange(RATE) / RATE
    hum = 0.1 * np.sin(2 * np.pi * 50 * time) + np.random.default_rng(2).normal(0, 0.01, RATE)
    activity.reset()
    assert max(activity.probability(chunk) for chunk in chunks(hum.astype(np.float32))) < 0.5


def test_listeners_share_the_network_and_nothing_they_heard(spoken):
    alone = SileroVoiceActivity()
    expected = [alone.probability(chunk) for chunk in chunks(spoken)]
    first, second = SileroVoiceActivity(), SileroVoiceActivity()
    heard = [(first.probability(chunk), second.probability(chunk[::-1].copy())) for chunk in chunks(spoken)]
    assert [pair[0] for pair in heard] == expected
    first.reset()
    assert [first.probability(chunk) for chunk in chunks(spoken)] == expected


def test_a_damaged_network_is_named(tmp_path, monkeypatch):
    folder = shutil.copytree(find_model("silero-vad"), tmp_path / "silero-vad")
    with (folder / "silero_vad.onnx").open("r+b") as file:
        file.truncate(1000)
    monkeypatch.setenv("VOICECART_MODELS", str(tmp_path))
    with pytest.raises(ModelDamaged, match=r"silero_vad\.onnx differs"):
        SileroVoiceActivity()
    (folder / "SHA256SUMS").unlink()
    with pytest.raises(ModelDamaged, match=r"silero_vad\.onnx cannot be loaded"):
        SileroVoiceActivity()
