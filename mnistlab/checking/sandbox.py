"""Starts a process of its own for a student's file, and ends it when the time is up."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import mnistlab
from mnistlab.checking.finding import Report, report_from_json
from mnistlab.checking.source import Source, read_source
from mnistlab.checking.worker import limit_report
from mnistlab.errors import DataError

SECONDS = 8.0  # of the checks; then the process says where it was
MOST_SECONDS = 15.0  # of the process, which is ended then: its code has caught the first end
LIBRARY_SECONDS = 45.0  # at most, to import PyTorch before the student's code begins
COMMAND = "from mnistlab.checking.worker import main; main()"
COURSE = Path(mnistlab.__file__).parents[1] / "labs"  # in a clone; tasks import its course.py
KEPT = ("PATH", "LANG", "LC_ALL", "SYSTEMROOT", "LD_LIBRARY_PATH", "VIRTUAL_ENV")


def check_file(
    path: Path | str, task: str | None = None, hint: int = 0, seconds: float = SECONDS
) -> Report:
    """Check a .py or .ipynb file in a process of its own.

    task: what to check it as; None: whatever it offers. hint: 0 for none, 1 to 3. Raises DataError
    where the file cannot be read or is no Python, or the task is unknown.
    """
    from mnistlab.checking.tasks import checked_task

    path = Path(path)
    source = read_source(path)
    assert source.tree  # a file that is no Python needs no process
    request = {
        "name": source.name,
        "text": source.text,
        "folders": _folders(path.resolve().parent),
        "task": checked_task(task),
        "hint": hint,
        "seconds": seconds,
    }
    with tempfile.TemporaryDirectory(prefix="mnistlab-check-") as scratch:
        return _run(source, request | {"scratch": scratch}, scratch)


def _folders(folder: Path) -> list[str]:
    """Where the file's own imports are found: its folder, that of its package, the course's."""
    found = [folder]
    while (found[-1] / "__init__.py").is_file() and found[-1].parent != found[-1]:
        found.append(found[-1].parent)
    # A submission that lies elsewhere: its task may use one of an earlier chapter.
    found += [COURSE] if COURSE.is_dir() else []
    return [str(each) for each in found]


def _run(source: Source, request: dict[str, Any], scratch: str) -> Report:
    imports = LIBRARY_SECONDS if source.imports("torch", "torchvision", "sklearn") else 0.0
    child = subprocess.Popen(
        [sys.executable, "-P", "-c", COMMAND],
        cwd=scratch,
        env=_environment(scratch),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    try:
        out, err = child.communicate(
            json.dumps(request).encode(), request["seconds"] + MOST_SECONDS - SECONDS + imports
        )
    except subprocess.TimeoutExpired:
        return limit_report(source, request, None)
    finally:
        _end(child)
    return _read(source, request, out, err, child.returncode)


def _end(child: subprocess.Popen[bytes]) -> None:
    """End the process and all that it started; on Windows only itself."""
    if child.poll() is None:
        if hasattr(os, "killpg"):
            os.killpg(child.pid, signal.SIGKILL)
        else:
            child.kill()
        child.communicate()


def _environment(scratch: str) -> dict[str, str]:
    """Few variables: those of the user may hold secrets."""
    own = {name: os.environ[name] for name in KEPT if name in os.environ}
    package = str(Path(mnistlab.__file__).parent.parent)
    return own | {
        "HOME": scratch,
        "TMPDIR": scratch,
        "MPLCONFIGDIR": scratch,
        "MPLBACKEND": "Agg",
        "PYTHONPATH": package,
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "MKL_NUM_THREADS": "1",
        "CUDA_VISIBLE_DEVICES": "",
    }


def _read(source: Source, request: dict[str, Any], out: bytes, err: bytes, status: int) -> Report:
    try:
        answer = json.loads(out)
    except ValueError:
        return _ended(source, request, err, status)
    if "error" in answer:
        raise DataError(answer["error"])
    if "bug" in answer:
        raise RuntimeError(f"a mistake in the checker itself:\n{answer['bug']}")
    return report_from_json(answer["report"])


def _ended(source: Source, request: dict[str, Any], err: bytes, status: int) -> Report:
    """The process has said nothing: the code ended it, or ran out of memory."""
    if b"Traceback" in err:  # before the student's code began
        raise RuntimeError(f"the checker did not start:\n{err.decode(errors='replace')}")
    from mnistlab.checking.finding import Finding

    text = f"the code ended the process (status {status}): by os._exit, a crash, or for memory"
    return Report(request["task"] or "unknown", (Finding("limits", "limit", text, source.name),))
