"""Scale: where trainings run, here or on the computers of a Ray cluster.

    place     what a place can do; here, one training after another
    on_ray    a task a training; the only file that knows Ray
    worker    what such a task does, on whichever computer it is

Run folders, test figures and the journal of a search stay with the process that was started; a
place is only handed what it needs to train.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from mnistlab.errors import RecipeError
from mnistlab.scale.place import Here, Place, of_many, together

__all__ = ["PLACES", "Here", "Place", "of_many", "place", "together"]

PLACES = ("local", "ray")


@contextmanager
def place(name: str) -> Iterator[Place]:
    """A place by its name while the block runs.

    Raises RecipeError where there is none of that name or Ray is not installed, and RunError for a
    cluster that does not answer.
    """
    if name not in PLACES:
        raise RecipeError(f"unknown place {name!r}; there are: {', '.join(PLACES)}")
    if name == "local":
        yield Here()
        return
    from mnistlab.scale.on_ray import connected

    with connected() as cluster:
        yield cluster
