"""Pages for tests that read their words and drawings: a PNG takes a third of a figure's time.

tests/unit/test_reporting_figures*.py and test_reporting_bounds.py look at PNG files themselves.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from PIL import Image

from mnistlab.reporting.figures import canvas


def _one_pixel(blank: Any) -> bytes:
    buffer = io.BytesIO()
    Image.new("L", (1, 1)).save(buffer, "PNG")
    return buffer.getvalue()


def _empty(blank: Any) -> bytes:
    width, height = blank.get_size_inches() * 72
    box = f'viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {box}/>'.encode()


@contextmanager
def without_png() -> Iterator[None]:
    """Figures whose PNG is one pixel."""
    with patch.object(canvas, "_png", _one_pixel):
        yield


@contextmanager
def unpainted() -> Iterator[None]:
    """Figures that are composed, but neither PNG nor SVG shows anything."""
    with without_png(), patch.object(canvas, "_svg", _empty):
        yield
