"""Test accuracy by epoch, beside what a write-up prints while it trains."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mnistlab.evaluation import mean_interval
from mnistlab.reporting.figures.growth import growth_curves
from mnistlab.reporting.figures.lines import in_words
from mnistlab.reporting.page import Cell, Column, Number, Section, Table, columns
from mnistlab.reporting.training_curves import curves_of
from mnistlab.study import ArmResult, StudyResult

TEXT = (
    "Test accuracy with the weights of epochs that the recipe chooses before training begins{}. "
    "No choice was based on it."
)
BESIDE = ", to stand beside what the write-up printed at these epochs"
SHORT = 30  # epochs: up to so many their axis is linear


def listing_sections(result: StudyResult) -> list[Section]:
    """A table and a figure of the arms whose weights were saved during training, if any."""
    arms = [arm for arm in result.arms if None not in arm.each("test_accuracy_by_epoch")]
    if not arms:
        return []
    published: dict[int, float] = {}
    for arm in arms:
        published |= arm.arm.published_by_epoch.get(result.dataset.name, {})
    by_arm = {arm.arm.name: _by_epoch(arm) for arm in arms}
    epochs = sorted({epoch for values in by_arm.values() for epoch in values})
    titles = (*columns("Epoch:,", "Published:.2f"), *map(Column, by_arm))
    rows = tuple(
        (epoch, published.get(epoch), *(_cell(values.get(epoch)) for values in by_arm.values()))
        for epoch in epochs
    )
    n_seeds = max(len(arm.runs) for arm in arms)
    note = "Mean over seeds and half-width of its 95 % interval (Student)." * (n_seeds > 1)
    table = Table("Test accuracy along the way", titles, rows, note=note).without_empty()
    shown = {
        name: {epoch: 100 * np.array(seeds) for epoch, seeds in values.items()}
        for name, values in by_arm.items()
    }
    if published:
        shown["published"] = {epoch: np.array([100 * value]) for epoch, value in published.items()}
    figure = growth_curves(
        [*(arm.arm.name for arm in result.arms), "published"],
        {name: list(values) for name, values in shown.items()},
        {name: list(values.values()) for name, values in shown.items()},
        laws={},
        x_title="Epoch",
        y_title="Test accuracy",
        unit="%",
        title=table.title,
        caption=_caption(arms, n_seeds),
        logarithmic=epochs[-1] > SHORT,
        name="listing",
    )
    text = TEXT.format(BESIDE if published else "")
    return [Section(table.title, text, tables=(table,), figures=(figure,))]


def _caption(arms: Sequence[ArmResult], n_seeds: int) -> str:
    """What the lines are, and where arms begin a new phase."""
    parts = ["The line joins the means over seeds."] if n_seeds > 1 else []
    for arm in arms:
        ends = {end for of_seed in curves_of(arm.runs).phase_ends for end in of_seed}
        if ends:
            parts.append(f"{arm.arm.name} begins a new phase after {in_words([*ends])}.")
    return " ".join(parts)


def _by_epoch(arm: ArmResult) -> dict[int, list[float]]:
    """The accuracies of all seeds by epoch, in order."""
    every = arm.each("test_accuracy_by_epoch")
    return {int(epoch): [of_seed[epoch] for of_seed in every] for epoch in every[0]}


def _cell(accuracies: list[float] | None) -> Cell:
    if accuracies is None:
        return None
    mean, half_width = mean_interval(accuracies)
    text = f"{mean:.4f}" if np.isnan(half_width) else f"{mean:.4f} ± {half_width:.4f}"
    return Number(mean, text)
