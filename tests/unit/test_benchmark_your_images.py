"""The benchmark of the recommended recipe: its sets are what they say, and it is resumed."""

from __future__ import annotations

import json

import numpy as np
import pytest

from benchmarks import your_image_sets, your_images, your_images_tables
from benchmarks.your_image_sets import SETS, Parts
from mnistlab.data import available

LARGE = ("few-inverted", "many-classes", "unbalanced")


def drawn(name: str, seed: int = 0) -> Parts:
    for needed in ("mnist", "fashion-mnist"):
        if name in LARGE and available(needed) is None:
            pytest.skip(f"{needed} is in no folder of MNISTLAB_DATA")
    return SETS[name].draw(seed)


@pytest.mark.parametrize("name", SETS)
def test_parts_share_no_image_and_hold_every_class(name: str) -> None:
    parts = drawn(name)
    flat = [{image.tobytes() for image in X} for X in parts[::2]]
    # digits holds no copies; in the others some images may be published twice
    shared = sum(len(a & b) for a, b in ((flat[0], flat[1]), (flat[0], flat[2])))
    assert shared <= 0.001 * len(parts.y_test)
    classes = [np.unique(y).tolist() for y in parts[1::2]]
    assert classes[0] == classes[1] == classes[2] == list(range(len(classes[0])))
    assert all(X.dtype == np.uint8 for X in parts[::2])


@pytest.mark.parametrize("name", SETS)
def test_a_seed_draws_the_same_images_and_another_others(name: str) -> None:
    first, again, other = drawn(name, 0), drawn(name, 0), drawn(name, 1)
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
    assert not np.array_equal(first.X_test, other.X_test)


def test_the_sets_are_what_they_say() -> None:
    unbalanced = drawn("unbalanced")
    assert [np.bincount(y).tolist() for y in unbalanced[1::2]] == [
        [1350, 150],
        [450, 50],
        [1620, 180],
    ]
    assert unbalanced.X.shape[1:] == (64, 64)
    inverted = drawn("few-inverted")
    assert np.bincount(inverted.y).tolist() == [12] * 10
    assert np.median(inverted.X) == 255
    many = drawn("many-classes")
    assert many.X.shape == (1200, 28, 56)
    assert len(np.unique(many.y)) == 100


def test_many_classes_are_two_digits_side_by_side() -> None:
    many = drawn("many-classes")
    mnist = your_image_sets.load("mnist")
    known = {
        image.tobytes(): label for image, label in zip(mnist.images, mnist.labels, strict=True)
    }
    for image, label in zip(many.X[::97], many.y[::97], strict=True):
        tens, ones = (
            known[np.ascontiguousarray(half).tobytes()] for half in (image[:, :28], image[:, 28:])
        )
        assert label == 10 * tens + ones


def test_what_is_fitted_is_kept_and_not_fitted_again(
    monkeypatch: pytest.MonkeyPatch, tmp_path
) -> None:
    monkeypatch.setattr(your_images, "FOLDER", tmp_path / "kept")
    first = your_images.measure("digits", 0, "1-nearest-neighbour")
    parts = drawn("digits")
    assert 0.95 < first["accuracy"] <= 1
    assert len(parts.y) == pytest.approx(1078, abs=5)

    def refuse(*arguments: object) -> None:
        raise AssertionError("fitted again")

    monkeypatch.setitem(your_images.METHODS, "1-nearest-neighbour", refuse)
    assert your_images.measure("digits", 0, "1-nearest-neighbour") == first


def test_a_record_of_another_recipe_is_not_taken(monkeypatch: pytest.MonkeyPatch, tmp_path) -> None:
    monkeypatch.setattr(your_images, "FOLDER", tmp_path)
    (kept,) = [your_images.file_of("digits", 0, your_images.ml.RECOMMENDED)]
    assert your_images.ml.get_recipe().content_hash[:8] in kept.name


def test_differences_are_those_of_a_paired_test_corrected_over_all(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from scipy.stats import ttest_rel

    random = np.random.default_rng(0)
    methods = {
        name: {"accuracy": random.normal(mean, 0.01, 5).tolist()}
        for name, mean in ((your_images.ml.RECOMMENDED, 0.9), ("a", 0.8), ("b", 0.9))
    }
    line = {"figures": {"figure": "accuracy", "methods": methods}}
    monkeypatch.setattr(your_images_tables, "lines", lambda: {"set": line})
    found = your_images_tables.differences()
    ours = methods[your_images.ml.RECOMMENDED]["accuracy"]
    p = [ttest_rel(ours, methods[name]["accuracy"]).pvalue for name in ("a", "b")]
    assert found["set", "a"].p == pytest.approx(2 * min(p))
    assert found["set", "b"].p == pytest.approx(max(p))
    assert found["set", "a"].is_shown
    assert not found["set", "b"].is_shown
    json.dumps([each.mean for each in found.values()])
