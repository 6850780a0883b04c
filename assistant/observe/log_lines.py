"""Structured log lines for a machine nobody watches: ``event key=value …``, read well by journalctl and grep."""

import json
import logging

from assistant.events import Event, Failure, Partial, to_json

logger = logging.getLogger("voicecart")


def log_event(event: Event) -> None:
    """Logs one event; partial results at debug level, failures as errors. Challenge digits are spoken, never logged."""
    fields = to_json(event)
    name = fields.pop("event")
    fields.pop("digits", None)
    level = (
        logging.ERROR if isinstance(event, Failure) else logging.DEBUG if isinstance(event, Partial) else logging.INFO
    )
    logger.log(
        level,
        "%s %s",
        name,
        " ".join(f"{key}={json.dumps(value, ensure_ascii=False)}" for key, value in fields.items()),
    )
