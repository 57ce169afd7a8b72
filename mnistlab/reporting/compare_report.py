"""The page of a comparison of runs: which is better, by how much, on what evidence."""

from __future__ import annotations

import math
from pathlib import Path

from mnistlab.evaluation import fraction_interval, interval_text
from mnistlab.reporting.bounds import MOST_ROWS, with_left_out
from mnistlab.reporting.comparison_report import over_images_text
from mnistlab.reporting.figures.rows import Row, differences
from mnistlab.reporting.page import (
    Cell,
    Fact,
    Number,
    Page,
    Section,
    Table,
    accuracy_text,
    columns,
)
from mnistlab.reporting.render import write
from mnistlab.reporting.run_report import machine_text
from mnistlab.runs import Comparison
from mnistlab.runs.comparing import Verdict, p_text

MOST_NAMED = 6  # recipes, in the title
TESTS = (
    "Over seeds: Student's paired test. On images: McNemar's test (mid-p) and the paired "
    "bootstrap, one model each."
)
LAST_COLUMNS = ("p", "Found on", "Shown")
CORRECTED = (
    " p is corrected for {} comparisons (Holm), and the intervals hold "
    "together with 95 % (Bonferroni)."
)


def compare_report(comparison: Comparison) -> Path:
    """Write report.html and figures/*.png into the comparison's folder; the page's path."""
    runs = [run for contender in comparison.contenders for run in contender.runs]
    command = f"mnistlab compare {' '.join(str(run.path) for run in runs)}"
    names = [contender.name for contender in comparison.contenders]
    first = runs[0]
    page = Page(
        kind="Comparison",
        title=", ".join(names[:-1]) + f" and {names[-1]}"
        if len(names) <= MOST_NAMED
        else f"{len(names)} recipes",
        question=f"Which is better on {first.data['name']}, by how much, and is it more "
        "than chance?",
        answer=comparison.answer,
        facts=(
            Fact("Data set", f"{first.data['name']}, split {first.data['split']}"),
            Fact("Test images", f"{comparison.n_images:,}, the same for all"),
            Fact("Runs", str(len(runs))),
            Fact("Machine", machine_text(first.env)),
        ),
        sections=(
            Section("Contenders", tables=(contenders_table(comparison),)),
            _verdicts(comparison),
        ),
        command=command,
    )
    return write(page, comparison.path)


def contenders_table(comparison: Comparison) -> Table:
    """A row per contender, best first."""
    rows = tuple(
        (
            contender.name,
            contender.runs[0].recipe.system,
            contender.runs[0].result["n_parameters"],
            len(contender.runs),
            accuracy_text(*fraction_interval(contender.accuracies.tolist())),
        )
        for contender in comparison.contenders
    )
    titles = columns("Recipe", "Row", "Parameters:,", "Seeds", "Test accuracy")
    several = any(len(contender.runs) > 1 for contender in comparison.contenders)
    over_seeds = "Mean over seeds and its 95 % interval over seeds (Student, on the logit scale). "
    best = float(comparison.contenders[0].accuracies.mean())
    note = (over_seeds if several else "") + over_images_text(best, comparison.n_images)
    return Table("Contenders", titles, rows, note=note)


def _verdicts(comparison: Comparison) -> Section:
    verdicts, n_verdicts = comparison.verdicts, len(comparison.verdicts)
    interval, note = "95 % interval", TESTS
    if n_verdicts > 1:
        interval, note = "simultaneous 95 % interval", TESTS + CORRECTED.format(n_verdicts)
    note = with_left_out(note, MOST_ROWS, n_verdicts, "first", "comparisons")
    shown = columns("Better", "Worse", "Points:.2f", interval.capitalize(), *LAST_COLUMNS)
    table = Table("Differences", shown, tuple(map(_cells, verdicts[:MOST_ROWS])), note=note)
    figure = differences(
        [_row(verdict) for verdict in verdicts],
        caption=f"Test accuracy of the first minus that of the second; a line is a {interval}.",
    )
    return Section("Differences", tables=(table,), figures=(figure,))


def _row(verdict: Verdict) -> Row:
    d = verdict.difference
    label = f"{verdict.better} \N{MINUS SIGN} {verdict.worse}"
    return Row(label, 100 * d.mean, 100 * d.low, 100 * d.high, d.is_shown)


def _cells(verdict: Verdict) -> tuple[Cell, ...]:
    d = verdict.difference
    return (
        verdict.better,
        verdict.worse,
        100 * d.mean,
        Number(d.low, interval_text(d, 2)) if math.isfinite(d.low) else "–",
        Number(d.p, p_text(d.p).removeprefix("p = ").removeprefix("p ")),
        f"{d.n:,} {d.of}",
        "yes" if d.is_shown else "no",
    )
