"""Who asks: a device with its token, which belongs to one household."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Annotated

from fastapi import Depends, Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from assistant.errors import AccessDenied
from assistant.service.devices import RegisteredDevice, public_part
from assistant.service.http.answers import TooManyFailures
from assistant.service.http.served_shop import ServedShop

_MOST_FAILURES = 10
_FORGET_SECONDS = 60.0
_MOST_REMEMBERED = 10_000


class FailureLimit:
    """Counts wrong tokens; too many in a minute shut out whoever gave them, until a minute has passed.

    They are counted by network address and by the device that the token names: a wrong token shuts out no other device
    behind the same router.

    Args:
        clock: A monotonic clock, seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._failures: OrderedDict[tuple[str, str], list[float]] = OrderedDict()
        self._lock = threading.Lock()

    def check(self, who: tuple[str, str]) -> None:
        """Whether ``who`` (address, device) may try.

        Raises:
            TooManyFailures: Not now.
        """
        with self._lock:
            recent = [at for at in self._failures.get(who, ()) if at > self._clock() - _FORGET_SECONDS]
        if len(recent) >= _MOST_FAILURES:
            raise TooManyFailures("Too many wrong tokens. Try again in a minute.")

    def failed(self, who: tuple[str, str]) -> None:
        """``who`` gave a wrong token."""
        with self._lock:
            self._failures[who] = [*self._failures.pop(who, [])[-_MOST_FAILURES:], self._clock()]
            while len(self._failures) > _MOST_REMEMBERED:
                self._failures.popitem(last=False)


_bearer = HTTPBearer(auto_error=False, description="The token that 'voicecart devices add' printed.")


def served_shop(request: Request) -> ServedShop:
    """The shop that this application serves."""
    shop = request.app.state.shop
    assert isinstance(shop, ServedShop)
    return shop


Shop = Annotated[ServedShop, Depends(served_shop)]


def caller(
    request: Request,
    shop: Shop,
    credentials: Annotated[HTTPAuthorizationCredentials | None, Security(_bearer)],
) -> RegisteredDevice:
    """The device that asks.

    Raises:
        AccessDenied: There is no valid token.
    """
    limit: FailureLimit = request.app.state.failures
    token = credentials.credentials if credentials else ""
    named = public_part(token)
    who = (request.client.host if request.client else "", named)
    if named:  # what is no token at all is no guess
        limit.check(who)
    device = shop.devices.recognise(token) if named else None
    if device is None:
        if named:
            limit.failed(who)
        raise AccessDenied("This needs a valid token of a device: 'voicecart devices add NAME --household H'.")
    request.state.device = device
    return device


Caller = Annotated[RegisteredDevice, Depends(caller)]
