"""Tables of the benchmark `your_images`: every method on every set, and the differences."""

from __future__ import annotations

from typing import Any

import mnistlab as ml
from benchmarks import ledger
from benchmarks.markdown import gain_cell, markdown, measured
from benchmarks.study_tables import accuracy_text
from benchmarks.your_image_sets import SETS
from mnistlab.evaluation import Difference, corrected, over_seeds

OURS = ml.RECOMMENDED


NOT_YET = "Not measured yet: `python -m benchmarks.your_images --record`.\n"


def lines() -> dict[str, dict[str, Any]]:
    """The newest line of each set that was measured, in the order of SETS."""
    found = {name: ledger.latest("benchmark", "your_images", data=name) for name in SETS}
    return {name: line for name, line in found.items() if line is not None}


def accuracy_table() -> str:
    """Accuracy, balanced accuracy and seconds of every method on every set."""
    rows: list[list[str]] = []
    if not lines():
        return NOT_YET
    for name, line in lines().items():
        for method, values in line["figures"]["methods"].items():
            rows.append(
                [
                    name,
                    f"**{method}**" if method == OURS else method,
                    accuracy_text(values["accuracy"]),
                    accuracy_text(values["balanced_accuracy"]),
                    f"{sum(values['cpu_seconds']) / len(values['cpu_seconds']):.1f}",
                ]
            )
    columns = (
        "set",
        "method",
        "accuracy (95 % interval over seeds)",
        "balanced accuracy (over seeds)",
        "CPU seconds, mean",
    )
    return measured(next(iter(lines().values())), columns, rows)


def differences_table() -> str:
    """The recommended recipe less every other method, by each set's metric, paired by seed."""
    found = differences()
    if not found:
        return NOT_YET
    rows = [
        [
            name,
            lines()[name]["figures"]["figure"].replace("_", " "),
            method,
            gain_cell(each),
            f"{each.p:.2g}",
            "yes" if each.is_shown and each.mean > 0 else "no",
        ]
        for (name, method), each in found.items()
    ]
    points = "points, simultaneous 95 % interval"
    columns = ("set", "by", f"{OURS} against", points, "p, corrected", "better")
    return markdown(columns, rows)


def differences() -> dict[tuple[str, str], Difference]:
    """The recommended recipe's gain by set and method, corrected over all of them."""
    found = {}
    for name, line in lines().items():
        figure, methods = line["figures"]["figure"], line["figures"]["methods"]
        for method, values in methods.items():
            if method != OURS:
                found[name, method] = over_seeds(methods[OURS][figure], values[figure])
    return dict(zip(found, corrected(list(found.values())), strict=True))


def sets_table() -> str:
    """A description of every set."""
    rows = [
        [
            name,
            line["figures"]["about"],
            f"{line['figures']['n_train']:,} / {line['figures']['n_val']:,} / "
            f"{line['figures']['n_test']:,}",
        ]
        for name, line in lines().items()
    ]
    columns = ("set", "what it is", "training / validation / test")
    return markdown(columns, rows) if rows else NOT_YET
