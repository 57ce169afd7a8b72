"""The beginning of a table: the names of its columns, and rows by which they are judged."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

from mnistlab.data.readers.shapes import Size
from mnistlab.data.readers.tables import csv_extra
from mnistlab.data.readers.tables.csv_head import Head, Sample, cells_of, sample

N_FIRST = 60  # rows from the beginning, in order

SampleAll = Callable[[str, int], Sample]


@dataclass(frozen=True)
class Beginning:
    """The first block of a table, and what its head says.

    names: of the columns, by number from 1 where the table has no header. size: (H, W) of an image,
    if it is given. sample_all: given the delimiter and the number of lines to skip, rows from the
    whole table.
    """

    block: bytes
    where: str
    size: Size | None
    head: Head
    names: tuple[str, ...]
    sample_all: SampleAll

    @property
    def has_header(self) -> bool:
        """Whether the columns have names of their own."""
        return self.head.names is not None

    @property
    def n_skipped(self) -> int:
        """How many lines come before the first row whose cells are as they were written."""
        return self.head.first_row - 1 + (self.head.restored is not None)

    @cached_property
    def rows(self) -> Sample:
        """Rows of the whole first block."""
        return sample(self.block, self.head.delimiter, self.n_skipped)

    @cached_property
    def first(self) -> Sample:
        """The first rows in order."""
        lines = self.block.split(b"\n", self.n_skipped + N_FIRST)[self.n_skipped : -1]
        texts = [line.decode("utf-8", "replace").rstrip("\r") for line in lines]
        return [cells_of(text, self.head.delimiter, strict=False) for text in texts]

    def of_whole_table(self) -> Sample:
        """Rows from everywhere."""
        return self.sample_all(self.head.delimiter, self.n_skipped)

    def column(self, i: int) -> list[str]:
        """The cells of a column in `rows`."""
        return csv_extra.column(self.rows, i, len(self.names))

    def counts_rows(self, i: int, fewest: int = csv_extra.FEWEST_ROWS) -> bool:
        """Whether a column numbers the rows, of which there must be so many."""
        return csv_extra.counts_rows(csv_extra.column(self.first, i, len(self.names)), fewest)

    def fits(self, n_pixels: int) -> bool:
        """Whether so many pixels make an image."""
        if self.size is not None:
            return n_pixels == self.size[0] * self.size[1]
        return n_pixels > 0 and math.isqrt(n_pixels) ** 2 == n_pixels
