"""The page of one evaluated run: what was trained, how well it does, and on what it fails."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mnistlab.data import Dataset
from mnistlab.data.splits import sample
from mnistlab.errors import RunError
from mnistlab.phases import Epoch, Phase, epoch_of_weights
from mnistlab.recipe import Recipe
from mnistlab.reporting.evidence import evidence_sections
from mnistlab.reporting.expansion_section import expansion_sections
from mnistlab.reporting.figures import (
    Curves,
    before_and_after,
    falls_below,
    learning_curves,
    learning_rates,
    rates_differ,
)
from mnistlab.reporting.page import Column, Fact, Figure, Page, Section, Table
from mnistlab.reporting.render import write
from mnistlab.reporting.step_figure import step_figures
from mnistlab.runs import Run, classifier_of, dataset_of, parts_of
from mnistlab.runs import test_part as test_part_of

LONGEST_FACT = 80  # characters
N_SHOWN = 64  # images of the before-and-after grids (write-up E)
SHOWN_TEXT = "Test images, some of every class as far as they go"


def report(run: Run, data: Dataset | None = None) -> Path:
    """Write RUN/report.html and RUN/figures/*.png for an evaluated run; the page's path.

    data: the set the run was trained on, where it cannot be loaded again by name.
    Raises RunError for a run that has not been evaluated.
    """
    if run.result["test_accuracy"] is None:
        raise RunError(f"{run.path}: has no test figures yet; see `mnistlab evaluate`")
    run.check_weights()
    dataset = data if data is not None else dataset_of(run)
    name, command = run.recipe.name, f"mnistlab evaluate {run.path}"
    low, high = run.result["test_accuracy_ci"]
    page = Page(
        kind="Run",
        title=f"{name} on {dataset.name}",
        question=f"How well does {name} ({run.recipe.summary or run.recipe.model}) "
        f"classify images of {dataset.name} that it has never seen?",
        answer=f"It classifies {100 * run.result['test_accuracy']:.2f} % of "
        f"{run.result['n_test']:,} test images correctly (95 % interval "
        f"{100 * low:.2f} to {100 * high:.2f} %; one seed).",
        facts=_facts(run, dataset),
        sections=(
            *evidence_sections(run, dataset, command),
            *(_training(run, dataset, command) if run.log else ()),
            *expansion_sections(run, dataset, command),
        ),
        command=command,
    )
    return write(page, run.path)


def _training(run: Run, dataset: Dataset, command: str) -> tuple[Section, ...]:
    """What only a network has: epochs, and a state before them."""
    name = run.recipe.name
    figures = (
        curves_figure(run, command),
        *step_figures(run, command),
        *rate_figures([name], {name: curves_of([run])}, command),
    )
    tables = (*_model(run.recipe), _phases(run), *_along_the_way(run))
    training = Section("Training", figures=figures, tables=tables)
    if (
        run.result.get("weights", "none") != "none"
    ):  # a pretrained network began elsewhere, with what may be gone
        return (training,)
    return (
        training,
        Section(
            "Before and after",
            f"{SHOWN_TEXT}, as the network classified them when it was initialised and when it "
            "was trained.",
            figures=gallery(run, dataset, command, "images"),
        ),
    )


def curves_figure(run: Run, command: str) -> Figure:
    """Losses and accuracies of a run by epoch."""
    caption = f"{_kept_text(run)} {lines_text([run])}".rstrip()
    name = run.recipe.name
    return learning_curves([name], {name: curves_of([run])}, caption=caption, command=command)


def _kept_text(run: Run) -> str:
    kept, of = kept_epoch(run), _kept_of(run)
    if run.recipe.phases[-1].keep == "last":
        return f"The weights of {of}, {kept}, are kept."
    return f"The weights of epoch {kept}, {of.replace(' epoch', '')}, are kept."


def _kept_of(run: Run) -> str:
    """The epoch whose weights a run keeps, in words."""
    if run.recipe.phases[-1].keep == "last":
        return "the last epoch"
    return f"the best epoch {'on validation' if is_validated(run) else 'by training loss'}"


def is_validated(run: Run) -> bool:
    """Whether there were images to validate on, and so curves of them."""
    return bool(run.data["n_val"])


def curves_caption(runs: Sequence[Run]) -> str:
    """What the lines are, and what sets rates apart where some are constant and some are not."""
    parts = [lines_text(runs)] if lines_text(runs) else []
    constant = {all(phase.schedule == "constant" for phase in run.recipe.phases) for run in runs}
    if constant == {True, False}:
        parts.append(
            "At a constant rate the accuracy may swing from epoch to epoch until the end; a rate "
            "that falls to zero lets it settle."
        )
    return (
        " ".join(parts)
        or f"The weights of {' or '.join(sorted({_kept_of(run) for run in runs}))} are kept."
    )


def lines_text(runs: Sequence[Run]) -> str:
    """What lines and bands over epochs stand for; empty for one run an arm of one phase."""
    lengths: dict[str, list[int]] = {}
    for run in runs:
        lengths.setdefault(run.recipe.name, []).append(len(run.log))
    parts = []
    if any(len(of_arm) > 1 for of_arm in lengths.values()):
        parts.append("Line: mean over seeds; band: from the lowest seed to the highest.")
    if any(len(set(of_arm)) > 1 for of_arm in lengths.values()):
        parts.append("The mean ends where the first seed stops; thin lines are the others.")
    if any(_phase_ends(run) for run in runs):
        parts.append("Dotted: a new phase begins.")
    return " ".join(parts)


def curves_of(runs: Sequence[Run]) -> Curves:
    """The logs of an arm's seeds as arrays (S, E); NaN after an early stop."""
    logs = [run.log for run in runs]
    n_epochs = max(len(log) for log in logs)

    def column(key: str) -> NDArray[np.float64]:
        values = np.full((len(logs), n_epochs), np.nan)
        for row, log in zip(values, logs, strict=True):
            row[: len(log)] = [np.nan if line[key] is None else line[key] for line in log]
        return values

    return Curves(
        column("train_loss"),
        column("val_loss"),
        column("val_accuracy"),
        learning_rate=column("learning_rate"),
        phase_ends=tuple(map(_phase_ends, runs)),
        kept=tuple(map(kept_epoch, runs)),
        train_accuracy=None if any(map(is_validated, runs)) else column("train_accuracy"),
    )


def rate_figures(
    arms: Sequence[str], curves: Mapping[str, Curves], command: str
) -> tuple[Figure, ...]:
    """Learning rates by epoch; none where all trained at one rate throughout."""
    if not rates_differ(curves):
        return ()
    parts = ["The learning rate of each epoch's last step."]
    if any(len(of_arm.val_loss) > 1 for of_arm in curves.values()):
        parts.append("Seeds with rates of their own have lines of their own.")
    if falls_below(curves):
        parts.append("A rate that falls below a thousandth of its highest leaves the figure.")
    if any(any(of_arm.phase_ends) for of_arm in curves.values()):
        parts.append("Dotted: a new phase begins.")
    return (learning_rates(arms, curves, caption=" ".join(parts), command=command),)


def kept_epoch(run: Run) -> int:
    """The epoch whose weights the run kept, by the rule it was trained under."""
    return epoch_of_weights((Epoch(**line) for line in run.log), run.recipe.phases)


def _phase_ends(run: Run) -> tuple[int, ...]:
    """The last epoch of every phase but the last."""
    return tuple(
        line["epoch"] for line, after in pairwise(run.log) if line["phase"] != after["phase"]
    )


def gallery(run: Run, dataset: Dataset, command: str, name: str) -> tuple[Figure, Figure]:
    """The same test images named by the untrained and by the trained network."""
    shown = sample(test_part_of(run, dataset), N_SHOWN)
    train = parts_of(run.recipe, dataset).train
    # Without its expansion: nothing is trained, and older runs name one that is no longer made.
    recipe = replace(run.recipe, phases=(), expansion=None)
    untrained = classifier_of(recipe).fit(train.images, train.labels)
    return before_and_after(
        shown.images,
        shown.labels,
        untrained.predict(shown.images),
        run.classifier().predict(shown.images),
        dataset.class_names,
        command=command,
        name=name,
    )


def machine_text(env: Mapping[str, Any]) -> str:
    """Such as "AMD EPYC, 2 threads, float32", from env.json."""
    threads = env.get("threads")
    noun = "thread" if threads == 1 else "threads"
    known = [env.get("cpu"), None if threads is None else f"{threads} {noun}", env["precision"]]
    return ", ".join(text for text in known if text is not None)


def _facts(run: Run, dataset: Dataset) -> tuple[Fact, ...]:
    result = run.result
    return (
        Fact("Data set", f"{dataset.name}, split {run.data['split']}"),
        Fact("Images", images_text(run.data)),
        Fact("Model", _model_text(run.recipe)),
        Fact("Parameters", f"{result['n_parameters']:,}"),
        Fact("Validation accuracy", validation_text(result)),
        *_balanced(result),
        Fact("Training", _training_text(run)),
        Fact("Machine", machine_text(run.env)),
    )


def images_text(data: Mapping[str, Any]) -> str:
    """How many images train, validate and test, by a data record."""
    train, val, test = (f"{data[f'n_{name}']:,}" for name in ("train", "val", "test"))
    return f"{train} / {val} / {test}" if data["n_val"] else f"{train} / none / {test}"


def validation_text(result: Mapping[str, Any]) -> str:
    """The validation accuracy, or that there is none.

    Where the part was expanded, that of the images made of it stands beside.
    """
    accuracy, expanded = result["val_accuracy"], result.get("expanded_val_accuracy")
    if accuracy is None:
        return "no validation part"
    text = f"{accuracy:.4f}"
    return text if expanded is None else f"{text}; {expanded:.4f} on the expanded images"


def _balanced(result: Mapping[str, Any]) -> tuple[Fact, ...]:
    """What counts every class alike; runs evaluated before 2026-12 do not have it."""
    if result.get("balanced_accuracy") is None:
        return ()
    facts = [Fact("Balanced accuracy", f"{result['balanced_accuracy']:.4f} on the test part")]
    names = ("threshold_class", "threshold", "balanced_accuracy_at_threshold")
    of_class, threshold, accuracy = (result.get(name) for name in names)
    if of_class is not None and threshold is not None and accuracy is not None:
        text = (
            f"{of_class} from a probability of {threshold:.4f} on: balanced accuracy {accuracy:.4f}"
        )
        facts.append(Fact("Threshold", text))
    return tuple(facts)


def _model_text(recipe: Recipe) -> str:
    """Such as "scratch, hidden sizes 128-64"; the name alone where there is much to say."""
    arguments = _arguments(recipe)
    text = ", ".join([recipe.model, *(" ".join(argument) for argument in arguments)])
    return text if len(text) <= LONGEST_FACT else recipe.model


def _arguments(recipe: Recipe) -> list[tuple[str, str]]:
    """The model's arguments and their values as text."""
    return [
        (
            name.replace("_", " "),
            "-".join(map(str, value if isinstance(value, list | tuple) else (value,))) or "none",
        )
        for name, value in recipe.model_args.items()
    ]


def _training_text(run: Run) -> str:
    seconds, epochs = run.result["train_time_s"], run.result["epochs"]
    in_epochs = f", {epochs} epochs, seed {run.recipe.seed}" if epochs else ""
    return f"{seconds:.1f} s{in_epochs}"


def _model(recipe: Recipe) -> list[Table]:
    """The model's arguments, where they are too many for the facts."""
    if _model_text(recipe) != recipe.model or not recipe.model_args:
        return []
    columns = (Column("Argument"), Column("Value"))
    return [Table(f"Model {recipe.model}", columns, tuple(_arguments(recipe)))]


def _epochs_text(phase: Phase) -> int | str:
    more = f"{phase.epochs}, or as many as make {phase.min_steps:,} steps"
    return more if phase.min_steps else phase.epochs


def _along_the_way(run: Run) -> list[Table]:
    """Test accuracies by the weights of epochs that were saved, if any were."""
    by_epoch = run.result.get("test_accuracy_by_epoch")
    if not by_epoch:
        return []
    columns = (Column("Epoch", ","), Column("Test accuracy", ".4f"))
    rows = tuple((int(epoch), accuracy) for epoch, accuracy in by_epoch.items())
    note = "The recipe names these epochs before training begins; nothing was chosen by them."
    return [Table("Test accuracy along the way", columns, rows, note=note)]


def _phases(run: Run) -> Table:
    titles = ("Phase", "Optimizer", "Learning rate", "Schedule", "Weight decay", "Epochs")
    rows: list[tuple[Any, ...]] = [
        (number, p.optimizer, p.learning_rate, p.schedule, p.weight_decay, _epochs_text(p))
        for number, p in enumerate(run.recipe.phases)
    ]
    in_order = " in the order of the file" if run.recipe.order == "file" else ""
    last = [str(number) for number, p in enumerate(run.recipe.phases) if p.keep == "last"]
    note = f"Batches of {run.recipe.batch_size}{in_order}, scaling {run.recipe.scaling}."
    if last:
        note += f" Ending with their last weights, not the best: {', '.join(last)}."
    return Table("Phases", tuple(Column(title) for title in titles), tuple(rows), note=note)
