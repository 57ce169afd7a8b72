from __future__ import annotations

import subprocess
import sys
import zlib
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.ndimage import binary_propagation, label

from mnistlab.data import Dataset, load
from mnistlab.errors import DataError, RecipeError
from mnistlab.evaluation.corruptions import (
    CORRUPTIONS,
    FAMILIES,
    SEVERITIES,
    corrupted,
    mean_corruption_error,
)
from mnistlab.evaluation.corruptions.edges import _connected, _ridges, canny
from mnistlab.evaluation.corruptions.geometry import read_at
from mnistlab.evaluation.corruptions.pixels import places

WITHOUT_DRAWS = {"scale", "brightness", "canny-edges"}
every_corruption = pytest.mark.parametrize("name", CORRUPTIONS)
sides = st.integers(8, 20)
stacks = arrays(np.uint8, st.tuples(st.integers(0, 4), sides, sides))


@pytest.fixture(scope="module")
def fashion() -> Dataset:
    return load("fashion-mini")


@pytest.fixture(scope="module")
def dot() -> np.ndarray:
    """40 images of one white pixel, 10 above the middle of 41 x 41 black ones."""
    images = np.zeros((40, 41, 41), np.uint8)
    images[:, 10, 20] = 255
    return images


def centroids(images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rows down and columns right of the middle, each (N,)."""
    light = images.sum(axis=(1, 2), dtype=float)
    rows, columns = places(images)
    return (images * rows).sum(axis=(1, 2)) / light, (images * columns).sum(axis=(1, 2)) / light


@every_corruption
@settings(max_examples=15, deadline=None)
@given(images=stacks, severity=st.sampled_from(SEVERITIES), seed=st.integers(0, 2**40))
def test_any_images_keep_shape_and_dtype_and_are_not_touched(
    name: str, images: np.ndarray, severity: int, seed: int
) -> None:
    images.flags.writeable = False
    result = corrupted(images, name, severity, seed)
    assert result.shape == images.shape
    assert result.dtype == np.uint8
    assert np.array_equal(result, corrupted(images.copy(), name, severity, seed))
    straight = CORRUPTIONS[name](images[:0], severity, np.random.default_rng(seed))
    assert straight.shape == (0, *images.shape[1:])


@every_corruption
@settings(max_examples=15, deadline=None)
@given(value=st.integers(0, 255), height=sides, width=sides, severity=st.sampled_from(SEVERITIES))
def test_blank_images_go_through(
    name: str, value: int, height: int, width: int, severity: int
) -> None:
    blank = np.full((3, height, width), value, np.uint8)
    result = corrupted(blank, name, severity, seed=1)
    assert result.shape == blank.shape
    if "blur" in name:
        assert np.array_equal(result, blank)
    if name == "canny-edges" and severity == 5:
        assert not result.any()


@every_corruption
def test_distance_from_the_clean_image_grows_with_severity(name: str, fashion: Dataset) -> None:
    clean = fashion.images[:300]
    results = [corrupted(clean, name, severity, seed=0) for severity in SEVERITIES]
    distances = [np.abs(result - clean.astype(float)).mean() for result in results]
    assert distances[0] > 1
    for milder, harder in pairwise(distances):
        assert harder > 1.05 * milder


@every_corruption
def test_severity_five_is_harder_than_one(name: str, fashion: Dataset) -> None:
    n = fashion.n_official_train
    known = fashion.images[:1000].reshape(1000, -1).astype(np.float32)
    asked, labels = fashion.images[n : n + 250], fashion.labels[n : n + 250]
    half_squares = (known**2).sum(axis=1) / 2
    n_right = {}
    for severity in (1, 5):
        flat = corrupted(asked, name, severity, seed=0).reshape(250, -1).astype(np.float32)
        nearest = np.argmin(half_squares - flat @ known.T, axis=1)
        n_right[severity] = int((fashion.labels[nearest] == labels).sum())
    assert n_right[1] > 125
    assert n_right[5] < n_right[1] - 5


@every_corruption
def test_seeds_and_images_draw_their_own(name: str) -> None:
    image = np.random.default_rng(0).integers(0, 256, (24, 24), dtype=np.uint8)
    images = np.repeat(image[None], 8, axis=0)
    first, second = (corrupted(images, name, 3, seed) for seed in (0, 1))
    assert np.array_equal(first, second) == (name in WITHOUT_DRAWS)
    assert all(np.array_equal(first[0], other) for other in first) == (name in WITHOUT_DRAWS)


@every_corruption
def test_an_image_does_not_depend_on_how_many_come_after_it(name: str) -> None:
    images = np.random.default_rng(0).integers(0, 256, (520, 9, 8), dtype=np.uint8)
    whole = corrupted(images, name, 4, seed=7)
    for k in (1, 3, 250, 251, 519):
        assert np.array_equal(corrupted(images[:k], name, 4, seed=7), whole[:k])


def test_seeding_is_the_same_in_every_process() -> None:
    # Another value here changes every robustness figure reported before.
    noisy = corrupted(np.full((3, 28, 28), 128, np.uint8), "impulse-noise", 3, seed=2019)
    assert zlib.crc32(noisy.tobytes()) == 47934502


def test_neither_torch_nor_scipy_is_loaded() -> None:
    check = (
        "import mnistlab.evaluation.corruptions, sys; print({'torch', 'scipy'} & {*sys.modules})"
    )
    done = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


def test_what_there_is_not() -> None:
    images = np.zeros((1, 8, 8), np.uint8)
    with pytest.raises(RecipeError, match=r"^unknown corruption 'snow'; there are: shot-noise, "):
        corrupted(images, "snow", 1, 0)
    for severity in (0, 6):
        with pytest.raises(RecipeError, match=f"^severity of fog must be 1 to 5, got {severity}$"):
            corrupted(images, "fog", severity, 0)
    with pytest.raises(RecipeError, match=r"^seed must not be negative, got -1$"):
        corrupted(images, "fog", 1, -1)
    for wrong in (images[0], images.astype(np.float32)):
        with pytest.raises(DataError, match=r"^images must be uint8 \(N, H, W\), got "):
            corrupted(wrong, "fog", 1, 0)  # type: ignore[arg-type]


def test_shot_noise_counts_photons() -> None:
    grey = np.full((200, 28, 28), 102, np.uint8)  # 0.4 of white: 4 of 10 photons
    counts = corrupted(grey, "shot-noise", 3, 0) / 25.5
    assert counts[counts < 10].mean() == pytest.approx(3.95, abs=0.02)
    assert counts.var() == pytest.approx(4, rel=0.03)
    assert not corrupted(np.zeros_like(grey), "shot-noise", 5, 0).any()


def test_impulse_noise_is_half_salt_half_pepper() -> None:
    noisy = corrupted(np.full((300, 28, 28), 9, np.uint8), "impulse-noise", 4, 0)
    assert set(np.unique(noisy)) == {0, 9, 255}
    for value in (0, 255):
        assert (noisy == value).mean() == pytest.approx(0.12, abs=0.003)


def test_reading_between_pixels() -> None:
    images = np.random.default_rng(3).integers(0, 256, (5, 9, 12), dtype=np.uint8)
    rows, columns = places(images)
    assert np.array_equal(read_at(images, rows, columns), images)
    right = np.arange(5, dtype=np.float32).reshape(5, 1, 1)
    moved = read_at(images, rows, columns + right)
    for shift, before, after in zip(range(5), images, moved, strict=True):
        assert np.array_equal(after[:, : 12 - shift], before[:, shift:])
        assert not after[:, 12 - shift :].any()
    between = read_at(images, rows + np.float32(0.25), columns)[:, :-1]
    assert np.allclose(between, 0.75 * images[:, :-1] + 0.25 * images[:, 1:])
    assert not read_at(images, rows - 1e9, columns).any()


def test_rotation_turns_by_one_angle_either_way(dot: np.ndarray) -> None:
    rows, columns = centroids(corrupted(dot, "rotation", 4, 0))
    degrees = np.degrees(np.arctan2(columns, -rows))
    assert np.hypot(rows, columns) == pytest.approx(10, abs=0.3)
    assert np.abs(degrees) == pytest.approx(48, abs=2)
    assert {*np.sign(degrees)} == {-1, 1}


def test_shear_moves_rows_sideways(dot: np.ndarray) -> None:
    rows, columns = centroids(corrupted(dot, "shear", 2, 0))
    assert rows == pytest.approx(-10, abs=0.01)
    assert np.abs(columns) == pytest.approx(4, abs=0.01)
    assert {*np.sign(columns)} == {-1, 1}


def test_translation_moves_whole_pixels_in_all_directions(dot: np.ndarray) -> None:
    moved = corrupted(dot, "translation", 5, 0)
    assert [int(image.sum()) for image in moved] == [255] * 40
    rows, columns = centroids(moved)
    length = 0.215 * 41
    assert np.hypot(rows + 10, columns) == pytest.approx(length, abs=0.75)
    quarters = {(down, right) for down, right in zip(rows > -10, columns > 0, strict=True)}
    assert len(quarters) == 4
    tiny = np.zeros((50, 8, 8), np.uint8)
    tiny[:, 4, 4] = 255
    assert not corrupted(tiny, "translation", 1, 0)[:, 4, 4].any()


def test_scale_shrinks_about_the_middle() -> None:
    square = np.zeros((1, 40, 60), np.uint8)
    square[:, 10:30, 20:40] = 200
    small = corrupted(square, "scale", 4, 0)
    assert np.array_equal(
        small > 99, np.pad(np.full((1, 10, 10), True), ((0, 0), (15,) * 2, (25,) * 2))
    )


def test_motion_blur_draws_a_pixel_into_a_line(dot: np.ndarray) -> None:
    blurred = corrupted(dot, "motion-blur", 3, 0).astype(float)
    light = blurred.sum(axis=(1, 2))
    assert light == pytest.approx(255, abs=15)  # bytes are rounded
    rows, columns = places(dot)
    down, right = (rows + 10) * np.ones_like(columns), columns * np.ones_like(rows)
    spread = np.einsum("nhw,ahw,bhw->nab", blurred, [down, right], [down, right])
    narrow, wide = np.linalg.eigvalsh(spread / light[:, None, None]).T
    length = 0.26 * 41
    assert wide == pytest.approx(length**2 / 12, rel=0.12)  # variance of a line
    assert narrow.max() < 0.4
    assert len({tuple(image.ravel()) for image in blurred}) > 8  # directions


def test_glass_blur_reads_from_nearby() -> None:
    half = np.zeros((20, 30, 30), np.uint8)
    half[:, :, 15:] = 255
    blurred = corrupted(half, "glass-blur", 5, 0)
    reach = 4 + 3  # of reading, and of smoothing
    assert not blurred[:, :, : 15 - reach].any()
    assert (blurred[:, :, 15 + reach :] == 255).all()
    column = blurred[:, :, 14]
    assert column.std() > 40  # ragged, not smooth


def test_brightness_adds_and_cuts_off() -> None:
    image = np.array([[[0, 100, 250, 255]]], np.uint8)
    assert corrupted(image, "brightness", 1, 0).tolist() == [[[31, 131, 255, 255]]]


@pytest.mark.parametrize("severity", SEVERITIES)
def test_fog_whitens_and_never_darkens(severity: int, fashion: Dataset) -> None:
    clean = fashion.images[:50]
    foggy = corrupted(clean, "fog", severity, 0)
    assert (foggy >= clean).all()
    black = corrupted(np.zeros_like(clean), "fog", severity, 0)
    densest = (0.35, 0.5, 0.64, 0.77, 0.9)[severity - 1]
    assert black.min(axis=(1, 2)).tolist() == [0] * 50
    assert black.max(axis=(1, 2)).tolist() == [round(255 * densest)] * 50
    rough = np.abs(np.diff(black.astype(float), axis=2)).mean()
    assert rough < 0.3 * black.std()  # clouds, not noise


def test_spatter_covers_its_share_of_each_image() -> None:
    for value in (0, 255):
        clean = np.full((30, 40, 40), value, np.uint8)
        touched = (corrupted(clean, "spatter", 4, 0) != clean).mean(axis=(1, 2))
        assert touched == pytest.approx(0.25, abs=0.02)


def test_stripe_inverts_neighbouring_columns(fashion: Dataset) -> None:
    clean = np.repeat(fashion.images[:1], 300, axis=0)
    striped = corrupted(clean, "stripe", 3, 0)
    changed = (striped != clean).any(axis=1)  # (N, W)
    assert changed.sum(axis=1).tolist() == [6] * 300
    assert (np.diff(changed.astype(int), axis=1, prepend=0) == 1).sum(axis=1).tolist() == [1] * 300
    assert changed.any(axis=0).all()  # anywhere
    at = np.broadcast_to(changed[:, None], clean.shape)
    assert np.array_equal(striped[at], 255 - clean[at])


def test_lines_are_white_and_cross_the_image(fashion: Dataset) -> None:
    clean = fashion.images[:50]
    for name in ("dotted-line", "zigzag"):
        assert (corrupted(clean, name, 3, 0) >= clean).all()
        assert corrupted(clean, name, 3, 0).max(axis=(1, 2)).tolist() == [255] * 50
    black = np.zeros((20, 64, 64), np.uint8)
    whole = np.ones((3, 3))
    for zigzag, dots in zip(
        corrupted(black, "zigzag", 2, 0), corrupted(black, "dotted-line", 2, 0), strict=True
    ):
        _, n_strokes = label(zigzag > 64, whole)
        _, n_dots = label(dots > 64, whole)
        assert n_strokes <= 2  # a corner may be cut off by the edge
        assert 4 <= n_dots <= 10
        assert (zigzag > 64).any(axis=0).mean() + (zigzag > 64).any(axis=1).mean() > 0.8


def test_canny_edges_are_thin_lines_where_the_image_changes() -> None:
    step = np.zeros((1, 16, 20), np.uint8)
    step[:, :, 9:] = 255
    found = canny(step)
    assert found.sum(axis=2).tolist() == [[1] * 16]
    assert found[:, :, 8:10].any(axis=2).all()
    assert np.array_equal(corrupted(step, "canny-edges", 5, 0), 255 * found)
    row, column = np.ogrid[-20:21, -20:21]
    disc = np.uint8(255) * (np.hypot(row, column) < 12)[None]
    ring = canny(disc)[0]
    assert np.abs(np.hypot(row, column)[ring] - 11.5).max() < 1.2
    assert label(~ring)[1] == 2  # closed: it parts the inside from the outside
    assert not canny(disc // 16).any()


def test_gradients_are_those_of_a_slope_in_any_direction() -> None:
    row, column = np.ogrid[:24, :24]
    for down, right in ((0, 6), (4, 0), (3, 4), (4, -3)):
        slope = np.uint8(120 + down * (row - 12) + right * (column - 12))[None]
        magnitude, _ = _ridges(slope)
        inside = magnitude[0, 6:-6, 6:-6]
        assert inside == pytest.approx(2 * np.hypot(down, right) / 255, rel=1e-4)


@settings(max_examples=60, deadline=None)
@given(arrays(np.uint8, st.tuples(st.integers(1, 3), sides, sides), elements=st.integers(0, 90)))
def test_canny_edges_of_a_stack_are_those_of_each_image(images: np.ndarray) -> None:
    assert np.array_equal(canny(images), np.concatenate([canny(image[None]) for image in images]))


@given(arrays(np.uint8, (3, 9, 9), elements=st.sampled_from([0, 0, 0, 1, 1, 2])))
def test_hysteresis_is_propagation_within_each_image(strength: np.ndarray) -> None:
    found = _connected(strength >= 1, strength == 2)
    for one, kept in zip(strength, found, strict=True):
        expected = binary_propagation(one == 2, structure=np.ones((3, 3)), mask=one >= 1)
        assert np.array_equal(kept, expected)


def test_mean_corruption_error() -> None:
    errors = {"fog": [0.1, 0.2, 0.3], "scale": [0.2, 0.4, 0.6]}
    baseline = {"scale": [0.2, 0.2, 0.2], "fog": [0.3, 0.4, 0.5], "shear": [0.0, 0.0, 0.0]}
    assert mean_corruption_error(errors, baseline) == pytest.approx((0.6 / 1.2 + 1.2 / 0.6) / 2)
    assert mean_corruption_error(errors, errors) == 1
    assert mean_corruption_error(errors, None) == pytest.approx((0.2 + 0.4) / 2)
    assert mean_corruption_error({"fog": [0.5], "scale": [0.1, 0.3]}) == pytest.approx(0.35)


def test_mean_corruption_error_of_what_cannot_be_compared() -> None:
    with pytest.raises(RecipeError, match="needs one corruption"):
        mean_corruption_error({})
    with pytest.raises(RecipeError, match="needs one corruption"):
        mean_corruption_error({"fog": []})
    for baseline in ({}, {"fog": [0.1]}):
        with pytest.raises(
            RecipeError, match=r"^the baseline has no errors on fog at 2 severities"
        ):
            mean_corruption_error({"fog": [0.1, 0.2]}, baseline)
    with pytest.raises(RecipeError, match=r"^the baseline makes no error on fog"):
        mean_corruption_error({"fog": [0.1, 0.2]}, {"fog": [0, 0]})


def test_every_corruption_is_of_one_family() -> None:
    listed = [name for names in FAMILIES.values() for name in names]
    assert sorted(listed) == sorted(CORRUPTIONS)
