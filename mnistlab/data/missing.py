"""What is said of data that are not there: a name that is misspelt, or a path to nothing."""

from __future__ import annotations

import difflib
from pathlib import Path

from mnistlab.data.published.resolve import known
from mnistlab.errors import DataError


def missing(name: str) -> DataError:
    """The error for a name or path where nothing is: what comes close to it."""
    path = Path(name)
    if path.name == name and not path.suffix:  # no ./ or / either
        near = _near(path)
        try:
            known(path.name)  # a misspelt name rather than a path: says which come close
        except DataError as error:
            or_path = f"or {near}?" if near else f"and no file or folder here is called {name}"
            return DataError(f"{error}; {or_path}")
    if path.exists():  # a device or a pipe
        return DataError(f"{path}: is neither a regular file nor a folder")
    near = _near(path)
    return DataError(f"{path}: no such file or folder{f'; did you mean {near}?' if near else ''}")


def _near(path: Path) -> str:
    """A file or folder there whose name is similar; empty if there is none."""
    beside = [each.name for each in path.parent.iterdir()] if path.parent.is_dir() else []
    near = difflib.get_close_matches(path.name, beside, n=1, cutoff=0.7)
    if not near:
        return ""
    return f"./{near[0]}" if path.parent == Path() else str(path.parent / near[0])
