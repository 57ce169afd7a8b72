"""HDF5: datasets and groups that are read, and what leads out of the file."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import h5py
import numpy as np
import pytest

from mnistlab.data import load
from mnistlab.data.readers.binary import hdf5, hdf5_process
from mnistlab.data.readers.unlabelled import open_images
from mnistlab.errors import DataError

GREYS = np.random.default_rng(0).integers(0, 256, (12, 5, 6), dtype=np.uint8)
LABELS = np.array([4, 2, 9] * 4)


def _write(path: Path, **datasets: object) -> Path:
    with h5py.File(path, "w") as file:
        for name, values in datasets.items():
            file[name.replace("__", "/")] = values
    return path


@pytest.mark.parametrize("ending", ["h5", "hdf5", "HDF5"])
@pytest.mark.parametrize(
    "labels",
    [
        LABELS,
        LABELS[:, None],
        LABELS.astype(float),
        LABELS.astype("S"),
        LABELS.astype(str).tolist(),
    ],
)
def test_images_and_labels(tmp_path: Path, ending: str, labels: object) -> None:
    dataset = load(_write(tmp_path / f"set.{ending}", images=GREYS, labels=labels))
    assert np.array_equal(dataset.images, GREYS)
    assert [int(dataset.class_names[k]) for k in dataset.labels] == LABELS.tolist()


@pytest.mark.parametrize("names", ["{}__x {}__y", "{}__data {}__target", "{}_set_x {}_set_y"])
def test_parts_in_groups_and_names(tmp_path: Path, names: str) -> None:
    datasets = {}
    for name, rows in {"train": slice(0, 7), "val": slice(7, 9), "test": slice(9, 12)}.items():
        x, y = names.replace("{}", name).split()
        datasets |= {x: GREYS[rows] / 255, y: LABELS[rows]}
    dataset = load(_write(tmp_path / "set.h5", **datasets))
    assert np.array_equal(dataset.images, GREYS)
    assert (dataset.n_official_train, dataset.n_official_val) == (7, 2)


def test_packed_datasets_and_class_names(tmp_path: Path) -> None:
    path = tmp_path / "set.h5"
    with h5py.File(path, "w") as file:
        file.create_dataset("x", data=GREYS, compression="gzip", shuffle=True, fletcher32=True)
        file.create_dataset("y", data=LABELS, compression="lzf", chunks=(3,))
        file["list_classes"] = [*"jihgfedcba"]
        file["empty"] = h5py.Empty("f")
    dataset = load(path)
    assert np.array_equal(dataset.images, GREYS)
    assert dataset.class_names == ("h", "f", "a")


def test_without_h5py_one_line_says_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = _write(tmp_path / "set.h5", x=GREYS, y=LABELS)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(DataError, match=r"set\.h5: .* pip install 'mnistlab\[hdf5\]'$"):
        load(path)


def test_nothing_outside_of_the_file_is_read(tmp_path: Path) -> None:
    other = _write(tmp_path / "other.h5", x=GREYS)
    (tmp_path / "raw").write_bytes(GREYS.tobytes())

    def judged(message: str) -> None:
        with pytest.raises(DataError, match=message):
            load(tmp_path / "set.h5")

    path = _write(tmp_path / "set.h5", y=LABELS)
    with h5py.File(path, "a") as file:
        file["x"] = h5py.ExternalLink(str(other), "x")
    judged("set.h5: x: is a link to elsewhere; refused")
    path = _write(tmp_path / "set.h5", y=LABELS)
    with h5py.File(path, "a") as file:
        external = [(str(tmp_path / "raw"), 0, GREYS.nbytes)]
        file.create_dataset("x", GREYS.shape, "u1", external=external)
    judged("set.h5: x: its values lie in other files; refused")
    path = _write(tmp_path / "set.h5", y=LABELS)
    with h5py.File(path, "a") as file:
        layout = h5py.VirtualLayout(GREYS.shape, "u1")
        layout[...] = h5py.VirtualSource(str(other), "x", GREYS.shape)
        file.create_virtual_dataset("x", layout)
    judged("set.h5: x: its values lie in other files; refused")


def test_groups_that_hold_themselves_end(tmp_path: Path) -> None:
    path = _write(tmp_path / "set.h5", x=GREYS, y=LABELS)
    with h5py.File(path, "a") as file:
        group = file.create_group("a")
        group["again"] = group
        group["top"] = file["/"]
    assert len(load(path)) == 12
    with h5py.File(path, "a") as file:
        for i in range(hdf5_process.MAX_DATASETS + 1):
            file[f"d{i}"] = [i]
    with pytest.raises(DataError, match="holds more than 1000 datasets"):
        load(path)


def test_what_it_claims_is_bounded(tmp_path: Path) -> None:
    path = tmp_path / "set.h5"
    with h5py.File(path, "w") as file:
        file.create_dataset("x", (1 << 20, 28, 28), "u1", chunks=(1, 28, 28))  # nothing written
        file["y"] = LABELS
    with pytest.raises(DataError, match=r"claims to unpack to \d+ bytes; refused"):
        load(path)
    with h5py.File(path, "w") as file:
        file["x"] = GREYS
        file["y"] = ["long" * 50_000] + ["a"] * 2000
    with pytest.raises(DataError, match="y: texts of more than"):
        load(path)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (np.zeros(12, dtype=[("a", int)]), "neither numbers nor texts"),
        (LABELS[:3], "labels: 3 labels for 12 images"),
        (np.zeros(12, dtype=complex), "neither numbers nor texts"),
    ],
)
def test_defects(tmp_path: Path, values: np.ndarray, message: str) -> None:
    with pytest.raises(DataError, match=message):
        load(_write(tmp_path / "set.h5", images=GREYS, labels=values))


def test_a_path_of_any_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert len(load(_write(Path("-ä 'b'.h5"), images=GREYS, labels=LABELS))) == 12


def test_no_hdf5(tmp_path: Path) -> None:
    (tmp_path / "set.h5").write_bytes(b"hello")
    with pytest.raises(DataError, match=r"set\.h5: not a sound HDF5 file: "):
        load(tmp_path / "set.h5")


def test_a_library_that_never_ends_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = _write(tmp_path / "set.h5", images=GREYS, labels=LABELS)
    monkeypatch.setattr(hdf5, "LIMIT_S", 0.001)
    with pytest.raises(DataError, match=r"set\.h5: HDF5 was not through after 0 s; refused"):
        load(path)


def test_a_library_that_crashes_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = _write(tmp_path / "set.h5", images=GREYS, labels=LABELS)
    monkeypatch.setattr(hdf5.sys, "executable", "/bin/false")
    with pytest.raises(DataError, match=r"set\.h5: not a sound HDF5 file: its reader ended"):
        load(path)


def _camelyon(folder: Path) -> Path:
    for split, rows in {"train": slice(0, 6), "valid": slice(6, 9), "test": slice(9, 12)}.items():
        stem = f"camelyonpatch_level_2_split_{split}"
        colours = np.repeat(GREYS[rows, ..., None], 3, axis=3)
        _write(folder / f"{stem}_x.h5", x=colours)
        _write(folder / f"{stem}_y.h5", y=LABELS[rows, None, None, None])
        header = ",coord_y,coord_x,tumor_patch,center_tumor_patch,wsi\n"
        (folder / f"{stem}_meta.csv").write_text(header + "0,10,20,True,False,camelyon16\n")
    return folder


def test_images_and_labels_in_files_of_their_own_as_of_patch_camelyon(tmp_path: Path) -> None:
    dataset = load(_camelyon(tmp_path))
    assert np.array_equal(dataset.images, GREYS)
    assert [int(dataset.class_names[k]) for k in dataset.labels] == LABELS.tolist()
    assert (dataset.n_official_train, dataset.n_official_val) == (6, 3)


def test_one_file_of_such_a_pair_names_the_folder(tmp_path: Path) -> None:
    folder = _camelyon(tmp_path)
    with pytest.raises(DataError, match="holds one array, and those of its set lie beside it"):
        load(folder / "camelyonpatch_level_2_split_train_x.h5")
    images = np.concatenate(
        [
            block.images
            for block in open_images(
                folder / "camelyonpatch_level_2_split_test_x.h5", (5, 6)
            ).blocks
        ]
    )
    assert np.array_equal(images, GREYS[9:])


def test_a_pair_of_files_must_hold_one_dataset_each(tmp_path: Path) -> None:
    _write(tmp_path / "train_x.h5", x=GREYS, y=LABELS)
    _write(tmp_path / "train_y.h5", y=LABELS)
    with pytest.raises(DataError, match=r"train_x\.h5: holds 2 datasets, .* give this file alone"):
        load(tmp_path)


def test_files_of_both_images_and_labels_are_no_pair(tmp_path: Path) -> None:
    _write(tmp_path / "train_data.h5", x=GREYS[:8], y=LABELS[:8])
    _write(tmp_path / "test_data.h5", x=GREYS[8:], y=LABELS[8:])
    assert np.array_equal(load(tmp_path).images, GREYS)
