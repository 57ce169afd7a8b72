"""Sets that lie some folders below the one that was given, with nothing else beside them.

torchvision keeps data/MNIST/raw, and Kaggle wraps each file into a folder of its name. Folders of
images are none of this: `readers.folder` enters them itself.
"""

from __future__ import annotations

from pathlib import Path

from mnistlab.data.assembling import split_called
from mnistlab.data.readers import kinds
from mnistlab.data.readers.folders.left_out import listed

MAX_DEPTH = 3  # folders in folders
MAX_FOLDERS = 16  # of one folder; class folders are many


def folder_of_set(folder: Path) -> Path | None:
    """The one folder below that holds all files of data; None if there are several, or images."""
    data = _data_below(folder, MAX_DEPTH)
    homes = {
        file.parent.parent if file.parent.name == file.name else file.parent for file in data or ()
    }
    if len(homes) > 1:  # arrays in train/ and test/
        homes = {home.parent if split_called(home.name) else home for home in homes}
    return homes.pop() if len(homes) == 1 and folder not in homes else None


def wrapped_files(folder: Path) -> list[Path]:
    """Files of data that are alone in a folder of their own name, as Kaggle unpacks archives."""
    wrapped = [below / below.name for below in listed(folder).folders]
    return [file for file in wrapped if file.is_file() and listed(file.parent).others == [file]]


def _data_below(folder: Path, depth: int) -> list[Path] | None:
    """Files of data below a folder, descriptions (.txt) aside; None as soon as images are found."""
    found = listed(folder)
    if found.images or len(found.folders) > MAX_FOLDERS:
        return None
    data = [
        path
        for path in found.others
        if path.is_file() and path.suffix.lower() != ".txt" and _is_data(path)
    ]
    for below in found.folders if depth else ():
        inside = _data_below(below, depth - 1)
        if inside is None:
            return None
        data += inside
    return data


def _is_data(path: Path) -> bool:
    return path.suffix.lower() == ".npy" or kinds.kind_of(path) is not None
