"""Copies and all-but-copies, planted; and the same found by comparing every pair."""

from __future__ import annotations

import io
from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from mnistlab.auditing import duplicates as module
from mnistlab.auditing.duplicates import (
    MAX_DISTANCE,
    blank_images,
    contrast,
    find_duplicates,
    first_copies,
)
from mnistlab.data import Dataset, load

N, N_TRAIN = 700, 600

Images = NDArray[np.uint8]


@pytest.fixture(scope="module")
def mini() -> Dataset:
    return load("fashion-mini")


@pytest.fixture(scope="module")
def images(mini: Dataset) -> Images:
    """700 garments of which no two are near each other."""
    chosen = mini.images[np.flatnonzero(find_duplicates(mini.images).twin < 0)][:N]
    assert (find_duplicates(chosen, max_distance=0.12).twin < 0).all()
    return chosen


def noisy(image: Images) -> Images:
    noise = np.random.default_rng(0).normal(0, 4, image.shape)
    return np.clip(image + noise, 0, 255).astype(np.uint8)


def darker(image: Images) -> Images:
    return (image * 0.6).astype(np.uint8)


def paler(image: Images) -> Images:
    return (image * 0.5 + 100).astype(np.uint8)


def as_jpeg(image: Images) -> Images:
    file = io.BytesIO()
    Image.fromarray(image).save(file, "JPEG", quality=90)
    return np.asarray(Image.open(file))


def retouched(image: Images) -> Images:
    changed = image.copy()
    changed[13:15, 13:15] ^= 31
    return changed


def mirrored(image: Images) -> Images:
    return image[:, ::-1]


def moved(image: Images) -> Images:
    return np.roll(image, 2, axis=1)


@pytest.mark.parametrize(
    "change", [noisy, darker, paler, as_jpeg, retouched], ids=lambda f: f.__name__
)
def test_a_slightly_changed_copy_is_found(
    change: Callable[[Images], Images], images: Images
) -> None:
    changed = images.copy()
    changed[650] = change(images[20])
    found = find_duplicates(changed, N_TRAIN)
    assert found.places.tolist() == [650]
    assert found.twin[650] == 20
    assert not found.is_exact.any()
    assert 0 < found.distance[650] < MAX_DISTANCE


@pytest.mark.parametrize("change", [mirrored, moved], ids=lambda f: f.__name__)
def test_what_is_another_image_is_not(change: Callable[[Images], Images], images: Images) -> None:
    changed = images.copy()
    changed[650] = change(images[20])
    assert not len(find_duplicates(changed, N_TRAIN).places)


def test_exact_copies(images: Images) -> None:
    changed = images.copy()
    changed[[30, 400, 650, 660]] = images[[20, 20, 20, 21]]
    found = find_duplicates(changed, N_TRAIN)
    assert found.places.tolist() == [30, 400, 650, 660]
    assert found.twin[[30, 400, 650, 660]].tolist() == [20, 20, 20, 21]
    assert found.is_exact[found.places].all()
    assert (found.distance[found.places] == 0).all()
    assert np.isinf(found.distance[found.twin < 0]).all()


def test_a_copy_with_more_contrast_is_near_and_not_exact(images: Images) -> None:
    changed = images.copy()
    changed[5] = images[5] // 2
    changed[6] = changed[5] * 2
    found = find_duplicates(changed)
    assert (found.places.tolist(), found.twin[6]) == ([6], 5)
    assert not found.is_exact[6]
    assert found.distance[6] == pytest.approx(0, abs=1e-6)


def test_a_twin_among_the_training_images_comes_first(images: Images) -> None:
    changed = images.copy()
    changed[620] = noisy(images[20])
    changed[650] = changed[620]  # the same as 620, and near 20
    apart, together = find_duplicates(changed, N_TRAIN), find_duplicates(changed)
    assert apart.twin[[620, 650]].tolist() == [20, 20]
    assert not apart.is_exact.any()
    assert together.twin[[620, 650]].tolist() == [20, 620]
    assert together.is_exact.nonzero()[0].tolist() == [650]
    assert find_duplicates(changed, 640).twin[[620, 650]].tolist() == [20, 620]


def test_keeping_what_has_no_twin_keeps_one_of_each(images: Images) -> None:
    random = np.random.default_rng(3)
    changed = images.copy()
    for place in random.choice(np.arange(100, N), 150, replace=False):
        changed[place] = noisy(images[random.integers(40)]) + random.integers(0, 2, dtype=np.uint8)
    found = find_duplicates(changed, N_TRAIN)
    assert len(found.places) > 100
    kept = changed[found.twin < 0]
    assert not len(find_duplicates(kept).places)


@pytest.mark.parametrize("rows_at_once", [64, 1024])
@pytest.mark.parametrize("max_distance", [0.1, 0.4])
def test_it_is_what_comparing_every_pair_finds(
    max_distance: float, rows_at_once: int, images: Images, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "ROWS_AT_ONCE", rows_at_once)
    changed = images.copy()
    changed[[300, 650]] = noisy(images[20]), images[21]
    rows = changed.reshape(N, -1).astype(float)
    distances = np.sqrt(np.maximum(2 - 2 * np.corrcoef(rows), 0))
    found = find_duplicates(changed, N_TRAIN, max_distance)
    for place in range(N):
        among = np.flatnonzero(distances[place, :place] <= max_distance)
        if place >= N_TRAIN and (among < N_TRAIN).any():
            among = among[among < N_TRAIN]
        if len(among):
            nearest = among[distances[place, among].argmin()]
            assert found.twin[place] == nearest
            assert found.distance[place] == pytest.approx(distances[place, nearest], abs=1e-6)
        else:
            assert found.twin[place] == -1
    assert len(found.places) == 2 if max_distance == 0.1 else len(found.places) > 100


@pytest.mark.parametrize("shape", [(8, 8), (13, 31), (64, 40), (1, 200)])
def test_images_of_any_size_and_all_fine_structure(shape: tuple[int, int]) -> None:
    random = np.random.default_rng(0)
    noise = random.integers(0, 256, (90, *shape), dtype=np.uint8)
    noise[70] = noise[10] ^ 1
    noise[80] = noise[11]
    found = find_duplicates(noise, 60)
    assert found.places.tolist() == [70, 80]
    assert found.twin[[70, 80]].tolist() == [10, 11]
    assert found.is_exact[80]
    # Squares that average to nothing, on which a sketch says nothing at all.
    checks = np.zeros((6, 56, 56), dtype=np.uint8)
    checks[:3, ::2], checks[3:, :, ::2] = 200, 200
    checks[2, 0, 0] ^= 9
    checks[5] //= 2
    assert find_duplicates(checks).twin.tolist() == [-1, 0, 0, -1, 3, 3]


def test_sketches_are_as_far_apart_as_images_or_less(images: Images) -> None:
    coarse = images[:40, ::2, ::2].repeat(2, axis=1).repeat(2, axis=2)
    for some, is_same in ((coarse, True), (images[:40], False)):
        left, right = module._sketches(some, np.zeros(40, dtype=bool))
        of_sketches = -2 * (left @ right.T)
        of_images = 2 - 2 * np.corrcoef(some.reshape(40, -1).astype(float))
        assert np.allclose(of_sketches, of_images, atol=1e-5) == is_same
        assert (of_sketches <= of_images + 1e-5).all()


def test_first_copies(images: Images) -> None:
    few = images[[4, 7, 4, 9, 7, 4]]
    assert first_copies(few).tolist() == [0, 1, 0, 3, 1, 0]
    assert first_copies(few.transpose(0, 2, 1)).tolist() == [0, 1, 0, 3, 1, 0]
    assert first_copies(few[:1]).tolist() == [0]


def test_contrast_is_the_deviation_of_the_pixels(images: Images) -> None:
    wanted = [image.astype(float).std() for image in images[:1500]]
    np.testing.assert_allclose(contrast(images[:1500]), wanted)


def test_blank_images_are_found_and_are_nobody_s_twin(images: Images) -> None:
    changed = images.copy()
    changed[3], changed[4], changed[650] = 0, 255, 0
    changed[5] = 7
    changed[5, 10, 10] = 255  # one bad pixel
    changed[8] = 9
    changed[8, 10, 10] = 255  # of the same camera
    changed[6] = np.random.default_rng(0).integers(0, 9, (28, 28))  # the noise of a dark camera
    assert np.flatnonzero(blank_images(changed)).tolist() == [3, 4, 5, 6, 8, 650]
    assert not len(find_duplicates(changed, N_TRAIN).places)


def test_dim_images_are_not_blank(images: Images) -> None:
    assert not blank_images(images).any()
    assert not blank_images(images // 16).any()
    assert blank_images(np.full((3, 8, 8), 9, dtype=np.uint8)).all()


def test_nothing_is_written_to(images: Images) -> None:
    before = images.copy()
    images.flags.writeable = False
    find_duplicates(images, N_TRAIN)
    images.flags.writeable = True
    np.testing.assert_array_equal(images, before)
