"""Padding, write-up C's fourfold images by SciPy, and test-time augmentation, built by hand."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.ndimage import zoom

import mnistlab as ml
from mnistlab.classifiers import TorchClassifier
from mnistlab.classifiers.storage import load_classifier, save_classifier
from mnistlab.data import Dataset
from mnistlab.errors import RecipeError
from mnistlab.phases import Phase
from mnistlab.recipe import EXPANSION_FACTORS, Recipe
from mnistlab.recipes import get_recipe
from mnistlab.reporting.expansion_section import expansion_sections, views_of_image
from mnistlab.runs import classifier_of, evaluate, read_evaluation, train
from mnistlab.training.fixed_views import (
    EXPANSIONS,
    VIEW_NAMES,
    expanded,
    expansion_of,
    moved,
    views_of,
    zoomed,
)

Images = np.ndarray


def images(n: int, height: int = 12, width: int = 12, seed: int = 0) -> Images:
    return np.random.default_rng(seed).integers(0, 256, (n, height, width), dtype=np.uint8)


def tensor(X: Images) -> torch.Tensor:
    return torch.from_numpy(X)[:, None]


def quick(**changes: Any) -> TorchClassifier:
    settings = {
        "model_args": {"hidden_sizes": (16,)},
        "n_epochs": 2,
        "learning_rate": 0.01,
        "batch_size": 32,
        "precision": "float32",
        "random_state": 0,
    }
    return TorchClassifier(**settings | changes)


def assert_same_weights(some: TorchClassifier, other: TorchClassifier) -> None:
    theirs = other.arrays()
    assert some.arrays().keys() == theirs.keys()
    assert all(np.array_equal(array, theirs[name]) for name, array in some.arrays().items())
    timeless = [[epoch | {"time_s": 0} for epoch in c.history_] for c in (some, other)]
    assert timeless[0] == timeless[1]


# The fourfold expansion


def fourfold(X: Images) -> Images:
    """The four versions of an image adjacent, made image by image by NumPy and SciPy."""
    height, width = X.shape[1:]
    factors = (height / (height - 4), width / (width - 4))
    made = []
    for image in X:
        large = zoom(image[2:-2, 2:-2], factors, order=0)
        made += [image, np.fliplr(image), large, np.fliplr(large)]
    return np.stack(made)


@pytest.mark.parametrize(
    "shape", [(5, 12, 12), (3, 32, 32), (2, 28, 28), (2, 9, 14), (1, 5, 5), (2, 64, 33), (1, 6, 97)]
)
@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_expanded_images_are_those_of_numpy_and_scipy(shape: tuple[int, ...], dtype: type) -> None:
    X = (images(*shape) / (1 if dtype is np.uint8 else 7)).astype(dtype)
    before = X.copy()
    found = expanded(tensor(X), expansion_of("flip-and-zoom")).numpy()
    assert found.dtype == dtype
    assert np.array_equal(found[:, 0], fourfold(X))
    assert np.array_equal(X, before)


@given(side=st.integers(5, 300), seed=st.integers(0, 99))
def test_every_side_is_zoomed_as_scipy_does_it(side: int, seed: int) -> None:
    image = images(1, side, 5, seed)
    large = zoom(image[0, 2:-2, 2:-2], (side / (side - 4), 5), order=0)
    assert np.array_equal(zoomed(tensor(image))[0, 0].numpy(), large)


def test_what_is_zoomed_loses_two_pixels_all_round() -> None:
    X = np.zeros((1, 32, 32), dtype=np.uint8)
    X[0, 2, 2] = X[0, 29, 29] = 9
    X[0, 1] = X[0, :, 30] = 7
    large = zoomed(tensor(X))[0, 0].numpy()
    assert set(np.unique(large)) == {0, 9}
    assert large[0, 0] == large[31, 31] == 9


def test_training_on_the_expansion_is_training_on_images_made_so(stripes: Dataset) -> None:
    """Of both parts: write-up C validates on the expansion too."""
    X, y = stripes.images[:160], stripes.labels[:160]
    X_val, y_val = stripes.images[480:], stripes.labels[480:]
    ours = quick(expansion="flip-and-zoom").fit(X, y, X_val, y_val)
    by_hand = quick().fit(fourfold(X), np.repeat(y, 4), fourfold(X_val), np.repeat(y_val, 4))
    # Scaling is fitted on the images themselves, so give it the same.
    assert ours.arrays()["0.shift"] != by_hand.arrays()["0.shift"]
    ours = quick(expansion="flip-and-zoom", scaling="none").fit(X, y, X_val, y_val)
    by_hand = quick(scaling="none").fit(
        fourfold(X), np.repeat(y, 4), fourfold(X_val), np.repeat(y_val, 4)
    )
    assert_same_weights(ours, by_hand)
    assert np.array_equal(ours.predict_proba(X_val), by_hand.predict_proba(X_val))
    assert not np.array_equal(
        ours.arrays()["1.1.weight"], quick(scaling="none").fit(X, y).arrays()["1.1.weight"]
    )


def test_images_are_expanded_after_padding() -> None:
    X, y = images(40), np.arange(40) % 4
    padded = np.pad(X, ((0, 0), (2, 2), (2, 2)))
    settings = {"expansion": "flip-and-zoom", "scaling": "none", "validation_fraction": 0}
    ours, theirs = quick(pad_to=16, **settings).fit(X, y), quick(**settings).fit(padded, y)
    assert_same_weights(ours, theirs)


def test_held_out_images_are_expanded_and_not_trained_on() -> None:
    """The share is held out before the expansion: no image is on both sides."""
    X, y = images(40), np.arange(40) % 4
    steps: list[int] = []
    quick(expansion="flip-and-zoom", batch_size=36, validation_fraction=0.1).fit(
        X, y, on_step=lambda: steps.append(1)
    )
    assert len(steps) == 2 * 36 * 4 / 36


@pytest.mark.parametrize("shape", [(4, 9), (9, 4), (1, 1)])
def test_what_is_too_small_to_be_zoomed_is_refused(shape: tuple[int, int]) -> None:
    height, width = shape
    with pytest.raises(
        RecipeError, match=f"images of {height}x{width} are too small to be zoomed"
    ) as caught:
        quick(expansion="flip-and-zoom").fit(images(8, height, width), np.arange(8) % 2)
    assert "\n" not in str(caught.value)


def test_no_expansion_gives_the_images_back() -> None:
    X = tensor(images(3))
    (same,) = expansion_of(None)
    assert same(X) is X


def test_unknown_expansions_and_views_are_refused() -> None:
    assert list(EXPANSIONS) == ["flip-and-zoom"]
    recipe = get_recipe("softmax")
    for change, message in (
        ({"expansion": "eightfold"}, "unknown expansion 'eightfold'; there are: flip-and-zoom"),
        ({"expansion": "fourfold"}, "--set expansion=flip-and-zoom trains as published"),
        (
            {"test_time_augmentation": ("flip", "turn")},
            "unknown test-time augmentation 'turn'; there are: flip, shift",
        ),
    ):
        for attempt in (
            lambda change=change: quick(**change).fit(images(8), np.arange(8) % 2),
            lambda change=change: classifier_of(replace(recipe, **change), "cpu"),
        ):
            with pytest.raises(RecipeError, match=message) as caught:
                attempt()
            assert "\n" not in str(caught.value)


# Padding


@pytest.mark.parametrize("scaling", ["none", "min-max"])
@pytest.mark.parametrize(
    ("height", "width", "side", "margins"),
    [
        (12, 12, 16, ((2, 2), (2, 2))),
        (12, 12, 15, ((1, 2), (1, 2))),  # the larger half below and to the right
        (9, 14, 14, ((2, 3), (0, 0))),
        (12, 12, 12, ((0, 0), (0, 0))),
    ],
)
def test_padding_is_what_padding_the_data_beforehand_is(
    scaling: str, height: int, width: int, side: int, margins: tuple[tuple[int, int], ...]
) -> None:
    X, y = images(60, height, width), np.arange(60) % 4
    X[:, 0, 0] = 0  # min-max then sees the same range
    X_val, y_val = images(20, height, width, seed=1), np.arange(20) % 4

    def padded(X: Images) -> Images:
        return np.pad(X, ((0, 0), *margins))

    ours = quick(pad_to=side, scaling=scaling).fit(X, y, X_val, y_val)
    by_hand = quick(scaling=scaling).fit(padded(X), y, padded(X_val), y_val)
    assert_same_weights(ours, by_hand)
    assert ours.n_parameters_ == by_hand.n_parameters_ == side * side * 16 + 16 + 16 * 4 + 4
    assert np.array_equal(ours.predict_proba(X_val), by_hand.predict_proba(padded(X_val)))
    rows = ours.predict_proba(X_val.astype(np.float64))
    assert np.array_equal(rows, ours.predict_proba(X_val))


def test_what_is_larger_than_its_frame_is_refused(stripes: Dataset, tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="images of 12x12 cannot be padded to 11x11"):
        quick(pad_to=11).fit(stripes.images, stripes.labels)
    recipe = Recipe("framed", "E1", "mlp", (Phase("sgd", 0.1, 1),), pad_to=11)
    with pytest.raises(RecipeError, match="cannot be padded to 11x11"):
        ml.train(recipe, stripes, out=tmp_path)
    assert list(tmp_path.iterdir()) == []


# Test-time augmentation


def shifted(X: Images, down: int, right: int) -> Images:
    """np.roll, and what has come round the edge is background."""
    rolled = np.roll(X, (down, right), (1, 2))
    if down:
        rolled[:, 0 if down > 0 else -1] = 0
    if right:
        rolled[:, :, 0 if right > 0 else -1] = 0
    return rolled


FLIPS = (lambda X: X, lambda X: X[..., ::-1])
SHIFTS = tuple(
    lambda X, by=by: shifted(X, *by) for by in ((0, 0), (-1, 0), (1, 0), (0, -1), (0, 1))
)


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
@pytest.mark.parametrize(
    ("names", "n_views"),
    [((), 1), (("flip",), 2), (("shift",), 5), (("flip", "shift"), 10), (("shift", "flip"), 10)],
)
@pytest.mark.parametrize("shape", [(12, 12), (9, 14)])
def test_probabilities_are_the_mean_over_views_made_by_hand(
    names: tuple[str, ...], n_views: int, dtype: type, shape: tuple[int, int]
) -> None:
    X, y = images(60, *shape).astype(dtype), np.arange(60) % 4
    classifier = quick(n_epochs=4).fit(X, y)
    flips = FLIPS if "flip" in names else FLIPS[:1]
    shifts = SHIFTS if "shift" in names else SHIFTS[:1]
    each = [
        classifier.predict_proba(np.ascontiguousarray(move(mirror(X))))
        for mirror, move in product(flips, shifts)
    ]
    assert len(each) == len(views_of(names)) == n_views
    classifier.set_params(test_time_augmentation=names)
    expected = np.mean(each, axis=0)
    np.testing.assert_allclose(classifier.predict_proba(X), expected, rtol=1e-12)
    np.testing.assert_allclose(expected.sum(1), 1, rtol=1e-12)
    assert np.array_equal(classifier.predict(X), expected.argmax(1))
    if names:
        assert np.abs(expected - each[0]).max() > 1e-3


@pytest.mark.parametrize(("down", "right"), [(1, 0), (-1, 0), (0, 1), (0, -1), (2, -1)])
def test_moved_is_moved(down: int, right: int) -> None:
    X = images(2, 6, 7)
    rolled = np.roll(X, (down, right), (1, 2))
    rows, columns = np.mgrid[:6, :7] - np.reshape((down, right), (2, 1, 1))
    inside = (rows >= 0) & (rows < 6) & (columns >= 0) & (columns < 7)
    assert np.array_equal(moved(down, right)(tensor(X))[:, 0].numpy(), np.where(inside, rolled, 0))


def test_shifts_see_the_padding_not_the_edge() -> None:
    X, y = images(40), np.arange(40) % 4
    settings = {"scaling": "none", "test_time_augmentation": ("shift",)}
    ours = quick(pad_to=14, **settings).fit(X, y)
    padded = np.pad(X, ((0, 0), (1, 1), (1, 1)))
    theirs = quick(**settings).fit(padded, y)
    assert np.array_equal(ours.predict_proba(X), theirs.predict_proba(padded))


def test_training_does_not_know_of_it(stripes: Dataset) -> None:
    X, y = stripes.images[:100], stripes.labels[:100]
    plain, several = quick(), quick(test_time_augmentation=("shift",))
    assert_same_weights(plain.fit(X, y), several.fit(X, y))


# Kept with the classifier, and all of it in a run


def test_saved_and_loaded_it_pads_and_looks_again_as_before(tmp_path: Path) -> None:
    X, y = images(60), np.arange(60) % 4
    classifier = quick(
        pad_to=16,
        expansion="flip-and-zoom",
        augmentation={"shift": 1, "mixup": 0.2},
        test_time_augmentation=("flip", "shift"),
        phases=(Phase("adam", 0.01, 2, ema_decay=0.9, label_smoothing=0.1, clip_norm=1.0),),
    ).fit(X, y)
    save_classifier(classifier, tmp_path / "model.safetensors")
    loaded = load_classifier(tmp_path / "model.safetensors")
    assert np.array_equal(loaded.predict_proba(X), classifier.predict_proba(X))
    assert loaded.pad_to == 16
    assert tuple(loaded.test_time_augmentation) == ("flip", "shift")
    assert loaded.augmentation == classifier.augmentation
    assert tuple(loaded.phases) == classifier.phases
    assert not np.array_equal(
        loaded.set_params(test_time_augmentation=()).predict_proba(X), classifier.predict_proba(X)
    )


def test_a_run_with_everything_is_evaluated_as_it_was_trained(
    stripes: Dataset, tmp_path: Path
) -> None:
    recipe = Recipe(
        "all",
        "C17",
        "cnn",
        (
            Phase("muon", 0.01, 2, "warm-up", ema_decay=0.5, monitor="loss", patience=1),
            Phase("sgd", 0.01, 2, "plateau", label_smoothing=0.1, clip_norm=1.0),
        ),
        {"channels": (3, 4), "hidden_sizes": (8,), "batch_norm": True, "channel_dropout": 0.1},
        scaling="symmetric",
        pad_to=14,
        augmentation={"shift": 1, "cutmix": 0.5},
        expansion="flip-and-zoom",
        test_time_augmentation=("flip",),
        batch_size=100,
        precision="float32",
    )
    run = ml.evaluate(ml.train(recipe, stripes, out=tmp_path), stripes)
    assert run.recipe == recipe
    assert [line["phase"] for line in run.log][-1] == 1
    opened = ml.open_run(run.path)
    assert opened.recipe.content_hash == recipe.content_hash
    found = opened.classifier("cpu").predict(stripes.images[480:])
    accuracy = float((found == stripes.labels[480:]).mean())
    assert run.result["test_accuracy"] == pytest.approx(accuracy)
    assert run.result["n_parameters"] == (
        9 * 3 + 3 + 2 * 3 + 9 * 3 * 4 + 4 + 2 * 4 + 4 * 3 * 3 * 8 + 8 + 8 * 4 + 4
    )


def test_a_view_named_twice_is_refused() -> None:
    """Every name multiplies the views: a file that names one often would fill the memory."""
    with pytest.raises(RecipeError, match="names a view twice"):
        views_of(["shift"] * 12)


def test_every_expansion_makes_as_many_images_as_it_says() -> None:
    assert {name: len(views) for name, views in EXPANSIONS.items()} == EXPANSION_FACTORS


@pytest.mark.parametrize("pad_to", [None, 15])
def test_the_page_shows_the_views_that_are_trained_on(
    stripes: Dataset, tmp_path: Path, pad_to: int | None
) -> None:
    recipe = Recipe(
        "c", "C8", "mlp", (Phase("adam", 0.01, 1),), pad_to=pad_to, expansion="flip-and-zoom"
    )
    image = stripes.images[0]
    padded = image if pad_to is None else np.pad(image, ((1, 2), (1, 2)))
    cut = padded[2:-2, 2:-2]
    zoomed_in = zoom(cut, len(padded) / len(cut), order=0)
    expected = [padded, np.fliplr(padded), zoomed_in, np.fliplr(zoomed_in)]
    np.testing.assert_array_equal(views_of_image(recipe, image), expected)
    run = evaluate(train(recipe, stripes, out=tmp_path), stripes)
    measured = read_evaluation(run, stripes)
    (section,) = expansion_sections(measured)
    (figure,) = section.figures
    assert "original, flipped, cropped, cropped and flipped" in figure.alt
    assert f"{4 * run.data['n_train']:,} in all" in figure.caption
    plain = replace(run, recipe=replace(recipe, expansion=None))
    assert expansion_sections(replace(measured, run=plain)) == ()


def test_every_view_has_a_name() -> None:
    assert {name: len(views) for name, views in EXPANSIONS.items()} == {
        name: len(names) for name, names in VIEW_NAMES.items()
    }
