"""Virtual ALSA devices for tests: real PortAudio records from one named pipe and plays to another.

A device of type ``file`` over ``null`` has no clock of its own: whoever fills or drains its pipe is the clock.
"""

import fcntl
import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np

BLOCK_SECONDS = 0.032
_PIPE_BYTES = 4096
_SET_PIPE_SIZE = 1031  # F_SETPIPE_SZ

_DEVICE = """
pcm.{name} {{
    type asym
    capture.pcm {{
        type plug
        slave {{
            pcm {{ type file slave.pcm {{ type null }} file /dev/null infile "{recorded}" format raw }}
            format S16_LE
            rate {rate}
            channels 1
        }}
    }}
    playback.pcm {{
        type plug
        slave {{
            pcm {{ type file slave.pcm {{ type null }} file "{played}" format raw }}
            format S16_LE
            rate {rate}
            channels 1
        }}
    }}
    hint {{ show on description "{name}" }}
}}
"""


class VirtualSound:
    """One sound card that programs find through ``environment``.

    Args:
        folder: For the configuration and the pipes.
        rate: The only sample rate the card has.
        name: What the card is called.
    """

    def __init__(self, folder: Path, rate: int = 48_000, name: str = "kitchenmicrophone") -> None:
        self.rate = rate
        self._name = name
        self._configuration = folder / "asound.conf"
        self._recorded, self._played = folder / "recorded", folder / "played"
        self._pipes = []
        for path in (self._recorded, self._played):
            os.mkfifo(path)
            # Both ends at once, so that nobody waits for the other to open his.
            pipe = os.open(path, os.O_RDWR)
            fcntl.fcntl(pipe, _SET_PIPE_SIZE, _PIPE_BYTES)
            self._pipes.append(pipe)
        self._ended = threading.Event()
        self._threads: list[threading.Thread] = []
        self._heard = bytearray()
        self._said = np.zeros(0, "<i2")
        self.stalled = threading.Event()
        self.plug()

    @property
    def environment(self) -> dict[str, str]:
        """For a child process."""
        return dict(os.environ, ALSA_CONFIG_PATH=str(self._configuration))

    def plug(self) -> None:
        """The card is there."""
        device = _DEVICE.format(name=self._name, rate=self.rate, recorded=self._recorded, played=self._played)
        self._configuration.write_text("</usr/share/alsa/alsa.conf>\n" + device)

    def unplug(self) -> None:
        """The card is gone for whoever looks for it, and gives no more sound to speak of."""
        self._configuration.write_text("</usr/share/alsa/alsa.conf>\n")
        self.stalled.set()

    def feed(self, samples: np.ndarray) -> None:
        """What the microphone hears from now on, again and again, float in [-1, 1] at the card's rate."""
        self._start(self._fill, (samples * 32767).astype("<i2"))

    def say(self, samples: np.ndarray) -> None:
        """Somebody speaks once, in place of what the microphone hears else."""
        self._said = (samples * 32767).astype("<i2")

    def drain(self) -> None:
        """The loudspeaker plays, at the speed of life."""
        self._start(self._empty)

    @property
    def heard(self) -> np.ndarray:
        """What was played so far."""
        return np.frombuffer(bytes(self._heard[: len(self._heard) // 2 * 2]), "<i2") / 32768

    def close(self) -> None:
        """Ends the card's threads; whatever waits for its pipes goes on."""
        self._ended.set()
        for thread in self._threads:
            thread.join()
        for pipe in self._pipes:
            os.close(pipe)

    def _start(self, work, *arguments) -> None:
        thread = threading.Thread(target=work, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _fill(self, samples: np.ndarray) -> None:
        # Exactly the blocks that the program asks for: a short read would be filled up with older sound.
        count = round(self.rate * BLOCK_SECONDS)
        os.set_blocking(self._pipes[0], False)
        position, number = 0, 0
        while not self._ended.wait(BLOCK_SECONDS):
            number += 1
            # A card that went away is not read from any more; a block now and then lets PortAudio's thread notice.
            if self.stalled.is_set() and number % 50:
                continue
            block = np.take(samples, range(position, position + count), mode="wrap")
            said = self._said
            block[: len(said)] = said[:count]
            try:
                os.write(self._pipes[0], block.tobytes())
                position += count
                # Unless somebody has begun to say something else meanwhile.
                if said is self._said:
                    self._said = said[count:]
            except BlockingIOError:
                continue

    def _empty(self) -> None:
        os.set_blocking(self._pipes[1], False)
        while not self._ended.wait(BLOCK_SECONDS):
            try:
                self._heard += os.read(self._pipes[1], 2 * round(self.rate * BLOCK_SECONDS))
            except BlockingIOError:
                continue


def run_child(code: str, sound: VirtualSound, *arguments: object) -> dict:
    """Runs Python code in a process that has only the virtual card; its last printed line is JSON."""
    done = subprocess.run(
        [sys.executable, "-c", code, *(json.dumps(argument) for argument in arguments)],
        env=sound.environment,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def tone(rate: int, hertz: float = 440.0, seconds: float = 1.0, level: float = 0.25) -> np.ndarray:
    """A sine."""
    return level * np.sin(2 * np.pi * hertz * np.arange(round(rate * seconds)) / rate)
