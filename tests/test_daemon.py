import os
import socket
import subprocess
import threading

import pytest

from assistant.errors import AudioDeviceError, CatalogMissing, SettingsError
from assistant.service.daemon import Daemon
from assistant.service.notification import Notification
from assistant.service.unit import Place, place_for, unit_text
from assistant.settings import Settings


@pytest.fixture
def manager(tmp_path):
    """A real service manager's end of the socket."""
    address = str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver:
        receiver.bind(address)
        receiver.settimeout(1.0)
        yield address, receiver


def messages(receiver):
    receiver.setblocking(False)
    received = []
    while True:
        try:
            received.append(receiver.recv(4096).decode())
        except BlockingIOError:
            return received


class Shop:
    """A device that does what the test tells it when it runs."""

    def __init__(self, script):
        self.script = script
        self.left = self.retired = 0
        self.told = threading.Event()

    def run(self):
        self.script(self)

    def leave(self):
        self.left += 1
        self.told.set()

    def retire(self):
        self.retired += 1
        self.told.set()

    def go_on_until_told(self):
        assert self.told.wait(20), "nobody told the device to end"


def test_missing_things_are_said_and_tried_again_until_they_are_there(manager):
    address, receiver = manager
    troubles = [AudioDeviceError("no microphone"), CatalogMissing("no catalog")]
    opened, slept = [], []

    def open_device(settings):
        opened.append(settings)
        if troubles:
            raise troubles.pop(0)
        return Shop(lambda device: daemon.leave())

    daemon = Daemon(Settings, open_device, Notification({"NOTIFY_SOCKET": address}), slept.append)
    daemon.run()
    assert len(opened) == 3
    assert sum(slept) == pytest.approx(10.0)
    received = messages(receiver)
    assert [text.split("STATUS=")[1] for text in received if "STATUS=" in text] == [
        "waiting: no microphone",
        "waiting: no catalog",
        "listening",
    ]
    assert received[-1] == "STOPPING=1"


def test_reload_reads_the_settings_again_and_bad_ones_leave_the_old_in_force(manager):
    address, receiver = manager
    first, second = Settings(), Settings(talk=type(Settings().talk)(reprompts=1))
    # The settings are read once to make ready what is new, and once more to open the device.
    answers = [first, second, second, SettingsError("talk.x: unknown key"), SettingsError("talk.x: unknown key")]
    seen = []

    def read():
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def open_device(settings):
        seen.append(settings)
        return Shop(script)

    def script(device):
        daemon.reload() if len(seen) < 3 else daemon.leave()
        device.go_on_until_told()

    daemon = Daemon(read, open_device, Notification({"NOTIFY_SOCKET": address}), lambda seconds: None)
    daemon.run()
    assert seen == [first, second, second]
    assert sum(text.startswith("RELOADING=1") for text in messages(receiver)) == 2


def test_leaving_while_waiting_ends_at_once():
    def open_device(settings):
        daemon.leave()
        raise AudioDeviceError("no microphone")

    slept = []
    daemon = Daemon(Settings, open_device, Notification({}), slept.append)
    daemon.run()
    assert slept == []


def test_the_running_device_is_told_to_leave_once_per_signal():
    def script(device):
        daemon.leave()
        assert device.left == 1

    daemon = Daemon(Settings, lambda settings: Shop(script), Notification({}), lambda seconds: None)
    daemon.run()


def daemon_of(script, prepare=lambda settings: None):
    """A daemon whose devices do this, and the settings of those that were opened."""
    opened = []

    def open_device(settings):
        opened.append(settings)
        return Shop(script)

    return Daemon(Settings, open_device, Notification({}), lambda seconds: None, prepare), opened


def test_what_is_new_is_learnt_without_cutting_a_conversation_short():
    def script(device):
        daemon.renew() if len(opened) == 1 else daemon.leave()
        device.go_on_until_told()
        assert (device.left, device.retired) == ((0, 1) if len(opened) == 1 else (1, 0))

    daemon, opened = daemon_of(script)
    daemon.run()
    assert len(opened) == 2


def test_the_device_goes_on_while_what_is_new_is_made_ready():
    went_on, prepared = threading.Event(), []

    def prepare(settings):
        assert went_on.wait(20)
        prepared.append(settings)

    def script(device):
        if len(opened) > 1:
            return daemon.leave()
        daemon.renew()
        assert not (prepared or device.told.is_set())
        went_on.set()
        device.go_on_until_told()
        assert len(prepared) == 1

    daemon, opened = daemon_of(script, prepare)
    daemon.run()
    assert len(opened) == 2


@pytest.mark.parametrize("trouble", [CatalogMissing("no catalog"), OSError("no space left")])
def test_what_cannot_be_made_ready_is_no_reason_to_keep_the_old_device(trouble):
    def prepare(settings):
        raise trouble

    def script(device):
        daemon.reload() if len(opened) == 1 else daemon.leave()
        device.go_on_until_told()

    daemon, opened = daemon_of(script, prepare)
    daemon.run()
    assert len(opened) == 2


def test_the_watchdog_is_fed_at_half_its_time(manager):
    address, receiver = manager
    now = [0.0]
    notification = Notification({"NOTIFY_SOCKET": address, "WATCHDOG_USEC": "10000000"}, lambda: now[0])
    for second in range(21):
        now[0] = float(second)
        notification.alive()
    assert messages(receiver) == ["WATCHDOG=1"] * 4


def test_a_manager_that_went_away_is_survived(tmp_path):
    Notification({"NOTIFY_SOCKET": str(tmp_path / "gone")}).ready("listening")


def test_units_of_the_machine_and_of_a_user(tmp_path):
    machine = unit_text(tmp_path / "voicecart", tmp_path / "v.toml", place_for(0, tmp_path))
    assert "DynamicUser=yes" in machine and "Type=notify" in machine and "WatchdogSec=" in machine
    assert f"daemon --config {tmp_path / 'v.toml'}" in machine
    own = unit_text(tmp_path / "voicecart", None, place_for(1000, tmp_path))
    assert "DynamicUser" not in own and "default.target" in own
    assert isinstance(place_for(1000, tmp_path), Place) and os.fspath(tmp_path) in str(place_for(1000, tmp_path).folder)


def test_systemd_accepts_the_unit(tmp_path):
    unit = tmp_path / "voicecart.service"
    unit.write_text(unit_text(tmp_path / "voicecart", None, place_for(0, tmp_path)))
    (tmp_path / "voicecart").write_text("#!/bin/sh\n")
    (tmp_path / "voicecart").chmod(0o755)
    done = subprocess.run(["systemd-analyze", "verify", str(unit)], capture_output=True, text=True)
    assert "voicecart.service" not in done.stderr
