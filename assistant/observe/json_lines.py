"""One JSON object per event and line."""

import json
from typing import TextIO

from assistant.events import Event, to_json


class JsonLines:
    """Writes every event to a text stream and flushes, so that a reader sees it at once."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def __call__(self, event: Event) -> None:
        """Writes one line."""
        self._stream.write(json.dumps(to_json(event), ensure_ascii=False) + "\n")
        self._stream.flush()
