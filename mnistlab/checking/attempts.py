"""Calling a student's code where nothing but its result is of interest."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass
class Outcome:
    """What a call returned, or the exception that it raised."""

    value: Any = None
    error: BaseException | None = None


def attempt(call: Callable[[], Any]) -> Outcome:
    """Run a call; what a student's code raises is recorded, not raised."""
    try:
        return Outcome(call())
    except (Exception, SystemExit) as error:
        return Outcome(error=error)
