"""Digits as a hand draws them: seeded polylines that differ in form, width, place, size and slant.

Points lie in a unit square, y downwards; nothing here comes from a data set.
"""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float64]  # (N, 2)


class Drawing(NamedTuple):
    """One drawing of a digit: strokes in the unit square, the pen's width there, its polarity."""

    digit: int
    strokes: list[Points]
    width: float
    is_dark_on_light: bool


def arc(x: float, y: float, radii: tuple[float, float], start: float, end: float) -> Points:
    """Part of an ellipse, angles in degrees from the right, clockwise as y points downwards."""
    angles = np.radians(np.linspace(start, end, 14))
    return np.column_stack([x + radii[0] * np.cos(angles), y + radii[1] * np.sin(angles)])


def line(*points: tuple[float, float]) -> Points:
    """Straight from point to point, with points between."""
    ends = np.array(points)
    steps = np.linspace(0, 1, 5)[:, None]
    parts = [a + steps * (b - a) for a, b in pairwise(ends)]
    return np.concatenate(parts)


def stroke(*parts: Points) -> Points:
    """Parts drawn without lifting the pen."""
    return np.concatenate(parts)


DIGITS: dict[int, list[Points]] = {
    0: [arc(0.5, 0.5, (0.26, 0.4), -90, 270)],
    1: [line((0.53, 0.1), (0.5, 0.9))],
    2: [
        stroke(arc(0.48, 0.3, (0.24, 0.2), -160, 30), line((0.69, 0.4), (0.25, 0.88), (0.78, 0.86)))
    ],
    3: [
        stroke(
            arc(0.47, 0.29, (0.23, 0.19), -150, 80),
            arc(0.47, 0.69, (0.26, 0.21), -80, 150),
        )
    ],
    4: [line((0.36, 0.12), (0.26, 0.52), (0.76, 0.5)), line((0.68, 0.14), (0.6, 0.9))],
    5: [
        stroke(
            line((0.72, 0.13), (0.36, 0.14), (0.32, 0.44)),
            arc(0.46, 0.65, (0.26, 0.23), -115, 150),
        )
    ],
    6: [
        stroke(
            line((0.62, 0.1), (0.42, 0.34)),
            arc(0.5, 0.67, (0.22, 0.22), -170, -530),
        )
    ],
    7: [line((0.24, 0.14), (0.76, 0.14), (0.44, 0.9))],
    8: [
        stroke(
            arc(0.5, 0.3, (0.19, 0.19), 60, -240),
            arc(0.5, 0.69, (0.23, 0.21), -70, 250),
            arc(0.5, 0.3, (0.19, 0.19), 120, 60),
        )
    ],
    9: [stroke(arc(0.48, 0.32, (0.2, 0.21), 0, -360), line((0.68, 0.32), (0.62, 0.9)))],
}


def drawn(digit: int, random: np.random.Generator) -> Drawing:
    """A drawing of that digit, jittered as a hand is unsteady."""
    size = random.uniform(0.35, 0.9)
    slant, turn = random.uniform(-0.25, 0.3), random.uniform(-0.12, 0.12)
    stretch = np.array([random.uniform(0.8, 1.15), 1.0])
    low, high = 0.5 * size, 1 - 0.5 * size
    middle = random.uniform(min(low, 0.5), max(high, 0.5), 2)
    rotation = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    strokes = []
    for points in DIGITS[digit]:
        # Slow deviations of the hand, and a tremor.
        bend = random.normal(0, 0.02, (2, 2))
        phase = np.linspace(0, np.pi, len(points))[:, None]
        moved = points - 0.5 + np.sin(phase) * bend[0] + np.sin(2 * phase) * bend[1]
        moved = moved * stretch + random.normal(0, 0.006, points.shape)
        moved[:, 0] -= slant * moved[:, 1]
        strokes.append(np.clip(middle + size * (moved @ rotation.T), 0.03, 0.97))
    return Drawing(digit, strokes, size * random.uniform(0.07, 0.15), bool(random.random() < 0.5))


def drawings(n: int, seed: int) -> list[Drawing]:
    """n drawings, each digit equally often."""
    random = np.random.default_rng(seed)
    return [drawn(i % 10, random) for i in range(n)]
