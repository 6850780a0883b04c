"""The live loop over real PortAudio: speech into a virtual microphone, replies out of a virtual loudspeaker."""

import json
import signal
import subprocess
import sys
import threading

import numpy as np
import pytest
import soxr
from virtual_sound import VirtualSound

from assistant.rehearse.voices import ShopperVoice

FEED = [
    {"sku": "TEA", "name": "green tea", "price": {"amount": "2.50", "currency": "USD"}},
    {"sku": "RICE", "name": "brown rice", "price": {"amount": "1.80", "currency": "USD"}},
]


@pytest.fixture
def card(tmp_path):
    sound = VirtualSound(tmp_path, 44_100)
    sound.drain()
    yield sound
    sound.close()


def test_a_spoken_order_through_microphone_and_loudspeaker(tmp_path, card):
    (tmp_path / "feed.jsonl").write_text("".join(json.dumps(line) + "\n" for line in FEED))
    speech = ShopperVoice.parse("flite:slt").say("hey genie, order two packs of green tea")
    quiet = np.random.default_rng(7).normal(0, 0.0005, card.rate)
    card.feed(np.concatenate([quiet, soxr.resample(0.7 * speech, 16_000, card.rate), np.tile(quiet, 60)]))
    place = ("--catalog", str(tmp_path / "feed.jsonl"), "--state", str(tmp_path / "state"))
    child = subprocess.Popen(
        [sys.executable, "-m", "assistant", "run", "--device", "kitchen", "--json", *place],
        env=card.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    # A loop that never answers must not hang the tests.
    overdue = threading.Timer(240, child.kill)
    overdue.start()
    seen = []
    try:
        for line in child.stdout:
            seen.append(json.loads(line))
            if seen[-1]["event"] == "reply":
                break
        child.send_signal(signal.SIGTERM)
        rest, errors = child.communicate(timeout=120)
    finally:
        overdue.cancel()
        child.kill()
        child.wait()
    # It finished its sentence before it left.
    assert child.returncode == 0 and "Traceback" not in errors
    events = {event["event"]: event for event in seen}
    assert {"wake", "speech_started", "speech_ended", "transcript", "understood", "reply"} <= set(events), errors
    assert "green tea" in events["transcript"]["text"] and events["transcript"]["latency_seconds"] > 0.5
    assert [(item["sku"], item["quantity"]) for item in events["understood"]["items"]] == [("TEA", 2)]
    assert "green tea" in events["reply"]["text"]
    assert (np.abs(card.heard) > 0.01).sum() / card.rate > 1.0
    everything = {event["event"] for event in seen + [json.loads(line) for line in rest.splitlines()]}
    assert not everything & {"order_placed", "authorised"}
