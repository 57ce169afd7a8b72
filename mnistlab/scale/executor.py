"""An executor runs trainings: one by one in this process, or many at once elsewhere."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from dataclasses import replace
from typing import Protocol, TypeVar

from mnistlab.data import Dataset
from mnistlab.recipe import Recipe
from mnistlab.runs import Execution, Progress, Run, TrialEnd
from mnistlab.runs.computation import precision_used
from mnistlab.runs.training import train_in

Result = TypeVar("Result")


class Executor(Protocol):
    """Runs trainings.

    default_threads: of one training, where none are given; None leaves that to the libraries.
    """

    default_threads: int | None

    def n_at_once(self, threads: int | None) -> int:
        """How many trainings of so many threads can run at the same time.

        Raises RecipeError where not even one can.
        """

    def train(self, recipe: Recipe, dataset: Dataset, execution: Execution) -> Run:
        """A run, trained or found, as `mnistlab.runs.train` returns it.

        May be called by several threads. An exception in a callback ends the training.
        """

    def stop(self) -> None:
        """End the trainings that are running, whose calls then raise, and start no more."""


class LocalExecutor:
    """This process, one training after another."""

    default_threads: int | None = None

    def n_at_once(self, threads: int | None) -> int:
        """One."""
        return 1

    def train(self, recipe: Recipe, dataset: Dataset, execution: Execution) -> Run:
        """As `mnistlab.runs.train`."""
        return train_in(precision_used(recipe, execution.device), recipe, dataset, execution)

    def stop(self) -> None:
        """Nothing runs beside the caller."""


def run_all(
    executor: Executor, n_at_once: int, works: Sequence[Callable[[], Result]]
) -> list[Result]:
    """The results of functions that train by an executor, in order; so many run at once.

    The first error ends the others and is raised; so does Ctrl-C.
    """
    if n_at_once == 1:
        return [work() for work in works]
    threads = ThreadPoolExecutor(n_at_once)
    futures: list[Future[Result]] = []
    try:
        for work in works:
            futures.append(threads.submit(work))
        for future in wait(futures, return_when=FIRST_EXCEPTION).done:
            future.result()
        return [future.result() for future in futures]
    except BaseException:
        threads.shutdown(wait=False, cancel_futures=True)
        executor.stop()
        raise
    finally:
        threads.shutdown()


def concurrent(execution: Execution) -> Execution:
    """The execution of trainings that run at the same time: starts and ends are reported only.

    A bar of steps and epochs could belong to any of them. Callbacks are called one at a time.
    """
    progress, turn = execution.progress, threading.Lock()

    def on_start(recipe: Recipe, dataset: Dataset, n_steps: int) -> None:
        with turn:
            progress.on_start(recipe, dataset, 0)

    def on_end(run: Run) -> None:
        with turn:
            progress.on_end(run)

    def on_trial(trial: TrialEnd) -> None:
        with turn:
            progress.on_trial(trial)

    reported = Progress(on_start=on_start, on_end=on_end, on_trial=on_trial)
    return replace(execution, progress=reported)
