"""The device's voice: pyttsx3 with espeak-ng, in a process of its own that may hang or die without harm."""

import contextlib
import json
import os
import select
import subprocess
import sys
import tempfile
import threading
import unicodedata
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import soundfile

from assistant.errors import SynthesisError
from assistant.settings import Speak
from assistant.speak.synthesiser import Speech

_RATE = 22_050
_ENDING_SECONDS = 2.0
# A worker that died, or made no sound, is replaced at once; only a text that the second one cannot say is given up.
_ATTEMPTS = 2


class Pyttsx3Synthesiser:
    """Speech through pyttsx3; texts are spoken in the order in which they come.

    A worker process owns the engine, because the engine may hang or take its process down, and works only in the
    thread that made it. A worker that does not answer in time is killed; the next text gets a new one.

    Args:
        settings: Voice, rate, volume, timeout.
        voice: Used when the settings name none: the language's own, as espeak-ng calls it ("en-us").
        worker: The worker's command; its arguments follow.
    """

    def __init__(
        self,
        settings: Speak,
        voice: str,
        worker: Sequence[str] = (sys.executable, "-m", "assistant.speak.pyttsx3_worker"),
    ) -> None:
        self._settings = settings
        self._voice = settings.voice or voice
        self._command = [*worker, self._voice, str(settings.words_per_minute), str(settings.volume)]
        self._turn = threading.Lock()
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._process: subprocess.Popen[bytes] | None = None
        # The engine gets ready while the device still builds everything else.
        with contextlib.suppress(SynthesisError):
            self._worker()

    def synthesise(self, text: str) -> Speech:
        """See ``Synthesiser``; text without any letter or digit is silence of no length."""
        text = _speakable(text)
        if not any(character.isalnum() for character in text):
            return Speech(np.zeros(0, np.float32), _RATE)
        with self._turn:
            self._folder = self._folder or tempfile.TemporaryDirectory(prefix="voicecart-speech-")
            path = Path(self._folder.name) / "speech.wav"
            request = json.dumps({"text": text, "path": str(path)}).encode() + b"\n"
            for _ in range(_ATTEMPTS):
                path.unlink(missing_ok=True)
                self._speak(request)
                speech = _read(path)
                if len(speech.samples):
                    return speech
                # An engine that made no sound of words is not trusted again.
                self._end(0.0)
            raise SynthesisError("The speech engine made no sound. 'voicecart doctor' checks it.")

    def close(self) -> None:
        """See ``Synthesiser``; a text that comes afterwards gets a new engine."""
        self._end(_ENDING_SECONDS)
        if self._folder is not None:
            self._folder.cleanup()
            self._folder = None

    def _speak(self, request: bytes) -> None:
        for _ in range(_ATTEMPTS):
            answer = self._ask(request)
            if answer is None:
                self._end(0.0)
                continue
            error = json.loads(answer)["error"]
            if error is None:
                return
            self._end(_ENDING_SECONDS)
            raise SynthesisError(
                f"The voice {self._voice!r} failed ({error}). 'espeak-ng --voices' lists the voices there are; "
                "'voicecart doctor' checks the rest."
            )
        raise SynthesisError("The speech engine died while speaking. 'voicecart doctor' checks it.")

    def _ask(self, request: bytes) -> bytes | None:
        """The worker's answer; None when it died.

        Raises:
            SynthesisError: It did not answer in time and was killed, or cannot be started.
        """
        process = self._worker()
        assert process.stdin is not None and process.stdout is not None
        try:
            process.stdin.write(request)
            process.stdin.flush()
        except OSError:
            return None
        ready, _, _ = select.select([process.stdout], [], [], self._settings.timeout_seconds)
        if not ready:
            self._end(0.0)
            raise SynthesisError(
                f"The speech engine did not answer within {self._settings.timeout_seconds:g} s and was restarted."
            )
        return process.stdout.readline() or None

    def _worker(self) -> "subprocess.Popen[bytes]":
        if self._process is None:
            try:
                self._process = subprocess.Popen(
                    self._command,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.DEVNULL,
                    # Ctrl-C is for the device, which finishes its sentence.
                    start_new_session=True,
                    env=dict(os.environ, PYTHONIOENCODING="utf-8"),
                )
            except OSError as error:
                raise SynthesisError(f"The speech engine cannot be started: {error.strerror}.") from error
        return self._process

    def _end(self, patience: float) -> None:
        """Ends the worker: its input ends, and after ``patience`` seconds it is killed."""
        process, self._process = self._process, None
        if process is None:
            return
        with contextlib.suppress(OSError):
            process.stdin.close()  # type: ignore[union-attr]
        try:
            process.wait(patience)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        process.stdout.close()  # type: ignore[union-attr]


def _speakable(text: str) -> str:
    """The text on one line, without what no voice can say: control characters, halves of characters."""
    kept = "".join(" " if unicodedata.category(character) in ("Cc", "Cs") else character for character in text)
    return " ".join(kept.split())


def _read(path: Path) -> Speech:
    try:
        samples, rate = soundfile.read(path, dtype="float32")
    except (OSError, soundfile.LibsndfileError) as error:
        raise SynthesisError(f"The speech engine wrote no speech: {error}. Is the disk full?") from error
    return Speech(np.asarray(samples, np.float32), int(rate))
