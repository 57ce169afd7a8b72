"""What the rest of the project must know of an ensemble, which `mnistlab fit` makes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mnistlab.bounds import check_number
from mnistlab.classifiers.methods import Classifier, ImageShape, Method
from mnistlab.errors import RecipeError
from mnistlab.training import hardware

FEWEST_MINUTES, MOST_MINUTES = 0.05, 60.0 * 24 * 7


def ensemble_method() -> Method:
    """The Method of model "ensemble": a recipe of it says how long to search, not what to train."""
    return Method(
        check_minutes,
        _n_parameters,
        _make,
        hardware.describe,
        hardware.n_threads,
        learns_in_epochs=False,
    )


def check_minutes(minutes: float = 1.0) -> None:
    """RecipeError for a time that `mnistlab fit` cannot keep."""
    check_number("minutes", minutes, low=FEWEST_MINUTES, high=MOST_MINUTES)


def _n_parameters(shape: ImageShape, n_classes: int, model_args: Mapping[str, Any]) -> None:
    check_minutes(**model_args)


def _make(model_args: Mapping[str, Any], **settings: Any) -> Classifier:
    raise RecipeError("an ensemble is not trained from a recipe: mnistlab fit DATA --minutes N")
