"""`mnistlab fit`: the best classifier in the time given."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from mnistlab.cards import counted
from mnistlab.cli.options import (
    LARGEST_SEED,
    ExecutionChoice,
    JsonOption,
    LabelOption,
    SizeOption,
    given,
    grouped,
)
from mnistlab.fitting.clock import process_age_s

if TYPE_CHECKING:
    from mnistlab.fitting import Status
    from mnistlab.runs import Run

app = typer.Typer()


@app.command(epilog="Example: mnistlab fit my-images/ --minutes 5")
@grouped
def fit(
    data: Annotated[
        str,
        typer.Argument(
            callback=given, help="A data set's name, or a path: see --data of mnistlab train."
        ),
    ],
    minutes: Annotated[
        float, typer.Option("--minutes", help="How long, writing included; 0.5 is half a minute.")
    ],
    execution: ExecutionChoice,
    size: SizeOption = None,
    label_column: LabelOption = None,
    seed: Annotated[int, typer.Option("--seed", min=0, max=LARGEST_SEED, help="Random seed.")] = 0,
    as_json: JsonOption = False,
) -> None:
    """Find the best classifier of these images in the time given, and save it as a run.

    Networks and a support vector machine are tried in short trainings, the best of them trained for
    the rest of the time, and averaged as validation chooses. From the first seconds on the folder
    holds the best so far; after a kill the same command continues with the time that is left. The
    test part is not used: see evaluate. Writes a page, fit.html.
    """
    began = time.monotonic() - process_age_s()
    from mnistlab.classifiers.ensemble_method import check_minutes
    from mnistlab.cli.inputs import load_data
    from mnistlab.cli.terminal import shown_progress
    from mnistlab.fitting.beginning import fit_in
    from mnistlab.runs.execution import execution_of

    check_minutes(minutes)
    dataset = load_data(data, size, label_column)
    with shown_progress() as progress, _shown_status() as show:
        options = execution_of(execution.options(progress))
        run = fit_in(dataset, minutes, seed, options, show, began)
    _print_run(run)
    if as_json:
        print(json.dumps(run.result | {"path": str(run.path)}))


def _print_run(run: Run) -> None:
    from mnistlab.cli.terminal import table

    members = sorted(run.result["members"], key=lambda member: -member["weight"])
    rows = [
        (m["recipe"], m["seed"], f"{m['weight']:.3f}", m["epochs"], f"{m['val_accuracy']:.4f}")
        for m in members
    ]
    print(table(["member", "seed", "weight", "epochs", "val accuracy"], rows))
    print(
        f"val accuracy {run.result['val_accuracy']:.4f} on "
        f"{counted(run.data['n_val'], 'image')} that also "
        f"chose the members; {run.result['seconds_used']:.0f} s used"
    )
    print(f"page: {run.path / 'fit.html'}")
    print(f"next: mnistlab evaluate {run.path}")


@contextmanager
def _shown_status() -> Iterator[Callable[[Status], None]]:
    """A function that shows how a fit stands: one line on a terminal, a line per training else."""
    from mnistlab.cli.streams import say

    if not sys.stderr.isatty():
        yield lambda status: say(status_text(status)) if status.ended else None
        return
    from rich.console import Console
    from rich.live import Live
    from rich.text import Text

    with Live(console=Console(stderr=True), transient=True, auto_refresh=False) as live:
        yield lambda status: live.update(
            Text(status_text(status), no_wrap=True, overflow="ellipsis"), refresh=True
        )


def status_text(status: Status) -> str:
    """Such as "0:14 of 1:00  best 0.8812 (3 members)  resnet-small, round 1: val 0.8412 …"."""
    best = "best so far: none"
    if status.best_accuracy is not None:
        plural = "s" * (status.n_members != 1)
        best = f"best so far {status.best_accuracy:.4f}, {status.n_members} member{plural}"
    left = _clock(max(status.budget_s - status.used_s, 0))
    return f"{left} left; {best}; {status.ended or status.doing}"


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02d}"
