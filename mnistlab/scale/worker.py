"""One training on another computer: told of as it goes, its folder handed over as bytes."""

from __future__ import annotations

import os
import queue
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mnistlab.data import Dataset
from mnistlab.errors import MnistlabError
from mnistlab.recipe import Recipe
from mnistlab.runs import Progress
from mnistlab.runs.computation import folder_name
from mnistlab.runs.making import partial_of
from mnistlab.runs.training import train_in

LOOK_EVERY_S = 0.5  # at whether the job is still wanted
GRACE_S = 10.0  # for a training that was, until the end of its step


@dataclass(frozen=True)
class Job:
    """A training to be done elsewhere.

    token: names the folder it trains in, so that a second attempt on the same computer goes on
    from the checkpoints of the first. begun: checkpoints from elsewhere, by name. precision: as
    the driver decided it, for all computers alike.
    """

    recipe: Recipe
    token: str
    device: str
    threads: int
    begun: Mapping[str, bytes]
    precision: str


@dataclass(frozen=True)
class Told:
    """A hook of Progress is to be called; of on_start the number of steps alone is sent."""

    hook: str
    arguments: tuple[Any, ...]


@dataclass(frozen=True)
class Outcome:
    """The end: all files of the run's folder by name, and what went wrong, if anything did."""

    files: Mapping[str, bytes]
    error: MnistlabError | None = None


class _CancelledError(Exception):
    """Ends a training at its next step."""


def told(job: Job, dataset: Dataset, is_wanted: Callable[[], bool]) -> Iterator[Told | Outcome]:
    """Do the job and tell of it, its outcome last; without one once it is no longer wanted.

    It trains in a thread of its own, so that what was told is on its way while training goes on.
    Errors that a user cannot put right are raised.
    """
    said: queue.SimpleQueue[Told | Outcome | BaseException] = queue.SimpleQueue()
    cancelled = threading.Event()
    out = Path(tempfile.gettempdir()) / f"mnistlab-{job.token}"

    def work() -> None:
        try:
            said.put(_outcome(job, dataset, out, said, cancelled))
        except BaseException as error:
            said.put(error)

    thread = threading.Thread(target=work, name=job.token, daemon=True)
    thread.start()
    look_at = time.monotonic()
    try:
        while True:
            if time.monotonic() >= look_at:
                if not is_wanted():
                    return
                look_at = time.monotonic() + LOOK_EVERY_S
            try:
                event = said.get(timeout=LOOK_EVERY_S)
            except queue.Empty:
                continue
            if isinstance(event, BaseException):
                raise event
            yield event
            if isinstance(event, Outcome):
                return
    finally:
        cancelled.set()
        thread.join(GRACE_S)
        shutil.rmtree(out, ignore_errors=True)
        if thread.is_alive():  # an SVM has no steps; the next task must not share its core
            os._exit(1)


def _outcome(
    job: Job,
    dataset: Dataset,
    out: Path,
    said: queue.SimpleQueue[Told | Outcome | BaseException],
    cancelled: threading.Event,
) -> Outcome:
    # Without its node a process is asked nothing for a minute or two, and would write meanwhile.
    parent = os.getppid()
    path = out / folder_name(job.recipe, dataset, precision=job.precision)
    partial = partial_of(path)
    partial.mkdir(parents=True, exist_ok=True)
    for name, content in job.begun.items():
        (partial / name).write_bytes(content)

    def tell(hook: str, *arguments: Any) -> None:
        said.put(Told(hook, arguments))

    def go_on() -> None:
        if cancelled.is_set() or os.getppid() != parent:
            raise _CancelledError

    hooks = Progress(
        on_start=lambda recipe, data, n_steps: tell("on_start", n_steps),
        on_resume=lambda n_steps, n_damaged: tell("on_resume", n_steps, n_damaged),
        on_features=lambda n_done, n_images: go_on(),
        on_step=go_on,
        on_epoch=lambda epoch: tell("on_epoch", epoch),
    )
    try:
        train_in(
            job.precision,
            job.recipe,
            dataset,
            out=out,
            force=False,
            device=job.device,
            threads=job.threads,
            progress=hooks,
        )
    except MnistlabError as error:
        return Outcome(_files(partial), error)
    return Outcome(_files(path))


def _files(folder: Path) -> dict[str, bytes]:
    """Of a flat folder; none where it is not there."""
    paths = folder.iterdir() if folder.is_dir() else ()
    return {path.name: path.read_bytes() for path in paths}
