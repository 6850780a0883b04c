"""The device that nobody watches: starts, says what is missing, tries again, reloads, leaves in good order."""

import logging
import threading
import time
from collections.abc import Callable
from typing import Protocol

from assistant.errors import SettingsError, VoicecartError
from assistant.service.notification import Notification
from assistant.settings import Settings

logger = logging.getLogger("voicecart")

_RETRY_SECONDS = 5.0
_STEP_SECONDS = 0.2


class Running(Protocol):
    """A device, as the daemon knows it."""

    def run(self) -> None:
        """Runs until its source ends or ``leave`` was called."""
        ...

    @property
    def engaged(self) -> bool:
        """Whether a conversation is open."""
        ...

    def leave(self) -> None:
        """Ends ``run`` once the sentence being spoken is finished."""
        ...

    def retire(self) -> None:
        """Ends ``run`` once no conversation is open."""
        ...

    def push_to_talk(self) -> None:
        """Opens the ears as the wake phrase does."""
        ...


class Daemon:
    """Keeps a device running.

    Args:
        read_settings: Reads the settings file.
        open_device: Builds a device; raises a ``VoicecartError`` while a model, the catalog or a microphone is missing.
        notification: Speaks to the service manager.
        sleep: Waits so many seconds.
        prepare: Makes ready what a new device will need and takes long to make, such as the graphs of a new catalog;
            called in a thread of its own, while the device goes on with what it has.
    """

    def __init__(
        self,
        read_settings: Callable[[], Settings],
        open_device: Callable[[Settings], Running],
        notification: Notification,
        sleep: Callable[[float], None] = time.sleep,
        prepare: Callable[[Settings], None] = lambda settings: None,
    ) -> None:
        self._read_settings = read_settings
        self._open_device = open_device
        self._notification = notification
        self._sleep = sleep
        self._prepare = prepare
        self._preparing = threading.Lock()
        self._device: Running | None = None
        self._leaving = False
        self._reloading = False

    def leave(self) -> None:
        """SIGTERM: finish the sentence, then end."""
        self._leaving = True
        if (device := self._device) is not None:
            device.leave()

    def reload(self) -> None:
        """SIGHUP: read settings and catalog again; what is new is made ready first, then the sentence finished."""
        self._go_over(lambda device: device.leave())

    def renew(self) -> None:
        """There is something new to be learnt: as ``reload``, but never in the midst of a conversation."""
        self._go_over(lambda device: device.retire())

    def push_to_talk(self) -> None:
        """SIGUSR1: open the ears of the device that is running."""
        if self._device is not None:
            self._device.push_to_talk()

    def run(self) -> None:
        """Runs until ``leave``.

        Raises:
            SettingsError: The settings cannot be used at the first start; later the old ones stay in force.
        """
        settings = self._read_settings()
        while not self._leaving:
            if self._reloading:
                self._reloading = False
                self._notification.reloading()
                settings = self._reread(settings)
            try:
                self._notification.opening()
                self._device = self._open_device(settings)
                self._notification.ready("listening")
                logger.info("ready")
                if not (self._leaving or self._reloading):
                    self._device.run()
            except VoicecartError as error:
                logger.error("trouble code=%s message=%r", error.code, error.message)
                # Up, though not able to sell: a restart by the manager would not bring a microphone back.
                self._notification.ready(f"waiting: {error.message}")
                self._wait()
            finally:
                self._device = None
        self._notification.stopping()
        logger.info("stopped")

    def _reread(self, settings: Settings) -> Settings:
        try:
            return self._read_settings()
        except SettingsError as error:
            logger.error("settings were not reloaded, the old ones stay: code=%s message=%r", error.code, error.message)
            return settings

    def _wait(self) -> None:
        for _ in range(round(_RETRY_SECONDS / _STEP_SECONDS)):
            if self._leaving or self._reloading:
                return
            self._notification.alive()
            self._sleep(_STEP_SECONDS)

    def _go_over(self, end: Callable[[Running], None]) -> None:
        """To another device: it is made ready while the present one, if there is one, goes on."""
        if self._device is None:
            self._reloading = True
        else:
            threading.Thread(target=self._replace, args=(end,), name="preparing", daemon=True).start()

    def _replace(self, end: Callable[[Running], None]) -> None:
        with self._preparing:
            try:
                self._prepare(self._read_settings())
            except Exception as error:
                # Whatever it is, opening the device meets the same trouble, and deals with it.
                logger.warning("not made ready in advance: %r", error)
        self._reloading = True
        if (device := self._device) is not None:
            end(device)
