"""The page of one evaluated run: what was trained, how well it does, and on what it fails."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mnistlab.data import Dataset
from mnistlab.errors import RunError
from mnistlab.evaluation import measure
from mnistlab.reporting.figures import (
    Curves,
    before_and_after,
    confusion_matrix,
    learning_curves,
    per_class_accuracy,
)
from mnistlab.reporting.page import Column, Fact, Figure, Page, Section, Table
from mnistlab.reporting.render import write
from mnistlab.run import Run, classifier_of, dataset_of, parts_of
from mnistlab.run import test_part as test_part_of

N_SHOWN = 64  # images of the before-and-after grids (write-up E)


def report(run: Run, data: Dataset | None = None) -> Path:
    """Write RUN/report.html and RUN/figures/*.png for an evaluated run; the page's path.

    data: the set the run was trained on, where it cannot be loaded again by name.
    Raises RunError for a run that has not been evaluated.
    """
    if run.result["test_accuracy"] is None:
        raise RunError(f"{run.path}: has no test figures yet; see `mnistlab evaluate`")
    dataset = data if data is not None else dataset_of(run)
    name, command = run.recipe.name, f"mnistlab evaluate {run.path}"
    low, high = run.result["test_accuracy_ci"]
    page = Page(
        kind="Run",
        title=f"{name} on {dataset.name}",
        question=f"How well does {name} ({run.recipe.summary or run.recipe.model}) "
        f"classify images of {dataset.name} that it has never seen?",
        answer=f"It names {100 * run.result['test_accuracy']:.2f} % of "
        f"{run.result['n_test']:,} test images correctly (95 % interval "
        f"{100 * low:.2f} to {100 * high:.2f} %; one seed).",
        facts=_facts(run, dataset),
        sections=(
            _mistakes(run, dataset, command),
            *(_training(run, dataset, command) if run.log else ()),
        ),
        command=command,
    )
    return write(page, run.path)


def _training(run: Run, dataset: Dataset, command: str) -> tuple[Section, Section]:
    """What only a network has: epochs, and a state before them."""
    name = run.recipe.name
    curves = learning_curves(
        [name],
        {name: curves_of([run])},
        caption="One run; the weights of its best epoch on validation are kept.",
        command=command,
    )
    return (
        Section("Training", figures=(curves,), tables=(_phases(run),)),
        Section(
            "Before and after",
            f"The first {N_SHOWN} test images, as the network named them when it was "
            "initialised and when it was trained.",
            figures=gallery(run, dataset, command, "images"),
        ),
    )


def curves_caption(runs: Sequence[Run]) -> str:
    """What the lines are, and what sets rates apart where some are constant and some are not."""
    names = [run.recipe.name for run in runs]
    parts = []
    if len(set(names)) < len(names):
        parts.append("A thin line a seed, a strong one their mean.")
    constant = {all(phase.schedule == "constant" for phase in run.recipe.phases) for run in runs}
    if constant == {True, False}:
        parts.append(
            "At a constant rate the accuracy may swing from epoch to epoch until the end; a rate "
            "that falls to zero lets it settle."
        )
    return " ".join(parts) or "The weights of the best epoch on validation are kept."


def curves_of(runs: Sequence[Run]) -> Curves:
    """The logs of an arm's seeds as arrays (S, E); NaN after an early stop."""
    logs = [run.log for run in runs]
    n_epochs = max(len(log) for log in logs)

    def column(key: str) -> NDArray[np.float64]:
        values = np.full((len(logs), n_epochs), np.nan)
        for row, log in zip(values, logs, strict=True):
            row[: len(log)] = [np.nan if line[key] is None else line[key] for line in log]
        return values

    return Curves(column("train_loss"), column("val_loss"), column("val_accuracy"))


def gallery(run: Run, dataset: Dataset, command: str, name: str) -> tuple[Figure, Figure]:
    """The same test images named by the untrained and by the trained network."""
    shown = test_part_of(run, dataset).take(slice(0, N_SHOWN))
    train = parts_of(run.recipe, dataset).train
    untrained = classifier_of(replace(run.recipe, phases=())).fit(train.images, train.labels)
    return before_and_after(
        shown.images,
        shown.labels,
        untrained.predict(shown.images),
        run.classifier().predict(shown.images),
        dataset.class_names,
        command=command,
        name=name,
    )


def share(values: Sequence[float | None]) -> NDArray[np.float64]:
    """Per-class accuracies with NaN for a class that has no images."""
    return np.array([np.nan if value is None else value for value in values])


def machine_text(env: Mapping[str, Any]) -> str:
    """Such as "AMD EPYC, 2 threads, float32", from env.json."""
    threads = env.get("threads")
    noun = "thread" if threads == 1 else "threads"
    return f"{env.get('cpu')}, {threads} {noun}, {env.get('precision')}"


def _facts(run: Run, dataset: Dataset) -> tuple[Fact, ...]:
    result = run.result
    return (
        Fact("Data set", f"{dataset.name}, split {run.data['split']}"),
        Fact("Images", f"{run.data['n_train']:,} / {run.data['n_val']:,} / {run.data['n_test']:,}"),
        Fact("Model", _model_text(run.recipe.model, run.recipe.model_args)),
        Fact("Parameters", f"{result['n_parameters']:,}"),
        Fact("Validation accuracy", f"{result['val_accuracy']:.4f}"),
        Fact("Training", _training_text(run)),
        Fact("Machine", machine_text(run.env)),
    )


def _model_text(model: str, model_args: Mapping[str, Any]) -> str:
    """Such as "scratch, hidden sizes 128-64"."""
    parts = [model]
    for name, value in model_args.items():
        values = value if isinstance(value, list | tuple) else (value,)
        parts.append(f"{name.replace('_', ' ')} {'-'.join(map(str, values)) or 'none'}")
    return ", ".join(parts)


def _training_text(run: Run) -> str:
    seconds, epochs = run.result["train_time_s"], run.result["epochs"]
    in_epochs = f", {epochs} epochs, seed {run.recipe.seed}" if epochs else ""
    return f"{seconds:.1f} s{in_epochs}"


def _mistakes(run: Run, dataset: Dataset, command: str) -> Section:
    test = test_part_of(run, dataset)
    confusion = measure(test.labels, run.predicted(), dataset.n_classes).confusion
    name = run.recipe.name
    return Section(
        "By class",
        figures=(
            per_class_accuracy(
                [name],
                {name: share(run.result["per_class_accuracy"])},
                dataset.class_names,
                caption="Share of each class's test images named correctly.",
                command=command,
            ),
            confusion_matrix(
                confusion,
                dataset.class_names,
                caption="Rows are the true classes, columns the predicted ones.",
                command=command,
            ),
        ),
    )


def _phases(run: Run) -> Table:
    titles = ("Phase", "Optimizer", "Learning rate", "Schedule", "Weight decay", "Epochs")
    rows: list[tuple[Any, ...]] = [
        (number, p.optimizer, p.learning_rate, p.schedule, p.weight_decay, p.epochs)
        for number, p in enumerate(run.recipe.phases)
    ]
    note = f"Batches of {run.recipe.batch_size}, scaling {run.recipe.scaling}."
    return Table("Phases", tuple(Column(title) for title in titles), tuple(rows), note=note)
