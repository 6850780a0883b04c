"""The process that owns the pyttsx3 engine: ``python -m assistant.speak.pyttsx3_worker VOICE WORDS_PER_MINUTE VOLUME``.

Reads one JSON object a line, ``{"text", "path"}``, writes the speech to ``path`` as WAV and answers with one object,
``{"error"}`` (null when all is well). It ends with its input, and after an error, since an engine that failed once is
not trusted again.
"""

import json
import os
import sys
import threading
from typing import Any

import pyttsx3


def main() -> None:
    """Answers requests until there are no more."""
    answers = os.fdopen(os.dup(1), "w")
    # The driver prints to standard output, where only answers belong.
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    engine = None
    for line in sys.stdin:
        request = json.loads(line)
        try:
            engine = engine or Engine(sys.argv[1], int(sys.argv[2]), float(sys.argv[3]))
            error = engine.save(request["text"], request["path"])
        except Exception as problem:  # The driver raises whatever ctypes, its library and the file system do.
            error = f"{type(problem).__name__}: {problem}"
        print(json.dumps({"error": error}), file=answers, flush=True)
        if error is not None:
            return


class Engine:
    """pyttsx3 with its espeak driver, which may say that it is done before it is: only its events are believed."""

    def __init__(self, voice: str, words_per_minute: int, volume: float) -> None:
        self._finished = threading.Event()
        self._error: str | None = None
        self._engine = pyttsx3.init("espeak")
        self._engine.connect("finished-utterance", lambda **event: self._finished.set())
        self._engine.connect("error", self._failed)
        for name, value in (("voice", voice), ("rate", words_per_minute), ("volume", volume)):
            self._engine.setProperty(name, value)

    def save(self, text: str, path: str) -> str | None:
        """Writes the speech for ``text``, which is not empty; returns what went wrong, or None."""
        self._finished.clear()
        self._engine.save_to_file(text, path)
        self._engine.runAndWait()
        if self._error is None:
            self._finished.wait()
        return self._error

    def _failed(self, exception: Any = None, **event: Any) -> None:
        self._error = str(exception)
        self._finished.set()


if __name__ == "__main__":
    main()
