"""Lets SpeechBrain be imported where torchaudio cannot be (its x86-64 wheel needs CUDA libraries).

SpeechBrain imports torchaudio at module level, but neither its features nor its ECAPA-TDNN call anything in it.
"""

import importlib
import importlib.machinery
import sys
import types


def allow_missing_torchaudio() -> None:
    """Registers an empty module ``torchaudio`` when the real one cannot be imported."""
    try:
        importlib.import_module("torchaudio")
    except (ImportError, OSError):
        for name in [name for name in sys.modules if name.partition(".")[0] == "torchaudio"]:
            del sys.modules[name]
        stand_in = types.ModuleType("torchaudio")
        stand_in.__spec__ = importlib.machinery.ModuleSpec("torchaudio", None)
        # A version from which SpeechBrain looks for nothing more in it.
        stand_in.__dict__["__version__"] = "2.11.0"
        sys.modules["torchaudio"] = stand_in
