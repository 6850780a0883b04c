"""The daemon itself: a process with a virtual microphone, a service manager's socket, and signals."""

import json
import signal
import socket
import subprocess
import sys

import numpy as np
import pytest
from virtual_sound import VirtualSound

from assistant.commands.main import main

FEED = {"sku": "TEA", "name": "green tea", "price": {"amount": "2.50", "currency": "USD"}}


class Manager:
    """A service manager's end of the notification socket."""

    def __init__(self, path):
        self.address = str(path)
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(self.address)
        self._socket.settimeout(120.0)

    def wait_for(self, wanted):
        """Reads messages until one holds ``wanted``; returns all that were read."""
        received = []
        while not received or wanted not in received[-1]:
            received.append(self._socket.recv(4096).decode())
        return received

    def close(self):
        self._socket.close()


@pytest.fixture
def card(tmp_path):
    sound = VirtualSound(tmp_path)
    sound.feed(np.random.default_rng(2).normal(0, 0.0005, sound.rate))
    sound.drain()
    yield sound
    sound.close()


@pytest.fixture
def manager(tmp_path):
    made = Manager(tmp_path / "notify")
    yield made
    made.close()


def test_it_waits_for_a_microphone_reloads_and_leaves_in_good_order(tmp_path, card, manager):
    state = tmp_path / "state"
    (tmp_path / "feed.jsonl").write_text(json.dumps(FEED) + "\n")
    assert main(["catalog", "import", str(tmp_path / "feed.jsonl"), "--state", str(state)]) == 0
    (tmp_path / "voicecart.toml").write_text("[talk]\nreprompts = 1\n")
    card.unplug()
    log = tmp_path / "log"
    with log.open("w") as file:
        child = subprocess.Popen(
            [sys.executable, "-m", "assistant", "daemon", "--config", "voicecart.toml", "--state", str(state)],
            cwd=tmp_path,
            env=card.environment | {"NOTIFY_SOCKET": manager.address, "WATCHDOG_USEC": "2000000"},
            stderr=file,
        )
    try:
        manager.wait_for("STATUS=waiting: There is no microphone")
        card.plug()
        card.stalled.clear()
        received = manager.wait_for("STATUS=listening")
        assert any(message.startswith("WATCHDOG_USEC=300000000") for message in received)
        manager.wait_for("WATCHDOG=1")  # fed by the sound that comes in
        (tmp_path / "feed.jsonl").write_text(json.dumps(FEED | {"name": {"en": "honey"}}) + "\n")
        assert main(["catalog", "import", str(tmp_path / "feed.jsonl"), "--state", str(state)]) == 0
        child.send_signal(signal.SIGHUP)
        manager.wait_for("RELOADING=1")
        # While the old catalog's words were still heard.
        assert log.read_text().count("Compiled in") == 2
        manager.wait_for("STATUS=listening")
        (tmp_path / "voicecart.toml").write_text("[talk]\nno_such_key = 1\n")
        child.send_signal(signal.SIGHUP)
        manager.wait_for("RELOADING=1")
        manager.wait_for("STATUS=listening")
        child.send_signal(signal.SIGTERM)
        manager.wait_for("STOPPING=1")
        assert child.wait(60) == 0
    finally:
        child.kill()
        child.wait()
    lines = log.read_text()
    assert "trouble code=audio_device_missing" in lines
    assert "no_such_key" in lines and "the old ones stay" in lines
    assert "stopped" in lines and "Traceback" not in lines


def test_settings_that_cannot_be_used_at_the_first_start_are_refused(tmp_path, capsys):
    (tmp_path / "voicecart.toml").write_text("[hear]\nmicrofone = 'x'\n")
    assert main(["daemon", "--config", str(tmp_path / "voicecart.toml"), "--state", str(tmp_path)]) == 2
    assert "hear.microfone: unknown key" in capsys.readouterr().err
