"""From any picture to a network's input: the steps that made MNIST and Fashion-MNIST."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray
from PIL import Image

from mnistlab.data.preparing import CENTRE, PREPARATIONS, SIDE, ink_of, prepare, scaled
from mnistlab.errors import DataError

Levels = NDArray[np.uint8]


def stroke(height: int = 90, width: int = 70, level: int = 255) -> Levels:
    """A thick upright bar with a foot, away from the middle, on black."""
    image = np.zeros((height, width), np.uint8)
    image[10:60, 20:30] = level
    image[50:60, 20:50] = level
    return image


def centre_of_mass(image: Levels) -> tuple[float, float]:
    rows, columns = np.indices(image.shape)
    mass = image.sum(dtype=np.int64)
    return float((rows * image).sum() / mass), float((columns * image).sum() / mass)


def test_a_digit_is_twenty_pixels_high_with_its_mass_on_pixel_fourteen() -> None:
    (digit,) = prepare([stroke()], "digit")
    inked = np.flatnonzero(digit.any(axis=1))
    assert inked[-1] - inked[0] + 1 == 20
    assert np.abs(np.subtract(centre_of_mass(digit), CENTRE)).max() <= 0.5


@pytest.mark.parametrize("preparation", PREPARATIONS)
def test_neither_place_nor_polarity_nor_contrast_matter(preparation: str) -> None:
    wanted = prepare([stroke()], preparation)
    moved = np.pad(stroke(), ((30, 5), (0, 80)))
    faint = stroke(level=85)  # a third of the levels: the whole numbers come out the same
    for other in (moved, 255 - stroke(), 255 - moved, faint):
        np.testing.assert_array_equal(prepare([other], preparation), wanted)


@settings(max_examples=60)
@given(
    arrays(np.uint8, st.tuples(st.integers(1, 60), st.integers(1, 60))),
    st.sampled_from([20, 28]),
)
def test_scaling_takes_the_mean_of_an_area_as_pillow_does(image: Levels, side: int) -> None:
    ours = scaled(image.astype(np.int64), side)
    (height, width), (old_height, old_width) = ours.shape, image.shape
    assert max(height, width) == side
    # Every pixel repeated as often as there are new ones: areas of new pixels are whole blocks.
    large = image.repeat(height, axis=0).repeat(width, axis=1).astype(np.float32)
    means = np.asarray(Image.fromarray(large).reduce((old_width, old_height)))  # not rounded
    assert np.abs(ours - means).max() <= 0.5 + 1e-3  # to the nearest whole number


@settings(max_examples=100)
@given(
    arrays(np.uint8, st.tuples(st.integers(1, 40), st.integers(1, 40))),
    st.sampled_from(sorted(PREPARATIONS)),
)
def test_any_picture_gives_an_image_and_stays_as_it_was(image: Levels, preparation: str) -> None:
    before = image.copy()
    prepared = prepare([image], preparation)
    assert prepared.shape == (1, SIDE, SIDE)
    assert prepared.dtype == np.uint8
    np.testing.assert_array_equal(image, before)


def test_blank_pictures_become_black_and_none_no_images() -> None:
    assert not prepare([np.full((50, 40), 7, np.uint8)], "digit").any()
    assert prepare([], "garment").shape == (0, SIDE, SIDE)


def test_ink_lies_between_a_ground_of_nothing_and_the_brightest() -> None:
    paper = np.full((9, 9), 200, np.uint8)
    paper[4, 4] = 20
    ink = ink_of(paper)
    assert (ink.min(), ink.max(), np.count_nonzero(ink)) == (0, 255, 1)


def test_an_unknown_preparation_is_refused() -> None:
    with pytest.raises(DataError, match="unknown preparation 'letter'; there are: digit, garment"):
        prepare([stroke()], "letter")
