"""One self-contained HTML page for a run, a study or a comparison.

Plain values in, bytes out: nothing here knows of recipes or torch. The figures
are drawn in `mnistlab.reporting.figures`, which loads matplotlib and is
therefore not imported here.
"""

from mnistlab.reporting.page import Column, Fact, Figure, Number, Page, Section, Table
from mnistlab.reporting.render import render, write

__all__ = [
    "Column",
    "Fact",
    "Figure",
    "Number",
    "Page",
    "Section",
    "Table",
    "render",
    "write",
]
