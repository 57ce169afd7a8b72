"""Colours that can be read, and told apart by everyone."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from mnistlab.reporting.palette import ARMS, TOKENS, VARIABLES

SCHEMES = {"light": 0, "dark": 1}

# Machado, Oliveira and Fernandes 2009, severity 1.0, on linear RGB.
SIGHTS = {
    "normal": np.eye(3),
    "protanopia": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deuteranopia": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "tritanopia": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
}
TO_XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])


def rgb(colour: str) -> np.ndarray:
    return np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255


def linear(values: np.ndarray) -> np.ndarray:
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


def contrast(one: np.ndarray, other: np.ndarray) -> float:
    """WCAG 2.2 contrast ratio of two sRGB colours."""
    dim, bright = sorted(float(linear(c) @ TO_XYZ[1]) for c in (one, other))
    return (bright + 0.05) / (dim + 0.05)


def lab(colour: np.ndarray, sight) -> np.ndarray:
    xyz = TO_XYZ @ np.clip(np.asarray(sight) @ linear(colour), 0, 1) / [0.9505, 1.0, 1.089]
    x, y, z = np.cbrt(np.maximum(xyz, 1e-6))
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("ground", ["desk", "paper", "soft"])
@pytest.mark.parametrize("token", ["ink", "muted", "accent", "wrong"])
def test_text_has_contrast(token, ground, scheme):
    colour, behind = (rgb(TOKENS[name][SCHEMES[scheme]]) for name in (token, ground))
    assert contrast(colour, behind) >= 4.5


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize(("shade", "strength"), [("wrong", 0.5), ("accent", 0.32)])
def test_ink_has_contrast_on_the_strongest_cell_of_a_confusion_matrix(shade, strength, scheme):
    place = SCHEMES[scheme]
    ink, over, under = (rgb(TOKENS[name][place]) for name in ("ink", shade, "paper"))
    assert contrast(ink, strength * over + (1 - strength) * under) >= 4.5


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("sight", SIGHTS)
def test_arms_can_be_told_apart(sight, scheme):
    seen = [lab(rgb(arm[SCHEMES[scheme]]), SIGHTS[sight]) for arm in ARMS]
    assert min(float(np.linalg.norm(a - b)) for a, b in combinations(seen, 2)) > 16


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("ground", ["desk", "paper"])
def test_arms_stand_out_from_the_page(ground, scheme):
    place = SCHEMES[scheme]
    assert min(contrast(rgb(arm[place]), rgb(TOKENS[ground][place])) for arm in ARMS) >= 3


def test_each_light_colour_names_one_variable():
    assert len({light for light, _ in VARIABLES.values()}) == len(VARIABLES)
