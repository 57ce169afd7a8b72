"""The page of a comparison of runs: which is better, by how much, on what evidence."""

from __future__ import annotations

import math
from pathlib import Path

from mnistlab.evaluation import fraction_interval, interval_text
from mnistlab.reporting.bounds import MOST_ROWS, with_left_out
from mnistlab.reporting.comparison_report import accuracy_text, over_images_text
from mnistlab.reporting.figures import Row, differences
from mnistlab.reporting.page import Column, Fact, Number, Page, Section, Table
from mnistlab.reporting.render import write
from mnistlab.reporting.run_report import machine_text
from mnistlab.runs import Comparison
from mnistlab.runs.comparing import Verdict, p_text

MOST_NAMED = 6  # recipes, in the title
TESTS = (
    "Over seeds: Student's paired test. On images: McNemar's test (mid-p) and the paired "
    "bootstrap, one model each."
)
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
            _verdicts(comparison, command),
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
    columns = (
        Column("Recipe"),
        Column("Row"),
        Column("Parameters", ","),
        Column("Seeds"),
        Column("Test accuracy"),
    )
    several = any(len(contender.runs) > 1 for contender in comparison.contenders)
    over_seeds = "Mean over seeds and its 95 % interval over seeds (Student, on the logit scale). "
    best = float(comparison.contenders[0].accuracies.mean())
    note = (over_seeds if several else "") + over_images_text(best, comparison.n_images)
    return Table("Contenders", columns, rows, note=note)


def _verdicts(comparison: Comparison, command: str) -> Section:
    columns = (
        Column("Better"),
        Column("Worse"),
        Column("Points", ".2f"),
        Column("Simultaneous 95 % interval" if len(comparison.verdicts) > 1 else "95 % interval"),
        Column("p"),
        Column("Found on"),
        Column("Shown"),
    )
    rows = tuple(_row(verdict) for verdict in comparison.verdicts[:MOST_ROWS])
    n_verdicts = len(comparison.verdicts)
    several = n_verdicts > 1
    note = TESTS + (CORRECTED.format(n_verdicts) if several else "")
    note = with_left_out(note, len(rows), n_verdicts, "first", "comparisons")
    table = Table("Differences", columns, rows, note=note)
    figure = differences(
        [
            Row(
                f"{verdict.better} \N{MINUS SIGN} {verdict.worse}",
                100 * verdict.difference.mean,
                100 * verdict.difference.low,
                100 * verdict.difference.high,
                verdict.difference.is_shown,
            )
            for verdict in comparison.verdicts
        ],
        caption="Test accuracy of the first minus that of the second; a line is a "
        + ("simultaneous 95 % interval." if several else "95 % interval."),
        command=command,
    )
    return Section("Differences", tables=(table,), figures=(figure,))


def _row(verdict: Verdict) -> tuple[str | float | Number, ...]:
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
