"""Scikit-learn estimators with fit, predict and score, whatever the model.

Images go in as they come, uint8 (N, H, W) or rows (N, D). Scaling happens inside, so a test set, a
CSV row and a drawing pass exactly the same code. Each classifier is imported at its first use: the
networks by hand and the SVM work without torch, and a stored torch network without scikit-learn.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mnistlab.classifiers.ensemble import EnsembleClassifier
    from mnistlab.classifiers.scratch_classifier import ScratchClassifier
    from mnistlab.classifiers.svm_classifier import SVMClassifier
    from mnistlab.classifiers.torch_classifier import TorchClassifier

__all__ = ["EnsembleClassifier", "SVMClassifier", "ScratchClassifier", "TorchClassifier"]

_HOMES = {
    "TorchClassifier": "torch_classifier",
    "ScratchClassifier": "scratch_classifier",
    "SVMClassifier": "svm_classifier",
    "EnsembleClassifier": "ensemble",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
