"""Keeps the messages of a C++ library off standard error: Vosk prints warnings at every log level."""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_lock = threading.RLock()


@contextmanager
def muted(mute: bool = True) -> Iterator[None]:
    """Standard error's file is the null device inside the context, for all of the process.

    Args:
        mute: False does nothing.
    """
    if not mute:
        yield
        return
    with _lock:
        kept, null = os.dup(2), os.open(os.devnull, os.O_WRONLY)
        try:
            os.dup2(null, 2)
            yield
        finally:
            os.dup2(kept, 2)
            os.close(kept)
            os.close(null)
