"""The page of a fit: what was tried, what each second bought, and what more time would be for."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from mnistlab.fitting.best import Best
from mnistlab.fitting.subject import Subject
from mnistlab.fitting.trials import Trial
from mnistlab.reporting.commands import command_for
from mnistlab.reporting.figures.growth import growth_curves
from mnistlab.reporting.page import Cell, Fact, Figure, Page, Section, Table, columns
from mnistlab.reporting.render import write
from mnistlab.runs.making import FIT_PAGE

BEST = "best so far"


def write_page(
    folder: Path, subject: Subject, trials: Sequence[Trial], best: Best, used_s: float
) -> Path:
    """Write fit.html into the run's folder."""
    minutes = subject.recipe.model_args["minutes"]
    seed = f" --seed {subject.recipe.seed}" if subject.recipe.seed else ""
    command = command_for(subject.dataset, "fit", after=f"--minutes {minutes:g}{seed}")
    page = Page(
        kind="Fit",
        title=f"The best of {minutes:g} minute{'s' * (minutes != 1)} on {subject.dataset.name}",
        question="Which classifier is the best that could be found in the time given?",
        answer=_answer(subject, best),
        facts=_facts(subject, trials, used_s),
        sections=(
            _members(best),
            *_bought(trials),
            _tried(trials),
            Section("With more time", _more_time(subject, trials)),
        ),
        command=command,
    )
    return write(page, folder, FIT_PAGE)


def _answer(subject: Subject, best: Best) -> str:
    single = max(best.trials, key=lambda trial: -(trial.loss or 0.0))
    val = subject.split.val
    accuracy = 100 * float((best.probabilities.argmax(1) == val.labels).mean())
    alone = 100 * (single.val_accuracy or 0.0)
    if len(best.trials) == 1:
        return f"{single.candidate}, {accuracy:.2f} % of {len(val):,} validation images."
    return (
        f"An ensemble of {len(best.trials)}, {accuracy:.2f} % of {len(val):,} validation images. "
        f"That is {accuracy - alone:+.2f} points against {single.candidate} alone, its best "
        f"member; the loss is {best.loss:.4f} against {single.loss or 0.0:.4f}. Validation chose "
        "them, so that new images will be classified a little worse: see mnistlab evaluate."
    )


def _facts(subject: Subject, trials: Sequence[Trial], used_s: float) -> tuple[Fact, ...]:
    train, val = subject.split.train, subject.split.val
    counts = np.bincount(train.labels, minlength=train.n_classes)
    height, width = train.images.shape[1:]
    return (
        Fact(
            "Data set", f"{subject.dataset.name}, {len(train):,} to train, {len(val):,} to choose"
        ),
        Fact("Images", f"{height} x {width}, {train.n_classes} classes"),
        Fact("Images of a class", f"{counts.min():,} to {counts.max():,}; all count the same"),
        Fact("Trainings", f"{len(trials)}"),
        Fact("Time", f"{used_s:.0f} of {subject.budget_s:.0f} s"),
    )


def _members(best: Best) -> Section:
    rows: list[tuple[Cell, ...]] = [
        (t.candidate, t.seed, float(weight), t.n_train, t.epochs or None, t.val_accuracy, t.loss)
        for t, weight in sorted(
            zip(best.trials, best.weights, strict=True), key=lambda pair: -pair[1]
        )
    ]
    titles = (
        "Member",
        "Seed",
        "Weight:.3f",
        "Images:,",
        "Epochs",
        "Validation accuracy:.4f",
        "Loss:.4f",
    )
    text = (
        "Greedy selection on validation images adds, with replacement, whichever training lowers "
        f"the loss of the mean most; the loss of the ensemble is {best.loss:.4f}. In the loss, "
        "classes count the same."
    )
    return Section("The ensemble", text, tables=(Table("Members", columns(*titles), tuple(rows)),))


def _bought(trials: Sequence[Trial]) -> tuple[Section, ...]:
    """The best so far over the seconds that were used, and each candidate over its own.

    Nothing after a single training.
    """
    ends = [t for t in trials if t.best_accuracy is not None]
    figures = _curve(
        {BEST: [(t.began_s + t.seconds, t.best_accuracy or 0.0) for t in ends]},
        "Seconds since the start",
        "What the time bought",
        "The ensemble after each training.",
        "bought",
    )
    by_name: dict[str, list[tuple[float, float]]] = {}
    for trial in trials:
        if trial.val_accuracy is not None:
            by_name.setdefault(trial.candidate, []).append((trial.seconds, trial.val_accuracy))
    several = {name: points for name, points in by_name.items() if len(points) > 1}
    figures += _curve(
        several,
        "Seconds of training",
        "What longer trainings bring",
        "Each mark is a training with a schedule of its own. These curves, drawn on, chose what "
        "the main trainings were.",
        "curves",
    )
    return (Section("What the time bought", figures=figures),) if figures else ()


def _curve(
    curves: dict[str, list[tuple[float, float]]], x_title: str, title: str, caption: str, name: str
) -> tuple[Figure, ...]:
    """The figure; none where no curve has two points."""
    known = {arm: sorted(dict(points).items()) for arm, points in curves.items()}
    known = {arm: points for arm, points in known.items() if len(points) > 1}
    if not known:
        return ()
    return (
        growth_curves(
            list(known),
            {arm: [max(x, 1e-3) for x, _ in points] for arm, points in known.items()},
            {arm: [np.array([100 * y]) for _, y in points] for arm, points in known.items()},
            {},
            x_title=x_title,
            y_title="Validation accuracy",
            unit="%",
            title=title,
            caption=caption,
            name=name,
        ),
    )


def _tried(trials: Sequence[Trial]) -> Section:
    titles = (
        "Training",
        "Candidate",
        "Stage",
        "Images:,",
        "Epochs",
        "Seconds:.1f",
        "Validation accuracy:.4f",
        "Ensemble after it:.4f",
        "Note:wide",
    )
    rows: tuple[tuple[Cell, ...], ...] = tuple(
        (
            t.number,
            t.candidate,
            t.stage,
            t.n_train,
            t.epochs or None,
            t.seconds,
            t.val_accuracy,
            t.best_accuracy,
            t.note or None,
        )
        for t in trials
    )
    table = Table("Trainings", columns(*titles), rows).without_empty()
    text = (
        "First a small network, so that something is there. Then rounds: all candidates that are "
        "fast enough for the time in a short training, the better half in longer ones. The rest of "
        "the time is for main trainings."
    )
    return Section("What was tried", text, tables=(table,))


def _more_time(subject: Subject, trials: Sequence[Trial]) -> str:
    """What would be tried next."""
    main = [trial for trial in trials if trial.stage == "main" and trial.counts]
    tried = {trial.candidate for trial in trials if trial.counts}
    left_out = [name for name in subject.candidates if name not in tried]
    parts = []
    n_train = len(subject.split.train)
    if not main:
        parts.append("The main trainings had no time: there were only first trainings.")
    else:
        name = main[-1].candidate
        longest = max(trial.epochs * trial.n_train for trial in main) / n_train
        full = subject.candidates[name].full_epochs(n_train)
        if longest < full:
            parts.append(
                f"{name} was trained for {longest:.1f} epochs and would be for {full} and more."
            )
        else:
            parts.append(f"More seeds of {name}, and longer trainings, to average.")
    if left_out:
        parts.append(f"Not tried, for their time: {', '.join(left_out)}.")
    return " ".join(parts)
