"""Where figures are drawn: sizes, type, axes and the way to a Figure.

Lengths are CSS pixels from the top left corner: at 72 dots an inch a point is
a pixel, so type keeps its size from here to the screen. Each figure is drawn
twice, wide and narrow, since a phone needs another layout, not a smaller one.
"""

from __future__ import annotations

import io
import math
import warnings
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, NamedTuple

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas
from matplotlib.patheffects import withStroke
from matplotlib.text import Text
from matplotlib.ticker import MaxNLocator
from matplotlib.transforms import Bbox
from rich.cells import cell_len

from mnistlab.reporting.figures.theme import HALO, themed
from mnistlab.reporting.page import Figure
from mnistlab.reporting.palette import ARMS, STEPS, light

WIDE, HALF, NARROW = 1112, 526, 350
SMALL, TEXT = 10.5, 12.0
INK, MUTED, RULE, PAPER = light("ink"), light("muted"), light("rule"), light("paper")

MOST_PIXELS = 4000  # of a PNG, either way: a larger figure is drawn at fewer dots an inch

_SHAPES = "osD^vPX*"
_LEGEND_LENGTH = 44
# For letters that DejaVu Sans lacks, in PNG files alone: the page takes the reader's fonts.
_FALLBACKS = (
    "Noto Sans CJK JP",
    "Noto Sans CJK SC",
    "Noto Sans SC",
    "Source Han Sans SC",
    "WenQuanYi Zen Hei",
    "WenQuanYi Micro Hei",
    "Droid Sans Fallback",
    "Hiragino Sans",
    "Microsoft YaHei",
    "Yu Gothic",
    "Malgun Gothic",
    "Arial Unicode MS",
    "Noto Sans Devanagari",
    "Noto Sans Thai",
    "Noto Sans Bengali",
    "Noto Sans Tamil",
    "Noto Emoji",
)
# From matplotlib's own defaults on, whatever the user's matplotlibrc says.
_STYLE: dict[Any, Any] = {
    key: value for key, value in matplotlib.rcParamsDefault.items() if "backend" not in key
} | {
    "font.family": "DejaVu Sans",  # comes with matplotlib: the same bytes everywhere
    "font.size": TEXT,
    "text.color": INK,
    "text.parse_math": False,  # a class may be called "$5"
    "svg.fonttype": "none",
    "svg.hashsalt": "mnistlab",
    "image.composite_image": False,
}


def compose(
    draw: Callable[[int], Canvas],
    *,
    name: str,
    title: str,
    alt: str,
    caption: str,
    command: str,
    half: bool = False,
) -> Figure:
    """A Figure from `draw`, which is called with the width to draw at."""
    width = HALF if half else WIDE
    with matplotlib.rc_context(_STYLE | {"font.family": _families()}), warnings.catch_warnings():
        # A script the font lacks shows as boxes in the PNG; the page has the reader's fonts.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        wide, narrow = draw(width), draw(NARROW)
        return Figure(
            name=name,
            title=title,
            alt=alt,
            caption=caption,
            command=command,
            png=_png(wide),
            svg=themed(_svg(wide), f"{name}-wide", smallest=0.6),
            narrow_svg=themed(_svg(narrow), f"{name}-narrow", smallest=0.8),
            half=half,
        )


@cache
def _families() -> list[str]:
    """matplotlib's own font, and those here that have what it lacks, such as Chinese."""
    from matplotlib.font_manager import fontManager

    there = {entry.name for entry in fontManager.ttflist}
    return ["DejaVu Sans", *(name for name in _FALLBACKS if name in there)]


def canvas(width: float, height: float) -> tuple[Canvas, Axes]:
    """A blank canvas and, over all of it, axes whose units are pixels with y downwards."""
    blank = Canvas(figsize=(width / 72, height / 72), dpi=72)
    sheet = blank.add_axes((0, 0, 1, 1), xlim=(0, width), ylim=(height, 0))
    sheet.set_axis_off()
    return blank, sheet


def panel(
    blank: Canvas, left: float, top: float, width: float, height: float, heading: str = ""
) -> Axes:
    """Quiet axes: a base line, a light grid across it, the quantity named above."""
    full_width, full_height = blank.get_size_inches() * 72
    axes = blank.add_axes(
        (
            left / full_width,
            1 - (top + height) / full_height,
            width / full_width,
            height / full_height,
        )
    )
    axes.spines[["left", "right", "top"]].set_visible(False)
    axes.spines["bottom"].set(color=MUTED, linewidth=1)
    axes.tick_params(length=0, pad=6, colors=MUTED, labelsize=SMALL)
    axes.grid(axis="y", color=RULE, linewidth=0.8)
    axes.set_axisbelow(True)
    if heading:
        axes.text(0, 1 + 14 / height, heading, transform=axes.transAxes, fontweight="bold")
    return axes


class Mark(NamedTuple):
    """How an arm is drawn."""

    colour: str
    shape: str


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


def legend_height(labels: Sequence[str], width: float) -> float:
    """How far down a legend of these labels reaches."""
    return max(y for _, y in _legend_places(labels, width)) + 12


def legend(sheet: Axes, labels: Sequence[str], marks: Sequence[Mark]) -> None:
    """Marks and what they stand for, at the top of the sheet."""
    places = _legend_places(labels, sheet.get_xlim()[1])
    for label, (colour, shape), (x, y) in zip(labels, marks, places, strict=True):
        sheet.plot([x, x + 20], [y, y], color=colour, linewidth=2)
        sheet.plot(x + 10, y, color=colour, marker=shape, markersize=7)
        sheet.text(x + 28, y, shorten(label, _LEGEND_LENGTH), va="center_baseline")


def _legend_places(labels: Sequence[str], width: float) -> list[tuple[float, float]]:
    places: list[tuple[float, float]] = []
    x, y = 4.0, 10.0
    for label in labels:
        needed = 28 + text_width(shorten(label, _LEGEND_LENGTH), TEXT)
        if places and x + needed > width:
            x, y = 4.0, y + 21
        places.append((x, y))
        x += needed + 16
    return places


def haloed(text: Text) -> None:
    """Let a text stand out from what it is written over."""
    text.set_gid(HALO)  # in the page the style sheet draws it


def shorten(label: str, n_characters: int) -> str:
    """A label on one line, without control characters, cut where it gets too long.

    n_characters: of Latin width; a Chinese character or an emoji takes two.
    """
    clean = "".join(map(_shown, label))
    if cell_len(clean) <= n_characters:
        return clean
    cut = clean[: max(0, n_characters - 1)]
    while cut and cell_len(cut) >= n_characters:
        cut = cut[:-1]
    return cut.rstrip() + "…"


def _shown(letter: str) -> str:
    if (
        letter.isprintable() or letter == "\N{ZERO WIDTH JOINER}"
    ):  # which makes one emoji of several
        return letter
    return " " if letter.isspace() else "\N{REPLACEMENT CHARACTER}"


def text_width(text: str, size: float) -> float:
    """About how wide a text is, on the safe side: the reader's font is not known here."""
    return cell_len(text) * size * 0.6


def short_number(value: float) -> str:
    """Such as "7.85 K", for a scale."""
    for size, suffix in ((1e9, " G"), (1e6, " M"), (1e3, " K")):
        if value >= size:
            return f"{float(f'{value / size:.3g}'):g}{suffix}"
    return f"{value:g}"


def log_ticks(low: float, high: float) -> list[float]:
    """Round numbers between two positive ones: powers of ten, or finer where these are few."""
    exponents = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    ticks: list[float] = []
    for digits in ((1,), (1, 2, 5), range(1, 10)):
        ticks = [float(f"{digit}e{e}") for e in exponents for digit in digits]
        ticks = [tick for tick in ticks if low <= tick <= high]
        if len(ticks) >= 3:
            return ticks[:: 1 + len(ticks) // 8]
    return [tick for tick in MaxNLocator(4).tick_values(low, high) if low <= tick <= high]


def _svg(blank: Canvas) -> bytes:
    buffer = io.BytesIO()
    nothing = dict.fromkeys(("Date", "Creator", "Format", "Type"))
    blank.savefig(buffer, format="svg", transparent=True, metadata=nothing)
    return buffer.getvalue()


def _png(blank: Canvas) -> bytes:
    buffer = io.BytesIO()
    width, height = blank.get_size_inches()
    margin = 20 / 72
    dots = min(144.0, (MOST_PIXELS - 1) / (max(width, height) + 2 * margin))
    # Not blank.findobj: that makes every tick of every axis, of which few are drawn.
    texts = [text for axes in blank.axes for text in axes.texts]
    haloed_texts = [text for text in texts if text.get_gid() == HALO]
    for text in haloed_texts:
        text.set_path_effects([withStroke(linewidth=4, foreground=PAPER)])
    blank.savefig(
        buffer,
        format="png",
        dpi=dots,
        facecolor=PAPER,
        metadata={"Software": None},
        bbox_inches=Bbox.from_extents(-margin, -margin, width + margin, height + margin),
    )
    for text in haloed_texts:  # in an SVG a text with an effect would be no text any more
        text.set_path_effects([])
    return buffer.getvalue()
