"""Markdown tables, and the words under them that say where the figures were taken."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mnistlab.evaluation import MINUS, Difference, interval_text

LIBRARIES = ("torch", "scikit-learn", "scikit-learn-intelex")  # numpy where there is none


def markdown(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [columns, ["---"] * len(columns), *rows]
    return "".join("| " + " | ".join(line) + " |\n" for line in lines)


def gain_cell(gain: Difference) -> str:
    """Such as "+1.3 (+0.2 to +2.4)", in points; of one seed "+1.3"."""
    interval = interval_text(gain)
    text = f"{100 * gain.mean:+.1f}".replace("-", MINUS)
    return text if interval == "–" else f"{text} ({interval})"


def measured(line: dict[str, Any], columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table of a line of the ledger, and where its figures were taken."""
    return markdown(columns, rows) + "\n" + machine_text(line) + "\n"


def measured_arms(
    arms: Sequence[dict[str, Any]], columns: Sequence[str], rows: Sequence[Sequence[str]]
) -> str:
    """A table of arms and where the figures of each were taken: one line where all were alike."""
    where: dict[str, list[str]] = {}
    for arm in arms:
        where.setdefault(machine_text(arm), []).append(f"`{arm['arm']}`")
    if len(where) == 1:
        return measured(arms[0], columns, rows)
    lines = [f"- {', '.join(names)}: {text}\n" for text, names in where.items()]
    return markdown(columns, rows) + "\n" + "".join(lines)


def machine_text(line: dict[str, Any]) -> str:
    env = line["env"]
    libraries = [f"{name} {env[name]}" for name in LIBRARIES if name in env] or [
        f"numpy {env['numpy']}"
    ]
    return (
        f"{env['cpu']}, threads: {env['threads']}, {env['precision']}, {', '.join(libraries)}; "
        f"recorded at commit {line['commit']}, {line['date']}."
    )
