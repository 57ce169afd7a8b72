"""Fixed views of images: what a training part is expanded with, and what is asked at test time.

Unlike augmentation nothing here is drawn at random.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import pad

from mnistlab.bounds import shortened, shown
from mnistlab.errors import RecipeError

View = Callable[[Tensor], Tensor]  # (N, 1, H, W) to the same
MARGIN = 2  # pixels that the zoom cuts away on every side


def as_is(X: Tensor) -> Tensor:
    """The images themselves."""
    return X


def mirrored(X: Tensor) -> Tensor:
    """Left is right."""
    return X.flip(-1)


def zoomed(X: Tensor) -> Tensor:
    """The middle, without 2 pixels on every side, as scipy.ndimage.zoom(order=0) enlarges it.

    RecipeError where nothing would be left of the images.
    """
    height, width = X.shape[2:]
    if min(height, width) <= 2 * MARGIN:
        raise RecipeError(f"images of {height}x{width} are too small to be zoomed")
    return X[:, :, _zoomed_places(height)][..., _zoomed_places(width)]


def _zoomed_places(side: int) -> Tensor:
    """Which pixel of a row each pixel of the zoomed row is (side,)."""
    from scipy.ndimage import zoom  # asked itself: where it rounds is its own affair

    n_middle = side - 2 * MARGIN
    return torch.from_numpy(MARGIN + zoom(np.arange(n_middle), side / n_middle, order=0))


def moved(down: int, right: int) -> View:
    """The view moved by whole pixels, background coming in."""
    return lambda X: pad(X, (right, -right, down, -down))


def both(first: View, then: View) -> View:
    """One after the other."""
    return lambda X: then(first(X))


# What every image is replaced by: these views of it, adjacent, before the next image comes.
EXPANSIONS: dict[str, tuple[View, ...]] = {
    "flip-and-zoom": (as_is, mirrored, zoomed, both(zoomed, mirrored)),  # write-up C's
}
VIEW_NAMES = {"flip-and-zoom": ("original", "flipped", "cropped", "cropped and flipped")}
# What older recipes name, and why it is gone.
GONE = {
    "fourfold": "zoomed other pixels than write-up C and put the views one after the other; "
    "--set expansion=flip-and-zoom trains as published, on other images"
}
# What test-time augmentation shows of an image besides itself.
VIEWS: dict[str, tuple[View, ...]] = {
    "flip": (mirrored,),
    "shift": (moved(-1, 0), moved(1, 0), moved(0, -1), moved(0, 1)),
}


def expansion_of(name: str | None) -> tuple[View, ...]:
    """The views of that expansion, of None the images as they are; RecipeError for others."""
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
    """Every combination of the views named, the images as they are first.

    RecipeError for a name that is not in VIEWS, or is there twice.
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
