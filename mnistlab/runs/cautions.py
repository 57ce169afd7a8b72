"""What a user should know of the parts of a data set before a recipe is trained on them."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from mnistlab.cards import counted
from mnistlab.data import Dataset, Split
from mnistlab.data.polarity import border_of, polarity_differs
from mnistlab.phases import Phase
from mnistlab.recipe import Recipe
from mnistlab.runs.seen import are_copies

CALLED = {"train": "training", "val": "validation", "test": "test"}
LARGE, SUGGESTED = 128, 64  # sides of images, in pixels; the recommended recipe is for 8 to 64
DEFAULT_MONITOR = Phase().monitor


def cautions(recipe: Recipe, dataset: Dataset, parts: Split) -> Iterator[str]:
    """A line for each: a monitor without effect, fewer images than asked for, large ones, copies.

    Copies of training or validation images make a measured accuracy too high. Published sets are
    taken as they are; those that are loaded by name hold no copies.
    """
    if (unused := unused_monitor(recipe)) is not None:
        yield unused
    elif _monitors_in_vain(recipe, parts):
        yield (
            f"monitor={recipe.phases[-1].monitor} has no effect: {recipe.name} has no validation "
            "images here, so the epoch of the lowest training loss is kept; --set split=auto "
            "draws some"
        )
    for field, part in (("n_train", parts.train), ("n_val", parts.val)):
        wanted = getattr(recipe, field)
        if wanted is not None and wanted > len(part):
            name = CALLED[field.removeprefix("n_")]
            has = counted(len(part), "image")
            yield f"{field}={wanted:,}: the {name} part of {dataset.name} has {has}"
    if dataset.is_published:
        return
    height, width = dataset.images.shape[1:]
    n_times = height * width // SUGGESTED**2  # none for strips, long as they are
    if max(height, width) > LARGE and n_times > 1:
        yield (
            f"the images of {dataset.name} have {height} x {width} pixels and train about "
            f"{n_times:,} times as long as with --size {SUGGESTED} "
            f"(from Python: size={SUGGESTED}), which resizes image files"
        )
    for name in ("val", "test"):
        part = getattr(parts, name)
        in_train = are_copies(part.images, parts.train.images)
        if in_train.any():
            yield _copies_text(in_train, name, dataset, "training part")
        in_val = are_copies(part.images, parts.val.images) & ~in_train
        if name == "test" and in_val.any():
            yield _copies_text(in_val, name, dataset, "validation part")
        if len(part) and polarity_differs(border_of(parts.train.images), border_of(part.images)):
            yield (
                f"in the {CALLED[name]} images of {dataset.name} dark and bright are the other way "
                f"round than in training; invert them (255 - level), or the {CALLED[name]} "
                "accuracy will be too low"
            )


def _copies_text(are_copies: NDArray[np.bool_], name: str, dataset: Dataset, among: str) -> str:
    return (
        f"{are_copies.sum():,} of the {len(are_copies):,} {CALLED[name]} images of {dataset.name} "
        f"{'is' if are_copies.sum() == 1 else 'are'} also in the {among}; the {CALLED[name]} "
        "accuracy will be too high"
    )


def unused_monitor(recipe: Recipe) -> str | None:
    """What to say of a recipe whose last phase monitors something and keeps its last epoch."""
    last = recipe.phases[-1] if recipe.phases else Phase()
    if last.monitor == DEFAULT_MONITOR or last.keep == "best" or last.patience is not None:
        return None
    return (
        f"monitor={last.monitor} has no effect: {recipe.name} keeps the weights of its last epoch "
        "(keep=last), not of its best; add --set keep=best"
    )


def _monitors_in_vain(recipe: Recipe, parts: Split) -> bool:
    monitored = recipe.phases and recipe.phases[-1].monitor not in (DEFAULT_MONITOR, "loss")
    return bool(monitored) and not len(parts.val)
