"""Files that hold a set in shards, such as train-00000-of-00002.parquet: whether all are there."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from mnistlab.data.notes import note
from mnistlab.errors import DataError

# Hugging Face and TensorFlow count from 0, some from 1; a hash may follow.
SHARD = re.compile(r"-(?P<number>[0-9]{5})-of-(?P<n>[0-9]{5})(-[0-9a-f]+)?(?=\.|$)")
SHOWN = 4


def without_number(stem: str) -> str:
    """The name of a file without which shard it is."""
    return SHARD.sub("", stem)


def check_complete(paths: Iterable[Path]) -> None:
    """DataError naming the shards that do not lie beside the others."""
    found: dict[tuple[Path, str, str, int], set[int]] = {}
    for path in paths:
        if match := SHARD.search(path.name):
            before, after = path.name[: match.start()], path.name[match.end() :]
            key = (path.parent, before, after, int(match["n"]))
            found.setdefault(key, set()).add(int(match["number"]))
    for (folder, before, after, n), numbers in found.items():
        first = 1 if n in numbers else 0
        missing = [i for i in range(first, first + n) if i not in numbers]
        if missing:
            names = [f"{before}-{i:05d}-of-{n:05d}{after}" for i in missing[:SHOWN]]
            more = f" and {len(missing) - SHOWN} others" if len(missing) > SHOWN else ""
            raise DataError(
                f"{folder}: {len(missing)} of {n} files {'is' if len(missing) == 1 else 'are'} "
                f"missing: {', '.join(names)}{more}; put them beside the others, or rename those "
                "that are here to use them alone"
            )


def check_alone(paths: Iterable[Path]) -> None:
    """DataError for several shards of a kind of file that is read only as a whole."""
    names = [path.name for path in paths if SHARD.search(path.name)]
    if len(names) > 1:
        raise DataError(
            f"{' and '.join(names[:2])}: only .parquet files are read in shards; join them into "
            "one file"
        )


def note_alone(path: Path) -> None:
    """Say that a file that was given is not the whole set."""
    match = SHARD.search(path.name)
    if match and int(match["n"]) > 1:
        note(f"{path}: is one of {int(match['n'])} files of its set; give the folder for all")
