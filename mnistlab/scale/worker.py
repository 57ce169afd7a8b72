"""One training on another computer: reported as it goes, its folder returned as bytes."""

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
from mnistlab.runs import Execution, Progress
from mnistlab.runs.computation import folder_name
from mnistlab.runs.making import partial_of
from mnistlab.runs.training import train_in

POLL_S = 0.5  # between two looks at whether the job is still wanted
GRACE_S = 10.0  # for a training that is no longer wanted to end its step


@dataclass(frozen=True)
class Job:
    """A training to be done elsewhere.

    token: names the folder it trains in, so that a second attempt on the same computer resumes
    from the checkpoints of the first. checkpoints: from elsewhere, content by file name.
    precision: decided by the driver, the same for all computers.
    """

    recipe: Recipe
    token: str
    device: str
    threads: int
    checkpoints: Mapping[str, bytes]
    precision: str


@dataclass(frozen=True)
class Call:
    """A callback of Progress to be called; for on_start only the number of steps is sent."""

    callback: str
    arguments: tuple[Any, ...]


@dataclass(frozen=True)
class Outcome:
    """The end: all files of the run's folder by name, and the error, if there was one."""

    files: Mapping[str, bytes]
    error: MnistlabError | None = None


Event = Call | Outcome | BaseException


class _CancelledError(Exception):
    """Ends a training at its next step."""


def perform(job: Job, dataset: Dataset, is_wanted: Callable[[], bool]) -> Iterator[Call | Outcome]:
    """Do the job and report it, its outcome last; without one once it is no longer wanted.

    It trains in a thread of its own, so that reports are on their way while training continues.
    Errors that a user cannot put right are raised.
    """
    events: queue.SimpleQueue[Event] = queue.SimpleQueue()
    cancelled = threading.Event()
    out = Path(tempfile.gettempdir()) / f"mnistlab-{job.token}"

    def work() -> None:
        try:
            events.put(_outcome(job, dataset, out, events, cancelled))
        except BaseException as error:
            events.put(error)

    thread = threading.Thread(target=work, name=job.token, daemon=True)
    thread.start()
    next_look = time.monotonic()
    try:
        while True:
            if time.monotonic() >= next_look:
                if not is_wanted():
                    return
                next_look = time.monotonic() + POLL_S
            try:
                event = events.get(timeout=POLL_S)
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
    events: queue.SimpleQueue[Event],
    cancelled: threading.Event,
) -> Outcome:
    # A process that lost its node is not asked to end for a minute or two, and would go on writing.
    parent = os.getppid()
    path = out / folder_name(job.recipe, dataset, precision=job.precision)
    partial = partial_of(path)
    partial.mkdir(parents=True, exist_ok=True)
    for name, content in job.checkpoints.items():
        (partial / name).write_bytes(content)

    def report(callback: str, *arguments: Any) -> None:
        events.put(Call(callback, arguments))

    def check_wanted() -> None:
        if cancelled.is_set() or os.getppid() != parent:
            raise _CancelledError

    progress = Progress(
        on_start=lambda recipe, data, n_steps: report("on_start", n_steps),
        on_resume=lambda n_steps, n_damaged: report("on_resume", n_steps, n_damaged),
        on_features=lambda n_done, n_images: check_wanted(),
        on_step=check_wanted,
        on_epoch=lambda epoch: report("on_epoch", epoch),
    )
    try:
        execution = Execution(out, job.device, job.threads, progress=progress)
        train_in(job.precision, job.recipe, dataset, execution)
    except MnistlabError as error:
        return Outcome(_files(partial), error)
    return Outcome(_files(path))


def _files(folder: Path) -> dict[str, bytes]:
    """The files of a flat folder; none where there is no such folder."""
    paths = folder.iterdir() if folder.is_dir() else ()
    return {path.name: path.read_bytes() for path in paths}
