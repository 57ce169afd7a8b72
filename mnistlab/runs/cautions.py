"""What a user should know of the parts of a data set before a recipe is trained on them."""

from __future__ import annotations

from collections.abc import Iterator

from mnistlab.data import Dataset, Split
from mnistlab.recipe import Recipe
from mnistlab.runs.seen import are_copies

CALLED = {"train": "training", "val": "validation", "test": "test"}


def cautions(recipe: Recipe, dataset: Dataset, parts: Split) -> Iterator[str]:
    """A line for each: fewer images than the recipe asks for, and copies of training images.

    Published sets are taken as they are; those that are loaded by name hold no copies.
    """
    for field, part in (("n_train", parts.train), ("n_val", parts.val)):
        wanted = getattr(recipe, field)
        if wanted is not None and wanted > len(part):
            name = CALLED[field.removeprefix("n_")]
            yield f"{field}={wanted:,}: the {name} part of {dataset.name} has {len(part):,} images"
    if dataset.is_published:
        return
    for name in ("val", "test"):
        part = getattr(parts, name)
        n_copies = int(are_copies(part.images, parts.train.images).sum())
        if n_copies:
            yield (
                f"{n_copies:,} of the {len(part):,} {CALLED[name]} images of {dataset.name} are "
                f"also in the training part; the {CALLED[name]} accuracy will be too high"
            )
