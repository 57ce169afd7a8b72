"""Scikit-learn estimators: fit, predict, predict_proba, score, whatever the method behind.

Images go in as they come, uint8 (N, H, W) or rows (N, D); scaling happens inside, so a
test set, a CSV row and a drawing meet exactly the same code.
"""

from mnistlab.classifiers.torch_classifier import TorchClassifier

__all__ = ["TorchClassifier"]
