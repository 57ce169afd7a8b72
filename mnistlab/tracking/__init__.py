"""Tracking: runs told to a server while they train, and never held up by it.

delivery      calls in order, by a thread of their own, made again while the server is away
mlflow_runs   what MLflow is told
store         where a run is tracked, recorded in its folder
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from mnistlab import machine
from mnistlab.data import Dataset
from mnistlab.errors import RecipeError
from mnistlab.phases import Epoch
from mnistlab.recipe import Recipe
from mnistlab.runs import DEFAULT_FOLDER, Progress, Run
from mnistlab.tracking.delivery import Delivery

TRACKERS = ("mlflow",)
PATIENCE_S = 30.0  # at the end, for a server that is away


@contextmanager
def tracked(
    progress: Progress,
    by: str | None,
    *,
    out: Path | str = DEFAULT_FOLDER,
    say: Callable[[str], None] = print,
    patience_s: float = PATIENCE_S,
) -> Iterator[Progress]:
    """`progress`, whose trainings are told to a tracker as well while the block runs.

    by: "mlflow", at MLFLOW_TRACKING_URI or in OUT/mlflow.db; None tells no one. A run that is
    resumed goes on where it began, see `store`. out: that of the run folders. A server that is
    away holds nothing up: what it missed is delivered when it is back, and at the end `say` tells
    what is lost. Raises RecipeError for a tracker there is not, or one that is not installed; a
    training raises RunError where its run began at another server.
    """
    if by is None or machine.rank():  # of several processes the first one tells
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
    delivery = Delivery(may_pass, lambda error: say(f"mlflow: {error}; training goes on"))
    runs, status = MlflowRuns(Path(out), delivery, say), "FAILED"

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

    try:
        yield replace(
            progress, on_folder=on_folder, on_start=on_start, on_epoch=on_epoch, on_end=on_end
        )
    except KeyboardInterrupt:
        status = "KILLED"
        raise
    finally:
        runs.close(status)
        n_lost = delivery.close(patience_s)
        if n_lost:
            say(
                f"mlflow: {n_lost} of {delivery.n_done + n_lost} messages to {runs.uri} are lost; "
                "the run folders have everything"
            )
