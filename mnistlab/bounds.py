"""Bounds of the numbers in recipes and settings: NaN, infinity and absurd sizes are refused.

Numbers come from files and command lines; one line names the value and the bound.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from numbers import Real
from typing import Any

from mnistlab.errors import RecipeError

LARGEST = 1e30  # of any number; float32 ends at 3.4e38
MOST = 10**9  # of any count without a smaller bound
MOST_EPOCHS = 10**6
MOST_LAYERS = 200
WIDEST = 2**20  # units or channels of a layer
LARGEST_SIDE = 1024  # of an image, in pixels
MOST_FOLDS = 1000
SMALLEST_C = 1e-12  # of a support vector machine; below, solvers find no support vectors at all
MOST_SHIFTED = 8  # pixels by which copies of support vectors are shifted
MOST_WEIGHTS = 2**29  # of a network: 2 GiB in float32, the largest file of weights that is read


def check_number(
    name: str, value: float, low: float = -LARGEST, high: float = LARGEST, *, positive: bool = False
) -> None:
    """RecipeError unless low <= value <= high; positive: and unless it is above 0."""
    number = _as_float(name, value)
    if not math.isfinite(number):
        raise RecipeError(f"{name} must be a finite number, got {shown(value)}")
    if positive and number <= 0:
        raise RecipeError(f"{name} must be positive, got {shown(value)}")
    if number < low:
        least = "must not be negative" if low == 0 else f"must be at least {low:g}"
        raise RecipeError(f"{name} {least}, got {shown(value)}")
    if number > high:
        raise RecipeError(f"{name} must be at most {high:g}, got {shown(value)}")


def check_fraction(name: str, value: float) -> None:
    """RecipeError unless 0 <= value < 1."""
    if not 0 <= _as_float(name, value) < 1:
        raise RecipeError(f"{name} must be in 0 <= {name} < 1, got {shown(value)}")


def check_count(name: str, value: int, least: int = 1, most: int = MOST) -> None:
    """RecipeError unless least <= value <= most."""
    if value < least:
        raise RecipeError(f"{name} must be at least {least}, got {shown(value)}")
    if value > most:
        raise RecipeError(f"{name} must be at most {most:,}, got {shown(value)}")


def check_all_finite(name: str, value: Any) -> None:
    """RecipeError for a number in the value that is not finite or too large, named by its path.

    Lists, tuples and mappings are searched; other types are not checked.
    """
    if isinstance(value, Mapping):
        for key, each in value.items():
            check_all_finite(f"{name}.{key}", each)
    elif isinstance(value, list | tuple):
        for each in value:
            check_all_finite(name, each)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        check_number(name, value)


def check_weights(n_weights: int) -> None:
    """RecipeError for a network of more weights than a file of weights may hold."""
    if n_weights > MOST_WEIGHTS:
        raise RecipeError(
            f"the network would have {n_weights:,} weights, of at most {MOST_WEIGHTS:,}; "
            "make its layers or the images smaller"
        )


def shown(value: Any) -> str:
    """The value as a message shows it; only the beginning of a long one."""
    if isinstance(value, int) and value.bit_length() > 200:
        return "a number of more than 60 digits"  # Python writes out none of more than 4300
    return shortened(repr(value))


def shortened(text: str, n_characters: int = 60) -> str:
    """The text; only the beginning of a longer one."""
    return text if len(text) <= n_characters else f"{text[: n_characters - 3]}..."


def _as_float(name: str, value: float) -> float:
    if not isinstance(value, Real):  # such as "1"
        raise RecipeError(f"{name} must be a number, got {shown(value)}")
    try:
        return float(value)
    except OverflowError:  # an integer beyond the largest float
        return math.inf
