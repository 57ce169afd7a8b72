"""Pages for tests that read their words: the figures take nearly all of a page's time.

Unit tests draw no figures (conftest.py) unless their module is marked `drawn`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from PIL import Image

from mnistlab.reporting.figures import canvas
from mnistlab.reporting.page import Figure

_AS_USERS_HAVE_THEM = {name: getattr(canvas, name) for name in ("_composed", "_pixels", "_svg")}


def _one_pixel(blank: Any) -> tuple[Image.Image, float]:
    return Image.new("L", (1, 1)), 72.0


def _empty(blank: Any) -> bytes:
    width, height = blank.get_size_inches() * 72
    box = f'viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {box}/>'.encode()


@contextmanager
def without_png() -> Iterator[None]:
    """Figures whose PNG is one pixel."""
    with patch.object(canvas, "_pixels", _one_pixel):
        yield


@contextmanager
def unpainted() -> Iterator[None]:
    """Figures that are composed, but neither PNG nor SVG shows anything."""
    with without_png(), patch.object(canvas, "_svg", _empty):
        yield


def _declared(drawing: canvas.Drawing, words: dict[str, Any]) -> Figure:
    """A figure with all its words, whose drawing is blank."""
    composed = _AS_USERS_HAVE_THEM["_composed"]
    return composed(drawing._replace(draw=lambda width: canvas.canvas(1, 1)[0]), words)


@contextmanager
def drawn() -> Iterator[None]:
    """Figures as users have them, in a module that has none drawn."""
    with patch.multiple(canvas, **_AS_USERS_HAVE_THEM):
        yield


@contextmanager
def undrawn() -> Iterator[None]:
    """Figures that are declared, with their words, but never drawn."""
    with unpainted(), patch.object(canvas, "_composed", _declared):
        yield
