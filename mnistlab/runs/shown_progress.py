"""Progress as text: plain lines, or in a notebook one line that is written anew.

Python's functions show it unless they are given a `progress` of their own; `ml.Progress()` is
silent. The command line shows bars on a terminal, and these lines in a pipe.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol

from mnistlab import machine
from mnistlab.cards import counted
from mnistlab.data import Dataset
from mnistlab.data.notes import note
from mnistlab.phases import Epoch
from mnistlab.recipe import Recipe
from mnistlab.runs.folder import Run
from mnistlab.runs.progress import Progress, TrialEnd

FOUND = "(found, not trained again; --force trains again)"
FOUND_IN_PYTHON = "(found, not trained again; force=True trains again)"
SECONDS_BETWEEN = 0.3  # two writings of the line in a notebook


class Handle(Protocol):
    """What IPython's display returns for a display id."""

    def update(self, shown: dict[str, str], *, raw: bool) -> None:
        """Show this instead."""


def default_progress() -> Progress:
    """One line in a notebook, else plain lines on standard error.

    Of several processes that train together only the first shows it.
    """
    if machine.rank():
        return Progress()
    if in_notebook():
        return notebook_line()
    return plain_lines(_print, FOUND_IN_PYTHON)


def in_notebook() -> bool:
    """Whether this is a kernel: Jupyter, VS Code, Colab, nbconvert."""
    if "IPython" not in sys.modules:
        return False
    shell = sys.modules["IPython"].get_ipython()
    return getattr(shell, "kernel", None) is not None


def plain_lines(say: Callable[[str], None], found_text: str = FOUND) -> Progress:
    """A line for every beginning, epoch and end."""
    plan = {"runs": 1, "done": 0}
    title, found, on_note = "", set[Path](), once(note)

    def on_start(recipe: Recipe, dataset: Dataset, n_steps: int) -> None:
        nonlocal title
        title = f"[{plan['done'] + 1}/{plan['runs']}] {recipe.name} seed {recipe.seed}"
        say(
            f"{title}: training on {dataset.name}"
            + (f", {counted(n_steps, 'step', 'd')}" if n_steps else "")
        )

    def on_resume(n_steps: int, n_damaged: int) -> None:
        damaged = f"; {n_damaged} damaged checkpoints skipped" if n_damaged else ""
        say(f"{title}: resuming after step {n_steps}{damaged}")

    def on_features(n_done: int, n_images: int) -> None:
        if n_done == 0:
            say(f"{title}: {counted(n_images, 'image')} through the frozen blocks, once")

    def on_end(run: Run) -> None:
        plan["done"] += 1
        again = f" {found_text}" if run.path in found else ""
        say(f"[{plan['done']}/{plan['runs']}] {run.path} complete{again}")

    def on_fold(recipe: Recipe, number: int, accuracy: float) -> None:
        plan["done"] += 1
        say(f"[{plan['done']}/{plan['runs']}] {recipe.name} fold {number} scored {accuracy:.4f}")

    def on_trial(trial: TrialEnd) -> None:
        plan["done"] = trial.n_done
        say(f"[{plan['done']}/{plan['runs']}] {trial_text(trial)}")

    return Progress(
        on_plan=lambda n_runs: plan.update(runs=n_runs, done=0),
        on_start=on_start,
        on_resume=on_resume,
        on_features=on_features,
        on_epoch=lambda epoch: say(f"{title}: {epoch_text(epoch)}, {epoch.time_s:.1f} s"),
        on_found=lambda run: found.add(run.path),
        on_end=on_end,
        on_fold=on_fold,
        on_trial=on_trial,
        on_note=on_note,
    )


def notebook_line() -> Progress:
    """One line of the cell's output, written anew by its display id: no widget is needed.

    What stands there when the work ends is what nbconvert and a saved notebook keep.
    """
    line = _Line()
    return Progress(
        on_plan=line.plan,
        on_start=line.start,
        on_resume=lambda n_steps, n_damaged: line.resume(n_steps),
        on_features=lambda n_done, n_images: line.show(
            f"frozen blocks: {n_done:,} of {n_images:,} images"
        ),
        on_step=line.step,
        on_epoch=line.epoch,
        on_found=lambda run: line.end(run, f" {FOUND_IN_PYTHON}"),
        on_end=line.end,
        on_fold=lambda recipe, number, accuracy: line.done(
            f"{recipe.name} fold {number} scored {accuracy:.4f}"
        ),
        on_trial=lambda trial: line.done(trial_text(trial)),
        on_note=once(note),
    )


class _Line:
    """The state of a notebook's line: how many runs, steps, and what was said last."""

    def __init__(self) -> None:
        self.handle: Handle | None = None
        self.n_runs = self.n_done = 0
        self.title = self.note = ""
        self.n_steps = self.step_now = self.first_step = 0
        self.began = self.written = 0.0
        self.ended: Path | None = None

    def plan(self, n_runs: int) -> None:
        self.n_runs, self.n_done = n_runs, 0

    def start(self, recipe: Recipe, dataset: Dataset, n_steps: int) -> None:
        self.title = f"{recipe.name} on {dataset.name}, seed {recipe.seed}"
        self.n_steps, self.step_now, self.first_step, self.note = n_steps, 0, 0, ""
        self.began, self.ended = time.monotonic(), None
        self.write("begins")

    def resume(self, n_steps: int) -> None:
        self.step_now = self.first_step = n_steps

    def step(self) -> None:
        self.step_now += 1
        if time.monotonic() - self.written > SECONDS_BETWEEN:
            self.write(self.counted())

    def epoch(self, epoch: Epoch) -> None:
        self.note = epoch_text(epoch)
        self.write(self.counted())

    def show(self, text: str) -> None:
        if time.monotonic() - self.written > SECONDS_BETWEEN:
            self.write(text)

    def done(self, text: str) -> None:
        self.n_done += 1
        self.title = ""
        self.write(text)

    def end(self, run: Run, why: str = "") -> None:
        if self.ended == run.path:  # found: on_end follows on_found
            return
        self.ended = run.path
        accuracy = run.result.get("val_accuracy")
        said = "" if accuracy is None else f", validation accuracy {accuracy:.4f}"
        self.title = run.path.name
        self.n_done += 1
        self.write(f"complete{said}{why}")

    def counted(self) -> str:
        """Per cent of the steps, time left, and what the last epoch gave."""
        parts = []
        if self.n_steps:
            parts.append(f"{100 * self.step_now // self.n_steps} %")
            parts += [left] if (left := self.time_left()) else []
        return ", ".join([*parts, *([self.note] if self.note else [])])

    def time_left(self) -> str:
        """By the steps of this process; empty before there are any, and at the end."""
        done, left = self.step_now - self.first_step, self.n_steps - self.step_now
        if done <= 0 or left <= 0:
            return ""
        seconds = round((time.monotonic() - self.began) * left / done)
        minutes, seconds = divmod(seconds, 60)
        return f"{minutes} min {seconds} s left" if minutes else f"{seconds} s left"

    def write(self, text: str) -> None:
        number = min(self.n_done + (self.ended is None), self.n_runs)
        count = f"[{number}/{self.n_runs}] " if self.n_runs > 1 else ""
        line = f"{count}{self.title}{': ' if self.title else ''}{text}"
        self.written = time.monotonic()
        if self.handle is None:
            self.handle = _displayed(line)
        else:
            self.handle.update({"text/plain": line}, raw=True)


def _displayed(line: str) -> Any:
    """A handle of IPython, which is loaded where there is a notebook."""
    display = import_module("IPython.display").display
    return display({"text/plain": line}, raw=True, display_id=True)


def _print(text: str) -> None:
    """A line on standard error; one that is closed or full does not stop the work."""
    try:
        print(text, file=sys.stderr, flush=True)
    except (AttributeError, OSError, ValueError):
        return


def once(show: Callable[[str], None]) -> Callable[[str], None]:
    """A function that shows a note once, however many runs it is about."""
    shown = set[str]()

    def on_note(text: str) -> None:
        if text not in shown:
            shown.add(text)
            show(text)

    return on_note


def trial_text(trial: TrialEnd) -> str:
    """The end of a trial in one line."""
    reached = "no accuracy" if trial.accuracy is None else f"val {trial.accuracy:.4f}"
    ended = f", stopped: {trial.why}" if trial.why else ""
    best = "" if trial.best is None else f"; best so far {trial.best:.4f}"
    return f"trial {trial.number}: {reached}{ended}{best}"


def epoch_text(epoch: Epoch) -> str:
    """What an epoch gave, in a few words."""
    text = f"epoch {epoch.epoch}, loss {epoch.train_loss:.4f}"
    return text if epoch.val_accuracy is None else f"{text}, val {epoch.val_accuracy:.4f}"
