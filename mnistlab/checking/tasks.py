"""The names of tasks, and which findings belong to each."""

from __future__ import annotations

from mnistlab.checking.finding import Report
from mnistlab.errors import DataError

# Whole files: what they are checked as.
NETWORKS = ("mlp", "layers", "functions")
# Parts of a network by hand: the beginnings of what is reported of each.
PARTS = {
    "scaling": ("scaling",),
    "initial-weights": ("initial weights", "constructor"),
    "relu": ("relu",),
    "relu-derivative": ("relu_derivative",),
    "softmax": ("softmax",),
    "forward": ("forward",),
    "loss": ("loss",),
    "predict": ("predict",),
    "backward": ("backward", "gradient"),
    "update": ("update",),
    "train": ("train", "overfits"),
}
# Tasks that use libraries, and those beside a network: the beginnings of what is reported.
LIBRARY_TASKS = {
    "cnn": ("cnn",),
    "loop": ("loop",),
    "comparison": ("comparison",),
    "transfer": ("transfer",),
    "estimator": ("estimator",),
    "gradient-check": ("numerical gradient",),
    "cross-validation": ("folds", "cross-validation"),
    "split": ("split",),
}
# Offers that are a part of a task of another name.
TASK_OF = {"folds": "cross-validation"}
TASKS = (*NETWORKS, *PARTS, *LIBRARY_TASKS)
ALWAYS = ("interface", "limits")
OTHER_NAMES = {
    "compute-loss": "loss",
    "training": "train",
    "gradients": "backward",
    "cv": "cross-validation",
    "optimizers": "comparison",
    "gradient-checking": "gradient-check",
    "torch": "cnn",
}


def checked_task(task: str | None) -> str | None:
    """The task, with `_` and `-` alike; DataError where there is none of that name."""
    if task is None:
        return None
    name = task.lower().replace("_", "-")
    name = OTHER_NAMES.get(name, name)
    if name not in TASKS:
        raise DataError(f"unknown task {task!r}; there are: {', '.join(TASKS)}")
    return name


def part_of(report: Report, task: str | None) -> Report:
    """Of a report on a network by hand, the part that a task names."""
    starts = (PARTS | LIBRARY_TASKS).get(task or "")
    if task is None or starts is None:
        return report
    wanted = [each for each in report.findings if _belongs(each.what, starts)]
    others = [each for each in report.findings if each not in wanted]
    notes = report.notes
    if others and not any(each.what in ALWAYS for each in wanted):
        named = ", ".join(dict.fromkeys(each.what for each in others))
        notes = (*notes, f"other parts have findings of their own: {named}")
    checks = tuple(name for name in report.checks if name.startswith(starts))
    return Report(task, tuple(wanted), checks, notes)


def _belongs(what: str, starts: tuple[str, ...]) -> bool:
    if "relu" in starts and what.startswith("relu_"):
        return False
    return what.startswith((*starts, *ALWAYS))


def tasks_within(task: str) -> set[str]:
    """The offers that belong to a task."""
    return {task, *(offer for offer, whole in TASK_OF.items() if whole == task)}
