"""From a declared drawing to a Figure: sizes, type, and the files it becomes.

Lengths are CSS pixels from the top left corner: at 72 dots per inch a point is a pixel, so type
keeps its size from here to the screen. A figure is declared once and drawn by the kit at two
widths, since a phone needs another layout, not a smaller one.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache, wraps
from typing import Any, NamedTuple, ParamSpec, TypedDict

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas
from matplotlib.patheffects import withStroke
from matplotlib.transforms import Bbox
from PIL.Image import Image, frombuffer
from rich.cells import cell_len

from mnistlab.reporting.figures.mosaic import Mosaic
from mnistlab.reporting.figures.theme import HALO, themed
from mnistlab.reporting.page import Figure
from mnistlab.reporting.palette import light

WIDE, HALF, NARROW = 1112, 526, 350
SMALL, TEXT = 10.5, 12.0
INK, MUTED, RULE, PAPER = light("ink"), light("muted"), light("rule"), light("paper")

COMPRESSION = 4  # of a PNG: half a percent larger than with 6, the usual one, and written faster
MOST_PIXELS = 4000  # of a PNG, either way: a larger figure is drawn at fewer dots an inch

# For letters that DejaVu Sans lacks, in PNG files alone: the page takes the reader's fonts.
_FALLBACKS = (
    "Noto Sans CJK JP,Noto Sans CJK SC,Noto Sans SC,Source Han Sans SC,WenQuanYi Zen Hei,"
    "WenQuanYi Micro Hei,Droid Sans Fallback,Hiragino Sans,Microsoft YaHei,Yu Gothic,"
    "Malgun Gothic,Arial Unicode MS,Noto Sans Devanagari,Noto Sans Thai,Noto Sans Bengali,"
    "Noto Sans Tamil,Noto Emoji"
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


P = ParamSpec("P")


class Words(TypedDict, total=False):
    """What every figure takes besides its data; `figure` reads them.

    command: what makes the figure again, where that is not what makes its page.
    """

    caption: str
    command: str
    name: str
    title: str


class Drawing(NamedTuple):
    """A declared figure: how it is drawn at a width, and what it says.

    note: what the caption has to add, such as how much is left out. half: two share a row.
    """

    draw: Callable[[int], Canvas]
    alt: str
    note: str = ""
    half: bool = False


def figure(name: str, title: str) -> Callable[[Callable[P, Drawing]], Callable[P, Figure]]:
    """Make a function that declares a drawing into one that returns the Figure.

    name, title: unless the call gives others. A ValueError begins with the figure's name.
    """

    def decorate(declare: Callable[P, Drawing]) -> Callable[P, Figure]:
        @wraps(declare)
        def drawn(*args: P.args, **kwargs: P.kwargs) -> Figure:
            words: dict[str, Any] = {"name": name, "title": title, "caption": ""} | kwargs
            try:
                drawing = declare(*args, **kwargs)
            except ValueError as fault:
                raise ValueError(f"figure {words['name']}: {fault}") from fault
            return _composed(drawing, words)

        return drawn

    return decorate


def _composed(drawing: Drawing, words: dict[str, Any]) -> Figure:
    style = _STYLE | {"font.family": _families()}
    name = words["name"]
    with matplotlib.rc_context(style), warnings.catch_warnings():
        # A script the font lacks shows as boxes in the PNG; the page has the reader's fonts.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        wide = drawing.draw(HALF if drawing.half else WIDE)
        # Compressing a PNG takes a quarter of the time, and lets Python draw meanwhile.
        with ThreadPoolExecutor(1) as other:
            png = other.submit(_png, *_pixels(wide))
            narrow = drawing.draw(NARROW)
            svg = themed(_svg(wide), f"{name}-wide", smallest=0.6)
            narrow_svg = themed(_svg(narrow), f"{name}-narrow", smallest=0.8)
        return Figure(
            name=name,
            title=words["title"],
            alt=drawing.alt,
            caption=f"{words['caption']} {drawing.note}".strip(),
            command=words.get("command", ""),
            png=png.result(),
            svg=svg,
            narrow_svg=narrow_svg,
            half=drawing.half,
        )


@cache
def _families() -> list[str]:
    """matplotlib's own font, and those here that have what it lacks, such as Chinese."""
    from matplotlib.font_manager import fontManager

    there = {entry.name for entry in fontManager.ttflist}
    return ["DejaVu Sans", *(name for name in _FALLBACKS.split(",") if name in there)]


def canvas(width: float, height: float) -> tuple[Canvas, Axes]:
    """A blank canvas and, over all of it, axes whose units are pixels with y downwards."""
    blank = Canvas(figsize=(width / 72, height / 72), dpi=72)
    sheet = blank.add_axes((0, 0, 1, 1), xlim=(0, width), ylim=(height, 0))
    sheet.set_axis_off()
    return blank, sheet


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
    # A zero-width joiner makes one emoji of several.
    if letter.isprintable() or letter == "\N{ZERO WIDTH JOINER}":
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


def _svg(blank: Canvas) -> bytes:
    buffer = io.BytesIO()
    nothing = dict.fromkeys(("Date", "Creator", "Format", "Type"))
    blank.savefig(buffer, format="svg", transparent=True, metadata=nothing)
    svg = buffer.getvalue()
    start = svg.index(b">", svg.index(b"<svg")) + 1  # what lies lowest comes first
    mosaics = [artist.markup() for artist in blank.artists if isinstance(artist, Mosaic)]
    return svg[:start] + "".join(mosaics).encode() + svg[start:]


def _pixels(blank: Canvas) -> tuple[Image, float]:
    """The figure with a margin, as an image, and its dots per inch."""
    buffer = io.BytesIO()
    width, height = blank.get_size_inches()
    margin = 20 / 72
    dots = min(144.0, (MOST_PIXELS - 1) / (max(width, height) + 2 * margin))
    # Not blank.findobj: that makes every tick of every axis, of which few are drawn.
    texts = [text for axes in blank.axes for text in axes.texts]
    haloed_texts = [text for text in texts if text.get_gid() == HALO]
    for text in haloed_texts:
        text.set_path_effects([withStroke(linewidth=4, foreground=PAPER)])
    box = Bbox.from_extents(-margin, -margin, width + margin, height + margin)
    blank.savefig(buffer, format="raw", dpi=dots, facecolor=PAPER, bbox_inches=box)
    for text in haloed_texts:  # in an SVG a text with an effect would be no text any more
        text.set_path_effects([])
    size = int(box.width * dots), int(box.height * dots)
    return frombuffer("RGBA", size, buffer.getvalue()), dots


def _png(image: Image, dots: float) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "png", compress_level=COMPRESSION, dpi=(dots, dots))
    return buffer.getvalue()
