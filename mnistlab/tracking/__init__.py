"""Tracking: runs logged to a server while they train, and never delayed by it.

delivery      calls in order, by a thread of their own, repeated while the server is away
mlflow_runs   what is logged to MLflow
store         where a run is tracked, recorded in its folder
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from mnistlab import machine
from mnistlab.data import Dataset
from mnistlab.errors import RecipeError
from mnistlab.phases import Epoch
from mnistlab.recipe import Recipe
from mnistlab.runs import Progress, Run
from mnistlab.runs.execution import DEFAULT_FOLDER
from mnistlab.tracking.delivery import Delivery

if TYPE_CHECKING:
    from mnistlab.tracking.mlflow_runs import MlflowRuns

TRACKERS = ("mlflow",)
PATIENCE_S = 30.0  # how long the end waits for a server that is away


@contextmanager
def tracked(
    progress: Progress,
    by: str | None,
    *,
    out: Path | str = DEFAULT_FOLDER,
    say: Callable[[str], None] = print,
    patience_s: float = PATIENCE_S,
) -> Iterator[Progress]:
    """`progress`, whose trainings are also logged to a tracker while the block runs.

    by: "mlflow", at MLFLOW_TRACKING_URI or in OUT/mlflow.db; None logs nowhere. A run that is
    resumed is logged where it began, see `store`. out: the folder of the run folders. A server that
    is away delays nothing: what it missed is delivered when it is back, and at the end `say` is
    told what is lost. Raises RecipeError for an unknown tracker, or one that is not installed; a
    training raises RunError where its run began at another server.
    """
    if by is None or machine.rank():  # of several processes the first one logs
        yield progress
        return
    if by not in TRACKERS:
        raise RecipeError(f"unknown tracker {by!r}; there are: {', '.join(TRACKERS)}")
    try:
        from mnistlab.tracking.mlflow_runs import MlflowRuns, may_pass
    except ModuleNotFoundError as error:
        raise RecipeError(
            f"--track mlflow needs the extra track: pip install 'mnistlab[track]' ({error})"
        ) from error
    Path(out).mkdir(parents=True, exist_ok=True)
    delivery = Delivery(may_pass, lambda error: say(f"mlflow: {error}; training continues"))
    runs, status = MlflowRuns(Path(out), delivery, say), "FAILED"
    try:
        yield _logged(progress, runs)
    except KeyboardInterrupt:
        status = "KILLED"
        raise
    finally:
        runs.close(status)
        n_lost = delivery.close(patience_s)
        if n_lost:
            say(
                f"mlflow: {n_lost} of {delivery.n_done + n_lost} messages to {runs.uri} "
                f"{'is' if n_lost == 1 else 'are'} lost; "
                "the run folders have everything"
            )


def _logged(progress: Progress, runs: MlflowRuns) -> Progress:
    """`progress`, with callbacks that log before they report."""

    def on_folder(partial: Path) -> None:
        runs.folder(partial)
        progress.on_folder(partial)

    def on_start(recipe: Recipe, dataset: Dataset, n_steps: int) -> None:
        runs.begin(recipe, dataset, n_steps)
        progress.on_start(recipe, dataset, n_steps)

    def on_epoch(epoch: Epoch) -> None:
        runs.epoch(epoch)
        progress.on_epoch(epoch)

    def on_end(run: Run) -> None:
        runs.end(run)
        progress.on_end(run)

    return replace(
        progress, on_folder=on_folder, on_start=on_start, on_epoch=on_epoch, on_end=on_end
    )
