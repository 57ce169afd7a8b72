"""The table of predictions as bytes; its separator and packing follow from the name of its file."""

from __future__ import annotations

import contextlib
import csv
import gzip
import io
import zlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import IO, NamedTuple

from mnistlab.errors import DataError

PACKED = ".gz"
LONGEST_HEADING = 1 << 20  # bytes; of thousands of classes
# Endings that promise something else than lines of text.
OF_OTHER_KINDS = (
    ".7z .arrow .bz2 .db .feather .h5 .hdf5 .htm .html .jpg .json .jsonl .npy .npz .ods .parquet "
    ".pdf .pickle .pkl .png .pt .safetensors .tar .tgz .xls .xlsx .xml .xz .yaml .zip .zst"
)


class TableKind(NamedTuple):
    """How rows become bytes. is_packed: by gzip."""

    separator: str
    is_packed: bool

    @contextlib.contextmanager
    def writing(self, file: IO[bytes]) -> Iterator[Callable[[Sequence[Sequence[str]]], None]]:
        """A function that writes rows into `file`, which is complete when the block ends."""
        with contextlib.ExitStack() as stack:
            packed: IO[bytes] | gzip.GzipFile = file
            if self.is_packed:  # no name and no time inside: the same rows give the same file
                packed = gzip.GzipFile(filename="", mode="wb", fileobj=file, mtime=0)
                stack.enter_context(packed)

            def write(rows: Sequence[Sequence[str]]) -> None:
                text = io.StringIO(newline="")
                csv.writer(text, delimiter=self.separator, lineterminator="\n").writerows(rows)
                packed.write(text.getvalue().encode())

            yield write


def kind_of(out: Path) -> TableKind:
    """The kind that a file's name asks for; DataError for one that is not written."""
    is_packed = out.suffix.lower() == PACKED
    ending = (out.with_suffix("") if is_packed else out).suffix.lower()
    if ending in OF_OTHER_KINDS.split():
        raise DataError(
            f"{out}: predictions are written as a .csv or .tsv file, or packed as .csv.gz, and not "
            f"as {ending}{PACKED if is_packed else ''}; name such a file"
        )
    return TableKind("\t" if ending == ".tsv" else ",", is_packed)


def n_columns(path: Path) -> int:
    """How many headings the table in a file has, whatever the file holds."""
    kind = kind_of(path)
    with contextlib.suppress(OSError, EOFError, zlib.error, csv.Error):
        with gzip.open(path) if kind.is_packed else path.open("rb") as file:
            line = file.readline(LONGEST_HEADING).decode(errors="replace")
        return len(next(csv.reader([line], delimiter=kind.separator), []))
    return 0
