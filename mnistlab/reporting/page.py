"""What a report says: a page of facts, sections, figures and tables.

Values only, checked when they are made; how they look is `render`'s business.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, replace
from typing import NamedTuple

_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_NAME = re.compile(r"[a-z][a-z0-9_-]{0,79}")


@dataclass(frozen=True)
class Figure:
    """A picture with the words that belong to it.

    name: lower-case file stem. alt: what a reader who cannot see it must know.
    command: what makes it again, if not what makes its page. png: the picture as a file of its own.
    svg, narrow_svg: markup from `figures.theme`, for wide screens and for
    phones; put into the page as it is. half: two such figures share a row.
    Raises ValueError if the name, alt or png cannot serve.
    """

    name: str
    title: str
    alt: str
    caption: str
    command: str
    png: bytes
    svg: str = ""
    narrow_svg: str = ""
    half: bool = False

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise ValueError(f"figure {self.name!r}: a name is a-z, 0-9, - and _, from a letter on")
        if not self.alt.strip():
            raise ValueError(f"figure {self.name}: alt is empty")
        if not self.png.startswith(_PNG_SIGNATURE):
            raise ValueError(f"figure {self.name}: png is not a PNG file")
        if bool(self.svg) != bool(self.narrow_svg):
            raise ValueError(f"figure {self.name}: svg and narrow_svg come together")


class Number(NamedTuple):
    """A number shown as `text` and sorted by `value`, such as "0.921 ± 0.001"."""

    value: float
    text: str


def accuracy_text(mean: float, low: float, high: float) -> Number:
    """Such as "0.9215 (0.9205 to 0.9225)", sorted by the mean; one seed has no interval."""
    text = f"{mean:.4f}" if math.isnan(low) else f"{mean:.4f} ({low:.4f} to {high:.4f})"
    return Number(mean, text)


class Column(NamedTuple):
    """A heading, the format of its numbers, such as ".3f", and whether it holds sentences."""

    title: str
    format: str = ""
    wide: bool = False


def columns(*titles: str) -> tuple[Column, ...]:
    """Columns by title and, after a colon, format: "Time, s:.1f"; "Why:wide" holds sentences."""
    parts = (title.partition(":") for title in titles)
    return tuple(
        Column(title, "" if form == "wide" else form, form == "wide") for title, _, form in parts
    )


class Fact(NamedTuple):
    """A label and what it says, such as "Data set" and "Fashion-MNIST"."""

    label: str
    value: str


Cell = str | int | float | Number | None


@dataclass(frozen=True)
class Table:
    """Rows under headings; None and NaN are missing values and sort last.

    arms: the arms of the study in order; a first cell that names one is marked
    with that arm's colour. Raises ValueError for a row of another length or a
    number its column cannot format.
    """

    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    note: str = ""
    arms: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for index, row in enumerate(self.rows):
            if len(row) != len(self.columns):
                raise ValueError(
                    f"table {self.title!r}: row {index} has {len(row)} cells "
                    f"for {len(self.columns)} columns"
                )
            for cell, column in zip(row, self.columns, strict=True):
                try:
                    cell_text(cell, column)
                except ValueError as error:
                    raise ValueError(
                        f"table {self.title!r}: {cell!r} cannot be shown "
                        f"as {column.format!r} in column {column.title!r}"
                    ) from error

    def without_empty(self) -> Table:
        """The table without the columns that hold no value."""
        rows = list(zip(*self.rows, strict=True))
        filled = [i for i, cells in enumerate(rows) if any(cell is not None for cell in cells)]
        return replace(
            self,
            columns=tuple(self.columns[i] for i in filled),
            rows=tuple(tuple(row[i] for i in filled) for row in self.rows),
        )

    def is_numeric(self, index: int) -> bool:
        """Whether column `index` holds numbers only, and at least one."""
        cells = [row[index] for row in self.rows if row[index] is not None]
        return bool(cells) and not any(isinstance(cell, str) for cell in cells)


@dataclass(frozen=True)
class Section:
    """A heading, paragraphs parted by blank lines, then tables, then figures."""

    title: str
    text: str = ""
    figures: tuple[Figure, ...] = ()
    tables: tuple[Table, ...] = ()


@dataclass(frozen=True)
class Page:
    """A report: what was asked, the answer in a sentence, and the evidence.

    kind: the word over the title, such as "Study". command: what makes the
    page. Raises ValueError if two figures share a name.
    """

    title: str
    question: str
    answer: str
    facts: tuple[Fact, ...]
    sections: tuple[Section, ...]
    command: str
    kind: str = "Study"

    def __post_init__(self) -> None:
        seen: set[str] = set()
        for figure in self.figures():
            if figure.name in seen:
                raise ValueError(f"page {self.title!r}: two figures are named {figure.name}")
            seen.add(figure.name)

    def figures(self) -> list[Figure]:
        """Every figure, in the order of the page."""
        return [figure for section in self.sections for figure in section.figures]


def cell_value(cell: Cell) -> float | None:
    """The number a cell sorts by; None for text and for missing values."""
    if cell is None or isinstance(cell, str):
        return None
    value = float(cell.value if isinstance(cell, Number) else cell)
    return None if math.isnan(value) else value


def cell_text(cell: Cell, column: Column) -> str:
    """A cell as it is read."""
    if isinstance(cell, str):
        return cell
    if isinstance(cell, Number):
        return cell.text
    if cell is None or math.isnan(cell):
        return "–"
    return format(cell, column.format or ("," if isinstance(cell, int) else ".4g"))
