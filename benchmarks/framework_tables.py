"""The table of the benchmark `frameworks`."""

from __future__ import annotations

import statistics
from typing import Any

from benchmarks import ledger
from benchmarks.markdown import markdown, measured

NOT_YET = "Not measured yet: `python -m benchmarks.frameworks --record`.\n"


def frameworks_table() -> str:
    """Every framework beside ours, and why one is missing."""
    line = ledger.latest("benchmark", "frameworks")
    return NOT_YET if line is None else table_of(line)


def table_of(line: dict[str, Any]) -> str:
    """The table of a line of the ledger."""
    figures = line["figures"]
    ratios = figures["times_ours"]
    rows = [
        [
            name,
            ", ".join(f"{package} {version}" for package, version in of["versions"].items()),
            f"{statistics.median(of['first_epoch_s']):.1f}",
            " / ".join(f"{value:.1f}" for value in of["epoch_s"]),
            f"{statistics.fmean(of['val_accuracy']):.4f}",
            *(f"{others[name]:.2f}x" if name in others else "–" for others in ratios.values()),
        ]
        for name, of in figures["frameworks"].items()
    ]
    columns = (
        *("framework", "versions", "first epoch, s", "a later epoch, s, by turn"),
        f"validation accuracy after {figures['epochs']} epochs, mean",
        *(f"times the epoch of {name}" for name in ratios),
    )
    text = measured(line, columns, rows)
    skipped = [[name, reason.replace("|", "/")] for name, reason in figures["skipped"].items()]
    return text + ("\n" + markdown(("not measured", "why"), skipped) if skipped else "")
