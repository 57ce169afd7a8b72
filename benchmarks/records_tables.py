"""Tables of the record recipes, and of what each idea in them gains."""

from __future__ import annotations

from statistics import fmean
from typing import Any

from benchmarks import ledger
from benchmarks.markdown import machine_text, markdown, measured_arms
from benchmarks.study_tables import over_seeds_text
from mnistlab.evaluation import MINUS, Difference, interval_text, over_seeds
from mnistlab.recipes import get_recipe
from mnistlab.recipes.records import RECORDS

NOT_YET = "not measured yet"
RECORD = "the record"  # the arm that nothing was changed in: see benchmarks.records_ladder


def records_table() -> str:
    """A row per record: its target, and what was reached in which time."""
    lines = {name: ledger.latest("benchmark", "records", record=name) for name in RECORDS}
    rows = [
        [f"`{name}`", *_target(name), *(_reached(line) if line else [NOT_YET, *["–"] * 7])]
        for name, line in lines.items()
    ]
    columns = (
        *("record", "target accuracy", "target, s", "test accuracy, mean"),
        *("95 % interval over seeds", "spread", "seeds", "training, s", "import, s"),
        *("data and first step, s", "command"),
    )
    found = [line | {"arm": line["record"]} for line in lines.values() if line]
    return measured_arms(found, columns, rows) if found else markdown(columns, rows)


def _target(name: str) -> list[str]:
    record = RECORDS[name]
    seconds = "–" if record.seconds is None else f"{record.seconds:g}"
    return [f"{100 * record.accuracy:.1f} %", seconds]


def _reached(line: dict[str, Any]) -> list[str]:
    figures = line["figures"]
    accuracies, seconds = figures["test_accuracy"], figures["train_s"]
    before = [load + first for load, first in _pairs(figures["load_s"], figures["warm_up_s"])]
    remark = "" if _is_current(line) else " (an earlier version)"
    return [
        f"{fmean(accuracies):.4f}{remark}",
        over_seeds_text(accuracies),
        f"{min(accuracies):.4f} to {max(accuracies):.4f}" if len(accuracies) > 1 else "–",
        str(len(accuracies)),
        f"{fmean(seconds):.1f}"
        + (f" ({min(seconds):.1f} to {max(seconds):.1f})" if len(seconds) > 1 else ""),
        f"{fmean(figures['import_s']):.1f}",
        f"{fmean(before):.1f}",
        f"`{figures['command']}`",
    ]


def ladder_table() -> str:
    """A row per record and idea: the gain that it brings, paired over seeds; losers stay."""
    lines = [ledger.latest("benchmark", "records_ladder", record=name) for name in RECORDS]
    found = [line for line in lines if line is not None]
    rows = [row for line in found for row in _ladder_rows(line)]
    columns = (
        *("record", "idea", "in the record", "validation accuracy with it, mean", "without it"),
        *("gain, points (95 % interval)", "seeds"),
    )
    text = markdown(columns, rows or [[NOT_YET, *["–"] * 6]])
    where = "".join(f"- `{line['record']}`: {machine_text(line)}\n" for line in found)
    return f"{text}\n{where}" if where else text


def _ladder_rows(line: dict[str, Any]) -> list[list[str]]:
    figures, rows = line["figures"], []
    base = figures["val_accuracy"][RECORD]
    remark = "" if _is_current(line) else " (an earlier version)"
    for idea, is_in in figures["is_in"].items():
        other = figures["val_accuracy"][idea]
        with_it, without = (base, other) if is_in else (other, base)
        rows.append(
            [
                f"`{line['record']}`{remark}",
                idea,
                "yes" if is_in else "no",
                f"{fmean(with_it):.4f}",
                f"{fmean(without):.4f}",
                _gain(over_seeds(with_it, without)),
                str(len(base)),
            ]
        )
    return rows


def _gain(gain: Difference) -> str:
    """In hundredths of a point: of the last percent they are what ideas differ in."""
    text = f"{100 * gain.mean:+.2f}".replace("-", MINUS)
    return f"{text} ({interval_text(gain, 2)})"


def _pairs(ones: list[float], others: list[float]) -> zip[tuple[float, float]]:
    return zip(ones, others, strict=True)


def _is_current(line: dict[str, Any]) -> bool:
    """Whether the record's recipe is still the one that was measured."""
    return bool(line["recipe_hash"] == get_recipe(line["record"]).content_hash)
