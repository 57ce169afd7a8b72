"""A run folder while it is being made: under another name, and never without its records.

The folder is called RUN.partial until all of it is on the disk. Records and checkpoints that an
earlier process left in it stay until they have been replaced.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Collection
from pathlib import Path

from mnistlab import atomic, locks
from mnistlab.errors import MnistlabError, RunError, TrainingError
from mnistlab.runs.checkpoints import FILES
from mnistlab.runs.folder import WEIGHTS
from mnistlab.runs.logs import EPOCHS, STEPS
from mnistlab.runs.seen import FILE as SEEN
from mnistlab.runs.snapshots import FILE as SNAPSHOTS

RECORDS = ("recipe.json", "data.json", "env.json", "tracking.json")  # written before the first step
FIT, FIT_PAGE = "fit", "fit.html"  # what `mnistlab fit` tried, and the page about it
RUN_FILES = (*RECORDS, EPOCHS, STEPS, WEIGHTS, SNAPSHOTS, SEEN, FIT, FIT_PAGE, "result.json")


def partial_of(path: Path) -> Path:
    """The folder in which the run `path` is made."""
    return path.with_name(f"{path.name}.partial")


def make(path: Path, afresh: bool, write: Callable[[Path], None]) -> None:
    """Make the run folder `path` by a function that writes its files into another.

    afresh: checkpoints of an earlier process are removed. Otherwise its files stay until `write`
    has replaced them: a process that is killed at any moment leaves records and checkpoints to
    resume from. An early end leaves a folder named .partial, or none. Raises RunError where another
    process is making this run, and what `write` raises.
    """
    partial = partial_of(path)
    is_new = not partial.exists()
    try:
        with locks.claimed(partial, keep="*"):
            if afresh:
                _remove(sorted(partial.iterdir(), key=lambda left: not left.match(FILES)))
            write(partial)
            keep_only(partial, RUN_FILES)
            atomic.publish_folder(partial, path)
    except BlockingIOError as error:
        if afresh or not path.exists():
            raise RunError(f"{path}: another process is training this run") from error
    except TrainingError as error:
        atomic.write_json(partial / "failure.json", {"error": str(error)})
        raise
    except MnistlabError:
        if is_new and not any(partial.glob(FILES)):  # nothing was trained
            shutil.rmtree(partial)
        raise


def keep_only(folder: Path, names: Collection[str]) -> None:
    """Remove everything in a folder except checkpoints and files of these names."""
    there = list(folder.iterdir())
    _remove([left for left in there if left.name not in names and not left.match(FILES)])


def _remove(paths: Collection[Path]) -> None:
    for path in paths:
        shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
