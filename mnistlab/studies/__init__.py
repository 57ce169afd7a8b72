"""Ready studies. To add one, write the function and name it in STUDIES."""

from __future__ import annotations

from collections.abc import Callable

from mnistlab.errors import RecipeError
from mnistlab.studies.ladder import ladder
from mnistlab.study import Study

__all__ = ["STUDIES", "get_study"]

STUDIES: dict[str, Callable[[], Study]] = {
    "ladder": ladder,
}


def get_study(name: str) -> Study:
    """The ready study of that name; RecipeError for a name there is not."""
    if name not in STUDIES:
        raise RecipeError(f"unknown study {name!r}; there are: {', '.join(STUDIES)}")
    return STUDIES[name]()
