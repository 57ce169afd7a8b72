"""Finds measured numbers typed into prose. None is allowed, because it would become outdated.

Measured numbers belong in tables, which benchmarks.tables renders from the ledger. Prose may
contain what is in STATED: settings, definitions and what the write-ups print.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

# Between these, nothing is prose: rendered tables, programs, names in code, addresses of links.
NOT_PROSE = re.compile(r"<!-- table: .*?<!-- end -->|```.*?```|`[^`\n]*`|\]\([^)]*\)", re.DOTALL)
UNITS = r"%|points?|percent|seconds?|minutes?|hours?|ms|µs|s|kB|MB|GB|x|times"
FIGURE = re.compile(rf"(?<![\w.])[+\-±]?(?:\d[\d,.]*\s?(?:{UNITS})(?![\w-])(?! \d)|0\.\d{{2,}})")

STATED: dict[str, tuple[str, ...]] = {
    "README.md": ("seven minutes on two quiet cores", "to a service in 20 minutes"),
    "checking.md": ("It has 10 seconds (15 if it catches", "3 GB"),
    "fit.md": (
        "in at most 4 % of the time",
        "a training of 3 % of the time each",
        "in at most 40 % of the time",
    ),
    "index.md": ("to a service in 20 minutes",),
    "tutorial.md": (
        "to a service in 20 minutes",
        "(1 minute)",
        "(2 minutes)",
        "(3 minutes)",
        "with 95 % confidence",
    ),
    "drawing-page.md": ("A page holds 2 MB",),
    "extending.md": ("a fall to below 0.02 unless told otherwise",),
    "measured.md": (
        "52,500 rows of 32 x 32 pixels, 140 MB",
        "the 95 % interval of the fit",
        "the published rate of 0.01",
        "Rate 0.1 beats 0.01",
    ),
    "scale.md": (
        "(6.35 GB)",
        "of the 24 GB of this machine",
        "process have 2 GB",
    ),
    "evidence.md": ("tests at 5 %",),
    "transfer.md": ("hold together with 95 %",),
    "tuning.md": ("a rate of 0.0001",),
    "your-images-measured.md": (
        "C of 0.01, 0.1 and 1 chosen",
        "hold together with 95 %",
        "where p is below 0.05",
    ),
    "zoo.md": (
        "(SGD 0.1, momentum 0.01, AdaGrad 0.01, the others 0.001)",
        "by Adam from 0.001",
        "(0.67 at 101 steps, 0.74 at 201, 0.79 at 801, 0.80 from 1,201 on)",
        "by Adam at a constant 0.001",
        "Published: 0.914 on validation, 0.916 on the test part.",
    ),
}


class Typed(NamedTuple):
    """A number in the prose of a page, with its line."""

    line: int
    figure: str
    text: str


def typed(page: Path) -> list[Typed]:
    """The numbers of a page's prose that are in none of the phrases of STATED."""
    whole = page.read_text(encoding="utf-8")
    prose = NOT_PROSE.sub(lambda found: re.sub(r"[^\n]", " ", found[0]), whole)
    for phrase in STATED.get(page.name, ()):
        prose = prose.replace(phrase, " " * len(phrase))
    return [
        Typed(number, found[0], line.strip())
        for number, line in enumerate(prose.splitlines(), start=1)
        for found in FIGURE.finditer(line)
    ]
