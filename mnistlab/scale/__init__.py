"""Scale: trainings in this process, or on the computers of a Ray cluster.

    executor         what an executor can do; the local one, one training after another
    ray_executor     one Ray task per training
    ray_connection   the connection to a cluster; these two files alone know Ray
    worker           what such a task does, on whichever computer it runs

Run folders, test metrics and the journal of a search stay with the process that was started; an
executor is only given what it needs to train.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from mnistlab.errors import RecipeError
from mnistlab.scale.executor import Executor, LocalExecutor, concurrent, run_all

__all__ = ["EXECUTORS", "Executor", "LocalExecutor", "concurrent", "executor_of", "run_all"]

EXECUTORS = ("local", "ray")


@contextmanager
def executor_of(name: str) -> Iterator[Executor]:
    """An executor by its name, while the block runs.

    Raises RecipeError where there is none of that name or Ray is not installed, and RunError for a
    cluster that does not answer.
    """
    if name not in EXECUTORS:
        raise RecipeError(f"unknown executor {name!r}; there are: {', '.join(EXECUTORS)}")
    if name == "local":
        yield LocalExecutor()
        return
    from mnistlab.scale.ray_connection import connected
    from mnistlab.scale.ray_executor import RayExecutor

    with connected() as ray:
        yield RayExecutor(ray)
