"""What a figure must be given: each check raises ValueError, before anything is drawn."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray


def require(holds: object, fault: str) -> None:
    """Raise ValueError(fault) unless it holds."""
    if not holds:
        raise ValueError(fault)


def check_numbers(
    what: str,
    values: NDArray[Any],
    shape: tuple[int, ...],
    least: float = -np.inf,
    most: float = np.inf,
) -> None:
    """There are finite numbers of that shape, from `least` to `most`."""
    require(values.shape == shape, f"{what} {values.shape}, not {shape}")
    require(values.size, f"there are no {what}")
    require(np.isfinite(values).all(), f"{what} hold a number that is not finite")
    fits = least <= values.min() and values.max() <= most
    require(fits, f"{what} are not all from {least:g} to {most:g}")


def arms_in_order(arms: Sequence[str], of_arm: Mapping[str, object]) -> list[str]:
    """Those arms of the study, in its order, that something is known of: one or more."""
    require(of_arm, "there are no arms to show")
    for arm in of_arm:
        require(arm in arms, f"{arm!r} is no arm of the study")
    return [arm for arm in arms if arm in of_arm]


def check_seeds(what: str, values: Iterable[NDArray[np.floating]]) -> None:
    """In each of the arrays a finite number per seed, (S,)."""
    fits = all(seeds.ndim == 1 and seeds.size and np.isfinite(seeds).all() for seeds in values)
    require(fits, f"{what} needs finite values of shape (S,)")


def check_named(labels: NDArray[np.int64], n_classes: int, what: str = "labels") -> None:
    """Each label is the number of a class that has a name."""
    named = labels.min() >= 0 and labels.max() < n_classes
    require(named, f"{what} reach beyond {n_classes} class names")


def check_images(images: NDArray[Any], n_classes: int, **classes: NDArray[np.int64] | None) -> None:
    """There are images uint8 (N, H, W), and a named class for each."""
    fits = images.ndim == 3 and images.dtype == np.uint8 and images.size
    require(fits, f"images must be uint8 (N, H, W), got {images.dtype} {images.shape}")
    for field, of_images in classes.items():
        if of_images is not None:
            shape = of_images.shape
            require(shape == (len(images),), f"{len(images)} images but {field} {shape}")
            check_named(of_images, n_classes, field)
