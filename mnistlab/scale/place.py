"""A place where trainings run, and many of them there at once."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from pathlib import Path
from typing import Protocol, TypeVar

from mnistlab.data import Dataset
from mnistlab.recipe import Recipe
from mnistlab.runs import Progress, Run, TrialEnd
from mnistlab.runs import train as train_here

Result = TypeVar("Result")


class Place(Protocol):
    """Where trainings run.

    default_threads: of a training where nothing is said; None leaves that to the libraries.
    """

    default_threads: int | None

    def n_at_once(self, threads: int | None) -> int:
        """How many trainings of so many threads run there at a time.

        Raises RecipeError where not one does.
        """

    def train(
        self,
        recipe: Recipe,
        data: Dataset,
        *,
        out: Path,
        force: bool,
        device: str,
        threads: int | None,
        progress: Progress,
    ) -> Run:
        """A run in OUT, trained or found, as `mnistlab.runs.train` gives it.

        May be called by several threads. What a hook of `progress` raises ends the training.
        """

    def stop(self) -> None:
        """End the trainings that are running, whose calls raise, and begin no more."""


class Here:
    """This process, one training after another."""

    default_threads: int | None = None

    def n_at_once(self, threads: int | None) -> int:
        """One."""
        return 1

    def train(
        self,
        recipe: Recipe,
        data: Dataset,
        *,
        out: Path,
        force: bool,
        device: str,
        threads: int | None,
        progress: Progress,
    ) -> Run:
        """As `mnistlab.runs.train`."""
        return train_here(
            recipe, data, out=out, force=force, device=device, threads=threads, progress=progress
        )

    def stop(self) -> None:
        """There is nothing that this would not wait for."""


def together(place: Place, n_at_once: int, works: Sequence[Callable[[], Result]]) -> list[Result]:
    """The results of works that train at a place, in order, so many at once.

    The first error ends the others and is raised; so does Ctrl-C.
    """
    if n_at_once == 1:
        return [work() for work in works]
    executor = ThreadPoolExecutor(n_at_once)
    futures = [executor.submit(work) for work in works]
    try:
        for future in wait(futures, return_when=FIRST_EXCEPTION).done:
            future.result()
        return [future.result() for future in futures]
    except BaseException:
        executor.shutdown(wait=False, cancel_futures=True)
        place.stop()
        raise
    finally:
        executor.shutdown()


def of_many(progress: Progress) -> Progress:
    """What is told of trainings that run at once: that one began or is over, in turns.

    Steps and epochs are not: nobody could say whose they are.
    """
    turn = threading.Lock()

    def on_start(recipe: Recipe, dataset: Dataset, n_steps: int) -> None:
        with turn:
            progress.on_start(recipe, dataset, 0)

    def on_end(run: Run) -> None:
        with turn:
            progress.on_end(run)

    def on_trial(trial: TrialEnd) -> None:
        with turn:
            progress.on_trial(trial)

    return Progress(on_start=on_start, on_end=on_end, on_trial=on_trial)
