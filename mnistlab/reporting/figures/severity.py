"""How accuracy falls as images are corrupted more and more."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure as Canvas
from matplotlib.ticker import FuncFormatter
from numpy.typing import NDArray

from mnistlab.reporting.figures.canvas import (
    INK,
    MUTED,
    SMALL,
    Mark,
    canvas,
    compose,
    legend,
    legend_height,
    mark_of,
    panel,
)
from mnistlab.reporting.page import Figure

_LEFT, _RIGHT, _PLOT, _BELOW = 48.0, 14.0, 216.0, 48.0


def severity_curves(
    clean: float,
    accuracies: Mapping[str, NDArray[np.float64]],
    *,
    caption: str,
    command: str,
    name: str = "severities",
    title: str = "Accuracy by severity",
) -> Figure:
    """A line for every family of corruptions from the images as they are on; their mean stronger.

    clean: accuracy on images as they are. accuracies: of each family its corruptions' (C, S),
    shares of images, severity 1 first. The strong line is the mean over all corruptions, each
    alike. Raises ValueError for arrays that are empty, of several lengths or not from 0 to 1.
    """
    _check(name, clean, accuracies)
    families = list(accuracies)
    lines = {family: np.r_[clean, rows.mean(0)] for family, rows in accuracies.items()}
    everything = np.r_[clean, np.concatenate(list(accuracies.values())).mean(0)]
    labels = [*families, "mean over corruptions"]
    marks = [*(mark_of(families, family) for family in families), Mark(INK, "o")]

    def draw(width: int) -> Canvas:
        top = legend_height(labels, width) + 34
        blank, sheet = canvas(width, top + _PLOT + _BELOW)
        legend(sheet, labels, marks)
        axes = panel(blank, _LEFT, top, width - _LEFT - _RIGHT, _PLOT, heading="Accuracy, %")
        steps = range(len(everything))
        for line, mark in zip(lines.values(), marks, strict=False):
            axes.plot(steps, line, marker=mark.shape, color=mark.colour, markersize=5, lw=1.6)
        axes.plot(steps, everything, marker="o", color=INK, markersize=7, lw=3)
        axes.set_xlim(-0.2, len(everything) - 0.8)
        axes.set_xticks(steps, ["as is", *map(str, steps[1:])])
        axes.yaxis.set_major_formatter(FuncFormatter(lambda share, _: f"{100 * share:g}"))
        axes.set_xlabel("Severity", loc="right", color=MUTED, fontsize=SMALL)
        return blank

    alt = (
        f"Accuracy {100 * clean:.1f} % on images as they are; at the greatest severity "
        + ", ".join(f"{100 * line[-1]:.1f} % under {family}" for family, line in lines.items())
    )
    alt += f", {100 * everything[-1]:.1f} % on average."
    return compose(
        draw, name=name, title=title, alt=alt, caption=caption, command=command, half=True
    )


def _check(name: str, clean: float, accuracies: Mapping[str, NDArray[np.float64]]) -> None:
    shapes = {np.shape(rows)[1:] for rows in accuracies.values()}
    if len(shapes) != 1 or any(np.ndim(rows) != 2 or not rows.size for rows in accuracies.values()):
        raise ValueError(f"figure {name}: every family needs accuracies at the same severities")
    values = np.concatenate([np.ravel(rows) for rows in accuracies.values()])
    if not (np.r_[clean, values] >= 0).all() or not (np.r_[clean, values] <= 1).all():
        raise ValueError(f"figure {name}: accuracies must be shares from 0 to 1")
