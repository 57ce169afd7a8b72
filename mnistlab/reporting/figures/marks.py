"""How things are marked, and the legend that says what each mark stands for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from mnistlab.reporting.figures.canvas import INK, TEXT, shorten, text_width
from mnistlab.reporting.palette import ARMS, STEPS

_SHAPES = "osD^vPX*"
_LONGEST = 44  # characters of a label


class Mark(NamedTuple):
    """A colour and a shape of matplotlib's; without a shape a square of the colour.

    line: whether the legend shows a line, of which the shapes are points.
    """

    colour: str
    shape: str = ""
    line: bool = True
    filled: bool = True
    strength: float = 1.0  # opacity


Legend = Sequence[tuple[str, Mark]]


def mark_of(arms: Sequence[str], arm: str, ordered: bool = False) -> Mark:
    """The mark of an arm's place in the study, the same in every figure.

    ordered: the arms are steps of one quantity, and so are their colours.
    """
    place = list(arms).index(arm)
    if ordered:
        step = round(place * (len(STEPS) - 1) / max(1, len(arms) - 1))
        return Mark(STEPS[step][0], _SHAPES[place % len(_SHAPES)])
    shift = place // len(ARMS)  # after one round of colours, other shapes
    return Mark(ARMS[place % len(ARMS)][0], _SHAPES[(place + shift) % len(_SHAPES)])


def write(sheet: Axes, x: float, y: float, text: str, **style: Any) -> None:
    """A text on the line of `y`; style as matplotlib names it, ink by default."""
    sheet.text(x, y, text, **{"va": "center_baseline", "color": INK} | style)


def plot_marks(axes: Axes, x: Any, y: Any, mark: Mark, size: float) -> None:
    """A mark at each point, without a line."""
    axes.plot(
        x,
        y,
        mark.shape,
        color=mark.colour,
        markerfacecolor=mark.colour if mark.filled else "none",
        markersize=size,
        markeredgewidth=1.2,
        clip_on=False,
    )


def legend_height(legend: Legend, width: float) -> float:
    """How far down a legend reaches; 0 without entries."""
    return max((y + 12 for _, y in _places(legend, width)), default=0.0)


def draw_legend(sheet: Axes, legend: Legend) -> None:
    """Marks and what they stand for, at the top of the sheet."""
    places = _places(legend, sheet.get_xlim()[1])
    for (label, mark), (x, y) in zip(legend, places, strict=True):
        if mark.shape or mark.line:
            if mark.line:
                sheet.plot([x, x + 20], [y, y], color=mark.colour, linewidth=2)
            if mark.shape:
                plot_marks(sheet, x + 10, y, mark, 7)
        else:
            corner = (x + 4, y - 6)
            sheet.add_patch(Rectangle(corner, 11, 11, color=mark.colour, alpha=mark.strength, lw=0))
        write(sheet, x + 28, y, shorten(label, _LONGEST))


def _places(legend: Legend, width: float) -> list[tuple[float, float]]:
    places: list[tuple[float, float]] = []
    x, y = 0.0, 10.0
    for label, _ in legend:
        needed = 28 + text_width(shorten(label, _LONGEST), TEXT)
        if places and x + needed > width:
            x, y = 0.0, y + 21
        places.append((x, y))
        x += needed + 14
    return places
