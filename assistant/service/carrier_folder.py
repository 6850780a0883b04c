"""The folder in which carriers' events arrive as files: each is taken in once, and a bad one is set aside."""

import json
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from assistant.errors import OrderError, StoreError
from assistant.shop.carrier_events import CarrierEvent, status_of

_LARGEST_BYTES = 64 * 1024
_FIELDS = ("order", "id", "status", "at")


class CarrierFolder:
    """Looks through a folder for ``*.json`` files: ``{"order", "id", "status", "at", "tracking"}``.

    A file that was taken in goes to ``done/``; one that cannot be used goes to ``bad/``, with the reason beside it.
    Whoever writes into the folder writes under another name and renames, so that no half file is seen. A file that was
    taken in but not moved before a crash changes nothing the second time.

    Args:
        folder: Where files arrive; made when it is missing.
        record: Notes one event: ``Errands.record_carrier_event``.
        every_seconds: How often ``look`` really looks.
        clock: A monotonic clock, seconds.
    """

    def __init__(
        self,
        folder: Path,
        record: Callable[[CarrierEvent], object],
        every_seconds: float = 5.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._folder = folder
        self._record = record
        self._every = every_seconds
        self._clock = clock
        self._next = clock()

    def look(self) -> None:
        """Takes in what has arrived, when it is time to look again."""
        if self._clock() >= self._next:
            self._next = self._clock() + self._every
            self.take_in()

    def take_in(self) -> int:
        """Takes in every file, oldest name first; returns how many. What the database refuses now stays for later."""
        taken = 0
        try:
            paths = sorted(self._folder.glob("*.json"))
            for path in paths:
                taken += self._take(path)
        except OSError:
            # An unreadable folder must not silence the device; the files are still there the next time.
            return taken
        return taken

    def _take(self, path: Path) -> bool:
        try:
            self._record(_read(path))
        except StoreError:
            return False
        except (OrderError, ValueError) as error:
            reason = error.message if isinstance(error, OrderError) else str(error)
            moved = self._move(path, "bad")
            moved.with_suffix(".reason.txt").write_text(reason + "\n", "utf-8")
            return False
        self._move(path, "done")
        return True

    def _move(self, path: Path, name: str) -> Path:
        target = self._folder / name
        target.mkdir(exist_ok=True)
        return path.replace(target / path.name)


def _read(path: Path) -> CarrierEvent:
    if path.stat().st_size > _LARGEST_BYTES:
        raise ValueError(f"The file is larger than {_LARGEST_BYTES} bytes.")
    try:
        event = json.loads(path.read_text("utf-8"))
    except ValueError as error:
        raise ValueError(f"The file is not JSON: {error}.") from None
    if not isinstance(event, dict):
        raise ValueError("The file holds no JSON object.")
    texts = {name: event.get(name, "") for name in (*_FIELDS, "tracking")}
    if missing := [name for name in _FIELDS if not texts[name]]:
        raise ValueError(f"The file has no {', '.join(missing)}.")
    if wrong := [name for name, value in texts.items() if not isinstance(value, str)]:
        raise ValueError(f"This should be text in quotes: {', '.join(wrong)}.")
    try:
        at = datetime.fromisoformat(texts["at"])
    except ValueError:
        raise ValueError(f"{texts['at']!r} is no time such as 2026-11-11T09:30:00Z.") from None
    return CarrierEvent(texts["order"], texts["id"], status_of(texts["status"]), at, texts["tracking"])
