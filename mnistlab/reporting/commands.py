"""The commands on pages: what a reader types to make a page again."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mnistlab.data import Dataset


def command_for(dataset: Dataset, *command: str, before: str = "", after: str = "") -> str:
    """`mnistlab COMMAND BEFORE DATA AFTER`, with the options that the data were loaded with.

    Of data that were made in Python nothing but the name is known.
    """
    source = dataset.source
    words = ["mnistlab", *command, *shlex.split(before), source.get("name_or_path", dataset.name)]
    if source.get("size"):
        words += ["--size", "{}x{}".format(*source["size"])]
    if source.get("label_column"):
        words += ["--label-column", source["label_column"]]
    return shlex.join([*words, *shlex.split(after)])
