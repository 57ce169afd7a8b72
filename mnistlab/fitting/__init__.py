"""The best classifier in the time given: `mnistlab fit DATA --minutes N`.

Each file has one part of it: the clock, what may be trained (candidates), what that costs, what to
train next (planning), training until a moment (training, machines), the trials on the disk, the
best ensemble of them, and writing it as a run (publishing, page). `searching` conducts.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mnistlab.fitting.fitting import fit
    from mnistlab.fitting.status import Status

__all__ = ["Status", "fit"]

_HOMES = {"fit": "fitting", "Status": "status"}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
