"""Runs the application until it is told to stop; requests under way are finished first."""

import signal
import socket
from collections.abc import Callable

import uvicorn
from fastapi import FastAPI

from assistant.errors import UsageError

_FINISH_SECONDS = 10
_MOST_CONNECTIONS = 1000


def serve(application: FastAPI, host: str, port: int, listening: Callable[[str, int], None]) -> None:
    """Serves until SIGTERM or Ctrl-C.

    Args:
        application: What answers.
        host: Address to listen on.
        port: Port to listen on; 0 takes a free one.
        listening: Told host and port once connections are accepted.

    Raises:
        UsageError: That address and port cannot be used.
    """
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        listener = socket.create_server((host, port), family=family, backlog=128)
    except (OSError, OverflowError) as error:
        raise UsageError(f"Cannot listen on {host}, port {port}: {error}. Choose others.") from error
    with listener:
        config = uvicorn.Config(
            application,
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=_FINISH_SECONDS,
            limit_concurrency=_MOST_CONNECTIONS,
        )
        server = uvicorn.Server(config)

        def stop(number: int, frame: object) -> None:
            server.should_exit = True

        # Uvicorn has its own while it runs, and raises what it caught again when it has finished.
        signal.signal(signal.SIGTERM, stop)
        # The socket takes connections already: those that come before the server runs wait for it.
        listening(host, listener.getsockname()[1])
        server.run(sockets=[listener])
