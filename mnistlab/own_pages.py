"""Which pages, models and tables may be replaced: those that mnistlab wrote, no other file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from mnistlab.errors import DataError, reason

MARK = b'<meta name="generator" content="mnistlab">'
# Of pages of before 2026-12, which have no generator.
OLDER_MARK = b"content=\"default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src"
PRODUCER = "mnistlab"  # of an ONNX model, whose second field it is
MODEL_MARK = b"\x12" + bytes([len(PRODUCER)]) + PRODUCER.encode()
HEAD_BYTES = 2048


def check_page(path: Path) -> None:
    """DataError where `path` is a file that is no page of mnistlab; call it before the work."""
    check_ours(path, (MARK, OLDER_MARK), "page of mnistlab")


def check_model(path: Path) -> None:
    """DataError where `path` is a file that is no ONNX model of mnistlab, as `check_page`."""
    check_ours(path, (MODEL_MARK,), "model of mnistlab")


def check_ours(path: Path, marks: Sequence[bytes], what: str) -> None:
    """DataError where `path` is a file whose beginning has none of the marks of what we write."""
    if not path.is_file():
        return
    try:
        is_ours = begins_with_one_of(path, marks)
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {reason(error)}") from error
    if not is_ours:
        raise DataError(
            f"{path}: is there already and is no {what}, which would replace it; "
            "move it away, or name another output"
        )


def begins_with_one_of(path: Path, marks: Sequence[bytes]) -> bool:
    """Whether a file is there with one of the marks in its beginning; OSError if unreadable."""
    if not path.is_file():
        return False
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
    return any(mark in head for mark in marks)
