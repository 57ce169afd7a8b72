"""The page and the summary of any study, whatever its kind."""

from __future__ import annotations

from pathlib import Path

from mnistlab.reporting.comparison_report import comparison_page, comparison_table
from mnistlab.reporting.embedding_report import agreement_table, embedding_page
from mnistlab.reporting.grid_report import grid_page, points_table
from mnistlab.reporting.page import Table, cell_text
from mnistlab.reporting.render import write
from mnistlab.study import AnyResult, EmbeddingResult, GridResult


def study_report(result: AnyResult) -> Path:
    """Write report.html and figures/*.png into the study's folder; the page's path."""
    data = result.dataset.source.get("name_or_path", result.dataset.name)
    command = f"mnistlab study {_as_typed(result.study.name)} --data {data}"
    if isinstance(result, GridResult):
        page = grid_page(result, command)
    elif isinstance(result, EmbeddingResult):
        page = embedding_page(result, command)
    else:
        n_seeds = max(len(arm.runs) for arm in result.arms)
        seeds = "" if n_seeds == result.study.n_seeds else f" --seeds {n_seeds}"
        page = comparison_page(result, command + seeds)
    return write(page, result.path)


def _as_typed(name: str) -> str:
    """A miniature's name as the command line takes it."""
    whole = name.removesuffix("-quick")
    return name if whole == name else f"{whole} --quick"


def summary_lines(result: AnyResult) -> tuple[list[str], list[list[str]]]:
    """Headings and rows of the study's first table as text."""
    return text_of(_first_table(result))


def text_of(shown: Table) -> tuple[list[str], list[list[str]]]:
    """Headings and rows of a table as text."""
    rows = [
        [cell_text(cell, column) for cell, column in zip(row, shown.columns, strict=True)]
        for row in shown.rows
    ]
    return [column.title for column in shown.columns], rows


def _first_table(result: AnyResult) -> Table:
    if isinstance(result, GridResult):
        return points_table(result)
    if isinstance(result, EmbeddingResult):
        return agreement_table(result)
    return comparison_table(result)
