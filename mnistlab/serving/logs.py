"""One line of JSON per event, on standard error."""

from __future__ import annotations

import json
import logging
import sys
import traceback
from datetime import UTC, datetime
from typing import Any

MOST_CHARACTERS = 200  # of a text that a request brought
LIBRARY_LOGGERS = ("uvicorn", "uvicorn.error", "asyncio")


def log(event: str, level: str = "info", **fields: Any) -> None:
    """Write a line: the time (UTC), level and event, then the fields."""
    line = {"time": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S.%f}Z", "level": level, "event": event}
    shown = {
        name: value[:MOST_CHARACTERS] if isinstance(value, str) and name != "traceback" else value
        for name, value in fields.items()
    }
    try:
        sys.stderr.write(json.dumps(line | shown) + "\n")
        sys.stderr.flush()
    except (OSError, ValueError):  # nobody reads it, which must not stop the service
        pass


def log_bug(event: str, error: BaseException) -> None:
    """A programming error, with the traceback that nobody outside may see."""
    log(event, "error", error=repr(error), traceback="".join(traceback.format_exception(error)))


class _Lines(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        """Write what a library logs as one of our lines."""
        if record.exc_info and record.exc_info[1] is not None:
            log_bug(record.getMessage().strip(), record.exc_info[1])
        else:
            log(record.getMessage().strip(), record.levelname.lower(), logger=record.name)


def take_over() -> None:
    """Let the loggers of the libraries write such lines too, of errors alone."""
    for name in LIBRARY_LOGGERS:
        logger = logging.getLogger(name)
        logger.handlers = [_Lines(logging.ERROR)]
        logger.setLevel(logging.ERROR)
        logger.propagate = False
