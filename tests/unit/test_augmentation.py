"""Each augmentation does what it says, to whole batches, from its own seed."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Generator, Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

import mnistlab as ml
from mnistlab.classifiers import TorchClassifier
from mnistlab.data import Dataset
from mnistlab.errors import RecipeError
from mnistlab.phases import Phase
from mnistlab.recipe import Recipe
from mnistlab.recipes import get_recipe
from mnistlab.runs import classifier_of
from mnistlab.runs.building import check_mirrors
from mnistlab.studies import get_study
from mnistlab.training import augmentation
from mnistlab.training.augmentation import AUGMENTATIONS, MIXTURES, augmenter, check
from mnistlab.training.loop import Examples, Settings, train

# One usual strength of each.
STRENGTHS = {
    "flip": 0.5,
    "shift": 2,
    "translation": 0.2,
    "zoom": 0.3,
    "rotation": 20,
    "shear": 0.3,
    "elastic": 1,
    "erasing": 1,
    "cutout": 5,
    "mixup": 0.4,
    "cutmix": 1,
}
# Those that only move, choose or overwrite whole pixels.
EXACT = ("flip", "shift", "translation", "erasing", "cutout", "cutmix")
SHAPES = [(6, 1, 12, 12), (5, 1, 9, 14), (4, 1, 15, 8), (1, 1, 11, 11), (1, 1, 1, 1)]


def seeded(seed: int = 0) -> Generator:
    return Generator().manual_seed(seed)


def batch(shape: tuple[int, ...] = (6, 1, 12, 12), dtype: torch.dtype = torch.uint8) -> Tensor:
    return torch.randint(0, 256, shape, generator=seeded(9)).to(dtype)


def apply(name: str, X: Tensor, strength: float | None = None, seed: int = 0) -> Tensor:
    strength = STRENGTHS[name] if strength is None else strength
    if name in MIXTURES:
        return MIXTURES[name].apply(X, strength, seeded(seed))[0]
    return AUGMENTATIONS[name].apply(X, strength, seeded(seed))


def always_most(monkeypatch: pytest.MonkeyPatch, sign: int = 1) -> None:
    """Every number that would lie between -most and most is the end of that range."""
    monkeypatch.setattr(
        augmentation, "_between", lambda X, most, random: torch.full((len(X),), sign * most)
    )


every_one = pytest.mark.parametrize("name", STRENGTHS)


def test_every_augmentation_is_tested_and_used_by_the_study() -> None:
    assert STRENGTHS.keys() == {*AUGMENTATIONS, *MIXTURES}
    arms = get_study("augmentation").arms
    assert [list(arm.recipe.augmentation) for arm in arms] == [[], *([n] for n in STRENGTHS)]
    for arm in arms:
        check(arm.recipe.augmentation)


# What all have in common


@every_one
@pytest.mark.parametrize("dtype", [torch.uint8, torch.float32])
@pytest.mark.parametrize("shape", SHAPES)
def test_shape_stays_and_the_batch_is_not_written_to(
    name: str, dtype: torch.dtype, shape: tuple[int, ...]
) -> None:
    X = batch(shape, dtype)
    kept = X.clone()
    augmented = apply(name, X)
    assert augmented.shape == X.shape
    assert augmented.dtype == (dtype if name in EXACT else torch.float32)
    assert torch.equal(X, kept)
    assert augmented.data_ptr() != X.data_ptr()
    assert augmented.min() >= 0
    assert augmented.max() <= 255.01


@every_one
def test_no_memory_is_shared_with_the_batch_even_where_nothing_happens(name: str) -> None:
    X = batch()
    augmented = apply(name, X, 0 if name in AUGMENTATIONS else 1e-9)
    kept = X.clone()
    augmented.fill_(7)
    assert torch.equal(X, kept)


@pytest.mark.parametrize("name", AUGMENTATIONS)
def test_strength_zero_changes_nothing(name: str) -> None:
    for shape in SHAPES:
        X = batch(shape)
        torch.testing.assert_close(apply(name, X, 0).float(), X.float(), rtol=0, atol=1e-3)


@every_one
def test_strength_zero_is_not_applied(name: str) -> None:
    assert augmenter({name: 0}, 10, seed=0) is None
    assert augmenter({}, 10, seed=0) is None
    X, y = batch(), torch.arange(6)
    both = augmenter({name: 0, "shift": 2}, 6, seed=0) if name != "shift" else None
    if both:
        assert torch.equal(both(X, y)[0], apply("shift", X))


@every_one
def test_same_seed_same_batch_whatever_else_is_drawn(name: str) -> None:
    X, y = batch(), torch.arange(6)
    batches = []
    for noise in (1, 2):
        torch.manual_seed(noise)
        np.random.seed(noise)  # noqa: NPY002
        augment = augmenter({name: STRENGTHS[name]}, 6, seed=5)
        state = torch.random.get_rng_state()
        batches.append([augment(X, y) for _ in range(3)])
        assert torch.equal(state, torch.random.get_rng_state())
    for (some, targets), (other, others) in zip(*batches, strict=True):
        assert torch.equal(some, other)
        assert torch.equal(targets, others)
    first, second, third = (images for images, _ in batches[0])
    assert not torch.equal(first, second) or not torch.equal(second, third)
    another = augmenter({name: STRENGTHS[name]}, 6, seed=6)
    assert any(not torch.equal(another(X, y)[0], images) for images, _ in batches[0])


@pytest.mark.parametrize("name", [name for name in STRENGTHS if name != "mixup"])
def test_every_image_draws_its_own_numbers(name: str) -> None:
    X = batch((1, 1, 12, 12)).expand(40, 1, 12, 12).clone()
    if name == "cutmix":  # equal images would not show it
        X[20:] = 255 - X[20:]
    augmented = apply(name, X)
    n_different = len({image.numpy().tobytes() for image in augmented})
    assert n_different > (1 if name == "flip" else 10)


class Counter(TorchDispatchMode):
    """How many operations torch is asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.n_operations = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        self.n_operations += 1
        return func(*args, **(kwargs or {}))


@every_one
def test_nothing_is_done_per_image(name: str) -> None:
    """A batch of 512 takes as many operations as one of 8, only larger ones."""
    counts = []
    for n in (8, 512):
        augment = augmenter({name: STRENGTHS[name]}, 4, seed=0)
        X, y = batch((n, 1, 12, 12)), torch.arange(n) % 4
        with Counter() as counter:
            augment(X, y)
        counts.append(counter.n_operations)
    assert counts[0] == counts[1] > 0


@every_one
def test_a_batch_that_is_not_contiguous_is_taken(name: str) -> None:
    X = batch((6, 12, 12, 1)).permute(0, 3, 2, 1)
    assert not X.is_contiguous()
    torch.testing.assert_close(apply(name, X), apply(name, X.contiguous()))


# Flip and shift


@pytest.mark.parametrize("shape", SHAPES)
def test_flip_with_probability_one_is_the_mirror(shape: tuple[int, ...]) -> None:
    X = batch(shape)
    assert np.array_equal(apply("flip", X, 1).numpy(), X.numpy()[..., ::-1])


def test_flip_mirrors_so_many_and_leaves_the_others() -> None:
    X = batch((2000, 1, 2, 5))
    flipped = apply("flip", X, 0.3).numpy()
    is_same = (flipped == X.numpy()).all((1, 2, 3))
    is_mirror = (flipped == X.numpy()[..., ::-1]).all((1, 2, 3))
    assert (is_same | is_mirror).all()
    assert is_mirror.mean() == pytest.approx(0.3, abs=0.04)


def moved(image: np.ndarray, down: int, right: int) -> np.ndarray:
    """By brute force: pixel by pixel, background coming in."""
    height, width = image.shape
    result = np.zeros_like(image)
    for row in range(height):
        for column in range(width):
            from_row, from_column = row - down, column - right
            if 0 <= from_row < height and 0 <= from_column < width:
                result[row, column] = image[from_row, from_column]
    return result


@pytest.mark.parametrize(("height", "width"), [(6, 6), (5, 8), (9, 4)])
def test_shift_is_every_move_by_whole_pixels_and_no_other(height: int, width: int) -> None:
    image = batch((1, 1, height, width))
    shifted = apply("shift", image.expand(1500, 1, height, width), 2).numpy()[:, 0]
    expected = {
        (down, right): moved(image[0, 0].numpy(), down, right).tobytes()
        for down in range(-2, 3)
        for right in range(-2, 3)
    }
    assert len(set(expected.values())) == 25
    counts = dict.fromkeys(expected, 0)
    place = {content: move for move, content in expected.items()}
    for one in shifted:
        counts[place[one.tobytes()]] += 1
    assert min(counts.values()) > 30  # of 60 on average: each move is as likely
    assert max(counts.values()) < 100


def test_a_shift_can_leave_nothing_but_background() -> None:
    X = torch.full((200, 1, 4, 4), 9, dtype=torch.uint8)
    assert (apply("shift", X, 64).sum((1, 2, 3)) == 0).float().mean() > 0.5


# Turning, scaling, slanting


@pytest.mark.parametrize("side", [6, 7])
@pytest.mark.parametrize(("degrees", "n_quarters"), [(90, 1), (180, 2), (-90, -1)])
def test_a_quarter_turn_is_rot90(
    side: int, degrees: int, n_quarters: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    always_most(monkeypatch, -1 if degrees < 0 else 1)
    X = batch((3, 1, side, side))
    turned = apply("rotation", X, abs(degrees))
    expected = np.rot90(X.numpy().astype(np.float32), n_quarters, (2, 3))
    np.testing.assert_allclose(turned, expected, atol=0.05)


@pytest.mark.parametrize(("height", "width"), [(6, 10), (11, 7)])
def test_an_oblong_image_turns_without_being_stretched(
    height: int, width: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The square in its middle turns as a square; half a turn mirrors both axes of the whole."""
    always_most(monkeypatch)
    X = batch((3, 1, height, width))
    half = apply("rotation", X, 180)
    np.testing.assert_allclose(half, X.numpy()[..., ::-1, ::-1].astype(np.float32), atol=0.05)
    side = min(height, width)
    rows, columns = (slice((n - side) // 2, (n + side) // 2) for n in (height, width))
    quarter = apply("rotation", X, 90).numpy()[:, 0, rows, columns]
    middle = X.numpy()[:, 0, rows, columns].astype(np.float32)
    np.testing.assert_allclose(quarter, np.rot90(middle, 1, (1, 2)), atol=0.05)


def test_rotation_stays_within_its_degrees_either_way() -> None:
    """The angle of a bright pixel seen from the middle."""
    X = torch.zeros(300, 1, 41, 41)
    X[:, 0, 20, 36] = 1
    turned = apply("rotation", X, 30).numpy()[:, 0]
    mass = turned.sum((1, 2))
    rows, columns = np.mgrid[:41, :41] - 20
    down = (turned * rows).sum((1, 2)) / mass
    right = (turned * columns).sum((1, 2)) / mass
    angles = np.degrees(np.arctan2(down, right))
    assert -30.5 < angles.min() < -25
    assert 25 < angles.max() < 30.5
    assert abs(angles.mean()) < 3


@pytest.mark.parametrize(("sign", "strength"), [(1, 1.0), (-1, 1.0), (1, 0.25), (-1, 0.25)])
@pytest.mark.parametrize(("height", "width"), [(24, 24), (20, 32)])
def test_zoom_enlarges_and_shrinks_about_the_middle(
    sign: int, strength: float, height: int, width: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    always_most(monkeypatch, sign)
    X = torch.zeros(2, 1, height, width)
    X[:, 0, height // 2 - 4 : height // 2 + 4, width // 2 - 3 : width // 2 + 3] = 100  # 8 x 6
    zoomed = apply("zoom", X, strength)
    factor = (1 + strength) ** sign
    assert zoomed.amax() == pytest.approx(100, abs=1e-3)
    assert (zoomed.sum((1, 2, 3)) / 100).tolist() == pytest.approx([48 * factor**2] * 2, rel=0.05)
    assert (zoomed.sum((1, 3))[0] > 1).sum() == pytest.approx(8 * factor, abs=2)
    assert (zoomed.sum((1, 2))[0] > 1).sum() == pytest.approx(6 * factor, abs=2)
    torch.testing.assert_close(zoomed, zoomed.flip(-1, -2), rtol=0, atol=1e-2)


def blob(n: int, height: int = 28, width: int = 28) -> Tensor:
    X = torch.zeros(n, 1, height, width)
    X[:, 0, height // 2 - 5 : height // 2 + 5, width // 2 - 4 : width // 2 + 4] = 200
    return X


def test_zoom_stays_within_its_factor_either_way() -> None:
    factors = (apply("zoom", blob(400), 0.3).sum((1, 2, 3)) / blob(1).sum()).sqrt()
    assert 1 / 1.32 < factors.min() < 1 / 1.25
    assert 1.25 < factors.max() < 1.32
    assert factors.log().mean().abs() < 0.02


@pytest.mark.parametrize("name", ["rotation", "shear", "elastic"])
@pytest.mark.parametrize(("height", "width"), [(28, 28), (26, 34)])
def test_what_is_turned_slanted_or_bent_keeps_its_mass(name: str, height: int, width: int) -> None:
    X = blob(200, height, width)
    mass = apply(name, X).sum((1, 2, 3)) / X.sum((1, 2, 3))
    assert mass.mean() == pytest.approx(1, abs=0.02)
    assert mass.std() < (0.2 if name == "elastic" else 0.01)


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize(("height", "width"), [(7, 7), (7, 12), (9, 6)])
def test_shear_moves_each_row_by_its_distance_from_the_middle(
    sign: int, height: int, width: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    always_most(monkeypatch, sign)
    X = batch((2, 1, height, width))
    slanted = apply("shear", X, 1).numpy()[:, 0]
    for image, original in zip(slanted, X.numpy()[:, 0], strict=True):
        rows = [moved(original[[row]], 0, -sign * (row - height // 2))[0] for row in range(height)]
        np.testing.assert_allclose(image, np.array(rows), atol=0.05)


# Bending


def displacements(strength: float, height: int, width: int, n: int = 300) -> np.ndarray:
    """(2, n, H, W): how far each place is read from itself, along x and y, in pixels."""
    ramp = torch.arange(1.0, max(height, width) + 1)
    rows, columns = ramp[:height, None], ramp[None, :width]
    fields = []
    for X in (columns.expand(n, 1, height, width), rows.expand(n, 1, height, width)):
        fields.append((apply("elastic", X, strength) - X).numpy()[:, 0])
    return np.stack(fields)


@pytest.mark.parametrize(("height", "width"), [(40, 40), (40, 56)])
@pytest.mark.parametrize("strength", [0.5, 1.0])
def test_elastic_is_a_smooth_field_of_so_many_pixels(
    strength: float, height: int, width: int
) -> None:
    inner = displacements(strength, height, width)[:, :, 8:-8, 8:-8]  # nothing read from outside
    assert abs(inner.mean()) < 0.05 * strength
    for along in inner:  # x and y alike
        assert along.std() == pytest.approx(strength, rel=0.25)
    steps = np.abs(np.diff(inner, axis=3))
    assert steps.std() < 0.35 * inner.std()  # neighbours move together
    apart = np.corrcoef(inner[:, :, 4, 2].ravel(), inner[:, :, 4, 22].ravel())[0, 1]
    assert abs(apart) < 0.2  # what is far apart does not


# Erasing and cutting out


def sides(changed: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Height and width of each image's changed rectangle; every changed pixel fills it."""
    rows, columns = changed.any(2), changed.any(1)
    tall, wide = rows.sum(1), columns.sum(1)
    for inside, axis in ((rows, tall), (columns, wide)):
        first = inside.argmax(1)
        last = inside.shape[1] - 1 - inside[:, ::-1].argmax(1)
        assert (np.where(axis > 0, last - first + 1, 0) == axis).all()  # no gaps
    return tall, wide


def is_whole(changed: np.ndarray) -> np.ndarray:
    """Whether something of the image has changed and it touches no edge."""
    inner = changed[:, 1:-1, 1:-1].sum((1, 2))
    return (inner == changed.sum((1, 2))) & (inner > 0)


@pytest.mark.parametrize(("height", "width"), [(28, 28), (20, 36)])
def test_erasing_is_noise_in_a_rectangle_of_the_size_it_says(height: int, width: int) -> None:
    X = torch.zeros(2001, 1, height, width)
    X[0] = 255
    changed = apply("erasing", X, 1).numpy()[1:, 0] > 0
    tall, wide = sides(changed)
    share, ratio = tall * wide / (height * width), tall / np.maximum(wide, 1)
    assert share.max() < 0.33 * 1.15  # sides are rounded to whole pixels
    assert 0.08 < share.mean() < 0.17  # 0.175, less what the edge cuts off
    whole = is_whole(changed)
    assert whole.sum() > 200
    assert 0.02 * 0.6 < share[whole].min() < 0.03
    large = whole & (np.minimum(tall, wide) > 3)
    assert 1 / 3.3 / 1.3 < ratio[large].min() < 1 / 2.5
    assert 2.5 < ratio[large].max() < 3.3 * 1.3


@pytest.mark.parametrize(("dtype", "brightest"), [(torch.uint8, 255), (torch.float32, 1.0)])
def test_erasing_fills_in_noise_as_bright_as_the_images(
    dtype: torch.dtype, brightest: float
) -> None:
    """Pixels of 0 to 255 or, from scikit-learn's side, of 0 to 1."""
    X = torch.zeros(500, 1, 20, 20, dtype=dtype)
    X[0, 0, 0, 0] = brightest
    erased = apply("erasing", X, 1)[1:]
    noise = erased[erased > 0].double() / brightest
    assert 0.97 < noise.max() <= 1
    assert noise.mean() == pytest.approx(0.5, abs=0.02)
    assert noise.std() == pytest.approx(1 / math.sqrt(12), abs=0.02)


def test_erasing_happens_with_its_probability() -> None:
    X = torch.full((2000, 1, 9, 9), 255, dtype=torch.uint8)
    changed = (apply("erasing", X, 0.3) != X).any(3).any(2).any(1)
    assert changed.float().mean() == pytest.approx(0.3, abs=0.04)


@pytest.mark.parametrize(("height", "width"), [(16, 16), (12, 20)])
@pytest.mark.parametrize("side", [1, 4, 5])
def test_cutout_is_a_square_of_background(side: int, height: int, width: int) -> None:
    X = batch((3000, 1, height, width)) | 1
    cut = apply("cutout", X, side).numpy()[:, 0]
    changed = cut != X.numpy()[:, 0]
    assert (cut[changed] == 0).all()
    tall, wide = sides(changed)
    assert (tall.max(), wide.max()) == (side, side)
    assert is_whole(changed).sum() > 200
    assert ((tall * wide)[is_whole(changed)] == side**2).all()
    assert (changed.mean(0) > 0).all()  # anywhere


def test_cutout_of_all_leaves_background() -> None:
    assert apply("cutout", batch(), 64).sum() == 0


# Mixtures


def by_class(y: Tensor, height: int = 10, width: int = 10) -> tuple[Tensor, Tensor]:
    """Images of one brightness each, which is that of their class; and each class's."""
    values = torch.tensor([10, 40, 90, 160, 250], dtype=torch.uint8)
    return values[y][:, None, None, None].expand(-1, 1, height, width).clone(), values


@settings(deadline=None, max_examples=30)
@given(
    st.sampled_from(sorted(MIXTURES)),
    st.floats(0.05, 10),
    st.integers(0, 99),
    st.integers(1, 12),
    st.tuples(st.integers(1, 12), st.integers(1, 12)),
)
def test_targets_are_the_shares_of_the_pixels(
    name: str, a: float, seed: int, n: int, shape: tuple[int, int]
) -> None:
    """So the mean brightness is that of the classes, each with its share."""
    y = torch.arange(n) % 5
    X, values = by_class(y, *shape)
    images, targets = augmenter({name: a}, 5, seed)(X, y)
    assert targets.shape == (n, 5)
    assert targets.dtype == torch.float32
    assert targets.min() >= 0
    torch.testing.assert_close(targets.sum(1), torch.ones(n))
    assert ((targets > 0).sum(1) <= 2).all()
    mean = images.float().mean((1, 2, 3))
    torch.testing.assert_close(mean, targets @ values.float(), rtol=1e-4, atol=1e-2)


def test_mixup_blends_by_one_share_of_beta() -> None:
    y = torch.arange(5)
    X, _ = by_class(y)
    augment, shares = augmenter({"mixup": 2.0}, 5, seed=0), []
    for _ in range(400):
        _, targets = augment(X, y)
        own = targets[torch.arange(5), y]
        alone = own == 1  # blended with itself
        if not alone.all():
            assert len(own[~alone].unique()) == 1
            shares.append(own[~alone][0].item())
    assert np.mean(shares) == pytest.approx(0.5, abs=0.03)
    assert np.var(shares) == pytest.approx(1 / (4 * (2 * 2 + 1)), rel=0.2)  # of Beta(2, 2)


def test_cutmix_takes_one_rectangle_from_another_image() -> None:
    y = torch.arange(300) % 5
    X, values = by_class(y, 12, 15)
    images, targets = augmenter({"cutmix": 1.0}, 5, seed=3)(X, y)
    assert images.dtype == torch.uint8
    assert set(images.unique().tolist()) <= set(values.tolist())
    foreign = (images != X).numpy()[:, 0]
    sides(foreign)
    own = targets[torch.arange(300), y].numpy()
    np.testing.assert_allclose(own, 1 - foreign.mean((1, 2)), atol=1e-6)
    assert len(np.unique(own)) > 10  # the edge cuts off more or less of each


def test_cutmix_areas_are_those_of_beta() -> None:
    y = torch.arange(200) % 5
    X, _ = by_class(y, 30, 30)
    augment = augmenter({"cutmix": 1.0}, 5, seed=0)
    largest = [(augment(X, y)[0] != X).float().mean((1, 2, 3)).max().item() for _ in range(200)]
    # The largest of a batch is nearly uncut: uniform on 0 to 1.
    assert np.mean(largest) == pytest.approx(0.5, abs=0.07)
    assert np.std(largest) == pytest.approx(1 / math.sqrt(12), abs=0.05)


def test_labels_are_left_alone_where_nothing_is_mixed() -> None:
    y = torch.arange(6)
    wanted = {name: STRENGTHS[name] for name in AUGMENTATIONS}
    images, targets = augmenter(wanted, 6, seed=0)(batch(), y)
    assert targets is y
    assert images.shape == batch().shape


# All together


def test_the_order_is_that_of_the_table_and_not_of_the_recipe() -> None:
    X, y = batch(), torch.arange(6)
    wanted = {name: STRENGTHS[name] for name in (*AUGMENTATIONS, "mixup")}
    backwards = dict(reversed(wanted.items()))
    (some, targets), (other, others) = (augmenter(w, 6, 4)(X, y) for w in (wanted, backwards))
    assert torch.equal(some, other)
    assert torch.equal(targets, others)
    random, by_hand = seeded(4), X
    for name in AUGMENTATIONS:
        by_hand = AUGMENTATIONS[name].apply(by_hand, STRENGTHS[name], random)
    by_hand, order, own = MIXTURES["mixup"].apply(by_hand, STRENGTHS["mixup"], random)
    assert torch.equal(some, by_hand)
    assert targets[range(6), y].tolist() == pytest.approx(
        torch.where(order == y, torch.ones(6), own).tolist()
    )


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        ({"turn": 3}, "unknown augmentation 'turn'; there are: flip, shift, .*, mixup, cutmix"),
        ({"flip": 1.5}, r"flip must be 0 to 1 \(probability\), got 1.5"),
        ({"shift": 65}, r"shift must be 0 to 64 \(whole pixels\), got 65"),
        ({"rotation": 181}, r"rotation must be 0 to 180 \(degrees\), got 181"),
        ({"zoom": -0.1}, "zoom must be 0 to 4"),
        ({"elastic": math.nan}, "elastic must be (0 to 16|a finite number)"),
        ({"shear": math.inf}, "shear must be (0 to 4|a finite number)"),
        ({"mixup": 11}, r"mixup must be 0 to 10 \(a of Beta\(a, a\)\), got 11"),
        ({"mixup": 1, "cutmix": 1}, "only one of mixup and cutmix"),
    ],
)
def test_what_cannot_be_had_is_refused_in_one_line(wanted: dict, message: str) -> None:
    attempts: list[Callable[[], Any]] = [
        lambda: check(wanted),
        lambda: augmenter(wanted, 10, 0),
        lambda: classifier_of(replace(get_recipe("softmax"), augmentation=wanted), "cpu"),
    ]
    for attempt in attempts:
        with pytest.raises(RecipeError, match=message) as caught:
            attempt()
        assert "\n" not in str(caught.value)


def test_one_mixture_of_strength_zero_beside_the_other_is_fine() -> None:
    check({"mixup": 0, "cutmix": 1})
    check({})


# In the loop and the classifier


def test_the_loop_trains_on_what_augment_gives_and_validates_on_what_is_there() -> None:
    """Targets of shares go into the loss; accuracy is of the images' own labels."""
    X, y = torch.rand(30, 1, 2, 2), torch.arange(30) % 3
    seen = []

    def augment(images: Tensor, labels: Tensor, weights: None) -> tuple[Tensor, Tensor]:
        seen.append((images, labels))
        return torch.zeros_like(images), torch.full((len(labels), 3), 1 / 3)

    network = nn.Sequential(nn.Flatten(), nn.Linear(4, 3))
    nn.init.zeros_(network[1].bias)
    kept = network[1].weight.detach().clone()
    history = train(
        network,
        Examples(X, y),
        Examples(X, y),
        [Phase("sgd", 0.5, 2)],
        Settings(12, 0, augment=augment),
    )
    assert [len(labels) for _, labels in seen] == [12, 12, 6] * 2
    for images, labels in seen:
        assert all(
            (X[y == label] == image).all((1, 2, 3)).any()
            for image, label in zip(images, labels, strict=True)
        )
    assert [epoch.train_loss for epoch in history] == pytest.approx([math.log(3)] * 2)
    torch.testing.assert_close(network[1].weight.detach(), kept)  # black images teach nothing
    expected = nn.functional.cross_entropy(network(X), y).item()
    assert history[-1].val_loss == pytest.approx(expected)


@every_one
def test_a_classifier_learns_through_it(name: str) -> None:
    random, labels = np.random.default_rng(0), np.arange(600) % 4
    images = random.integers(0, 120, (600, 12, 12), dtype=np.uint8)
    images[np.arange(600), 1 + 3 * labels] += 120  # far enough apart to be moved a pixel
    strength = 0.1 if name in ("rotation", "elastic") else min(STRENGTHS[name], 0.3)
    strength = {"cutout": 3, "shift": 1}.get(name, strength)
    classifier = TorchClassifier(
        hidden_sizes=(16,),
        n_epochs=12,
        learning_rate=0.02,
        batch_size=32,
        augmentation={name: strength},
        precision="float32",
        random_state=0,
    )
    train, test = slice(0, 480), slice(480, None)
    twice = [classifier.fit(images[train], labels[train]).arrays() for _ in range(2)]
    assert all(np.array_equal(array, twice[1][key]) for key, array in twice[0].items())
    assert classifier.score(images[test], labels[test]) > 0.8


def test_an_augmentation_leaves_all_other_chance_as_it_is(stripes: Dataset) -> None:
    """Weights and order of the batches are those of a training without it."""
    plain = TorchClassifier(n_epochs=0, phases=(), random_state=3, precision="float32")
    augmented = TorchClassifier(**plain.get_params() | {"augmentation": {"mixup": 1}})
    first, second = (c.fit(stripes.images, stripes.labels).arrays() for c in (plain, augmented))
    assert all(np.array_equal(array, second[key]) for key, array in first.items())


# Mirrored characters


MIRRORING = {
    "augmentation.flip=0": {"augmentation": {"flip": 0.5}},
    "expansion=null": {"expansion": "flip-and-zoom"},
    r"test_time_augmentation=\[\]": {"test_time_augmentation": ("shift", "flip")},
}
TINY = Recipe("tiny", "E1", "mlp", (Phase("sgd", 0.05, 1),))


@pytest.mark.parametrize("way_out", MIRRORING)
def test_characters_are_not_mirrored_unless_told_to(
    way_out: str, stripes: Dataset, tmp_path
) -> None:
    characters = replace(stripes, name="signs", of_characters=True)
    recipe = replace(TINY, **MIRRORING[way_out])
    with pytest.raises(RecipeError, match=f"tiny mirrors .*characters of signs; --set {way_out}, "):
        ml.train(recipe, characters, out=tmp_path)
    with pytest.raises(RecipeError, match="mirror_characters=true") as caught:
        ml.cross_validate(recipe, characters, n_folds=2, out=tmp_path)
    assert "\n" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []
    told = ml.train(replace(recipe, mirror_characters=True), characters, out=tmp_path)
    assert told.result["epochs"] == 1
    assert ml.train(recipe, stripes, out=tmp_path).result["epochs"] == 1


@pytest.mark.parametrize("way_out", MIRRORING)
@pytest.mark.parametrize("name", ["mnist", "digits", "fashion-mnist", "fashion-mini"])
def test_which_sets_are_of_characters(name: str, way_out: str) -> None:
    if ml.data.available(name) is None:
        pytest.skip(f"{name} is on no disk here")
    dataset, recipe = ml.load(name), replace(TINY, **MIRRORING[way_out])
    assert dataset.of_characters == (not name.startswith("fashion"))
    check_mirrors(TINY, dataset)
    check_mirrors(replace(recipe, mirror_characters=True), dataset)
    check_mirrors(replace(TINY, augmentation={"flip": 0, "shift": 2}), dataset)
    check_mirrors(replace(TINY, test_time_augmentation=("shift",)), dataset)
    if dataset.of_characters:
        for part in (dataset, ml.split(dataset).train):
            with pytest.raises(RecipeError, match=f"the characters of {name}"):
                check_mirrors(recipe, part)
    else:
        check_mirrors(recipe, dataset)


# Models that take images as they are


@pytest.mark.parametrize("model", ["svm", "scratch"])
@pytest.mark.parametrize(
    "change",
    [
        {"augmentation": {"shift": 2}},
        {"expansion": "flip-and-zoom"},
        {"pad_to": 32},
        {"test_time_augmentation": ("flip",)},
    ],
    ids=lambda change: next(iter(change)),
)
def test_only_torch_networks_change_images(
    model: str, change: dict, stripes: Dataset, tmp_path
) -> None:
    recipe = get_recipe("svm" if model == "svm" else "scratch-mlp")
    with pytest.raises(RecipeError, match=f"model {model} has no {next(iter(change))}; torch") as e:
        ml.train(replace(recipe, **change), stripes, out=tmp_path)
    assert "\n" not in str(e.value)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["shift", "cutout"])
def test_a_part_of_a_pixel_is_refused_where_it_would_do_nothing(name: str) -> None:
    with pytest.raises(RecipeError, match=f"{name} is in whole pixels, got 0.5"):
        check({name: 0.5})
    check({name: 2.0, "elastic": 0.5})


@pytest.mark.parametrize(("side", "most"), [(8, 1), (12, 1), (28, 3), (64, 6)])
def test_translation_is_by_a_fraction_of_the_side_and_repeats_the_border(
    side: int, most: int
) -> None:
    """As np.pad and a crop by hand do it; every move there is occurs."""
    X = torch.randint(0, 256, (300, 1, side, 2 * side), generator=seeded(1)).to(torch.uint8)
    moved = AUGMENTATIONS["translation"].apply(X, 0.1, seeded(2))
    wide = round(0.1 * 2 * side)
    seen = set()
    for image, found in zip(X[:, 0].numpy(), moved[:, 0].numpy(), strict=True):
        padded = np.pad(image, ((most, most), (wide, wide)), mode="edge")
        places = [
            (row, column)
            for row in range(2 * most + 1)
            for column in range(2 * wide + 1)
            if np.array_equal(padded[row : row + side, column : column + 2 * side], found)
        ]
        assert len(places) == 1
        seen.update(places)
    assert {row for row, _ in seen} == set(range(2 * most + 1))
    assert {column for _, column in seen} == set(range(2 * wide + 1))
