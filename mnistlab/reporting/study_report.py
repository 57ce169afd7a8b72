"""The page and the summary of any study, whatever its kind."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from mnistlab.reporting.commands import command_for
from mnistlab.reporting.comparison_report import comparison_page, comparison_table
from mnistlab.reporting.embedding_report import agreement_table, embedding_page
from mnistlab.reporting.grid_report import grid_page, points_table
from mnistlab.reporting.page import Page, Table, cell_text
from mnistlab.reporting.render import write
from mnistlab.study import AnyResult, EmbeddingResult, GridResult, StudyResult

# By the kind of study: its page, and the table that a terminal shows.
_KINDS: dict[type, tuple[Callable[[Any, str], Page], Callable[[Any], Table]]] = {
    StudyResult: (comparison_page, comparison_table),
    GridResult: (grid_page, points_table),
    EmbeddingResult: (embedding_page, agreement_table),
}


def study_report(result: AnyResult) -> Path:
    """Write report.html and figures/*.png into the study's folder; the page's path."""
    page_of, _ = _KINDS[type(result)]
    return write(page_of(result, _command(result)), result.path)


def _command(result: AnyResult) -> str:
    """What makes the page again: a command, or Python where a script has made the study."""
    from mnistlab.studies import STUDIES

    name = result.study.name.removesuffix("-quick")
    quick = "--quick" if name != result.study.name else ""
    n_seeds = None
    if not isinstance(result, GridResult | EmbeddingResult):
        n_seeds = max(len(arm.runs) for arm in result.arms)
        n_seeds = None if n_seeds == result.study.n_seeds else n_seeds
    if name not in STUDIES:
        data = result.dataset.source.get("name_or_path", result.dataset.name)
        seeds = "" if n_seeds is None else f", n_seeds={n_seeds}"
        return f"ml.study_report(ml.run_study(study, {data!r}{seeds}))"
    seeds = "" if n_seeds is None else f"--seeds {n_seeds}"
    return command_for(result.dataset, "study", before=f"{name} {quick} --data", after=seeds)


def summary_lines(result: AnyResult) -> tuple[list[str], list[list[str]]]:
    """Headings and rows of the study's first table as text."""
    _, first_table_of = _KINDS[type(result)]
    return text_of(first_table_of(result))


def text_of(shown: Table) -> tuple[list[str], list[list[str]]]:
    """Headings and rows of a table as text."""
    rows = [
        [cell_text(cell, column) for cell, column in zip(row, shown.columns, strict=True)]
        for row in shown.rows
    ]
    return [column.title for column in shown.columns], rows
