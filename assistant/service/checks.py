"""What ``voicecart doctor`` looks at: each check says what it found and, when that is bad, what to do."""

import contextlib
import importlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from assistant.errors import VoicecartError
from assistant.hear.openfst import plugin_folder
from assistant.hear.voice_activity import SileroVoiceActivity
from assistant.languages.language import load_language
from assistant.models import find_model
from assistant.service.finding import Finding, Health
from assistant.service.payer_checks import examine_record, examine_voices
from assistant.service.payment_checks import examine_provider
from assistant.settings import Settings
from assistant.shop.shelf import Shelf
from assistant.sound_devices import Direction, list_devices
from assistant.speak.pyttsx3_synthesiser import Pyttsx3Synthesiser
from assistant.storefront import offer_of

_LEAST_FREE_BYTES = 200_000_000


Check = Callable[[Settings, Path], Finding]


def examine(settings: Settings, state: Path, *, ask_provider: bool = False) -> Iterator[Finding]:
    """Runs all checks, one after the other; none of them raises.

    Args:
        settings: All settings.
        state: The state folder.
        ask_provider: Whether the payment provider may be asked over the network.
    """
    yield examine_provider(settings, ask=ask_provider)
    for check in _CHECKS:
        try:
            yield check(settings, state)
        except VoicecartError as error:
            yield Finding(check.__name__.strip("_"), Health.BAD, error.code, error.message)
        except (OSError, ImportError) as error:
            yield Finding(check.__name__.strip("_"), Health.BAD, str(error), "Run scripts/setup again.")


def _packages(settings: Settings, state: Path) -> Finding:
    names = ("vosk", "pyttsx3", "sounddevice", "rapidfuzz", "soundfile", "soxr", "onnxruntime", "sqlalchemy")
    for name in names:
        importlib.import_module(name)
    return Finding("Python packages", Health.GOOD, ", ".join(names))


def _speech(settings: Settings, state: Path) -> Finding:
    if shutil.which("espeak-ng") is None:
        return Finding("speech", Health.BAD, "espeak-ng is not installed", "sudo apt-get install espeak-ng")
    voice = load_language(settings.understand.language).voice
    synthesiser = Pyttsx3Synthesiser(settings.speak, voice)
    with contextlib.closing(synthesiser):
        speech = synthesiser.synthesise("1 2 3")
    return Finding(
        "speech", Health.GOOD, f"pyttsx3 and espeak-ng, voice {settings.speak.voice or voice}, {speech.rate} Hz"
    )


def _catalog(settings: Settings, state: Path) -> Finding:
    offered = offer_of(settings, state, None)
    count = offered.count() if isinstance(offered, Shelf) else len(offered)
    return Finding("catalog", Health.GOOD, f"{count} products")


def _openfst(settings: Settings, state: Path) -> Finding:
    return Finding("OpenFst", Health.GOOD, str(plugin_folder()))


def _recogniser(settings: Settings, state: Path) -> Finding:
    return Finding("acoustic model", Health.GOOD, str(find_model(settings.hear.model)))


def _voice_activity(settings: Settings, state: Path) -> Finding:
    SileroVoiceActivity()
    return Finding("voice activity", Health.GOOD, "Silero VAD")


def _voiceprint(settings: Settings, state: Path) -> Finding:
    return Finding("speaker encoder", Health.GOOD, str(find_model(settings.pay.voiceprint)))


def _microphone(settings: Settings, state: Path) -> Finding:
    return _sound("microphone", "input", settings.hear.microphone)


def _loudspeaker(settings: Settings, state: Path) -> Finding:
    return _sound("loudspeaker", "output", settings.speak.loudspeaker)


def _sound(what: str, direction: Direction, wanted: str) -> Finding:
    names = [device.name for device in list_devices(direction)]
    if not names:
        return Finding(
            what,
            Health.WARNING,
            "none found",
            "Plug one in; recordings still work ('voicecart run --wav FILE'). In a container, pass /dev/snd through.",
        )
    if not any(wanted.lower() in name.lower() for name in names):
        return Finding(
            what, Health.BAD, f"none is called {wanted!r}; there are: {'; '.join(names)}", "Change the name."
        )
    return Finding(what, Health.GOOD, "; ".join(names))


def _state(settings: Settings, state: Path) -> Finding:
    state.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=state):
        pass
    return Finding("state folder", Health.GOOD, str(state))


def _voices(settings: Settings, state: Path) -> Finding:
    return examine_voices(settings, state)


def _record(settings: Settings, state: Path) -> Finding:
    return examine_record(settings, state)


def _room(settings: Settings, state: Path) -> Finding:
    free = shutil.disk_usage(state).free
    found = f"{free / 1e9:.1f} GB free, {os.cpu_count()} processors"
    if free < _LEAST_FREE_BYTES:
        return Finding("disk", Health.BAD, found, "Free some space: orders cannot be stored on a full disk.")
    return Finding("disk", Health.GOOD, found)


_CHECKS: tuple[Check, ...] = (
    _packages,
    _speech,
    _openfst,
    _recogniser,
    _voice_activity,
    _voiceprint,
    _microphone,
    _loudspeaker,
    _state,
    _voices,
    _record,
    _room,
    _catalog,
)
