"""One image explained: what the network sees, what speaks for the class, what is alike."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, Unpack

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from mnistlab.explaining.explanation import Explained
from mnistlab.explaining.words import percent, place_of
from mnistlab.reporting.figures.canvas import (
    INK,
    MUTED,
    NARROW,
    RULE,
    SMALL,
    TEXT,
    Drawing,
    Words,
    canvas,
    figure,
    shorten,
    text_width,
)
from mnistlab.reporting.figures.marks import write
from mnistlab.reporting.figures.tiles import shrunk
from mnistlab.reporting.palette import light

# Blue, orange, as on the page to draw on: clear on white and on black paper.
FOR, AGAINST = (59, 125, 216), (217, 104, 15)
GREY = (128, 134, 142)
INK_STRENGTH = 0.4  # opacity of the image behind a map
SIDE = 96  # pixels of an image worth keeping
N_BARS = 5  # classes
LONGEST, ROOM_OF_NUMBERS = 18, 62.0  # characters of a class name; pixels
GAMMA = 0.7  # below 1, weak values are seen as well
BAR, PICTURE_GAP, TITLE, BELOW = 24.0, 20.0, 22.0, 28.0  # pixels

Pixels = NDArray[np.uint8]  # (H, W), or (H, W, 4)


class Picture(NamedTuple):
    """Pixels with a title above and a line below; outline: a patch, in the pixels' own numbers."""

    title: str
    pixels: Pixels
    below: str = ""
    outline: tuple[float, float, float, float] | None = None  # left, top, width, height, of 1


@figure("explained", "Explained")
def explained_figure(
    image: Explained, ground: int, class_names: Sequence[str], **words: Unpack[Words]
) -> Drawing:
    """Four pictures - image, image with its strongest patch covered, two maps - and bars.

    The training images that are most alike stand beneath the bars, where they are known.
    """
    pictures = _pictures(image, ground, class_names)
    name = shorten(class_names[image.about], LONGEST)

    def draw(width: int) -> Canvas:
        n_across = 2 if width == NARROW else 4
        side = 158.0 if width == NARROW else 172.0
        pitch = TITLE + side + BELOW
        n_rows = len(pictures) // n_across
        beside = n_across * (side + PICTURE_GAP) + 16
        left, top = (0.0, n_rows * pitch + 34) if width == NARROW else (beside, 0.0)
        heights = [_height_of_bars(image), _height_of_nearest(image)]
        lowest = n_rows * pitch + 24
        blank, sheet = canvas(width, max(lowest, top + sum(heights)) + 4)
        for place, picture in enumerate(pictures):
            x = place % n_across * (side + PICTURE_GAP)
            _draw_picture(sheet, picture, x, place // n_across * pitch, side)
        x = (n_across - 2) * (side + PICTURE_GAP)
        _draw_key(sheet, name, x, n_rows * pitch + 2, 2 * side + PICTURE_GAP)
        across = width - left
        _draw_bars(sheet, image, class_names, left, top, across)
        _draw_nearest(sheet, image, class_names, left, top + heights[0], across)
        return blank

    return Drawing(draw, _alt(image, class_names))


def coloured(values: NDArray[np.float64], image: Pixels, ground: int) -> Pixels:
    """A map (H, W) as colours and opacities (H, W, 4), over the image in grey.

    The paper shows where there is neither, so that it fits both colour schemes.
    """
    most = np.abs(values).max()
    strength = (np.abs(values) / most) ** GAMMA if most > 0 else np.zeros_like(values)
    ink = np.abs(image.astype(np.float64) - ground)
    behind = INK_STRENGTH * ink / max(float(ink.max()), 1.0)
    colour = np.where((values > 0)[..., None], FOR, AGAINST).astype(np.float64)
    opacity = strength + behind * (1 - strength)
    of_map = np.divide(strength, opacity, out=np.zeros_like(strength), where=opacity > 0)[..., None]
    mixed = of_map * colour + (1 - of_map) * np.array(GREY)
    return np.dstack([mixed, 255 * opacity]).round().astype(np.uint8)


def _pictures(image: Explained, ground: int, names: Sequence[str]) -> list[Picture]:
    strongest = image.strongest
    (height, width), (rows, columns) = image.image.shape, strongest.window
    outline = (
        columns.start / width,
        rows.start / height,
        (columns.stop - columns.start) / width,
        (rows.stop - rows.start) / height,
    )
    seen, covered = (
        shrunk(pixels[None], SIDE)[0].round().astype(np.uint8)
        for pixels in (image.image, strongest.covered)
    )
    p = image.probabilities
    maps = [
        coloured(shrunk(of[None], SIDE)[0], seen, ground)
        for of in (image.occlusion, image.gradient)
    ]
    before = _said(names[image.predicted], None if p is None else float(p[image.predicted]))
    after = _said(names[strongest.predicted], strongest.probability)
    return [
        Picture("What the network sees", seen, before, outline),
        Picture("Strongest patch covered", covered, after, outline),
        Picture("Occlusion", maps[0]),
        Picture("Gradient times input", maps[1]),
    ]


def _said(name: str, probability: float | None) -> str:
    short = shorten(name, LONGEST)
    return short if probability is None else f"{short}, {percent(probability)}"


def _draw_picture(sheet: Axes, picture: Picture, x: float, y: float, side: float) -> None:
    height, width = picture.pixels.shape[:2]
    scale = side / max(height, width)
    write(sheet, x, y + 8, picture.title, size=SMALL, color=MUTED)
    left = x + (side - width * scale) / 2
    top = y + TITLE + (side - height * scale) / 2
    sheet.imshow(
        picture.pixels,
        cmap="gray",
        vmin=0,
        vmax=255,
        extent=(left, left + width * scale, top + height * scale, top),
        interpolation="none",
        aspect="auto",
    )
    frame: dict[str, Any] = {"fill": False, "edgecolor": RULE, "linewidth": 1}
    sheet.add_patch(Rectangle((left, top), width * scale, height * scale, **frame))
    if picture.outline:
        across, down, wide, high = picture.outline
        corner = (left + across * width * scale, top + down * height * scale)
        frame |= {"edgecolor": light("wrong"), "linewidth": 2}
        sheet.add_patch(Rectangle(corner, wide * width * scale, high * height * scale, **frame))
    write(sheet, x, y + TITLE + side + 12, picture.below, size=SMALL)


def _draw_key(sheet: Axes, name: str, x: float, y: float, width: float) -> None:
    """The colours of the maps, from what speaks against the class to what speaks for it."""
    steps = np.linspace(-1, 1, 65)[None]
    pixels = coloured(steps, np.zeros(steps.shape, np.uint8), 0)
    middle = width * 0.36
    extent = (x + (width - middle) / 2, x + (width + middle) / 2, y + 13, y + 3)
    sheet.imshow(pixels, extent=extent, interpolation="none", aspect="auto")
    n_letters = int(((width - middle) / 2 - 8) / 6)
    style = {"size": SMALL, "color": MUTED}
    write(sheet, extent[0] - 8, y + 9, shorten(f"against {name}", n_letters), ha="right", **style)
    write(sheet, extent[1] + 8, y + 9, shorten(f"for {name}", n_letters), **style)


def _shown_classes(image: Explained) -> list[int]:
    """The most probable classes, and the one that the maps are about."""
    assert image.probabilities is not None
    order = [int(code) for code in (-image.probabilities).argsort(kind="stable")]
    shown = order[:N_BARS]
    return shown if image.about in shown else [*shown[:-1], image.about]


def _height_of_bars(image: Explained) -> float:
    return 0.0 if image.probabilities is None else TITLE + BAR * len(_shown_classes(image)) + 14


def _draw_bars(
    sheet: Axes, image: Explained, names: Sequence[str], x: float, y: float, width: float
) -> None:
    if image.probabilities is None:
        return
    write(sheet, x, y + 8, "Probabilities", size=SMALL, color=MUTED)
    codes = _shown_classes(image)
    labels = [shorten(names[code], LONGEST) for code in codes]
    start = x + 14 + max(text_width(label, TEXT) for label in labels)
    across = x + width - ROOM_OF_NUMBERS - start
    for place, (code, label) in enumerate(zip(codes, labels, strict=True)):
        p, middle = float(image.probabilities[code]), y + TITLE + (place + 0.5) * BAR
        weight = "bold" if code == image.about else "normal"
        write(sheet, x, middle, label, weight=weight)
        for length, colour in ((across, RULE), (across * p, light("accent"))):
            bar = Rectangle((start, middle - 5), length, 10, color=colour, linewidth=0)
            sheet.add_patch(bar)
        write(sheet, x + width - 2, middle, percent(p), ha="right", size=SMALL, color=INK)


def _height_of_nearest(image: Explained) -> float:
    return TITLE + 84.0 if image.similar and image.similar.nearest else 0.0


def _draw_nearest(
    sheet: Axes, image: Explained, names: Sequence[str], x: float, y: float, width: float
) -> None:
    nearest = image.similar.nearest if image.similar else ()
    if not nearest:
        return
    write(sheet, x, y + 8, "Training images it finds most alike", size=SMALL, color=MUTED)
    pitch = width / len(nearest)
    side = min(pitch - 6, 60.0)
    pitch = min(pitch, side + 10)
    for place, neighbour in enumerate(nearest):
        pixels = shrunk(neighbour.image[None], SIDE)[0].round().astype(np.uint8)
        _draw_picture(sheet, Picture("", pixels), x + place * pitch, y, side)
        label = shorten(names[neighbour.label], int(pitch / 5.4))
        middle = x + place * pitch + side / 2
        write(sheet, middle, y + TITLE + side + 11, label, ha="center", size=9.5, color=INK)


def _alt(image: Explained, names: Sequence[str]) -> str:
    text = f"Image {image.id}, predicted as {names[image.predicted]}"
    if image.probabilities is not None:
        shown = [
            f"{names[k]} {percent(float(image.probabilities[k]))}" for k in _shown_classes(image)
        ]
        text += f"; probabilities: {', '.join(shown)}"
    speaks = "for" if image.about == image.predicted else "against"
    text += f". Two maps of what speaks for {names[image.about]}"
    text += f"; the patch that speaks most {speaks} it lies {place_of(image)}."
    nearest = image.similar.nearest if image.similar else ()
    if nearest:
        labels = ", ".join(names[neighbour.label] for neighbour in nearest)
        text += f" The training images that are most alike are of the classes {labels}."
    return text
