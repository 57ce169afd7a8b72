"""Hundreds of pictures, rectangles and words as one artist.

matplotlib lays out each artist by itself, and writes each picture for itself: that takes most of
the time of a figure with hundreds of them. Here they go to a PNG's renderer as their own artists
would have drawn them, and are markup of their own in an SVG.
"""

from __future__ import annotations

import base64
import io
from functools import lru_cache
from typing import NamedTuple
from xml.sax.saxutils import escape

import numpy as np
from matplotlib.artist import Artist
from matplotlib.backend_bases import GraphicsContextBase, RendererBase
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure as Canvas
from matplotlib.font_manager import FontProperties
from matplotlib.path import Path
from matplotlib.transforms import Affine2D, Transform
from numpy.typing import NDArray
from PIL import Image

Box = tuple[float, float, float, float]  # left, top, width, height in pixels of the sheet
SQUARE = Path.unit_rectangle()
HALF_DIGIT = 0.365  # of the size of a text: from its base line to the middle of its digits
PIXELATED = "image-rendering:crisp-edges;image-rendering:pixelated"


class Style(NamedTuple):
    """How a word looks."""

    colour: str
    size: float
    weight: str = "normal"


class Mosaic(Artist):
    """Rectangles, on them pictures, on them words; all below what other artists draw.

    Lengths are pixels of the canvas, y downwards. Nothing is clipped.
    """

    zorder = 0

    def __init__(self, blank: Canvas) -> None:
        super().__init__()
        width, height = blank.get_size_inches() * 72
        self._blank = blank
        self._from_pixels = Affine2D().scale(1 / width, -1 / height).translate(0, 1)
        self._rectangles: list[tuple[Box, str, float]] = []
        self._pictures: list[tuple[Box, NDArray[np.uint8]]] = []
        self._words: list[tuple[float, float, str, Style]] = []
        blank.add_artist(self)

    def rectangle(self, box: Box, colour: str, strength: float = 1.0) -> None:
        """Add a filled rectangle; strength: its opacity."""
        self._rectangles.append((box, colour, strength))

    def picture(self, box: Box, pixels: NDArray[np.uint8]) -> None:
        """Add pixels that stay squares, grey (H, W) or (H, W, 4)."""
        self._pictures.append((box, pixels))

    def word(self, x: float, y: float, text: str, style: Style) -> None:
        """Add a text centred at x whose base line is at y."""
        if text:
            self._words.append((x, y, text, style))

    def markup(self) -> str:
        """All of it as elements of an SVG whose units are pixels."""
        parts = [_rectangle_markup(*rectangle) for rectangle in self._rectangles]
        parts += [_picture_markup(*picture) for picture in self._pictures]
        for x, y, text, style in self._words:
            weight = "font-weight: 700; " if style.weight == "bold" else ""
            look = f"{weight}font-size: {style.size:g}px; fill: {style.colour}"
            place = f'x="{x:.6g}" y="{y:.6g}"'
            parts.append(f'<text {place} style="text-anchor: middle; {look}">{_text(text)}</text>')
        return "".join(parts)

    def draw(self, renderer: RendererBase) -> None:
        """Draw all of it on the renderer of a PNG; an SVG has the markup instead."""
        if renderer.option_scale_image():
            return
        to_dots = self._from_pixels + self._blank.transFigure
        height, gc = renderer.get_canvas_width_height()[1], renderer.new_gc()
        gc.set_linewidth(0)
        for (left, top, across, down), colour, strength in self._rectangles:
            place = Affine2D().scale(across, down).translate(left, top) + to_dots
            gc.set_alpha(strength)
            renderer.draw_path(gc, SQUARE, place, to_rgba(colour, strength))
        gc.set_alpha(1)
        for box, pixels in self._pictures:
            _draw_picture(renderer, gc, box, to_dots, pixels)
        for x, y, text, style in self._words:
            middle, bottom = to_dots.transform((x, y))
            font = FontProperties(size=style.size, weight=style.weight)
            width = renderer.get_text_width_height_descent(text, font, False)[0]
            gc.set_foreground(to_rgba(style.colour), isRGBA=True)
            renderer.draw_text(gc, middle - width / 2, height - bottom, text, font, 0)
        gc.restore()


def _rectangle_markup(box: Box, colour: str, strength: float) -> str:
    left, top, width, height = (f"{length:.6g}" for length in box)
    place = f'x="{left}" y="{top}" width="{width}" height="{height}"'
    opacity = "" if strength == 1 else f"; opacity: {strength:.4g}"
    return f'<rect {place} style="fill: {colour}{opacity}"/>'


def _picture_markup(box: Box, pixels: NDArray[np.uint8]) -> str:
    """The picture as it is: the reader of the SVG scales it."""
    left, top, width, height = box
    n_rows, n_columns = pixels.shape[:2]
    size = f'width="{n_columns}" height="{n_rows}"'
    scales = f"{width / n_columns:.6g} 0 0 {height / n_rows:.6g}"
    href = f"data:image/png;base64,{_packed(pixels.tobytes(), pixels.shape)}"
    transform = f'transform="matrix({scales} {left:.6g} {top:.6g})"'
    return f'<image {size} {transform} style="{PIXELATED}" href="{href}"/>'


@lru_cache(maxsize=512)  # a figure is drawn at two widths
def _packed(pixels: bytes, shape: tuple[int, ...]) -> str:
    """Pixels as a PNG in base64."""
    buffer = io.BytesIO()
    Image.fromarray(np.frombuffer(pixels, np.uint8).reshape(shape)).save(buffer, format="png")
    return base64.b64encode(buffer.getvalue()).decode("ascii")


def _text(text: str) -> str:
    """A text as SVG; what cannot be written as UTF-8 becomes a question mark, as in the page."""
    return escape(text.encode(errors="replace").decode())


def _draw_picture(
    renderer: RendererBase,
    gc: GraphicsContextBase,
    box: Box,
    to_dots: Transform,
    pixels: NDArray[np.uint8],
) -> None:
    """Draw it from one whole dot to another, each pixel as whole dots too."""
    left, top, width, height = box
    corners = to_dots.transform([(left, top + height), (left + width, top)])
    (x0, y0), (x1, y1) = ((round(x), round(y)) for x, y in corners)
    size = max(1, x1 - x0), max(1, y1 - y0)
    dots = Image.fromarray(pixels).convert("RGBA").resize(size, Image.Resampling.NEAREST)
    renderer.draw_image(gc, x0, y0, np.asarray(dots)[::-1])  # the first row is the lowest here
