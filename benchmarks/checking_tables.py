"""Tables of what the checker says of seeded mistakes."""

from __future__ import annotations

from typing import Any

from benchmarks import ledger
from benchmarks.markdown import markdown

STYLES = {
    "course_class": "write-up A's class",
    "layered": "layers, as in D",
    "script": "one script of functions",
}
Verdicts = list[dict[str, Any]]


def summary_table() -> str:
    """A row per style: seeds, how many named, located, named falsely, praised."""
    line = ledger.newest_benchmark("checking")
    figures = line["figures"]
    rows = [
        [title, *_counts([each for each in figures["seeds"] if each["style"] == style])]
        for style, title in STYLES.items()
    ]
    rows.append(["seven other solutions, held out", *_counts(figures["held_out"])])
    right = figures["right"]
    rows.append(["right solutions", str(len(right)), "–", "–", "–", f"{sum(right.values())}"])
    columns = ("code", "mistakes", "named", "named with the line", "named falsely", "passed")
    where = f"\nIn float64; recorded at commit {line['commit']}, {line['date']}.\n"
    return markdown(columns, rows) + where


LIBRARY_TASKS = {
    "cnn": "`cnn`: networks in PyTorch",
    "loop": "`loop`: training loops",
    "transfer": "`transfer`: transfer learning",
    "estimator": "`estimator`: classes for scikit-learn",
    "small": "`comparison`, `gradient-check`, `cross-validation`, `split`",
}


def library_table() -> str:
    """A row per task that uses a library, then the held-out programs: at first, and now."""
    line = ledger.newest_benchmark("checking-library")
    figures = line["figures"]
    rows = [
        [title, *_counts([each for each in figures["seeds"] if each["task"] == task])]
        for task, title in LIBRARY_TASKS.items()
    ]
    first, right = figures["first_try"], figures["right"]
    n = first["n"]
    named = [_part(first[key], n) for key in ("named", "located")]
    rows.append(["four other programs, first try", f"{n}", *named, f"{first['falsely']}", "0"])
    rows.append(["the same, after mending", *_counts(figures["held_out"])])
    at_first = f"{first['passed']} of {first['right']}"
    rows.append(["right: the four programs, first try", "–", "–", "–", "–", at_first])
    now = f"{sum(right.values())} of {len(right)}"
    rows.append(["right solutions, all", "–", "–", "–", "–", now])
    columns = ("task", "mistakes", "named", "named with the line", "named falsely", "passed")
    where = f"\nRecorded at commit {line['commit']}, {line['date']}.\n"
    return markdown(columns, rows) + where


def library_matrix() -> str:
    """A row per mistake: its task, and how many of its seeds were named with their line."""
    figures = ledger.newest_benchmark("checking-library")["figures"]
    groups = {task: [e for e in figures["seeds"] if e["task"] == task] for task in LIBRARY_TASKS}
    rows = []
    for task, group in groups.items():
        for name in sorted({each["mistake"] for each in group}):
            rows.append([f"`{name}`", task, _cell(group, name), _cell(figures["held_out"], name)])
    return markdown(("mistake", "task", "named with the line", "held out"), rows)


def _counts(verdicts: Verdicts) -> list[str]:
    n = len(verdicts)
    named, located = (sum(each[key] for each in verdicts) for key in ("named", "located"))
    falsely = sum(bool(each["falsely"]) for each in verdicts)
    praised = sum(each["praised"] for each in verdicts)
    return [f"{n}", _part(named, n), _part(located, n), f"{falsely}", f"{praised}"]


def _part(count: int, n: int) -> str:
    return f"{count} ({count / n:.1%})"


def matrix_table() -> str:
    """A row per mistake: in each style, how many seeds there are and how many are located."""
    line = ledger.newest_benchmark("checking")
    figures = line["figures"]
    groups = [
        *([e for e in figures["seeds"] if e["style"] == style] for style in STYLES),
        figures["held_out"],
    ]
    names = sorted({each["mistake"] for group in groups for each in group})
    rows = [[f"`{name}`", *(_cell(group, name) for group in groups)] for name in names]
    return markdown(("mistake", *STYLES.values(), "held out"), rows)


def _cell(group: Verdicts, name: str) -> str:
    own = [each for each in group if each["mistake"] == name]
    if not own:
        return ""
    named, located = (sum(each[key] for each in own) for key in ("named", "located"))
    text = f"{located} of {len(own)}"
    return text if named == located else f"{text}, {named} named"
