"""The page of one evaluated run: what was trained, how well it does, and on what it fails."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mnistlab.cards import counted
from mnistlab.data import Dataset
from mnistlab.phases import Phase
from mnistlab.recipe import Recipe
from mnistlab.reporting.evidence import evidence_sections
from mnistlab.reporting.expansion_section import expansion_sections
from mnistlab.reporting.figures.images import before_and_after
from mnistlab.reporting.page import Fact, Figure, Page, Section, Table, columns
from mnistlab.reporting.render import write
from mnistlab.reporting.step_figure import step_figures
from mnistlab.reporting.training_curves import curves_figure, curves_of, rate_figures
from mnistlab.runs import Evaluation, Run, opened, read_evaluation

LONGEST_FACT = 80  # characters
SHOWN_TEXT = "Test images, some of every class as far as they go"


def report(run: Run | Path | str | Evaluation, data: Dataset | None = None) -> Path:
    """Write RUN/report.html and RUN/figures/*.png for an evaluated run; the page's path.

    run: the run, or its evaluation, of which nothing is then read again. data: the set the run was
    trained on, where it cannot be loaded again by name. Raises RunError for a run that has not
    been evaluated.
    """
    evaluation = run if isinstance(run, Evaluation) else read_evaluation(opened(run), data)
    run, metrics = evaluation.run, evaluation.metrics
    name = run.recipe.name
    low, high = metrics["test_accuracy_ci"]
    page = Page(
        kind="Run",
        title=f"{name} on {evaluation.test.name}",
        question=f"How well does {name} ({run.recipe.summary or run.recipe.model}) "
        f"classify images of {evaluation.test.name} that it has never seen?",
        answer=f"It classifies {100 * metrics['test_accuracy']:.2f} % of "
        f"{counted(metrics['n_test'], 'test image')} correctly (95 % interval "
        f"{100 * low:.2f} to {100 * high:.2f} %; one seed).",
        facts=_facts(run, evaluation.test.name),
        sections=(
            *evidence_sections(evaluation),
            *(_training(evaluation) if run.log else ()),
            *expansion_sections(evaluation),
        ),
        command=f"mnistlab evaluate {run.path}",
    )
    return write(page, run.path)


def _training(evaluation: Evaluation) -> tuple[Section, ...]:
    """What only a network has: epochs, and a state before them."""
    run = evaluation.run
    name = run.recipe.name
    figures = (
        curves_figure(run),
        *step_figures(run),
        *rate_figures([name], {name: curves_of([run])}),
    )
    tables = (*_model(run.recipe), _phases(run), *_along_the_way(run))
    training = Section("Training", figures=figures, tables=tables)
    if evaluation.before is None:
        return (training,)
    text = f"{SHOWN_TEXT}, as the network classified them when it was initialised and trained."
    return training, Section("Before and after", text, figures=gallery(evaluation, "images"))


def gallery(evaluation: Evaluation, name: str) -> tuple[Figure, ...]:
    """The same test images as the untrained and as the trained network classified them."""
    test, shown = evaluation.test, evaluation.shown
    if evaluation.before is None:
        return ()
    predictions = {"before": evaluation.before, "after": evaluation.predicted[shown]}
    images, labels = test.images[shown], test.labels[shown]
    return before_and_after(images, labels, predictions, test.class_names, name)


def machine_text(env: Mapping[str, Any]) -> str:
    """Such as "AMD EPYC, 2 threads, float32", from env.json."""
    threads = env.get("threads")
    known = [env.get("cpu"), threads and counted(threads, "thread"), env["precision"]]
    return ", ".join(text for text in known if text is not None)


def _facts(run: Run, data_name: str) -> tuple[Fact, ...]:
    result = run.result
    return (
        Fact("Data set", f"{data_name}, split {run.data['split']}"),
        Fact("Images", images_text(run.data)),
        Fact("Model", _model_text(run.recipe)),
        Fact("Parameters", f"{result['n_parameters']:,}"),
        Fact("Validation accuracy", validation_text(result)),
        *_balanced(result),
        *_copies(result),
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


def _copies(result: Mapping[str, Any]) -> tuple[Fact, ...]:
    """Test images that the run was trained on or validated with, where there are any."""
    accuracy = result.get("test_accuracy_without_copies")
    counts = {part: result.get(f"n_test_in_{part}") for part in ("training", "validation")}
    copies = [f"{n:,} are also in the {part} part" for part, n in counts.items() if n]
    if not copies:
        return ()
    without = "" if accuracy is None else f"; accuracy without them {accuracy:.4f}"
    text = f"{', '.join(copies)}{without}"
    return (Fact("Test images seen in training", text),)


def _model_text(recipe: Recipe) -> str:
    """Such as "scratch, hidden sizes 128-64"; the name alone where there is much to say."""
    no_layer = ("hidden sizes", "none")
    words = (
        "no hidden layer" if each == no_layer else " ".join(each) for each in _arguments(recipe)
    )
    text = ", ".join([recipe.model, *words])
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
    in_epochs = f", {counted(epochs, 'epoch')}, seed {run.recipe.seed}" if epochs else ""
    return f"{seconds:.1f} s{in_epochs}"


def _model(recipe: Recipe) -> list[Table]:
    """The model's arguments, where they are too many for the facts."""
    if _model_text(recipe) != recipe.model or not recipe.model_args:
        return []
    rows = tuple(_arguments(recipe))
    return [Table(f"Model {recipe.model}", columns("Argument", "Value"), rows)]


def _epochs_text(phase: Phase) -> int | str:
    more = f"{phase.epochs}, or as many as make {phase.min_steps:,} steps"
    return more if phase.min_steps else phase.epochs


def _along_the_way(run: Run) -> list[Table]:
    """Test accuracies by the weights of epochs that were saved, if any were."""
    by_epoch = run.result.get("test_accuracy_by_epoch")
    if not by_epoch:
        return []
    titles = columns("Epoch:,", "Test accuracy:.4f")
    rows = tuple((int(epoch), accuracy) for epoch, accuracy in by_epoch.items())
    note = "The recipe names these epochs before training begins; no choice was based on them."
    return [Table("Test accuracy along the way", titles, rows, note=note)]


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
    return Table("Phases", columns(*titles), tuple(rows), note=note)
