"""The image files of a data set: found below a folder, decoded, all of one size."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mnistlab.data import large
from mnistlab.data.notes import note
from mnistlab.data.readers import pixels
from mnistlab.data.readers.depths import Depths
from mnistlab.data.readers.folders.left_out import LeftOut, listed
from mnistlab.data.readers.pixels import KINDS
from mnistlab.data.readers.shapes import Size
from mnistlab.errors import DataError

SIZES_LOOKED_AT = 1000  # files that are opened to find the most frequent size
SMALLEST_USUAL, LARGEST_USUAL = 20, 64
USUAL_SIDES = {28: 40, 32: 48}  # side to suggest -> longest side of images it suits
UNENCODABLE = re.compile("[\r\n\ud800-\udfff]")  # surrogates stand for bytes that are not UTF-8


def decoded(path: Path, files: Sequence[Path], size: Size | None) -> NDArray[np.uint8]:
    """The images of a data set, uint8 (N, H, W); notes say what was lost, such as 16 bits."""
    depths = Depths()
    images = large.joined(image[None] for image in read_images(files, size, depths=depths))
    depths.check(str(path))
    for words in depths.notes():
        note(f"{path}: {words}")
    return images


def all_below(root: Path, left_out: LeftOut) -> list[Path]:
    """Every image of a folder and its sub-folders, however deep, in no order.

    Raises DataError where a folder cannot be read, and for links that lead up or to the same
    folder twice: following them might never end.
    """
    top = root.resolve()
    files, waiting, reached = [], [root], {top}
    while waiting:
        found = listed(waiting.pop())
        files += found.images
        left_out.add_others(found.others)
        for below in found.folders:
            target = below.resolve()
            if target in reached or top.is_relative_to(target):
                raise DataError(f"{below}: a link that leads back to {target}")
            reached.add(target)
            waiting.append(below)
    return files


def no_images(root: Path, left_out: LeftOut) -> DataError:
    """The error for a folder in which `all_below` found nothing."""
    return DataError(f"{root}: holds no images ({KINDS}){but_left_out(left_out)}")


def read_images(
    files: Sequence[Path],
    size: Size | None = None,
    expected: Size | None = None,
    depths: Depths | None = None,
) -> Iterator[NDArray[np.uint8]]:
    """The decoded files; DataError unless all have the size `expected`, or that of the first."""
    shape: tuple[int, ...] | None = expected
    for file in files:
        image = pixels.decode(file, str(file), size, depths)
        shape = shape or image.shape
        if image.shape != shape:
            raise DataError(f"{file}: {_differs(image.shape, shape, files, expected)}")
        yield image


def _differs(
    shape: tuple[int, ...], wanted: tuple[int, ...], files: Sequence[Path], expected: Size | None
) -> str:
    most, other = expected, "the images trained on are"
    if most is None:
        some = files[:: max(1, len(files) // SIZES_LOOKED_AT)]
        sizes = Counter(size for file in some if (size := pixels.size_of(file)))
        most, other = _usual(sizes), f"{files[0]} is"
    return (
        f"is {shape[0]}x{shape[1]} where {other} {wanted[0]}x{wanted[1]}; "
        f"give one size for all (--size {most[0]}x{most[1]})"
    )


def _usual(sizes: Counter[Size]) -> Size:
    """The most frequent size; a usual square where no size occurs twice, or for photographs."""
    (most, n), *_ = sizes.most_common(1)
    side = sorted(max(size) for size in sizes)[len(sizes) // 2]
    is_small = max(most) <= LARGEST_USUAL  # a phone's 4032x3024 would train for days
    if (n > 1 and is_small) or side < SMALLEST_USUAL:
        return most
    usual = next(
        (usual for usual, longest in USUAL_SIDES.items() if side <= longest), LARGEST_USUAL
    )
    return usual, usual


def but_left_out(left_out: LeftOut) -> str:
    """The end of a message: what else lies there; empty where nothing does."""
    words = left_out.words()
    return f", but {words}" if words else ""


def some_below(root: Path) -> list[Path]:
    """As `all_below`, for a look: what cannot be read and links that lead back are passed over."""
    files, waiting, reached = [], [root], {root.resolve()}
    while waiting:
        try:
            found = listed(waiting.pop())
        except DataError:
            continue
        files += found.images
        for below in found.folders:
            target = below.resolve()
            if target not in reached:
                reached.add(target)
                waiting.append(below)
    return files
