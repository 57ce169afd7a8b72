"""What the checker says of the scaling of a data set's parts."""

from __future__ import annotations

import pytest

from mnistlab.checking.running import check_source
from mnistlab.checking.source import Source

RIGHT = """
import numpy as np


def scale(X_train, X_val, X_test):
    low = X_train.min(axis=0)
    span = X_train.max(axis=0) - low
    span = np.where(span == 0, 1.0, span)
    return (X_train - low) / span, (X_val - low) / span, (X_test - low) / span
"""
SCIKIT_LEARN = """
from sklearn.preprocessing import MinMaxScaler


def preprocess_data(X_train, X_val, X_test):
    scaler = MinMaxScaler()
    train = scaler.fit_transform(X_train)
    return train, scaler.transform(X_val), scaler.transform(X_test)
"""


@pytest.mark.parametrize("text", [RIGHT, SCIKIT_LEARN])
def test_right_scaling_passes(text: str) -> None:
    assert check_source(Source("scaling.py", text)).passed


@pytest.mark.parametrize(
    ("text", "old", "new", "mistake", "line"),
    [
        (
            RIGHT,
            "low = X_train.min(axis=0)",
            "low = np.vstack([X_train, X_val]).min(axis=0)",
            "test-leakage",
            6,
        ),
        (
            SCIKIT_LEARN,
            "train = scaler.fit_transform(X_train)",
            "train = scaler.fit(X_test).transform(X_train)",
            "test-leakage",
            7,
        ),
        (
            SCIKIT_LEARN,
            "scaler.transform(X_test)",
            "scaler.fit_transform(X_test)",
            "scaled-apart",
            8,
        ),
        (RIGHT, "    span = np.where(span == 0, 1.0, span)\n", "", "constant-pixel", 8),
        (RIGHT, "    return", "    X_train -= low\n    return", "input-changed", 10),
    ],
)
def test_mistakes_in_scaling_are_named(
    text: str, old: str, new: str, mistake: str, line: int
) -> None:
    assert text.count(old) == 1
    report = check_source(Source("scaling.py", text.replace(old, new)))
    assert [(f.mistake, f.line) for f in report.findings] == [(mistake, line)]
