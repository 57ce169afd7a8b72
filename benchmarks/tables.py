"""Tables of the documentation, rendered from the ledger between pairs of markers.

python -m benchmarks.tables           # write them anew
python -m benchmarks.tables --check   # exit 1 where a page and the ledger differ
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from benchmarks import ledger
from mnistlab import atomic

PAGES = [ledger.CHECKOUT / "README.md"]
MARKED = re.compile(r"(<!-- table: ([\w-]+(?: [\w-]+)*) -->\n).*?(<!-- end -->)", re.DOTALL)


def markdown(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [columns, ["---"] * len(columns), *rows]
    return "".join("| " + " | ".join(line) + " |\n" for line in lines)


def study_table(name: str, data: str) -> str:
    """The newest figures of every arm of a study on one data set."""
    arms: dict[str, dict[str, Any]] = {}
    for line in ledger.read():
        if (line["kind"], line["name"], line.get("data")) == ("study", name, data):
            arms[line["arm"]] = line
    rows = [
        [
            f"{arm['system']} `{arm['arm']}`",
            f"{arm['n_parameters']:,}",
            arm["published"] or "–",
            f"{arm['test_accuracy_mean']:.4f} ± {arm['test_accuracy_half_width']:.4f}",
            str(len(arm["seeds"])),
            f"{100 * arm['late_swing']:.1f}",
        ]
        for arm in arms.values()
    ]
    columns = (
        "recipe",
        "parameters",
        "published",
        "test accuracy, mean ± 95 % interval",
        "seeds",
        "late swing, points",
    )
    return markdown(columns, rows) + "\n" + _machine(next(iter(arms.values()))) + "\n"


def loop_table() -> str:
    """The loop beside plain PyTorch, every turn."""
    line = _benchmark("loop")
    figures = line["figures"]
    speedup = figures["speedup_over_faster_plain"]
    rows = [
        [
            name,
            " / ".join(f"{value:.1f}" for value in seconds),
            " / ".join(f"{value:.3f}" for value in figures["val_accuracy"][name]),
            f"**{speedup[name]:.2f}x**"
            if name in speedup
            else "1x"
            if name == figures["faster_plain"]
            else "–",
        ]
        for name, seconds in figures["seconds"].items()
    ]
    columns = (
        "loop",
        "seconds an epoch, by turn",
        "validation accuracy",
        "faster, median of pairs",
    )
    return markdown(columns, rows) + "\n" + _machine(line) + "\n"


def csv_table() -> str:
    """The CSV reader beside pandas."""
    line = _benchmark("csv_reader")
    figures = line["figures"]
    rows = [
        ["`pandas.read_csv` alone", f"{figures['pandas_time_s']:.2f}", "1x", "–"],
        [
            "`ml.load`, to uint8 images",
            f"{figures['mnistlab_time_s']:.2f}",
            f"**{figures['time_ratio']:.2f}x**",
            f"{figures['mnistlab_memory_multiple']:.1f}x",
        ],
    ]
    columns = ("reader", "seconds, median", "faster", "peak memory over the array's size")
    return markdown(columns, rows) + "\n" + _machine(line) + "\n"


TABLES: dict[str, Callable[[], str]] = {
    "ladder mnist": lambda: study_table("ladder", "mnist"),
    "ladder fashion-mnist": lambda: study_table("ladder", "fashion-mnist"),
    "loop": loop_table,
    "csv": csv_table,
}


def rendered(page: str) -> str:
    """The page with every marked table made anew; KeyError for a table there is not."""
    return MARKED.sub(lambda m: m[1] + TABLES[m[2]]() + m[3], page)


def _benchmark(name: str) -> dict[str, Any]:
    line = ledger.latest("benchmark", name)
    if line is None:
        raise KeyError(f"the ledger holds no benchmark {name}")
    return line


def _machine(line: dict[str, Any]) -> str:
    env = line["env"]
    return (
        f"{env['cpu']}, threads: {env['threads']}, {env['precision']}, torch {env['torch']}; "
        f"recorded at commit {line['commit']}, {line['date']}."
    )


def drifted() -> list[Path]:
    """The pages that differ from the ledger."""
    texts = {page: page.read_text(encoding="utf-8") for page in PAGES}
    return [page for page, text in texts.items() if rendered(text) != text]


if __name__ == "__main__":
    if "--check" in sys.argv[1:]:
        stale = drifted()
        print("\n".join(f"{page} differs from the ledger" for page in stale))
        sys.exit(1 if stale else 0)
    for each in PAGES:
        atomic.write_text(each, rendered(each.read_text(encoding="utf-8")))
