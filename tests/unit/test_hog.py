"""Histograms of oriented gradients, in NumPy and in torch."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from sklearn.base import clone

import mnistlab as ml
from mnistlab.data.hog import CELL, LEAST_STRENGTH, N_DIRECTIONS, hog, n_features
from mnistlab.errors import RecipeError, RunError
from mnistlab.exporting.modules import module_of
from mnistlab.exporting.program import program_of
from mnistlab.models.hog import HistogramsOfGradients


def pictures(n: int = 6, height: int = 8, width: int = 12) -> np.ndarray:
    return np.random.default_rng(0).random((n, height, width))


def strengths(images: np.ndarray) -> np.ndarray:
    """(N, 12, rows, columns): the features before their roots."""
    shape = (len(images), N_DIRECTIONS, -(-images.shape[1] // CELL), -(-images.shape[2] // CELL))
    return hog(images).reshape(shape) ** 2 - LEAST_STRENGTH


def by_angles(image: np.ndarray) -> np.ndarray:
    """The same from the angle and the length of each pixel's gradient, pixel by pixel."""
    padded = np.pad(image, 1)
    rows, columns = image.shape[0] // CELL, image.shape[1] // CELL
    found = np.zeros((N_DIRECTIONS, rows, columns))
    for y, x in np.ndindex(image.shape):
        along = padded[y + 1, x + 2] - padded[y + 1, x]
        down = padded[y + 2, x + 1] - padded[y, x + 1]
        for k in range(N_DIRECTIONS):
            apart = math.cos(math.atan2(down, along) - 2 * math.pi * k / N_DIRECTIONS)
            limit = math.cos(2 * math.pi / N_DIRECTIONS)
            vote = max(0.0, (apart - limit) / (1 - limit)) * math.hypot(along, down)
            found[k, y // CELL, x // CELL] += vote / CELL**2
    return found


def test_every_pixel_votes_for_the_two_directions_nearest_to_its_gradient() -> None:
    images = pictures(2)
    wanted = np.stack([by_angles(image) for image in images])
    np.testing.assert_allclose(strengths(images), wanted, atol=1e-5)
    columns = np.arange(12.0)[None, None].repeat(12, 1)  # grey levels that rise to the right
    inside = strengths(columns)[0, :, 1, 1]
    assert inside[0] == pytest.approx(2)
    assert inside[1:] == pytest.approx(0)


@pytest.mark.parametrize("shape", [(8, 12), (28, 28), (9, 5), (1, 30), (3, 3)])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_torch_has_the_same_numbers(shape: tuple[int, int], dtype: type) -> None:
    images = pictures(5, *shape).astype(dtype)
    rows = hog(images)
    assert (rows.shape, rows.dtype) == ((5, n_features(shape)), dtype)
    theirs = HistogramsOfGradients()(torch.from_numpy(images[:, None])).numpy()
    np.testing.assert_allclose(rows, theirs, atol=1e-5 if dtype == np.float32 else 1e-12)


def test_a_quarter_turn_moves_directions() -> None:
    images = pictures(3, 8, 8)
    turned = strengths(np.rot90(images, axes=(1, 2)))  # what rose to the right now rises upwards
    moved = np.roll(strengths(images), -N_DIRECTIONS // 4, axis=1)
    np.testing.assert_allclose(turned, np.rot90(moved, axes=(2, 3)), atol=1e-9)


def test_images_have_one_answer_alone_and_in_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    images = pictures(7).astype(np.float32)
    together = hog(images)
    monkeypatch.setattr("mnistlab.data.hog.BLOCK_PIXELS", 2 * 96)
    np.testing.assert_array_equal(hog(images), together)
    np.testing.assert_array_equal(hog(images[3:4]), together[3:4])
    assert hog(images[:0]).shape == (0, n_features((8, 12)))


def test_a_machine_on_gradients_is_better_on_garments() -> None:
    split = ml.split(ml.load("fashion-mini"), "train-test")
    X, y = split.train.images[:1500], split.train.labels[:1500]
    pixels = ml.SVMClassifier(C=10).fit(X, y).score(split.test.images, split.test.labels)
    machine = ml.SVMClassifier(C=10, features="hog").fit(X, y)
    assert machine.score(split.test.images, split.test.labels) > pixels + 0.01
    assert clone(machine).features == "hog"


def test_unknown_features_are_named() -> None:
    with pytest.raises(RecipeError, match="unknown features 'sift'; there are: pixels, hog"):
        ml.SVMClassifier(features="sift").fit(pictures(), [0, 1] * 3)


def test_an_exported_machine_has_the_same_probabilities_and_no_page() -> None:
    data = ml.load("digits").take(slice(300))
    machine = ml.SVMClassifier(calibrated=True, features="hog", random_state=0)
    machine.fit(data.images[:200], data.labels[:200])
    module = module_of(machine, None)
    logits = module.network(torch.from_numpy(data.images[200:, None]).float())
    wanted = machine.predict_proba(data.images[200:])
    np.testing.assert_allclose(logits.exp().numpy(), wanted, atol=1e-5)
    with pytest.raises(RunError, match=r"gradients is not for a page; export to a \.onnx file"):
        program_of(module)
