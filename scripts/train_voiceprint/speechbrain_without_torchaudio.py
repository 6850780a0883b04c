"""Lets SpeechBrain be imported where torchaudio's wheel cannot be (x86-64 with CPU-only torch).

SpeechBrain imports torchaudio at module level, but neither its features nor ECAPA-TDNN call anything in it.
"""

from __future__ import annotations

import importlib
import importlib.machinery
import sys
import types


def allow() -> None:
    """Registers an empty `torchaudio` module if the real one cannot be imported."""
    try:
        importlib.import_module("torchaudio")
    except (ImportError, OSError):
        for name in [name for name in sys.modules if name.split(".")[0] == "torchaudio"]:
            del sys.modules[name]
        placeholder = types.ModuleType("torchaudio")
        placeholder.__version__ = "0"  # type: ignore[attr-defined]
        placeholder.__spec__ = importlib.machinery.ModuleSpec("torchaudio", None)
        sys.modules["torchaudio"] = placeholder
