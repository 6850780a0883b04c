"""What every request goes through: a limit to its size, and one line in the log without its secrets."""

import asyncio
import logging
import time

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from assistant.service.http.answers import error_answer

logger = logging.getLogger("voicecart.service")

LARGEST_BODY = 64 * 1024
"""Bytes: an order of a hundred lines is a quarter of it."""

_BODY_SECONDS = 10.0


class LimitedBody:
    """Reads the whole body before anything else; refuses one that is too large or too slow."""

    def __init__(self, application: ASGIApp) -> None:
        self._application = application

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            await self._application(scope, receive, send)
            return
        try:
            async with asyncio.timeout(_BODY_SECONDS):
                messages = await _whole(scope, receive)
        except TimeoutError:
            answer = error_answer(408, "request_invalid", "The request took too long.", {"Connection": "close"})
            await answer(scope, receive, send)
            return
        if messages is None:
            reason = f"A request may hold {LARGEST_BODY} bytes."
            await error_answer(413, "too_large", reason, {"Connection": "close"})(scope, receive, send)
            return
        kept = iter(messages)

        async def again() -> Message:
            return next(kept, None) or await receive()

        await self._application(scope, again, send)


async def _whole(scope: Scope, receive: Receive) -> list[Message] | None:
    announced = Request(scope).headers.get("content-length", "0")
    if not announced.isascii() or not announced.isdecimal() or len(announced) > 10 or int(announced) > LARGEST_BODY:
        return None
    messages: list[Message] = []
    size = 0
    while True:
        message = await receive()
        size += len(message.get("body", b""))
        if size > LARGEST_BODY:
            return None
        messages.append(message)
        if message["type"] != "http.request" or not message.get("more_body", False):
            return messages


class LoggedRequests:
    """Logs each request when it is answered: route, status, time, who asked. No body, token, query or address."""

    def __init__(self, application: ASGIApp) -> None:
        self._application = application

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            await self._application(scope, receive, send)
            return
        started, status = time.perf_counter(), 500
        scope.setdefault("state", {})

        async def noted(message: Message) -> None:
            nonlocal status
            status = message.get("status", status)
            await send(message)

        try:
            await self._application(scope, receive, noted)
        finally:
            route = scope.get("route")
            device = scope["state"].get("device")
            logger.log(
                logging.ERROR if status >= 500 else logging.INFO,
                "request method=%s route=%s status=%d seconds=%.3f household=%r device=%r trouble=%r",
                scope["method"],
                getattr(route, "path", "none"),
                status,
                time.perf_counter() - started,
                device.household if device else "",
                device.id if device else "",
                scope["state"].get("trouble", ""),
            )
