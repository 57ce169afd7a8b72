"""Tables of searches: what tuning gained, and which settings mattered."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean

from benchmarks.markdown import gain_cell, markdown, measured
from benchmarks.study_tables import accuracy_text, newest_arms
from benchmarks.systems import gains


def tuning_table(name: str, sets: Sequence[str]) -> str:
    """Untuned and tuned, one row per data set: accuracies, points gained, the search."""
    rows, arms, gained = [], {}, gains(f"tune-{name}", sets)
    for data in sets:
        untuned, tuned = arms[data] = newest_arms(f"tune-{name}", data)
        rows.append(
            [
                data,
                f"{fmean(untuned['val_accuracy']):.4f} / {accuracy_text(untuned['test_accuracy'])}",
                f"{fmean(tuned['val_accuracy']):.4f} / {accuracy_text(tuned['test_accuracy'])}",
                *(gain_cell(gained[data, key]) for key in ("val_accuracy", "test_accuracy")),
                str(len(tuned["seeds"])),
                f"{tuned['n_trials']} in {tuned['search_time_s'] / 60:.0f} min",
            ]
        )
    columns = (
        "data",
        "untuned, validation / test (95 % interval over seeds)",
        "tuned, validation / test (over seeds)",
        "gained on validation, points (simultaneous 95 % interval over seeds)",
        "gained on test, points (same)",
        "seeds",
        "trials",
    )
    return measured(arms[sets[0]][1], columns, rows)


def importance_table(name: str, sets: Sequence[str]) -> str:
    """How much of the variation of validation accuracy each setting explains, per data set."""
    importance = {data: newest_arms(f"tune-{name}", data)[1]["importance"] for data in sets}
    rows = [
        [f"`{setting}`", *(f"{100 * importance[data].get(setting, 0.0):.0f} %" for data in sets)]
        for setting in importance[sets[0]]
    ]
    return markdown(("setting", *sets), rows)
