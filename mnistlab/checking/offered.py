"""Which check belongs to which task that a file offers. Libraries are imported only for theirs."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator, Sequence

from mnistlab.checking.context import Context
from mnistlab.checking.offers import Offer
from mnistlab.checking.source import Source


def check_offer(context: Context, offer: Offer, offers: Sequence[Offer]) -> None:
    """Run the check of one task. offers: everything that the file has."""
    from importlib import import_module

    module, function = CHECKS[offer.task]
    check = getattr(import_module(f"mnistlab.checking.checks.{module}"), function)
    check(context, offer.value)


CHECKS = {
    "cnn": ("cnn", "check_cnn"),
    "transfer": ("transfer", "check_transfer"),
    "loop": ("loop", "check_loop"),
    "comparison": ("comparison", "check_comparison"),
    "estimator": ("estimator", "check_estimator"),
    "gradient-check": ("numerical", "check_numerical_gradient"),
    "folds": ("folds", "check_folds"),
    "cross-validation": ("folds", "check_cross_validation"),
    "split": ("parts", "check_parts"),
}


@contextlib.contextmanager
def library_stand_ins() -> Iterator[None]:
    """While this lasts, pretrained weights are made up instead of downloaded."""
    if "torchvision.models" not in sys.modules:
        yield
        return
    from mnistlab.checking.torch_parts.pretrained import made_up_weights

    with made_up_weights():
        yield


def import_libraries(source: Source) -> None:
    """Import what the checks of a file will need, if the file imports it."""
    if source.imports("torchvision"):
        import torchvision.models  # noqa: F401
    if source.imports("torch", "torchvision"):
        import torch  # noqa: F401
    if source.imports("sklearn"):
        import sklearn.base
    if source.imports("sklearn") and "BaseEstimator" in source.text:
        import sklearn.utils.estimator_checks  # noqa: F401


def prepare(source: Source) -> None:
    """In a process of its own: import libraries before it is limited, and let them start fast."""
    import_libraries(source)
    if "torch" in sys.modules:
        import torch

        from mnistlab.training.compiler import fall_asleep

        torch.set_num_threads(1)
        if "compile" not in source.text and "dynamo" not in source.text:
            fall_asleep()
