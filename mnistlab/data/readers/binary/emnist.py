"""The files of EMNIST as its authors published them, as IDX and as CSV: images are transposed."""

from __future__ import annotations

import re
from pathlib import Path

from mnistlab.data.notes import note

NAME = re.compile("emnist[-_.]", re.IGNORECASE)


def say_transposed(path: Path) -> None:
    """Say so of a file that is called like one of EMNIST."""
    if NAME.match(path.name):
        note(
            f"{path}: the files of EMNIST as published hold their images transposed; they "
            "are read as they are here, and upright by --data emnist-letters and the like"
        )
