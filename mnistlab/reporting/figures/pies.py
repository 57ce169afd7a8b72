"""Counts as slices of a pie, each with its name and number beside it (write-up C)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple, Unpack

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure as Canvas
from matplotlib.patches import Wedge
from numpy.typing import NDArray

from mnistlab.reporting.bounds import highest
from mnistlab.reporting.figures.canvas import (
    MUTED,
    NARROW,
    PAPER,
    SMALL,
    Drawing,
    Words,
    canvas,
    figure,
    shorten,
    text_width,
)
from mnistlab.reporting.figures.checks import require
from mnistlab.reporting.figures.marks import write
from mnistlab.reporting.palette import ARMS

MOST_SLICES = 12  # of more parts the smaller ones are one slice
THINNEST = 0.005  # of the whole: thinner ones, if there are two, are one slice as well
_LABEL, _MARGIN, _GAP = 32.0, 14.0, 16.0  # height of a label; round the pie; from pie to label


class Slice(NamedTuple):
    """A part of the pie, from and to an angle in degrees, clockwise from the top."""

    name: str
    size: int
    colour: str
    strength: float
    start: float
    end: float
    percent: str

    @property
    def middle(self) -> tuple[float, float]:
        """Where its middle lies on a circle of radius 1: right and down."""
        angle = math.radians((self.start + self.end) / 2)
        return math.sin(angle), -math.cos(angle)


@figure("pie", "Parts of the whole")
def pie(
    counts: NDArray[np.int64],
    names: Sequence[str],
    *,
    things: str = "images",
    **words: Unpack[Words],
) -> Drawing:
    """Slices in the order given, from the top clockwise; the smallest of many are one together.

    counts: int64 (N,), parts of none are left out. Raises ValueError for another shape or nothing
    to count.
    """
    fits = counts.shape == (len(names),) and counts.min(initial=0) >= 0 and counts.sum()
    require(fits, f"counts {counts.shape} for {len(names)} names")
    slices = _slices(counts, names)

    def draw(width: int) -> Canvas:
        radius = 62.0 if width == NARROW else 96.0
        sides = [[s for s in slices if (s.middle[0] >= 0) == right] for right in (True, False)]
        height = max(2 * (radius + _MARGIN), *(_LABEL * len(side) + 4 for side in sides))
        blank, sheet = canvas(width, height)
        centre = (width / 2, height / 2)
        for piece in slices:
            # A gap of paper, so that two colours never touch.
            gap, ends = 1.5 * (len(slices) > 1), (piece.start - 90, piece.end - 90)
            fill = to_rgba(piece.colour, piece.strength)
            sheet.add_patch(Wedge(centre, radius, *ends, fc=fill, ec=PAPER, lw=gap))
        for side in sides:
            side.sort(key=lambda piece: piece.middle[1])
            wanted = [centre[1] + radius * piece.middle[1] for piece in side]
            for piece, y in zip(side, _apart(wanted, height), strict=True):
                _draw_label(sheet, piece, centre, radius, y)
        return blank

    parts = ", ".join(f"{s.size:,} ({s.percent}) {s.name}" for s in slices)
    return Drawing(draw, f"Of {counts.sum():,} {things}: {parts}.", half=True)


def _slices(counts: NDArray[np.int64], names: Sequence[str]) -> list[Slice]:
    present, total = np.flatnonzero(counts), counts.sum()
    thick = present[counts[present] >= THINNEST * total]
    if len(thick) + 1 < len(present):
        present = thick
    if len(present) + (present is thick) > MOST_SLICES:
        present = present[highest(counts[present], MOST_SLICES - 1)]
    parts = [
        (names[k], int(counts[k]), ARMS[k % len(ARMS)][0], 0.85 if k < len(ARMS) else 0.5)
        for k in map(int, present)
    ]
    if rest := int(total - counts[present].sum()):
        n_others = np.count_nonzero(counts) - len(present)
        parts.append((f"{n_others:,} others", rest, MUTED, 0.5))
    ends = [0.0, *(360 * np.cumsum([count for _, count, *_ in parts]) / total)]
    return [
        Slice(*part, float(start), float(end), f"{100 * part[1] / total:.1f} %")
        for part, start, end in zip(parts, ends, ends[1:], strict=False)
    ]


def _draw_label(
    sheet: Axes, piece: Slice, centre: tuple[float, float], radius: float, y: float
) -> None:
    """Two lines of text right or left of the pie, joined to the slice."""
    (right, down), sign = piece.middle, 1 if piece.middle[0] >= 0 else -1
    x = centre[0] + sign * (radius + _GAP)
    rim = (centre[0] + (radius + 2) * right, centre[1] + (radius + 2) * down)
    sheet.plot([rim[0], x, x + sign * 5], [rim[1], y, y], color=MUTED, linewidth=0.8)
    room = centre[0] - radius - _GAP - 9
    number = f"{piece.size:,}, {piece.percent}"
    if text_width(number, SMALL) > room:
        number = piece.percent
    style = {"ha": "left" if sign > 0 else "right", "size": SMALL}
    write(sheet, x + sign * 9, y - 6, shorten(piece.name, int(room / (0.6 * SMALL))), **style)
    write(sheet, x + sign * 9, y + 7, number, color=MUTED, **style)


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
