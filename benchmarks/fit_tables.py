"""Tables of the benchmark `fit`: what each method reached in the same minutes, who kept them."""

from __future__ import annotations

from collections.abc import Callable
from statistics import fmean
from typing import Any

from benchmarks import ledger
from benchmarks.fit import OURS
from benchmarks.fit_data import DRAWS
from benchmarks.markdown import gain_cell, machine_text, markdown
from benchmarks.study_tables import accuracy_text
from mnistlab.evaluation import Difference, corrected, over_seeds

NOT_YET = "Not measured yet: `python -m benchmarks.fit --record`.\n"
ALLOWED = 0.02  # the part of its minutes by which a fit may end late

Lines = list[dict[str, Any]]


def lines() -> Lines:
    """The newest line of each set and number of minutes, in the order of DRAWS."""
    newest = {
        (line["data"], line["minutes"]): line
        for line in ledger.read()
        if line["kind"] == "benchmark" and line["name"] == "fit"
    }
    order = list(DRAWS)
    return [newest[key] for key in sorted(newest, key=lambda key: (key[1], order.index(key[0])))]


def _table(make: Callable[[Lines], str]) -> str:
    found = lines()
    return make(found) if found else NOT_YET


def accuracy_table() -> str:
    """Each method on each set, by the set's metric."""
    return _table(accuracies_of)


def accuracies_of(found: Lines) -> str:
    """The table of these lines of the ledger."""
    methods = list(dict.fromkeys(name for line in found for name in line["figures"]["methods"]))
    rows = []
    for line in found:
        figures = line["figures"]
        cells = [
            accuracy_text(figures["methods"][method][figures["figure"]])
            if method in figures["methods"]
            else "–"
            for method in methods
        ]
        rows.append([*_head(line), figures["figure"].replace("_", " "), *cells])
    names = [f"**{method}**" if method == OURS else method for method in methods]
    where = dict.fromkeys(
        f"{len(line['figures']['seeds'])} seeds, {machine_text(line)}" for line in found
    )
    columns = ("set", "minutes", "by", *names)
    return markdown(columns, rows) + "\n" + "".join(f"- {each}\n" for each in where)


def differences_table() -> str:
    """`fit` less each other method in the same minutes, paired by seed."""
    return _table(differences_of)


def differences_of(found: Lines) -> str:
    """The table of these lines, corrected over all that it shows."""
    gains: dict[tuple[str, str, str], Difference] = {}
    for line in found:
        figure, methods = line["figures"]["figure"], line["figures"]["methods"]
        for method in [name for name in methods if name != OURS]:
            gain = over_seeds(methods[OURS][figure], methods[method][figure])
            gains[*_head(line), method] = gain
    shown = zip(gains, corrected(list(gains.values())), strict=True)
    rows = [[*head, gain_cell(gain), f"{gain.p:.2g}", _verdict(gain)] for head, gain in shown]
    points = "points, simultaneous 95 % interval"
    columns = ("set", "minutes", f"`{OURS}` against", points, "p, corrected", "better")
    return markdown(columns, rows)


def _verdict(gain: Difference) -> str:
    if not gain.is_shown:
        return "not shown"
    return "yes" if gain.mean > 0 else "no"


def overrun_table() -> str:
    """How much of its minutes each method took, and how many fits ended late."""
    return _table(overruns_of)


def overruns_of(found: Lines) -> str:
    """The table of these lines: all sets together, for each number of minutes."""
    overruns: dict[tuple[str, str], list[float]] = {}
    killed: dict[tuple[str, str], int] = {}
    for line in found:
        for method, values in line["figures"]["methods"].items():
            key = method, _head(line)[1]
            overruns.setdefault(key, []).extend(values["overrun"])
            killed[key] = killed.get(key, 0) + sum(values.get("is_killed", []))
    rows = [
        [
            f"**{method}**" if method == OURS else method,
            minutes,
            str(len(late)),
            str(killed[method, minutes]) if method == OURS else "–",
            f"{100 * (1 + fmean(late)):.0f} %",
            f"{100 * (1 + max(late)):.0f} %",
            str(sum(each > ALLOWED for each in late)),
        ]
        for (method, minutes), late in overruns.items()
    ]
    columns = (
        *("method", "minutes", "fits", "killed and continued"),
        *("of its minutes, mean", "at most", f"later than {100 * ALLOWED:.0f} %"),
    )
    return markdown(columns, rows)


def _head(line: dict[str, Any]) -> tuple[str, str]:
    return line["data"], f"{line['minutes']:g}"
