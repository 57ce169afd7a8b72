"""Arrays whose images and labels no name joins: what is said of them, and what joins them."""

from __future__ import annotations

import shlex
from pathlib import Path

from mnistlab.data.readers import kinds
from mnistlab.data.readers.binary import array_files
from mnistlab.data.readers.folders.left_out import listed
from mnistlab.errors import DataError


def check_tables(folder: Path) -> None:
    """DataError for the images in one table and their labels in another, with what joins them."""
    tables = [f for f in listed(folder).others if kinds.kind_by_name(f) == "table"]
    found = [
        one for one in (array_files.described(path, ".") for path in tables) if one is not None
    ]
    for one in found:
        if (
            one.role != "labels"
            or one.word in array_files.NAMES_OF_CLASSES
            or one.split not in (None, "train")
        ):
            continue
        other = next((o for o in found if o.role == "images" and o.split == one.split), None)
        if other is not None:
            both = " ".join(shlex.quote(kinds.shown_name(o.path)) for o in (one, other))
            raise DataError(
                f"{folder}: {one.path.name} seems to have the labels of {other.path.name}; put "
                f"them side by side: paste -d, {both} > {one.split or 'set'}.csv, and move these "
                "tables away"
            )


def check_pair(folder: Path) -> None:
    """DataError for a folder of arrays that no names join, with a line that does."""
    files = [path for path in array_files.arrays_in(folder) if path.suffix.lower() == ".npy"]
    if not files:
        return
    if len(files) > 1 and not any(map(array_files.described, files)):
        line = (
            "f = sorted(glob.glob('*.npy')); x = [np.load(n) for n in f]; np.savez('set.npz', "
            "images=np.concatenate(x), labels=np.repeat([n[:-4] for n in f], [len(a) for a in x]))"
        )
        what = "if each has the images of one class, join them"
    else:
        name = ascii(files[0].relative_to(folder).as_posix())
        line = f"np.savez('set.npz', images=np.load({name}), labels=y)"
        what = "needed are images and labels, such as X.npy and y.npy, or one file of both"
    raise DataError(f"{folder}: holds {array_files.several(files)}; {what}: {line}")
