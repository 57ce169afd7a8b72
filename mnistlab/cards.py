"""How values show themselves in a notebook: a title, a few facts, a table, pictures.

Colours are the notebook's own, so that cards fit light and dark themes.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from pathlib import Path

LINE = "border-bottom:1px solid color-mix(in srgb,currentColor 20%,transparent)"
CELL = "padding:2px 14px 2px 0;text-align:left;vertical-align:top;background:none"
MOST_ROWS = 30  # of a table: a notebook is read, not searched


def card(
    title: str,
    facts: Mapping[str, object],
    *,
    text: str = "",
    tables: Iterable[str] = (),
    picture: bytes = b"",
) -> str:
    """A card as HTML. facts: name to value; None is left out. picture: a PNG file's bytes."""
    parts = [f"<strong>{escape(title)}</strong>"]
    if text:
        parts.append(f'<p style="margin:4px 0;max-width:48em">{escape(text)}</p>')
    known = [(name, value) for name, value in facts.items() if value not in (None, "")]
    if known:
        parts.append(_rows([(name, str(value)) for name, value in known]))
    parts.extend(tables)
    if picture:
        source = b64encode(picture).decode()
        style = "image-rendering:pixelated;max-width:100%;margin-top:6px"
        parts.append(
            f'<img alt="{escape(title)}" style="{style}" src="data:image/png;base64,{source}">'
        )
    return f'<div style="font-size:90%;line-height:1.4">{"".join(parts)}</div>'


def html_table(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """A table as HTML; None is shown as a dash, and of a long table the first rows."""
    head = "".join(f'<th style="{CELL};{LINE}">{escape(column)}</th>' for column in columns)
    shown = [["–" if cell is None else str(cell) for cell in row] for row in rows[:MOST_ROWS]]
    more = len(rows) - len(shown)
    note = f"<div>and {more:,} more</div>" if more else ""
    return f"{_rows(shown, head)}{note}"


def per_cent(fraction: float | None, digits: int = 2) -> str | None:
    """Such as "98.31 %"; None of None."""
    return None if fraction is None else f"{100 * fraction:.{digits}f} %"


def counted(n: int, noun: str, form: str = ",") -> str:
    """Such as "1 image" or "2,000 images"; the nouns that are counted here take an s."""
    return f"{n:{form}} {noun}{'s' * (n != 1)}"


def _rows(rows: Iterable[Sequence[str]], head: str = "") -> str:
    cells = ("".join(f'<td style="{CELL}">{escape(cell)}</td>' for cell in row) for row in rows)
    body = "".join(f'<tr style="background:none">{row}</tr>' for row in cells)
    thead = f"<thead><tr>{head}</tr></thead>" if head else ""
    style = "border-collapse:collapse;margin:4px 0"
    return f'<table style="{style}">{thead}<tbody>{body}</tbody></table>'


class PageFile(type(Path())):  # type: ignore[misc]  # before Python 3.12 only so can it be a path
    """The path of a page, which a notebook shows in a frame; any Path otherwise."""

    def _repr_html_(self) -> str:
        try:
            page = self.read_text(encoding="utf-8")
        except OSError as error:
            return escape(f"{self}: {error.strerror}")
        frame = (
            f'<iframe style="width:100%;height:640px;border:0" srcdoc="{escape(page)}"></iframe>'
        )
        return f"<div>{escape(str(self))}</div>{frame}"
