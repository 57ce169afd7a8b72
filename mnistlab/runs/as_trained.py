"""Other data than those of the training, read as those were."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from mnistlab.data import Dataset, load
from mnistlab.data.published.sources import SOURCES
from mnistlab.data.readers.shapes import Size
from mnistlab.runs.folder import Run
from mnistlab.runs.label_columns import label_column_for


def load_as_trained(
    runs: Sequence[Run],
    name_or_path: str | os.PathLike[str],
    *,
    size: int | Size | None = None,
    label_column: str | None = None,
) -> Dataset:
    """A data set, as `load` gives it, that runs are to be evaluated on.

    size: by default the one to which the images were resized for training, where that is the same
    for all runs. label_column: by default the one of the training, in tables without header.
    """
    sizes = {_size_given(run) for run in runs}
    if size is None and len(sizes) == 1:
        (size,) = sizes
    is_path = isinstance(name_or_path, str | os.PathLike)  # anything else is refused by load
    is_file = is_path and os.fspath(name_or_path) not in SOURCES
    if label_column is None and len(runs) == 1 and is_file and not _names_its_column(runs[0]):
        label_column = label_column_for(runs[0], Path(name_or_path))
    return load(name_or_path, size=size, label_column=label_column)


def _size_given(run: Run) -> Size | None:
    size = run.data.get("source", {}).get("size")
    return (size[0], size[1]) if size else None


def _names_its_column(run: Run) -> bool:
    """Whether the column was named in training; there may be none of that name in other data."""
    return run.data.get("source", {}).get("label_column") is not None
