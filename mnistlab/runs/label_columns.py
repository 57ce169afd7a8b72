"""Where the labels are in a table that a run is used on: where they were in training.

The columns of a table without header have no names. Which has the labels is then judged by their
values, and a few rows may look otherwise than the training table did.
"""

from __future__ import annotations

from pathlib import Path

from mnistlab.data import split_files
from mnistlab.data.readers import kinds
from mnistlab.data.readers.tables import csv_table
from mnistlab.errors import DataError
from mnistlab.runs.folder import Run


def label_column_for(run: Run, path: Path) -> str | None:
    """The column of labels in the table at `path`, as --label-column takes it.

    The one that was named in training; or its number, for two tables without header that have
    equally many columns. None where the table itself must tell, and for what is no table.
    """
    source = run.data.get("source", {})
    if (named := source.get("label_column")) is not None:
        return str(named)
    trained = _training_table(Path(str(source.get("name_or_path", ""))))
    if trained is None or not path.is_file() or kinds.kind_by_name(path) not in ("table", None):
        return None
    height, width = run.data["image_shape"]
    return csv_table.label_as_in(trained, path, (height, width))


def _training_table(path: Path) -> Path | None:
    """The table that a run was trained on, if it is still there."""
    try:
        if path.is_dir():
            found = split_files.find(path)
            if found is None or found.kind != "table" or "train" not in found.files:
                return None
            path = found.files["train"][0]
        is_table = path.is_file() and kinds.kind_by_name(path) == "table"
    except (DataError, OSError):
        return None
    return path if is_table else None
