"""The page of predictions: what a run says of images that nobody has labelled."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mnistlab.reporting.bounds import MOST_CLASSES, enumerated, extremes, with_left_out
from mnistlab.reporting.figures import class_balance, class_gallery, percent_text, predicted_grid
from mnistlab.reporting.page import Cell, Column, Fact, Figure, Page, Section, Table
from mnistlab.reporting.prediction_sample import Example, PredictionSample
from mnistlab.runs import Run

N_ROWS = 24  # of the least sure


def prediction_page(
    run: Run, source: str, seen: PredictionSample, notes: Sequence[str], command: str
) -> Page:
    """The whole of it. source: what the file or folder is called. notes: what was noticed."""
    return Page(
        kind="Predictions",
        title=f"{source}, predicted by {run.recipe.name}",
        question=f"What does {run.recipe.name}, trained on {run.data['name']}, see in {source}?",
        answer=_answer(run, seen),
        facts=_facts(run, source, seen),
        sections=(
            *([Section("What was noticed", "\n\n".join(notes))] if notes else ()),
            _classes(run, source, seen, command),
            Section("Some of the images", figures=(_some(run, source, seen, command),)),
            _by_class(run, source, seen, command),
            *([_least_sure(run, seen, command)] if seen.has_probabilities else ()),
        ),
        command=command,
    )


def _answer(run: Run, seen: PredictionSample) -> str:
    names, counts = run.data["class_names"], seen.counts
    most = int(counts.argmax())
    parts = [
        f"Most of its {seen.n_images:,} images, {counts[most]:,}, are predicted as {names[most]}"
        if 2 * counts[most] > seen.n_images
        else f"Of its {seen.n_images:,} images {names[most]} is predicted most often, "
        f"{counts[most]:,} times"
    ]
    if seen.has_probabilities:
        parts.append(f"{seen.n_below_half:,} have a probability below 50 %")
    return f"{'; '.join(parts)}. They have no labels: how many are right is not known."


def _facts(run: Run, source: str, seen: PredictionSample) -> tuple[Fact, ...]:
    facts = [Fact("Images", f"{seen.n_images:,} of {source}"), Fact("Run", run.path.name)]
    if run.result["test_accuracy"] is not None:
        low, high = run.result["test_accuracy_ci"]
        facts.append(
            Fact(
                "Test accuracy of the run",
                f"{run.result['test_accuracy']:.4f} ({low:.4f} to {high:.4f}) on "
                f"{run.result['n_test']:,} images of {run.data['name']}",
            )
        )
    if seen.has_probabilities:
        mean = float(seen.probability_sums.sum() / seen.n_images)
        facts.append(Fact("Mean probability of the predicted class", percent_text(mean)))
    if seen.threshold is not None:
        second = run.data["class_names"][1]
        facts.append(Fact("Threshold", f"{second} from a probability of {seen.threshold:.4f} on"))
    return tuple(facts)


def _classes(run: Run, source: str, seen: PredictionSample, command: str) -> Section:
    names, counts = run.data["class_names"], seen.counts
    balance = class_balance(
        counts[None],
        ["predicted"],
        names,
        caption=f"The {seen.n_images:,} images of {source} by the class predicted for them.",
        command=command,
        name="predicted-classes",
        title="Images by predicted class",
    )
    columns = [Column("Predicted class"), Column("Images", ","), Column("Fraction", ".2%")]
    if seen.has_probabilities:
        columns.append(Column("Mean probability", ".4f"))
    chosen = extremes(counts, MOST_CLASSES)
    rows: list[tuple[Cell, ...]] = []
    for k in chosen:
        n = int(counts[k])
        row: list[Cell] = [names[k], n, n / seen.n_images]
        if seen.has_probabilities:
            row.append(float(seen.probability_sums[k] / n) if n else None)
        rows.append(tuple(row))
    table = Table(
        "Predicted classes",
        tuple(columns),
        tuple(rows),
        note=with_left_out("", len(chosen), len(names), "most and least frequent, half each"),
    )
    return Section("Predicted classes", tables=(table,), figures=(balance,))


def _some(run: Run, source: str, seen: PredictionSample, command: str) -> Figure:
    examples = seen.some.examples
    which = "All" if len(examples) == seen.n_images else f"{len(examples)} of"
    evenly = "" if len(examples) == seen.n_images else f", evenly over {source}"
    chance = " and its probability" if seen.has_probabilities else ""
    return _grid(
        run,
        examples,
        f"{which} {seen.n_images:,} images{evenly}. Below each the predicted class{chance}.",
        command,
        name="predicted",
        title="Images and what they were predicted as",
    )


def _by_class(run: Run, source: str, seen: PredictionSample, command: str) -> Section:
    places = np.flatnonzero(seen.counts)
    names = run.data["class_names"]
    gallery = class_gallery(
        [np.stack([e.image for e in seen.by_class[k].examples]) for k in places],
        [names[k] for k in places],
        caption=f"Images of {source} in the row of the class that was predicted for them, evenly "
        "over the file. What does not belong into its row is likely a mistake.",
        command=command,
        name="predicted-by-class",
        title="Images by predicted class",
    )
    never = [name for name, n in zip(names, seen.counts, strict=True) if not n]
    text = f"Never predicted: {enumerated(never)}." if never else ""
    return Section("Class by class", text, figures=(gallery,))


def _least_sure(run: Run, seen: PredictionSample, command: str) -> Section:
    names, examples = run.data["class_names"], seen.least_sure
    where = "lowest probability" if seen.threshold is None else "probability nearest the threshold"
    rows = tuple(
        (
            example.id,
            names[example.code],
            example.probability,
            *((names[example.second], _second_probability(example)) if len(names) > 1 else ()),
        )
        for example in examples[:N_ROWS]
    )
    columns = [Column("ID"), Column("Predicted"), Column("Probability", ".4f")]
    if len(names) > 1:
        columns += [Column("Next class"), Column("Its probability", ".4f")]
    figure = _grid(
        run,
        examples,
        f"The {len(examples)} images of the {where}, the least sure first. Below each the "
        "predicted class, then the next one.",
        command,
        name="least-sure",
        title="The least sure predictions",
        with_second=len(names) > 1,
    )
    table = Table("The least sure predictions", tuple(columns), rows)
    return Section("The least sure", tables=(table,), figures=(figure,))


def _second_probability(example: Example) -> float | None:
    return None if example.probabilities is None else float(example.probabilities[example.second])


def _grid(
    run: Run,
    examples: Sequence[Example],
    caption: str,
    command: str,
    *,
    name: str,
    title: str,
    with_second: bool = False,
) -> Figure:
    every = [e.probabilities for e in examples if e.probabilities is not None]
    return predicted_grid(
        np.stack([e.image for e in examples]),
        np.array([e.code for e in examples], dtype=np.int64),
        np.stack(every) if every else None,
        run.data["class_names"],
        caption=caption,
        command=command,
        seconds=np.array([e.second for e in examples], dtype=np.int64) if with_second else None,
        name=name,
        title=title,
    )
