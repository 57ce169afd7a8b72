"""Fifteen corruptions of images, in five severities each, in the manner of MNIST-C.

After Mu and Gilmer, "MNIST-C: a robustness benchmark for computer vision" (2019), written
afresh: names and ideas are theirs, strengths are not, so errors here are not comparable with
published ones. A corruption is a function (images, severity, random) of uint8 (N, H, W), 0
being the background; lengths scale with the side, so images of any size from 8 x 8 will do. To
add one, write its function, whose every draw has the images as its first axis, and name it in
CORRUPTIONS. Nothing here imports torch, and scipy is loaded when it is needed.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from mnistlab.errors import DataError, RecipeError
from mnistlab.evaluation.corruptions.blur import glass_blur, motion_blur
from mnistlab.evaluation.corruptions.edges import canny_edges
from mnistlab.evaluation.corruptions.geometry import rotation, scale, shear, translation
from mnistlab.evaluation.corruptions.lines import dotted_line, stripe, zigzag
from mnistlab.evaluation.corruptions.noise import impulse_noise, shot_noise
from mnistlab.evaluation.corruptions.weather import brightness, fog, spatter

Corruption = Callable[[NDArray[np.uint8], int, Generator], NDArray[np.uint8]]

SEVERITIES = (1, 2, 3, 4, 5)
CORRUPTIONS: dict[str, Corruption] = {
    "shot-noise": shot_noise,
    "impulse-noise": impulse_noise,
    "glass-blur": glass_blur,
    "motion-blur": motion_blur,
    "shear": shear,
    "scale": scale,
    "rotation": rotation,
    "brightness": brightness,
    "translation": translation,
    "stripe": stripe,
    "fog": fog,
    "spatter": spatter,
    "dotted-line": dotted_line,
    "zigzag": zigzag,
    "canny-edges": canny_edges,
}
FAMILIES: dict[str, tuple[str, ...]] = {
    "noise": ("shot-noise", "impulse-noise"),
    "blur": ("glass-blur", "motion-blur"),
    "geometry": ("shear", "scale", "rotation", "translation"),
    "weather": ("brightness", "fog", "spatter"),
    "lines": ("stripe", "dotted-line", "zigzag"),
    "edges": ("canny-edges",),
}
_BLOCK = 250  # images at a time: memory stays small, and most of it in the processor's cache


def corrupted(images: NDArray[np.uint8], name: str, severity: int, seed: int) -> NDArray[np.uint8]:
    """A corrupted copy of images uint8 (N, H, W), severity 1 to 5.

    The same seed, name and severity give the same bytes, whatever ran before. What an image
    becomes depends on its place in the stack, not on how many come after it: the first k of N
    corrupted are the corrupted first k. RecipeError for a corruption, severity or seed there
    is not, DataError for images of another shape or dtype.
    """
    if name not in CORRUPTIONS:
        raise RecipeError(f"unknown corruption {name!r}; there are: {', '.join(CORRUPTIONS)}")
    if severity not in SEVERITIES:
        raise RecipeError(f"severity of {name} must be 1 to 5, got {severity}")
    if seed < 0:
        raise RecipeError(f"seed must not be negative, got {seed}")
    if images.ndim != 3 or images.dtype != np.uint8:
        raise DataError(f"images must be uint8 (N, H, W), got {images.dtype} {images.shape}")
    result = np.empty(images.shape, dtype=np.uint8)
    for block, start in enumerate(range(0, len(images), _BLOCK)):
        random = np.random.default_rng([*name.encode(), severity, block, seed])
        some = slice(start, start + _BLOCK)
        result[some] = CORRUPTIONS[name](images[some], severity, random)
    return result


def mean_corruption_error(
    errors: Mapping[str, Sequence[float]], baseline: Mapping[str, Sequence[float]] | None = None
) -> float:
    """Mean corruption error of `errors`: for each corruption, its error at each severity.

    With a baseline (Hendrycks and Dietterich 2019): for each corruption the sum of the errors
    over its severities is divided by the sum of the baseline's; the mean of these ratios over
    the corruptions of `errors` is given, as a number and not in percent, so that the baseline
    itself has 1. Errors on clean images are no part of it. Corruptions that only the baseline
    has are left out. Without a baseline: the mean over corruptions of the mean error over
    severities.

    Errors are fractions of images, 0 to 1. RecipeError where `errors` is empty, where the baseline
    lacks a corruption or a severity, or where it makes no error at all on a corruption.
    """
    if not errors or not all(errors.values()):
        raise RecipeError("a mean corruption error needs one corruption at one severity or more")
    if baseline is None:
        return math.fsum(math.fsum(e) / len(e) for e in errors.values()) / len(errors)
    for name, own in errors.items():
        if len(baseline.get(name, ())) != len(own):
            raise RecipeError(f"the baseline has no errors on {name} at {len(own)} severities")
        if math.fsum(baseline[name]) == 0:
            raise RecipeError(f"the baseline makes no error on {name}, and cannot be a measure")
    ratios = [math.fsum(own) / math.fsum(baseline[name]) for name, own in errors.items()]
    return math.fsum(ratios) / len(ratios)
