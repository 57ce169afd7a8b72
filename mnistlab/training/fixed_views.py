"""Fixed views of images: what a training part is expanded with, and what is asked at test time.

Unlike augmentation nothing here is drawn at random.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor
from torch.nn.functional import interpolate, pad

from mnistlab.errors import RecipeError

View = Callable[[Tensor], Tensor]  # (N, 1, H, W) to the same
Expansion = Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]  # images, labels to more of both


def fourfold(X: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    """Write-up C's expansion, (4 N, 1, H, W): as is, mirrored, enlarged, and both.

    Enlarged: the outer 2 pixels cut away, the rest stretched to the old size (nearest).
    RecipeError where nothing would be left of the images.
    """
    if min(X.shape[2:]) < 5:
        raise RecipeError(f"images of {X.shape[2]}x{X.shape[3]} are too small to be enlarged")
    enlarged = interpolate(X[:, :, 2:-2, 2:-2].float(), X.shape[2:]).to(X.dtype)
    return torch.cat([X, X.flip(-1), enlarged, enlarged.flip(-1)]), y.repeat(4)


EXPANSIONS: dict[str, Expansion] = {"fourfold": fourfold}


def expander(name: str | None) -> Expansion:
    """The expansion of that name, None giving the images back; RecipeError for others."""
    if name is None:
        return lambda X, y: (X, y)
    if name not in EXPANSIONS:
        raise RecipeError(f"unknown expansion {name!r}; there are: {', '.join(EXPANSIONS)}")
    return EXPANSIONS[name]


def mirrored(X: Tensor) -> Tensor:
    """Left is right."""
    return X.flip(-1)


def moved(down: int, right: int) -> View:
    """The view moved by whole pixels, background coming in."""
    return lambda X: pad(X, (right, -right, down, -down))


# What test-time augmentation shows of an image besides itself.
VIEWS: dict[str, tuple[View, ...]] = {
    "flip": (mirrored,),
    "shift": (moved(-1, 0), moved(1, 0), moved(0, -1), moved(0, 1)),
}


def views_of(names: Sequence[str]) -> list[View]:
    """Every combination of the views named, the images as they are first.

    RecipeError for a name that is not in VIEWS, or is there twice.
    """
    if len(set(names)) < len(names):
        raise RecipeError(f"test-time augmentation names a view twice: {', '.join(names)}")
    views: list[View] = [lambda X: X]
    for name in names:
        if name not in VIEWS:
            there = ", ".join(VIEWS)
            raise RecipeError(f"unknown test-time augmentation {name!r}; there are: {there}")
        views += [_both(first, then) for first in views for then in VIEWS[name]]
    return views


def _both(first: View, then: View) -> View:
    return lambda X: then(first(X))
