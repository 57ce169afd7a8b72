"""What the solutions of the course reach on the complete sets, as `labs.measure` recorded it."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from benchmarks import ledger
from benchmarks.markdown import machine_text, markdown


def course_table() -> str:
    """A row for each row of a write-up: published, measured, and how many seeds."""
    rows = import_module("labs.measure").ROWS  # not imported by name: mypy knows it as `measure`
    lines = [line for line in ledger.read() if line["kind"] == "course"]
    cells = []
    for name, row in rows.items():
        of_row = [line["figures"] for line in lines if line["name"] == name]
        by_seed = list({figures["seed"]: figures for figures in of_row}.values())  # the newest
        measured = [_accuracy(figures) for figures in by_seed]
        reached = " / ".join(measured) or "not measured yet"
        cells.append([str(row.chapter), name, row.data, row.of, row.published, reached])
        cells[-1].append(str(len(by_seed)))
    columns = ("chapter", "row", "data", "accuracy on", "published", "measured", "seeds")
    return markdown(columns, cells) + _where(lines)


def _accuracy(figures: dict[str, Any]) -> str:
    """Such as "0.9812"; of several settings "32: 0.9700, 64: 0.9733"; or why there is none."""
    accuracy = figures["accuracy"]
    if isinstance(accuracy, dict):
        return ", ".join(f"{setting}: {value:.4f}" for setting, value in accuracy.items())
    return str(figures.get("why", "–")) if accuracy is None else f"{accuracy:.4f}"


def _where(lines: list[dict[str, Any]]) -> str:
    """Where the figures were taken, one line for each machine and commit."""
    named: dict[str, list[str]] = {}
    for line in lines:
        names = named.setdefault(machine_text(line), [])
        names.extend([line["name"]] * (line["name"] not in names))
    places = [f"- {', '.join(names)}: {text}\n" for text, names in named.items()]
    return "".join(["\n", *places] if places else [])
