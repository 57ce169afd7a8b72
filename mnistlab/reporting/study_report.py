"""The page and the summary of any study, whatever its kind."""

from __future__ import annotations

from pathlib import Path

from mnistlab.reporting.commands import command_for
from mnistlab.reporting.comparison_report import comparison_page, comparison_table
from mnistlab.reporting.embedding_report import agreement_table, embedding_page
from mnistlab.reporting.grid_report import grid_page, points_table
from mnistlab.reporting.page import Table, cell_text
from mnistlab.reporting.render import write
from mnistlab.study import AnyResult, EmbeddingResult, GridResult


def study_report(result: AnyResult) -> Path:
    """Write report.html and figures/*.png into the study's folder; the page's path."""
    command = _command(result)
    if isinstance(result, GridResult):
        page = grid_page(result, command)
    elif isinstance(result, EmbeddingResult):
        page = embedding_page(result, command)
    else:
        page = comparison_page(result, command)
    return write(page, result.path)


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
