"""How a cost grows with the number of training images."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure as Canvas
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator
from numpy.typing import NDArray

from mnistlab.errors import DataError
from mnistlab.reporting.figures.canvas import (
    MUTED,
    NARROW,
    RULE,
    SMALL,
    canvas,
    compose,
    mark_of,
    panel,
)
from mnistlab.reporting.page import Figure

Array = NDArray[np.float64]
Law = tuple[float, float]  # exponent and the half-width of its interval


def growth_curves(
    sizes: Sequence[int],
    values: Mapping[str, Array],
    laws: Mapping[str, Law],
    *,
    y_title: str,
    unit: str,
    caption: str,
    command: str,
    name: str = "growth",
    title: str = "Growth",
) -> Figure:
    """Both axes logarithmic: points measured, a dashed line for each fitted power law.

    sizes (S,), and for each arm values (S,), all positive. Raises DataError otherwise.
    """
    for arm, column in values.items():
        if len(column) != len(sizes) or not np.all(np.asarray(column) > 0) or min(sizes) <= 0:
            raise DataError(f"figure {name}: {arm!r} needs {len(sizes)} positive values")
    texts = {arm: f"{arm}: n^{laws[arm][0]:.2f} ± {laws[arm][1]:.2f}" for arm in values}

    def draw(width: int) -> Canvas:
        height, top = (330.0, 26.0 + 21 * len(values)) if width == NARROW else (380.0, 68.0)
        blank, sheet = canvas(width, height + (top - 68.0))
        x = 4.0
        for place, (arm, text) in enumerate(texts.items()):
            colour, shape = mark_of(list(values), arm)
            y = 10.0 + (21 * place if width == NARROW else 0)
            sheet.plot([x, x + 20], [y, y], color=colour, linewidth=1.6, linestyle="--")
            sheet.plot(x + 10, y, color=colour, marker=shape, markersize=7)
            sheet.text(x + 28, y, text, va="center_baseline")
            x += 0 if width == NARROW else 64 + 7.2 * len(text)
        axes = panel(blank, 52, top, width - 64, height - 120, heading=f"{y_title}, {unit}")
        axes.set_xscale("log")
        axes.set_yscale("log")
        for arm, column in values.items():
            colour, shape = mark_of(list(values), arm)
            exponent = laws[arm][0]
            level = np.exp(np.mean(np.log(column) - exponent * np.log(sizes)))
            axes.plot(sizes, level * np.power(sizes, exponent), "--", color=colour, linewidth=1.6)
            axes.plot(sizes, column, shape, color=colour, markersize=7.5)
        axes.grid(axis="both", color=RULE, linewidth=0.8)
        axes.set_xticks(list(sizes), [f"{size / 1000:g} K" for size in sizes])
        axes.xaxis.set_minor_locator(NullLocator())
        axes.yaxis.set_major_locator(LogLocator(10, subs=(1.0,), numticks=12))
        axes.yaxis.set_minor_locator(NullLocator())
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        axes.set_xlabel("Training images (log scale)", loc="right", color=MUTED, fontsize=SMALL)
        return blank

    parts = "; ".join(
        f"{texts[arm]}, {column[0]:.3g} {unit} at {sizes[0]:,} and {column[-1]:.3g} {unit} "
        f"at {sizes[-1]:,}"
        for arm, column in values.items()
    )
    alt = f"{y_title} against training images. {parts}."
    return compose(draw, name=name, title=title, alt=alt, caption=caption, command=command)
