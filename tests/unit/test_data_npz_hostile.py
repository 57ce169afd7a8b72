"""Arrays that used to be read wrongly without a word, and what is said of them now."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from mnistlab.data import Dataset, load
from mnistlab.errors import DataError

N = 24
X = np.random.default_rng(0).integers(0, 256, (N, 4, 4), dtype=np.uint8)
Y = np.arange(N) % 3
NEW, NEW_Y = X[:6].copy(), Y[:6]
EARLY = np.arange(N) < 18


def saved(path: Path, **arrays: object) -> Dataset:
    np.savez(path / "x.npz", **arrays)  # type: ignore[arg-type]
    return load(path / "x.npz")


def sizes(dataset: Dataset) -> dict[str, int]:
    return {name: part.stop - part.start for name, part in dataset.official_splits.items()}


@pytest.mark.parametrize(
    ("train", "test"), [(X / 255, X.astype(float)), (X.astype(float), X / 255), (X, X / 255)]
)
def test_two_scales_are_refused(tmp_path: Path, train: np.ndarray, test: np.ndarray) -> None:
    with pytest.raises(DataError, match=r"x_(train|test) goes from 0 to 1, but x_(train|test) to"):
        saved(tmp_path, x_train=train, y_train=Y, x_test=test, y_test=Y)
    black = saved(
        tmp_path, x_train=X.astype(float), y_train=Y, x_test=np.zeros((2, 4, 4)), y_test=[0, 1]
    )
    assert len(black) == N + 2


@pytest.mark.parametrize("shape", [(N, 1, 16), (N, 16, 1)])
def test_images_that_lie_flat(tmp_path: Path, shape: tuple[int, ...]) -> None:
    assert np.array_equal(saved(tmp_path, images=X.reshape(shape), labels=Y).images, X)
    if shape[1] == 1:
        assert load(tmp_path / "x.npz", size=(1, 16)).images.shape == (N, 1, 16)


def test_a_narrow_image_is_not_flat(tmp_path: Path) -> None:
    assert saved(tmp_path, images=X[:, :1, :], labels=Y).images.shape == (N, 1, 4)
    assert saved(tmp_path, images=X.reshape(N // 3, 1, 48), labels=Y[:8]).images.shape == (8, 1, 48)


def test_measures_are_no_classes(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"24 different fractions, such as 0\.0.*: measures"):
        saved(tmp_path, images=X, labels=np.linspace(0.01, 0.9, N))
    assert saved(tmp_path, images=X, labels=Y / 2).class_names == ("0.0", "0.5", "1.0")


@pytest.mark.parametrize(
    ("labels", "n_notes"), [([-1, 0, 1], 1), ([-1, 1, 1], 0), ([-2, -1, 0], 0)]
)
def test_minus_one(tmp_path: Path, labels: list[int], n_notes: int) -> None:
    notes = saved(tmp_path, images=X, labels=np.array(labels)[Y]).notes
    assert len(notes) == n_notes
    assert all("-1 is one of its classes" in line for line in notes)


def test_ids_called_like_labels(tmp_path: Path) -> None:
    dataset = saved(tmp_path, x=X, y=np.arange(N), target=Y)
    assert dataset.class_names == ("0", "1", "2")
    assert dataset.notes == (f"{tmp_path / 'x.npz'}: not used: y",)
    with pytest.raises(DataError, match="y and label may both be the labels; save one of them"):
        saved(tmp_path, x=X, y=np.arange(N) % 2, label=Y)
    texts = np.array(["a", "b", "c"])[Y]
    assert saved(tmp_path, images=X, labels=Y, target=texts).class_names == ("0", "1", "2")
    assert saved(tmp_path, images=X[:3], labels=[0, 1, 2], y=[0, 1, 2]).n_classes == 3


@pytest.mark.parametrize(
    ("arrays", "wanted"),
    [
        ({"train_idx": np.flatnonzero(EARLY), "test_idx": np.flatnonzero(~EARLY)}, (18, 0, 6)),
        ({"idx_train": np.arange(9), "idx_val": [9, 10], "idx_test": [12, 13, 14]}, (9, 2, 3)),
        ({"test_indices": np.arange(18, N)}, (18, 0, 6)),
        ({"train_index": np.arange(18)}, (18, 0, 6)),
        ({"train_mask": EARLY}, (18, 0, 6)),
        ({"test_mask": (~EARLY).astype(int), "val_mask": np.arange(N) < 2}, (16, 2, 6)),
    ],
)
def test_lists_of_the_images_of_splits(
    tmp_path: Path, arrays: dict[str, object], wanted: tuple[int, int, int]
) -> None:
    dataset = saved(tmp_path, images=X, labels=Y, **arrays)
    found = sizes(dataset)
    assert tuple(found.get(name, 0) for name in ("train", "val", "test")) == wanted
    assert dataset.notes[0].startswith(f"{tmp_path / 'x.npz'}: splits by {' and '.join(arrays)}: ")
    assert ("left out: 10 images" in dataset.notes[0]) == (wanted == (9, 2, 3))
    name, first = next(iter(arrays.items()))
    in_first = np.flatnonzero(first) if "mask" in name else np.asarray(first)
    part = dataset.official_splits[name.replace("idx_", "").split("_")[0]]
    assert np.array_equal(dataset.images[part], X[in_first])


@pytest.mark.parametrize(
    ("arrays", "said"),
    [
        ({"train_idx": [0, 1, N]}, rf"train_idx: goes from 0 to {N}, where images are counted"),
        ({"train_idx": [0, 1], "test_idx": [1, 2]}, "test_idx: image 1 is in the train set too"),
        ({"test_idx": [0.5]}, r"test_idx: holds float64 \(1,\), not positions of images"),
        ({"train_mask": [True]}, rf"train_mask: holds bool \(1,\), not {N} values of 0 and 1"),
    ],
)
def test_lists_that_are_none(tmp_path: Path, arrays: dict[str, object], said: str) -> None:
    with pytest.raises(DataError, match=said):
        saved(tmp_path, images=X, labels=Y, **{k: np.array(v) for k, v in arrays.items()})


@pytest.mark.parametrize("names", ["images labels test_images test_labels", "x y x_test y_test"])
def test_test_images_beside_all_others(tmp_path: Path, names: str) -> None:
    dataset = saved(tmp_path, **dict(zip(names.split(), (X, Y, NEW, NEW_Y), strict=True)))
    assert sizes(dataset) == {"train": N, "test": 6}
    assert np.array_equal(dataset.images[:N], X)
