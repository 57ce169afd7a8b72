"""Where a run is tracked, recorded in its folder: one that is resumed goes to the same place."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from mnistlab import atomic
from mnistlab.errors import RunError, reason

EXPERIMENT = "mnistlab"
RECORD = "tracking.json"
LARGEST_RECORD = 1 << 16  # bytes


@dataclass(frozen=True)
class Store:
    """A tracking store; uri: of MLFLOW_TRACKING_URI, None for mlflow.db beside the run."""

    uri: str | None
    experiment: str


def current_store() -> Store:
    """What the environment says now."""
    uri = os.environ.get("MLFLOW_TRACKING_URI") or None
    if uri is not None and uri.startswith("sqlite:///"):  # relative to the current folder
        uri = f"sqlite:///{Path(uri.removeprefix('sqlite:///')).absolute()}"
    return Store(uri, os.environ.get("MLFLOW_EXPERIMENT_NAME") or EXPERIMENT)


def store_of(partial: Path, say: Callable[[str], None]) -> Store:
    """The store of a run that is made in that folder: where it began, else the current one.

    A store beside the run wins over the environment, and `say` reports that. A server must be named
    again: a folder that came from elsewhere must not choose who is sent data and credentials.
    Raises RunError for another server, and for a damaged record.
    """
    path, now = partial / RECORD, current_store()
    before = _read(path)
    if before is None:
        if partial.is_dir():
            atomic.write_json(path, asdict(now))
        return now
    if before.uri is not None and before.uri != now.uri:
        raise RunError(
            f"{partial}: was tracked at {before.uri}, but MLFLOW_TRACKING_URI is "
            f"{now.uri or 'not set'}; set it to that, or resume without --track"
        )
    if before != now:
        say(f"mlflow: resumes where it began, {_named(before)}, not {_named(now)}")
    return before


def _named(store: Store) -> str:
    return f"{store.uri or 'in mlflow.db beside the run'} (experiment {store.experiment})"


def _read(path: Path) -> Store | None:
    from pydantic import TypeAdapter, ValidationError

    try:
        atomic.check_regular(path)
        if path.stat().st_size > LARGEST_RECORD:
            raise RunError(f"{path}: larger than any record of tracking; remove it")
        return TypeAdapter(Store).validate_json(path.read_bytes(), strict=True)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise RunError(f"{path}: cannot be read: {reason(error)}") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "the whole"
        raise RunError(f"{path}: {where}: {first['msg']}; remove it to track anew") from error
