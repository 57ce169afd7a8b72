"""Which pages may be replaced: those that mnistlab wrote, never a file of the user's."""

from __future__ import annotations

from pathlib import Path

from mnistlab.errors import DataError, reason

MARK = b'<meta name="generator" content="mnistlab">'
# Of pages of before 2026-12, which have no generator.
OLDER_MARK = b"content=\"default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src"
HEAD_BYTES = 2048


def check_page(path: Path) -> None:
    """DataError where `path` is a file that is no page of mnistlab; call it before the work."""
    if not path.is_file():
        return
    try:
        with path.open("rb") as file:
            head = file.read(HEAD_BYTES)
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {reason(error)}") from error
    if MARK not in head and OLDER_MARK not in head:
        raise DataError(
            f"{path}: is there already and is no page of mnistlab, which would replace it; "
            "move it away, or name another output"
        )
