"""Folders of images: one sub-folder a class, optionally under train/ and test/, or just images."""

from __future__ import annotations

import stat
import struct
import warnings
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mnistlab.data import large
from mnistlab.data.dataset import Dataset
from mnistlab.data.readers import content
from mnistlab.data.readers.shapes import Size
from mnistlab.errors import DataError

SUFFIXES = {".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp"}
KINDS = ", ".join(sorted(SUFFIXES))
# Pillow tells a format by the first bytes; for some of the others it runs programs (EPS).
FORMATS = ("PNG", "JPEG", "BMP", "GIF", "WEBP")
# Far beyond "small images", yet decoded in a tenth of a second.
MAX_IMAGE_PIXELS = 1 << 24
MAX_IMAGE_BYTES = 8 * MAX_IMAGE_PIXELS  # twice what so many pixels take unpacked, in colour

# What Pillow's decoders raise for damaged bytes.
DAMAGE = (
    AttributeError,
    EOFError,
    IndexError,
    KeyError,
    MemoryError,
    NotImplementedError,
    OSError,  # UnidentifiedImageError is one
    OverflowError,
    RuntimeError,
    SyntaxError,
    TypeError,
    ValueError,
    Warning,
    struct.error,
    zlib.error,
)


class Part(NamedTuple):
    """Files of one part of a data set, each with the name of its class."""

    files: list[Path]
    classes: list[str]


def read(path: Path, size: Size | None = None) -> Dataset:
    """Images in grey, classes in alphabetical order, resized to `size` (H, W) if it is given.

    Transparency is dropped and of an animation the first frame is taken.
    Raises DataError for a folder without classes or images, an image that
    cannot be read, and differing sizes where no size is given.
    """
    train, test = path / "train", path / "test"
    roots = [train, test] if train.is_dir() and test.is_dir() else [path]
    parts = [_part(root) for root in roots]
    class_names = sorted({name for part in parts for name in part.classes})
    files = [file for part in parts for file in part.files]
    return Dataset(
        path.resolve().name,
        large.joined(image[None] for image in read_images(files, size)),
        np.array([class_names.index(n) for part in parts for n in part.classes], dtype=np.int64),
        tuple(class_names),
        n_official_train=len(parts[0].files) if len(parts) == 2 else None,
        provenance=str(path),
    )


def images_below(root: Path) -> list[Path]:
    """Every image of a folder and its sub-folders, however deep, in no order.

    Raises DataError where there are none, where a folder cannot be read, and for links that
    lead up or to the same folder twice: following them might never end.
    """
    top = root.resolve()
    files, waiting, reached = [], [root], {top}
    while waiting:
        folder = waiting.pop()
        files += _images_of(folder)
        for below in _visible(folder, folders=True):
            target = below.resolve()
            if target in reached or top.is_relative_to(target):
                raise DataError(f"{below}: a link that leads back to {target}")
            reached.add(target)
            waiting.append(below)
    if not files:
        raise DataError(f"{root}: holds no images ({KINDS})")
    return files


def read_images(
    files: Iterable[Path], size: Size | None = None, expected: Size | None = None
) -> Iterator[NDArray[np.uint8]]:
    """`read_image` for each file in turn; all have one size, the first one's or `expected`."""
    shape: tuple[int, ...] | None = expected
    whose = "the first image is" if expected is None else "the images trained on are"
    for file in files:
        image = read_image(file, size)
        shape = shape or image.shape
        if image.shape != shape:
            raise DataError(
                f"{file}: is {image.shape[0]}x{image.shape[1]} where {whose} "
                f"{shape[0]}x{shape[1]}; give one size for all (--size HxW)"
            )
        yield image


def _part(root: Path) -> Part:
    folders = sorted(_visible(root, folders=True), key=lambda folder: folder.name)
    if not folders:
        raise DataError(f"{root}: holds no class folders (one sub-folder of images a class)")
    files, classes = [], []
    for folder in folders:
        found = _images_of(folder)
        if not found:
            raise DataError(f"{folder}: holds no images ({KINDS})")
        files += sorted(found, key=lambda file: file.name)
        classes += [folder.name] * len(found)
    return Part(files, classes)


def _images_of(folder: Path) -> list[Path]:
    return [file for file in _visible(folder) if file.suffix.lower() in SUFFIXES]


def _visible(folder: Path, folders: bool = False) -> list[Path]:
    try:
        paths = [path for path in folder.iterdir() if not path.name.startswith(".")]
        return [path for path in paths if path.is_dir() == folders]
    except OSError as error:
        raise DataError(f"{folder}: cannot be read: {content.reason(error)}") from error


def read_image(path: Path, size: Size | None = None) -> NDArray[np.uint8]:
    """One image file in grey, uint8 (H, W), resized (bilinear) to `size` if it is given."""
    # Pillow is loaded only when there are images to decode.
    from PIL import Image

    try:
        _check_file(path)
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # a bomb or a damaged tag is a warning to Pillow
            with Image.open(path, formats=FORMATS) as image:
                if image.width * image.height > MAX_IMAGE_PIXELS:
                    raise DataError(f"{path}: {image.width} x {image.height} pixels; refused")
                if image.mode.startswith(("I", "F")):
                    raise DataError(f"{path}: has more than 8 bits a pixel; save it with 8")
                grey = image.convert("L")
                if size is not None and grey.size != (size[1], size[0]):
                    grey = grey.resize((size[1], size[0]), Image.Resampling.BILINEAR)
                return np.array(grey, dtype=np.uint8)
    except DataError:
        raise
    except (*DAMAGE, Image.DecompressionBombError) as error:
        raise DataError(f"{path}: not a readable image: {content.reason(error)}") from error


def _check_file(path: Path) -> None:
    status = path.stat()
    if not stat.S_ISREG(status.st_mode):  # opening a pipe would wait, perhaps for ever
        raise DataError(f"{path}: not a readable image: no regular file")
    if status.st_size > MAX_IMAGE_BYTES:
        raise DataError(f"{path}: {status.st_size} bytes; refused")
