"""The machine's sound devices, through PortAudio: found by name, opened at their own rate, looked for again."""

import threading
import weakref
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from assistant.errors import AudioDeviceError

Direction = Literal["input", "output"]

BLOCK_SECONDS = 0.032
"""Length of the blocks in which sound is exchanged with a device."""
_OTHER_RATES = (48_000, 44_100, 16_000)
_WHAT = {"input": "microphone", "output": "loudspeaker"}

_lock = threading.RLock()
_streams: "weakref.WeakSet[Any]" = weakref.WeakSet()


@dataclass(frozen=True)
class SoundDevice:
    """A microphone or loudspeaker.

    Attributes:
        index: PortAudio's number; good until the next ``rescan``.
        name: What people call it by.
        channels: As many as it has in the direction asked for.
        rate: Its own sample rate, in Hz.
    """

    index: int
    name: str
    channels: int
    rate: int


def list_devices(direction: Direction) -> tuple[SoundDevice, ...]:
    """All devices of one direction, the system's default first.

    Raises:
        AudioDeviceError: PortAudio is not installed or cannot be asked.
    """
    sounddevice = _sounddevice()
    key = f"max_{direction}_channels"
    try:
        found = [device for device in sounddevice.query_devices() if device[key] > 0]
        default = sounddevice.query_devices(kind=direction)["index"] if found else -1
    except sounddevice.PortAudioError as error:
        raise AudioDeviceError(f"The sound system does not answer: {error}.") from error
    found.sort(key=lambda device: device["index"] != default)
    return tuple(
        SoundDevice(device["index"], device["name"], device[key], round(device["default_samplerate"]))
        for device in found
    )


def find_device(direction: Direction, wanted: str) -> SoundDevice:
    """The first device whose name holds ``wanted`` (in any case); the default one when it is empty.

    Raises:
        AudioDeviceError: There is none; the message lists what there is.
    """
    devices = list_devices(direction)
    for device in devices:
        if wanted.lower() in device.name.lower():
            return device
    if not devices:
        raise AudioDeviceError(f"There is no {_WHAT[direction]}. Plug one in; 'voicecart doctor' shows what is seen.")
    names = "; ".join(device.name for device in devices)
    raise AudioDeviceError(f"No {_WHAT[direction]} is called {wanted!r}. There are: {names}.")


def open_stream(direction: Direction, device: SoundDevice, callback: Callable[..., None] | None) -> Any:
    """A stream of float32 that is not started yet: mono, or all channels of a device that has no mono.

    Args:
        direction: Whether it records or plays.
        device: From ``find_device``.
        callback: As sounddevice calls it; None for a stream that is written to.

    Raises:
        AudioDeviceError: The device is busy or gone, or takes no rate.
    """
    sounddevice = _sounddevice()
    kind = sounddevice.InputStream if direction == "input" else sounddevice.OutputStream
    reason = ""
    with _lock:
        for channels in dict.fromkeys((1, min(2, device.channels), device.channels)):
            for rate in dict.fromkeys((device.rate, *_OTHER_RATES)):
                try:
                    stream = kind(
                        device=device.index,
                        samplerate=rate,
                        channels=channels,
                        dtype="float32",
                        blocksize=round(rate * BLOCK_SECONDS),
                        callback=callback,
                    )
                except (sounddevice.PortAudioError, ValueError) as error:
                    reason = reason or str(error)
                    continue
                _streams.add(stream)
                return stream
    raise AudioDeviceError(
        f"The {_WHAT[direction]} {device.name!r} cannot be opened: {reason}. Does another program use it?"
    )


def start_stream(stream: Any) -> None:
    """Starts a stream of ``open_stream``.

    Raises:
        AudioDeviceError: The device is gone.
    """
    try:
        stream.start()
    except _sounddevice().PortAudioError as error:
        raise AudioDeviceError(f"The sound device cannot be started: {error}.") from error


def rescan() -> bool:
    """Makes devices that were plugged in or out since the start visible; PortAudio looks for them only once.

    Streams that are not running are closed by this.

    Returns:
        Whether it was done: not while a stream is running.
    """
    sounddevice = _sounddevice()
    with _lock:
        if any(not stream.closed and stream.active for stream in _streams):
            return False
        for stream in _streams:
            stream.close()
        _streams.clear()
        # sounddevice offers no public way to initialise PortAudio again (python-sounddevice, issue 125).
        sounddevice._terminate()
        sounddevice._initialize()
        return True


def _sounddevice() -> Any:
    try:
        import sounddevice
    except OSError as error:
        raise AudioDeviceError("PortAudio is not installed. Run scripts/setup, or install libportaudio2.") from error
    return sounddevice
