"""Fixed views of images: what a training part is expanded with, and what is asked at test time.

Unlike augmentation nothing here is drawn at random.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from torch import Tensor
from torch.nn.functional import interpolate, pad

from mnistlab.bounds import shortened, shown
from mnistlab.errors import RecipeError

View = Callable[[Tensor], Tensor]  # (N, 1, H, W) to the same


def as_is(X: Tensor) -> Tensor:
    """The images themselves."""
    return X


def mirrored(X: Tensor) -> Tensor:
    """Left is right."""
    return X.flip(-1)


def enlarged(X: Tensor) -> Tensor:
    """The outer 2 pixels cut away, the rest stretched to the old size (nearest).

    RecipeError where nothing would be left of the images.
    """
    if min(X.shape[2:]) < 5:
        raise RecipeError(f"images of {X.shape[2]}x{X.shape[3]} are too small to be enlarged")
    return interpolate(X[:, :, 2:-2, 2:-2].float(), X.shape[2:]).to(X.dtype)


def moved(down: int, right: int) -> View:
    """The view moved by whole pixels, background coming in."""
    return lambda X: pad(X, (right, -right, down, -down))


def both(first: View, then: View) -> View:
    """One after the other."""
    return lambda X: then(first(X))


# What a training part grows by: these views of all images, one after the other.
EXPANSIONS: dict[str, tuple[View, ...]] = {
    "fourfold": (as_is, mirrored, enlarged, both(enlarged, mirrored)),  # write-up C's
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
    if name not in EXPANSIONS:
        raise RecipeError(f"unknown expansion {shown(name)}; there are: {', '.join(EXPANSIONS)}")
    return EXPANSIONS[name]


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
