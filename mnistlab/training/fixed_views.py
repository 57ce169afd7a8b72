"""Fixed views of images: a training set is expanded with them, or test images are seen in them.

Unlike augmentation, nothing here is random.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import pad

from mnistlab.bounds import shortened, shown
from mnistlab.errors import RecipeError

View = Callable[[Tensor], Tensor]  # (N, 1, H, W) to (N, 1, H, W)
MARGIN = 2  # pixels that the zoom cuts off on every side


def as_is(X: Tensor) -> Tensor:
    """The images themselves."""
    return X


def mirrored(X: Tensor) -> Tensor:
    """Mirrored left and right."""
    return X.flip(-1)


def zoomed(X: Tensor) -> Tensor:
    """Without 2 pixels on every side, enlarged to the old size as scipy.ndimage.zoom(order=0) does.

    RecipeError where nothing would be left of the images.
    """
    height, width = X.shape[2:]
    if min(height, width) <= 2 * MARGIN:
        raise RecipeError(f"images of {height}x{width} are too small to be zoomed")
    return X[:, :, _zoomed_places(height)][..., _zoomed_places(width)]


def _zoomed_places(side: int) -> Tensor:
    """The index in a row, (side,), of the pixel that each pixel of the zoomed row copies."""
    from scipy.ndimage import zoom  # itself, since its rounding is not documented

    n_middle = side - 2 * MARGIN
    return torch.from_numpy(MARGIN + zoom(np.arange(n_middle), side / n_middle, order=0))


def moved(down: int, right: int) -> View:
    """Moved by whole pixels; background fills the gap."""
    return lambda X: pad(X, (right, -right, down, -down))


def both(first: View, then: View) -> View:
    """The view of a view."""
    return lambda X: then(first(X))


# Every image is replaced by these views of it, adjacent in the expanded set.
EXPANSIONS: dict[str, tuple[View, ...]] = {
    "flip-and-zoom": (as_is, mirrored, zoomed, both(zoomed, mirrored)),  # write-up C's
}
VIEW_NAMES = {"flip-and-zoom": ("original", "flipped", "cropped", "cropped and flipped")}
# Expansions of older recipes, and why they no longer exist.
GONE = {
    "fourfold": "zoomed other pixels than write-up C and put the views one after the other; "
    "--set expansion=flip-and-zoom trains as published, on other images"
}
# Test-time augmentation: the views of an image besides itself.
VIEWS: dict[str, tuple[View, ...]] = {
    "flip": (mirrored,),
    "shift": (moved(-1, 0), moved(1, 0), moved(0, -1), moved(0, 1)),
}


def expansion_of(name: str | None) -> tuple[View, ...]:
    """The views of that expansion; None: the images as they are. RecipeError for other names."""
    if name is None:
        return (as_is,)
    if name in GONE:
        raise RecipeError(f"expansion {name!r} is no longer made: it {GONE[name]}")
    if name not in EXPANSIONS:
        raise RecipeError(f"unknown expansion {shown(name)}; there are: {', '.join(EXPANSIONS)}")
    return EXPANSIONS[name]


def expanded(X: Tensor, views: Sequence[View]) -> Tensor:
    """Images (N, 1, H, W) in all views, those of an image adjacent: (N * V, 1, H, W)."""
    return torch.stack([view(X) for view in views], 1).flatten(0, 1)


def views_of(names: Sequence[str]) -> list[View]:
    """Every combination of the named views, beginning with the images as they are.

    RecipeError for a name that is not in VIEWS, or is given twice.
    """
    if len(set(names)) < len(names):
        raise RecipeError(
            f"test-time augmentation names a view twice: {shortened(', '.join(names))}"
        )
    views: list[View] = [as_is]
    for name in names:
        if name not in VIEWS:
            there = ", ".join(VIEWS)
            raise RecipeError(f"unknown test-time augmentation {shown(name)}; there are: {there}")
        views += [both(first, then) for first in views for then in VIEWS[name]]
    return views
