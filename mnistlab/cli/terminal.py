"""Progress of long work: bars with time left on a terminal, plain lines in a pipe.

Both go to standard error; standard output is for results.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from mnistlab import machine
from mnistlab.cli.streams import say as say
from mnistlab.data import Dataset
from mnistlab.data.notes import note
from mnistlab.errors import Stopped
from mnistlab.recipe import Recipe
from mnistlab.runs import Progress, Run, TrialEnd

if TYPE_CHECKING:
    from mnistlab.phases import Epoch

AS_TEXT: Any = {"markup": False, "highlight": False, "soft_wrap": True}
FOUND = "(found, not trained again; --force trains again)"
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
            yield _plain_lines()
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


def _plain_lines() -> Progress:
    plan = {"runs": 1, "done": 0}
    title, found, on_note = "", set[Path](), _noting(note)

    def on_start(recipe: Recipe, dataset: Dataset, n_steps: int) -> None:
        nonlocal title
        title = f"[{plan['done'] + 1}/{plan['runs']}] {recipe.name} seed {recipe.seed}"
        say(f"{title}: training on {dataset.name}" + (f", {n_steps} steps" if n_steps else ""))

    def on_resume(n_steps: int, n_damaged: int) -> None:
        damaged = f"; {n_damaged} damaged checkpoints skipped" if n_damaged else ""
        say(f"{title}: resuming after step {n_steps}{damaged}")

    def on_features(n_done: int, n_images: int) -> None:
        if n_done == 0:
            say(f"{title}: {n_images:,} images through the frozen blocks, once")

    def on_end(run: Run) -> None:
        plan["done"] += 1
        again = f" {FOUND}" if run.path in found else ""
        say(f"[{plan['done']}/{plan['runs']}] {run.path} complete{again}")

    def on_fold(recipe: Recipe, number: int, accuracy: float) -> None:
        plan["done"] += 1
        say(f"[{plan['done']}/{plan['runs']}] {recipe.name} fold {number} scored {accuracy:.4f}")

    def on_trial(trial: TrialEnd) -> None:
        plan["done"] = trial.n_done
        say(f"[{plan['done']}/{plan['runs']}] {_trial_text(trial)}")

    return Progress(
        on_plan=lambda n_runs: plan.update(runs=n_runs, done=0),
        on_start=on_start,
        on_resume=on_resume,
        on_features=on_features,
        on_epoch=lambda epoch: say(f"{title}: {_epoch_text(epoch)}, {epoch.time_s:.1f} s"),
        on_found=lambda run: found.add(run.path),
        on_end=on_end,
        on_fold=on_fold,
        on_trial=on_trial,
        on_note=on_note,
    )


def _noting(show: Callable[[str], None]) -> Callable[[str], None]:
    """A function that shows a note once, however many runs of a command it is about."""
    shown = set[str]()

    def on_note(text: str) -> None:
        if text not in shown:
            shown.add(text)
            show(text)

    return on_note


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
            on_epoch=lambda epoch: bars.update(this_run, note=_epoch_text(epoch)),
            on_found=lambda run: bars.console.print(f"{run.path} {FOUND}", **AS_TEXT),
            on_end=lambda run: bars.advance(all_runs),
            on_fold=lambda recipe, number, accuracy: bars.advance(all_runs),
            on_trial=lambda trial: bars.update(
                all_runs, completed=trial.n_done, note=_trial_text(trial)
            ),
            on_note=_noting(lambda text: bars.console.print(f"note: {text}", **AS_TEXT)),
        )


def _trial_text(trial: TrialEnd) -> str:
    reached = "no accuracy" if trial.accuracy is None else f"val {trial.accuracy:.4f}"
    ended = f", stopped: {trial.why}" if trial.why else ""
    best = "" if trial.best is None else f"; best so far {trial.best:.4f}"
    return f"trial {trial.number}: {reached}{ended}{best}"


def _epoch_text(epoch: Epoch) -> str:
    text = f"epoch {epoch.epoch}, loss {epoch.train_loss:.4f}"
    return text if epoch.val_accuracy is None else f"{text}, val {epoch.val_accuracy:.4f}"
