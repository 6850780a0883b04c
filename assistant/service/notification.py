"""Messages to systemd: ready, alive, reloading, stopping (protocol: ``man sd_notify``)."""

import os
import socket
import time
from collections.abc import Callable

_OPENING_MICROSECONDS = 300_000_000


class Notification:
    """Sends states to the service manager named by ``NOTIFY_SOCKET``; does nothing when there is none.

    Args:
        environment: Where ``NOTIFY_SOCKET`` and ``WATCHDOG_USEC`` are looked up.
        clock: Seconds of a monotonic clock.
    """

    def __init__(
        self, environment: os._Environ[str] | dict[str, str] = os.environ, clock: Callable[[], float] = time.monotonic
    ) -> None:
        address = environment.get("NOTIFY_SOCKET", "")
        # A leading @ names a socket of Linux's abstract namespace, which begins with a zero byte.
        self._address = "\0" + address[1:] if address.startswith("@") else address
        self._clock = clock
        # Half the watchdog's time leaves room for one missed beat.
        self._watchdog_microseconds = int(environment.get("WATCHDOG_USEC", "0"))
        self._every = self._watchdog_microseconds / 2e6
        self._last = clock()

    def ready(self, status: str) -> None:
        """The service is up; the watchdog's time is the unit's own."""
        watchdog = f"WATCHDOG_USEC={self._watchdog_microseconds}\nWATCHDOG=1\n" if self._every else ""
        self._send(f"{watchdog}READY=1\nSTATUS={status}")

    def opening(self) -> None:
        """Models are being loaded and graphs compiled, which on a small machine takes longer than a watchdog waits."""
        if self._every:
            self._send(f"WATCHDOG_USEC={_OPENING_MICROSECONDS}\nWATCHDOG=1")

    def reloading(self) -> None:
        """Settings and catalog are being read again; ``ready`` follows."""
        self._send(f"RELOADING=1\nMONOTONIC_USEC={int(time.monotonic() * 1e6)}")

    def status(self, text: str) -> None:
        """One line for ``systemctl status``."""
        self._send(f"STATUS={text}")

    def stopping(self) -> None:
        """The service is going down."""
        self._send("STOPPING=1")

    def alive(self) -> None:
        """Beats the watchdog when a beat is due; cheap enough to be called for every chunk of audio."""
        now = self._clock()
        if self._every and now - self._last >= self._every:
            self._last = now
            self._send("WATCHDOG=1")

    def _send(self, message: str) -> None:
        if not self._address:
            return
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as connection:
            try:
                connection.sendto(message.encode(), self._address)
            except OSError:
                # A manager that went away must not take the shop down with it.
                self._address = ""
