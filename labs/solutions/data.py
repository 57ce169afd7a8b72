"""Solutions of chapter 1: split, scaling per pixel, principal components."""

from __future__ import annotations

import numpy as np
from sklearn.model_selection import train_test_split


def split_data(X: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, ...]:
    """70 % train, 15 % validation, 15 % test, stratified: X_train, X_val, X_test, y_train, ..."""
    X_train, X_rest, y_train, y_rest = train_test_split(
        X, y, test_size=0.3, random_state=42, stratify=y
    )
    X_val, X_test, y_val, y_test = train_test_split(
        X_rest, y_rest, test_size=0.5, random_state=42, stratify=y_rest
    )
    return X_train, X_val, X_test, y_train, y_val, y_test


def scale_per_pixel(
    X_train: np.ndarray, X_val: np.ndarray, X_test: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Bring every pixel of the training part to 0..1, and the other parts by the same rule."""
    low, high = X_train.min(axis=0), X_train.max(axis=0)
    width = np.where(high > low, high - low, 1.0)  # a pixel that is always black has no range
    train, val, test = ((X - low) / width for X in (X_train, X_val, X_test))
    return train, val, test


def principal_components(X: np.ndarray, n_components: int) -> tuple[np.ndarray, np.ndarray]:
    """Projections (N, n_components), and the fraction of the variance that each one explains."""
    centred = X - X.mean(axis=0)
    U, S, _ = np.linalg.svd(centred, full_matrices=False)
    variance = S**2 / (S**2).sum()
    return U[:, :n_components] * S[:n_components], variance[:n_components]
