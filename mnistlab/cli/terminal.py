"""Progress of long work: bars with time left on a terminal, plain lines in a pipe.

Both go to standard error; standard output is for results.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import typer

from mnistlab import machine
from mnistlab.cli.streams import say as say
from mnistlab.data import Dataset
from mnistlab.errors import Stopped
from mnistlab.recipe import Recipe
from mnistlab.runs import Progress
from mnistlab.runs.shown_progress import FOUND, epoch_text, once, plain_lines, trial_text

if TYPE_CHECKING:
    pass

AS_TEXT: Any = {"markup": False, "highlight": False, "soft_wrap": True}
RESUMES = "stopped; the same command resumes"
SURROGATES = range(0xD800, 0xE000)  # stand for bytes of a file name that are no UTF-8


@contextmanager
def shown_progress(is_one_training: bool = False) -> Iterator[Progress]:
    """Callbacks that show progress on standard error, as bars or as lines.

    A training that a signal stops ends the command, with a line that says how to resume it: by its
    folder, or, where the command trains more than one, by the same command.
    """
    try:
        if machine.rank():  # of several processes that train together only the first prints
            yield Progress()
        elif sys.stderr.isatty():
            with _bars() as progress:
                yield progress
        else:
            yield plain_lines(say)
    except KeyboardInterrupt as error:  # typer would end with status 130 and print nothing
        if said := _stopped_text(error, is_one_training):
            say(said)
        raise typer.Exit(error.status if isinstance(error, Stopped) else 130) from error


def _stopped_text(error: KeyboardInterrupt, is_one_training: bool) -> str:
    folder = error.folder if isinstance(error, Stopped) else ""
    if is_one_training or (str(error) and not folder):
        return str(error)
    return f"{folder}: {RESUMES}" if folder else RESUMES


@contextmanager
def shown_count(what: str, total: int) -> Iterator[Callable[..., None]]:
    """A function to call with the name of whatever is done, out of so many."""
    n_done = 0

    def show(name: str, *values: object) -> None:
        nonlocal n_done
        n_done += 1
        say(f"[{n_done}/{total}] {name}")

    if not sys.stderr.isatty():
        yield show
        return
    from rich.console import Console
    from rich.progress import Progress as Bars

    with Bars(console=Console(stderr=True), transient=True) as bars:
        task = bars.add_task(what, total=total)
        yield lambda name, *values: bars.update(task, advance=1, description=name)


def table(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Left-aligned text columns, two spaces apart; None is shown as a dash.

    A cell is one line: a line end, such as in a class name, becomes a space.
    """
    from rich.cells import cell_len  # a Chinese letter is two columns wide

    lines = [[str(column) for column in columns]]
    lines += [["-" if cell is None else one_line(str(cell)) for cell in row] for row in rows]
    widths = [max(cell_len(line[i]) for line in lines) for i in range(len(columns))]
    rule = ["-" * width for width in widths]
    padded = [
        "  ".join(
            cell + " " * (width - cell_len(cell)) for cell, width in zip(line, widths, strict=True)
        ).rstrip()
        for line in [lines[0], rule, *lines[1:]]
    ]
    return "\n".join(padded)


def one_line(text: str) -> str:
    """The text without control characters; letters and paths are not changed."""
    return "".join(
        letter if letter.isprintable() or ord(letter) in SURROGATES else " " for letter in text
    )


@contextmanager
def _bars() -> Iterator[Progress]:
    from rich import progress as rich_progress
    from rich.console import Console

    columns = (
        rich_progress.TextColumn("{task.description}"),
        rich_progress.BarColumn(bar_width=24),
        rich_progress.TaskProgressColumn(),
        rich_progress.TimeRemainingColumn(compact=True, elapsed_when_finished=True),
        rich_progress.TextColumn("{task.fields[note]}"),
    )
    with rich_progress.Progress(*columns, console=Console(stderr=True), transient=True) as bars:
        all_runs = bars.add_task("all runs", total=1, visible=False, note="")
        this_run = bars.add_task("", total=1, visible=False, note="")

        def on_start(recipe: Recipe, dataset: Dataset, n_steps: int) -> None:
            title = f"{recipe.name} on {dataset.name}, seed {recipe.seed}"
            # Without steps there is nothing to count: the bar only moves to show life.
            bars.reset(this_run, total=n_steps or None, description=title, visible=True, note="")

        yield Progress(
            on_plan=lambda n_runs: bars.update(all_runs, total=n_runs, visible=n_runs > 1),
            on_start=on_start,
            on_resume=lambda n_steps, n_damaged: bars.update(this_run, completed=n_steps),
            on_features=lambda n_done, n_images: bars.update(
                this_run, note=f"frozen blocks: {n_done:,} of {n_images:,} images"
            ),
            on_step=lambda: bars.advance(this_run),
            on_epoch=lambda epoch: bars.update(this_run, note=epoch_text(epoch)),
            on_found=lambda run: bars.console.print(f"{run.path} {FOUND}", **AS_TEXT),
            on_end=lambda run: bars.advance(all_runs),
            on_fold=lambda recipe, number, accuracy: bars.advance(all_runs),
            on_trial=lambda trial: bars.update(
                all_runs, completed=trial.n_done, note=trial_text(trial)
            ),
            on_note=once(lambda text: bars.console.print(f"note: {text}", **AS_TEXT)),
        )
