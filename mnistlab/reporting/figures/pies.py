"""Counts as slices of a pie, each with its name and number beside it (write-up C)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas
from matplotlib.patches import Polygon
from numpy.typing import NDArray

from mnistlab.reporting.bounds import highest
from mnistlab.reporting.figures.canvas import (
    INK,
    MUTED,
    NARROW,
    PAPER,
    SMALL,
    canvas,
    compose,
    shorten,
    text_width,
)
from mnistlab.reporting.page import Figure
from mnistlab.reporting.palette import ARMS

MOST_SLICES = 12  # of more parts the smaller ones are one slice
THINNEST = 0.005  # of the whole: thinner ones, if there are two, are one slice as well
_LABEL, _MARGIN, _GAP = 32.0, 14.0, 16.0  # height of a label; round the pie; from pie to label


class Slice(NamedTuple):
    """A part of the pie, of `size` things, from and to an angle in radians, clockwise from 12."""

    name: str
    size: int
    colour: str
    strength: float
    start: float
    end: float

    @property
    def middle(self) -> float:
        """The angle half way."""
        return (self.start + self.end) / 2


def pie(
    counts: NDArray[np.int64],
    names: Sequence[str],
    *,
    caption: str,
    command: str,
    name: str,
    title: str,
    things: str = "images",
) -> Figure:
    """Slices in the order given, from the top clockwise; the smallest of many are one together.

    counts: int64 (N,), parts of none are left out. Raises ValueError for another shape or nothing
    to count.
    """
    if counts.shape != (len(names),) or (len(counts) and counts.min() < 0) or not counts.sum():
        raise ValueError(f"figure {name}: counts {counts.shape} for {len(names)} names")
    slices, total = _slices(counts, names), int(counts.sum())

    def draw(width: int) -> Canvas:
        radius = 62.0 if width == NARROW else 96.0
        sides = [[s for s in slices if (math.sin(s.middle) >= 0) == right] for right in (1, 0)]
        height = max(2 * (radius + _MARGIN), *(_LABEL * len(side) + 4 for side in sides))
        blank, sheet = canvas(width, height)
        centre = width / 2, height / 2
        for piece in slices:
            _draw_slice(sheet, piece, centre, radius, is_alone=len(slices) == 1)
        for side, sign in zip(sides, (1, -1), strict=True):
            side.sort(key=lambda piece: -math.cos(piece.middle))
            wanted = [centre[1] - radius * math.cos(piece.middle) for piece in side]
            for piece, y in zip(side, _apart(wanted, height), strict=True):
                _draw_label(sheet, piece, total, centre, radius, sign, y)
        return blank

    told = ", ".join(f"{s.size:,} ({_percent(s.size, total)}) {s.name}" for s in slices)
    alt = f"Of {total:,} {things}: {told}."
    return compose(
        draw, name=name, title=title, alt=alt, caption=caption, command=command, half=True
    )


def _slices(counts: NDArray[np.int64], names: Sequence[str]) -> list[Slice]:
    present = np.flatnonzero(counts)
    thick = present[counts[present] >= THINNEST * counts.sum()]
    if len(thick) + 1 < len(present):
        present = thick
    if len(present) + (present is thick) > MOST_SLICES:
        present = present[highest(counts[present], MOST_SLICES - 1)]
    n_colours = len(ARMS)
    parts = [
        (names[int(k)], int(counts[k]), ARMS[k % n_colours][0], 0.85 if k < n_colours else 0.5)
        for k in present
    ]
    if rest := int(counts.sum() - counts[present].sum()):
        n_others = int(np.count_nonzero(counts)) - len(present)
        parts.append((f"{n_others:,} others", rest, MUTED, 0.5))
    ends = 2 * np.pi * np.cumsum([count for _, count, *_ in parts]) / counts.sum()
    starts = [0.0, *ends[:-1]]
    return [
        Slice(*part, float(start), float(end))
        for part, start, end in zip(parts, starts, ends, strict=True)
    ]


def _draw_slice(
    sheet: Axes, piece: Slice, centre: tuple[float, float], radius: float, is_alone: bool
) -> None:
    angles = np.linspace(piece.start, piece.end, 2 + int(60 * (piece.end - piece.start)))
    rim = np.stack(
        [centre[0] + radius * np.sin(angles), centre[1] - radius * np.cos(angles)], axis=1
    )
    corners = rim if is_alone else np.vstack([rim, centre])
    sheet.add_patch(
        Polygon(corners, facecolor=piece.colour, alpha=piece.strength, linewidth=0, zorder=1)
    )
    if not is_alone:  # a gap of paper, so that two colours never touch
        for angle in (piece.start, piece.end):
            x, y = centre[0] + radius * math.sin(angle), centre[1] - radius * math.cos(angle)
            sheet.plot([centre[0], x], [centre[1], y], color=PAPER, linewidth=1.5, zorder=2)


def _draw_label(
    sheet: Axes,
    piece: Slice,
    total: int,
    centre: tuple[float, float],
    radius: float,
    sign: int,
    y: float,
) -> None:
    """Two lines of text right (sign 1) or left (-1) of the pie, joined to the slice."""
    x_rim = centre[0] + (radius + 2) * math.sin(piece.middle)
    y_rim = centre[1] - (radius + 2) * math.cos(piece.middle)
    x = centre[0] + sign * (radius + _GAP)
    sheet.plot([x_rim, x, x + sign * 5], [y_rim, y, y], color=MUTED, linewidth=0.8)
    room = centre[0] - radius - _GAP - 9
    percent = _percent(piece.size, total)
    number = f"{piece.size:,}, {percent}"
    if text_width(number, SMALL) > room:
        number = percent
    align = "left" if sign > 0 else "right"
    label = shorten(piece.name, int(room / (0.6 * SMALL)))
    sheet.text(x + sign * 9, y - 2, label, ha=align, fontsize=SMALL, color=INK)
    sheet.text(x + sign * 9, y + 11, number, ha=align, fontsize=SMALL, color=MUTED)


def _apart(wanted: Sequence[float], height: float) -> list[float]:
    """Places of labels as near to the wanted ones, which rise, as their height allows."""
    half = _LABEL / 2
    places: list[float] = []
    for y in wanted:
        places.append(max(y, half, places[-1] + _LABEL if places else half))
    limit = height - half
    for index in reversed(range(len(places))):
        places[index] = limit = min(places[index], limit)
        limit -= _LABEL
    return places


def _percent(count: int, total: int) -> str:
    return f"{100 * count / total:.1f} %"
