"""Files of text that name most images of a set, though no column of names was found in them."""

from __future__ import annotations

import re
from pathlib import Path

from mnistlab.data.readers import content
from mnistlab.data.readers.folders.left_out import is_image
from mnistlab.data.readers.label_tables.image_index import Index
from mnistlab.errors import DataError

LOOKED_AT_BYTES = 1 << 22
WORD = re.compile(r"[^\s\"',;|:<>()\[\]{}=]{3,200}")
ENOUGH = 0.5  # of the images must be named


def check(path: Path, index: Index) -> None:
    """DataError for a file that names at least half of the images: it may have their labels."""
    raw = content.start_of(path, LOOKED_AT_BYTES)
    if b"\0" in raw:
        return
    words = set(WORD.findall(raw.decode("utf-8", "replace")))
    named = {
        files[0] for word in words if is_image(Path(word)) and (files := index.find(word).files)
    }
    if len(named) >= ENOUGH * len(index.exact):
        raise DataError(
            f"{path}: lists image files of the set, but not in a column of a table; if it has "
            "their labels write labels.csv (filename,label), else move it out of the folder"
        )
