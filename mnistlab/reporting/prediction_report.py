"""The page of what a run predicts for unlabelled images."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from mnistlab.cards import counted
from mnistlab.reporting.bounds import MOST_CLASSES, enumerated, extremes, with_left_out
from mnistlab.reporting.figures.classes import class_gallery
from mnistlab.reporting.figures.images import percent_text, predicted_grid
from mnistlab.reporting.figures.rows import class_balance
from mnistlab.reporting.page import (
    Cell,
    Fact,
    Figure,
    Page,
    Section,
    Table,
    accuracy_text,
    columns,
)
from mnistlab.reporting.prediction_sample import Example, PredictionSample
from mnistlab.runs import Run

N_ROWS = 24  # of the least sure


class _Source(NamedTuple):
    """What every section needs: the run, its input's name, and a sample."""

    run: Run
    name: str
    seen: PredictionSample

    @property
    def class_names(self) -> list[str]:
        names: list[str] = self.run.data["class_names"]
        return names


def prediction_page(
    run: Run, source: str, seen: PredictionSample, notes: Sequence[str], command: str
) -> Page:
    """The whole page. source: the name of the file or folder. notes: what was noticed."""
    of = _Source(run, source, seen)
    return Page(
        kind="Predictions",
        title=f"{source}, predicted by {run.recipe.name}",
        question=f"What does {run.recipe.name}, trained on {run.data['name']}, see in {source}?",
        answer=_answer(of),
        facts=_facts(of),
        sections=(
            *([Section("What was noticed", "\n\n".join(notes))] if notes else ()),
            _classes(of),
            Section("Some of the images", figures=(_some(of),)),
            _by_class(of),
            *([_least_sure(of)] if seen.has_probabilities else ()),
            *([_unusual(of)] if seen.n_unusual else ()),
        ),
        command=command,
    )


def _answer(of: _Source) -> str:
    seen, names, counts = of.seen, of.class_names, of.seen.counts
    most = int(counts.argmax())
    parts = [
        f"Its only image is predicted as {names[most]}"
        if seen.n_images == 1
        else f"Most of its {seen.n_images:,} images, {counts[most]:,}, are predicted as "
        f"{names[most]}"
        if 2 * counts[most] > seen.n_images
        else f"Of its {seen.n_images:,} images {names[most]} is predicted most often, "
        f"{counted(int(counts[most]), 'time')}"
    ]
    if seen.has_probabilities:
        have = "has" if seen.n_below_half == 1 else "have"
        parts.append(f"{seen.n_below_half:,} {have} a probability below 50 %")
    return f"{'; '.join(parts)}. They have no labels: how many are correct is not known."


def _facts(of: _Source) -> tuple[Fact, ...]:
    run, seen = of.run, of.seen
    facts = [Fact("Images", f"{seen.n_images:,} of {of.name}"), Fact("Run", run.path.name)]
    if run.result["test_accuracy"] is not None:
        accuracy = accuracy_text(run.result["test_accuracy"], *run.result["test_accuracy_ci"]).text
        text = f"{accuracy} on {counted(run.result['n_test'], 'image')} of {run.data['name']}"
        facts.append(Fact("Test accuracy of the run", text))
    if seen.has_probabilities:
        mean = float(seen.probability_sums.sum() / seen.n_images)
        facts.append(Fact("Mean probability of the predicted class", percent_text(mean)))
    if seen.n_unusual is not None:
        fraction = percent_text(seen.n_unusual / max(seen.n_images, 1))
        facts.append(Fact("Unlike the training images", f"{seen.n_unusual:,} ({fraction})"))
    if seen.threshold is not None:
        text = f"{of.class_names[1]} from a probability of {seen.threshold:.4f} on"
        facts.append(Fact("Threshold", text))
    return tuple(facts)


def _classes(of: _Source) -> Section:
    seen, names, counts = of.seen, of.class_names, of.seen.counts
    balance = class_balance(
        counts[None],
        ["predicted"],
        names,
        caption=f"The {counted(seen.n_images, 'image')} of {of.name} by the class predicted "
        "for them.",
        name="predicted-classes",
        title="Images by predicted class",
    )
    chosen = extremes(counts, MOST_CLASSES)
    rows: list[tuple[Cell, ...]] = []
    for k in chosen:
        n, known = int(counts[k]), seen.has_probabilities and counts[k]
        mean = float(seen.probability_sums[k] / n) if known else None
        rows.append((names[k], n, n / seen.n_images, mean))
    titles = columns("Predicted class", "Images:,", "Fraction:.2%", "Mean probability:.4f")
    note = with_left_out("", len(chosen), len(names), "most and least frequent, half each")
    table = Table("Predicted classes", titles, tuple(rows), note=note).without_empty()
    return Section("Predicted classes", tables=(table,), figures=(balance,))


def _some(of: _Source) -> Figure:
    examples, n = of.seen.some.examples, of.seen.n_images
    which, evenly = f"{len(examples)} of", f", evenly over {of.name}"
    if len(examples) == n:
        which, evenly = "All", ""
    chance = " and its probability" if of.seen.has_probabilities else ""
    shown = "The image" if n == 1 else f"{which} {n:,} images{evenly}"
    caption = f"{shown}. Below each the predicted class{chance}."
    return _grid(of, examples, caption, "predicted", "Images and what they were predicted as")


def _by_class(of: _Source) -> Section:
    seen, names, places = of.seen, of.class_names, np.flatnonzero(of.seen.counts)
    gallery = class_gallery(
        [np.stack([e.image for e in seen.by_class[k].examples]) for k in places],
        [names[k] for k in places],
        caption=f"Images of {of.name} in the row of the class that was predicted for them, evenly "
        "over the file. An image that does not fit into its row is likely a mistake.",
        name="predicted-by-class",
        title="Images by predicted class",
    )
    never = [name for name, n in zip(names, seen.counts, strict=True) if not n]
    text = f"Never predicted: {enumerated(never)}." if never else ""
    return Section("Class by class", text, figures=(gallery,))


def _least_sure(of: _Source) -> Section:
    names, examples, several = of.class_names, of.seen.least_sure.examples, len(of.class_names) > 1
    rows: list[tuple[Cell, ...]] = []
    for e in examples[:N_ROWS]:
        second = (names[e.second], e.second_probability) if several else (None, None)
        rows.append((e.id, names[e.code], e.probability, *second))
    titles = ("ID", "Predicted", "Probability:.4f", "Next class", "Its probability:.4f")
    at_threshold = of.seen.threshold is not None
    where = "probability nearest the threshold" if at_threshold else "lowest probability"
    caption = (
        f"The {counted(len(examples), 'image')} of the {where}, the least sure first. Below each "
        "the predicted class, then the next one."
    )
    title = "The least sure predictions"
    figure = _grid(of, examples, caption, "least-sure", title, with_second=several)
    table = Table(title, columns(*titles), tuple(rows)).without_empty()
    return Section("The least sure", tables=(table,), figures=(figure,))


def _unusual(of: _Source) -> Section:
    names, examples = of.class_names, of.seen.unusual.examples
    rows = tuple((e.id, names[e.code], e.distance) for e in examples[:N_ROWS])
    title = "Unlike the training images"
    caption = (
        f"{len(examples)} of {of.seen.n_unusual:,} images that are further from the nearest "
        "training images than 99 % of the validation images, the furthest first. Below each the "
        "predicted class, which means little here."
    )
    figure = _grid(of, examples, caption, "unusual", title)
    table = Table(title, columns("ID", "Predicted", "Distance:.4f"), rows)
    return Section(title, tables=(table,), figures=(figure,))


def _grid(
    of: _Source,
    examples: Sequence[Example],
    caption: str,
    name: str,
    title: str,
    with_second: bool = False,
) -> Figure:
    every = [e.probabilities for e in examples if e.probabilities is not None]
    return predicted_grid(
        np.stack([e.image for e in examples]),
        np.array([e.code for e in examples], dtype=np.int64),
        np.stack(every) if every else None,
        of.class_names,
        caption=caption,
        seconds=np.array([e.second for e in examples], dtype=np.int64) if with_second else None,
        name=name,
        title=title,
    )
