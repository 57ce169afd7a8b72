from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from mnistlab.data.scaling import SCALINGS, fit_scaling
from mnistlab.errors import RecipeError


@given(arrays(np.uint8, st.tuples(st.integers(1, 9), st.integers(1, 9))))
def test_bytes_are_scaled_as_floats_are(X: np.ndarray) -> None:
    for kind in SCALINGS:
        of_bytes, of_floats = fit_scaling(kind, X), fit_scaling(kind, X.astype(np.float64))
        for mine, theirs in zip(of_bytes, of_floats, strict=True):
            assert mine == pytest.approx(theirs)


def test_each_kind_does_what_it_says() -> None:
    X = np.array([[0, 51], [255, 255]], dtype=np.uint8)
    shift, scale = fit_scaling("min-max", X)
    assert ((X - shift) / scale).ravel().tolist() == pytest.approx([0, 0.2, 1, 1])
    shift, scale = fit_scaling("symmetric", X)
    assert ((X - shift) / scale).ravel().tolist() == pytest.approx([-1, -0.6, 1, 1])
    shift, scale = fit_scaling("standard", X)
    scaled = (X - shift) / scale
    assert (scaled.mean(), scaled.std()) == pytest.approx((0, 1))
    assert fit_scaling("none", X) == (0, 1)


def test_blank_images_and_unknown_kinds() -> None:
    for dtype in (np.uint8, np.float32):
        for kind in ("standard", "min-max", "symmetric"):
            assert fit_scaling(kind, np.full((3, 4), 7, dtype)) == (7, 1)
    with pytest.raises(RecipeError, match="unknown scaling 'zzz'"):
        fit_scaling("zzz", np.zeros((1, 1)))
