"""Decodes the files of a named set into images and labels: one decoder per format."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mnistlab.data.dataset import Dataset
from mnistlab.data.published.resolve import EMBEDDED, Genuine, genuine_files, known
from mnistlab.data.published.sources import SOURCES, Format, Source
from mnistlab.data.readers import content, labels
from mnistlab.data.readers.binary import idx, npz
from mnistlab.errors import DataError, reason

FASHION_MINI_FINGERPRINT = "2c9f332f9374ebca8817f88af602b7676589be7fd4d4924cc5d6c6867256f7c3"


class RawSplit(NamedTuple):
    """Images uint8 (n, H, W) and labels (n,) as published, before they are checked."""

    images: NDArray[np.uint8]
    labels: NDArray[Any]


def load_named(name: str) -> Dataset:
    """A set of SOURCES; errors as in `fetch`, and for files that do not hold what they should."""
    source = known(name)
    files = genuine_files(name)
    splits = DECODERS[source.format](name, files)
    expected = [source.n_train, source.n_test][: len(splits)]
    for split, n_images in zip(splits, expected, strict=True):
        if len(split.images) != n_images or len(split.labels) != n_images:
            raise DataError(
                f"{name}: {len(split.images)} images and {len(split.labels)} labels "
                f"where {n_images} were published"
            )
    values = np.concatenate([split.labels for split in splits])
    checked, _ = labels.from_integers(values, name, source.class_names)
    return Dataset(
        name,
        np.concatenate([split.images for split in splits]),
        checked,
        source.class_names,
        n_official_train=source.n_train if source.n_test else None,
        is_published=True,
        provenance=_provenance(source, files),
        licence=source.licence,
        of_characters=all(len(class_name) == 1 for class_name in source.class_names),
    )


def _provenance(source: Source, files: list[Genuine]) -> str:
    return f"{source.origin}; from {files[0].path.parent}" if files else source.origin


def _idx(name: str, files: list[Genuine]) -> list[RawSplit]:
    return [
        RawSplit(
            idx.parse_images(images.raw, str(images.path)),
            idx.parse_labels(values.raw, str(values.path)),
        )
        for images, values in (files[:2], files[2:])
    ]


def _emnist(name: str, files: list[Genuine]) -> list[RawSplit]:
    (archive_path, _), splits = files[0], []
    with zipfile.ZipFile(archive_path) as archive:
        for split in ("train", "test"):
            stem = f"gzip/{name}-{split}"
            images, values = (
                content.unpack(archive.read(member), f"{archive_path}: {member}")
                for member in (f"{stem}-images-idx3-ubyte.gz", f"{stem}-labels-idx1-ubyte.gz")
            )
            splits.append(
                RawSplit(
                    # Published column by column: every image lies on its side, mirrored.
                    idx.parse_images(images, stem).transpose(0, 2, 1),
                    # Letters are numbered from 1.
                    idx.parse_labels(values, stem) - np.uint8(name == "emnist-letters"),
                )
            )
    return splits


def _usps(name: str, files: list[Genuine]) -> list[RawSplit]:
    from sklearn.datasets import load_svmlight_file

    splits = []
    for path, raw in files:
        try:
            values, digits = load_svmlight_file(io.BytesIO(raw), n_features=256)
        except ValueError as error:
            raise DataError(f"{path}: not libsvm text: {reason(error)}") from error
        # -1..1 to 0..255; digits are numbered from 1.
        pixels = np.rint((values.toarray() + 1) * 127.5).clip(0, 255).astype(np.uint8)
        splits.append(RawSplit(pixels.reshape(-1, 16, 16), digits.astype(np.int64) - 1))
    return splits


def _digits(name: str, files: list[Genuine]) -> list[RawSplit]:
    from sklearn.datasets import load_digits

    bunch = load_digits()
    return [RawSplit(np.rint(bunch.images * (255 / 16)).astype(np.uint8), bunch.target)]


def _embedded(name: str, files: list[Genuine]) -> list[RawSplit]:
    dataset = npz.read(EMBEDDED)
    if dataset.fingerprint != FASHION_MINI_FINGERPRINT:
        raise DataError(f"{EMBEDDED}: is damaged; install mnistlab again")
    n_train = SOURCES[name].n_train
    return [
        RawSplit(dataset.images[split], dataset.labels[split])
        for split in (slice(n_train), slice(n_train, None))
    ]


DECODERS: dict[Format, Callable[[str, list[Genuine]], list[RawSplit]]] = {
    "idx": _idx,
    "qmnist": _idx,
    "emnist": _emnist,
    "usps": _usps,
    "digits": _digits,
    "embedded": _embedded,
}
