"""Tables of the documentation, rendered from the ledger between pairs of markers.

python -m benchmarks.tables           # write them anew
python -m benchmarks.tables --check   # exit 1 where a page and the ledger differ
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

from benchmarks import ledger, systems
from mnistlab import atomic
from mnistlab.evaluation import power_law

DOCS = ledger.CHECKOUT / "docs"
PAGES = [ledger.CHECKOUT / "README.md", DOCS / "measured.md", DOCS / "systems.md"]
LIBRARIES = ("torch", "scikit-learn", "scikit-learn-intelex")  # numpy where there is none
MARKED = re.compile(r"(<!-- table: ([\w-]+(?: [\w-]+)*) -->\n).*?(<!-- end -->)", re.DOTALL)


def markdown(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [columns, ["---"] * len(columns), *rows]
    return "".join("| " + " | ".join(line) + " |\n" for line in lines)


def study_table(name: str, data: str) -> str:
    """The newest figures of every arm of a study on one data set."""
    arms = _arms(name, data)
    rows = [
        [
            f"{arm['system']} `{arm['arm']}`",
            f"{arm['n_parameters']:,}",
            arm["published"] or "–",
            _test_accuracy(arm),
            str(len(arm["seeds"])),
            f"{100 * arm['late_swing']:.1f}",
        ]
        for arm in arms
    ]
    columns = (
        "recipe",
        "parameters",
        "published",
        "test accuracy, mean ± 95 % interval",
        "seeds",
        "late swing, points",
    )
    return markdown(columns, rows) + "\n" + _machine(arms[0]) + "\n"


def cost_table(name: str, data: str) -> str:
    """Every arm of a study with what it costs: mean seconds over seeds, most memory of any."""
    arms = _arms(name, data)
    rows = [
        [
            f"{arm['system']} `{arm['arm']}`",
            f"{arm['n_train']:,}",
            f"{fmean(arm['val_accuracy']):.4f}",
            _test_accuracy(arm),
            str(len(arm["seeds"])),
            f"{fmean(arm['train_time_s']):.1f}",
            f"{_epoch_time_s(arm):.2f}" if any(arm["epochs"]) else "–",
            f"{fmean(arm['predict_time_s']):.2f}",
            _megabytes(max(arm["training_memory_mb"])),
        ]
        for arm in arms
    ]
    columns = (
        "recipe",
        "images",
        "validation",
        "test accuracy, mean ± 95 % interval",
        "seeds",
        "training, s",
        "an epoch, s",
        "prediction, s",
        "memory of training, MB",
    )
    return markdown(columns, rows) + "\n" + _machine(arms[0]) + "\n"


def growth_table(name: str, data: str) -> str:
    """The exponents with which the costs of a study's arms grow with the training images."""
    arms = {arm["arm"]: arm for arm in _arms(name, data)}
    families = {
        whole: [arm for arm in arms.values() if arm["arm"] in (whole, f"{whole}-{arm['n_train']}")]
        for whole in arms
    }
    rows = [
        [f"`{whole}`", *(_exponent(family, key) for key in ("train_time_s", "predict_time_s"))]
        for whole, family in families.items()
        if len(family) > 2
    ]
    columns = ("grows with n images as", "training, s", "prediction, s")
    return markdown(columns, rows)


def _exponent(arms: list[dict[str, Any]], key: str) -> str:
    sizes, seconds = [arm["n_train"] for arm in arms], [fmean(arm[key]) for arm in arms]
    exponent, half_width, _ = power_law(sizes, seconds)
    return f"n^{exponent:.2f} ± {half_width:.2f}"


def grid_table(name: str, data: str) -> str:
    """A grid's points by cross-validation, and the best one trained on everything."""
    *points, winner = _arms(name, data)
    rows = [[f"`{point['arm']}`", f"{fmean(point['val_accuracy']):.4f}", "–"] for point in points]
    low, high = winner["test_accuracy_ci"]
    rows.append(
        [
            f"best, trained on all {winner['n_train']:,}",
            f"{winner['val_accuracy'][0]:.4f}",
            f"**{winner['test_accuracy'][0]:.4f}** ({low:.4f} to {high:.4f})",
        ]
    )
    columns = ("point", "accuracy on the folds left out; of the best, on validation", "test")
    note = (
        f"{points[0]['n_folds']} folds of the first {points[0]['n_train']:,} training images; "
        "the test interval is Wilson's."
    )
    return f"{markdown(columns, rows)}\n{note}\n{_machine(winner)}\n"


def embedding_table() -> str:
    """What principal components and the map keep, by data set."""
    lines = [ledger.latest("study", "embedding", data=data) for data in ("mnist", "fashion-mnist")]
    rows = [
        [
            line["data"],
            f"{100 * sum(line['explained_variance']):.1f} %",
            *(f"{100 * share:.1f} %" for share in line["neighbour_agreement"].values()),
        ]
        for line in lines
        if line is not None
    ]
    columns = (
        "data",
        "variance in 50 components",
        "neighbours right, all pixels",
        "in 50 components",
        "in the map",
    )
    return markdown(columns, rows)


def systems_table() -> str:
    """Published beside measured, a line for every row of the systems."""
    columns = ("row", "system", "data", "published", "measured", "seeds", "command")
    return markdown(columns, [systems.cells(row) for row in systems.ROWS])


def scratch_table() -> str:
    """The network by hand beside PyTorch and scikit-learn, for one thread and two."""
    line = _benchmark("scratch_mlp")
    rows = []
    for threads, figures in line["figures"]["by_threads"].items():
        for name, seconds in figures["seconds"].items():
            ratio = figures["ratio"].get(name)
            rows.append(
                [
                    threads,
                    name,
                    " / ".join(f"{value:.2f}" for value in seconds),
                    f"{fmean(figures['val_accuracy'][name]):.4f}",
                    "1" if ratio is None else f"**{ratio:.2f}**",
                ]
            )
        limit = figures["limit_s"]
        rows.append(
            [
                threads,
                "matrix products alone",
                f"{limit:.2f}",
                "–",
                f"{figures['ratio_to_limit']:.2f}",
            ]
        )
    columns = (
        "threads",
        "who",
        "seconds an epoch, by turn",
        "validation accuracy, mean",
        "ours over theirs, median of pairs",
    )
    return markdown(columns, rows) + "\n" + _machine(line) + "\n"


def svm_table() -> str:
    """SVMClassifier beside scikit-learn's SVC."""
    line = _benchmark("svm")
    figures = line["figures"]
    rows = [
        [
            name,
            *(" / ".join(f"{value:.1f}" for value in figures[key][name]) for key in SVM_KEYS),
            f"{figures['val_accuracy'][name][0]:.4f}",
        ]
        for name in ("scikit-learn", "mnistlab")
    ]
    faster = [f"**{figures[f'{key}_ratio']:.1f}x**" for key in SVM_KEYS]
    rows.append(["faster, median of pairs", *faster, f"{figures['same_predictions']:.2%} alike"])
    columns = (
        "classifier",
        f"fit on {figures['n_train']:,}, s",
        f"predict {figures['n_predicted']:,}, s",
        "validation accuracy",
    )
    return markdown(columns, rows) + "\n" + _machine(line) + "\n"


def augmentation_table() -> str:
    """What each augmentation adds to an epoch of SimpleCNN."""
    line = _benchmark("augmentation")
    figures = line["figures"]
    rows = [
        [
            name,
            " / ".join(f"{value:.1f}" for value in seconds),
            "–" if name == "none" else f"{100 * figures['added_share'][name]:+.1f} %",
        ]
        for name, seconds in figures["seconds"].items()
    ]
    columns = ("augmentation", "seconds an epoch, by turn", "added, median of pairs")
    return markdown(columns, rows) + "\n" + _machine(line) + "\n"


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
    "systems": systems_table,
    "augmentation": augmentation_table,
    "scratch-mlp": scratch_table,
    "svm": svm_table,
    "embedding": embedding_table,
    "mlp-batch-size mnist": lambda: cost_table("mlp-batch-size", "mnist"),
    "mlp-vs-svm mnist": lambda: cost_table("mlp-vs-svm", "mnist"),
    "mlp-vs-svm growth": lambda: growth_table("mlp-vs-svm", "mnist"),
    "svm-grid mnist": lambda: grid_table("svm-grid", "mnist"),
    "svm-grid fashion-mnist": lambda: grid_table("svm-grid", "fashion-mnist"),
}
SVM_KEYS = ("fit_s", "predict_s")


def rendered(page: str) -> str:
    """The page with every marked table made anew; KeyError for a table there is not."""
    return MARKED.sub(lambda m: m[1] + TABLES[m[2]]() + m[3], page)


def _benchmark(name: str) -> dict[str, Any]:
    line = ledger.latest("benchmark", name)
    if line is None:
        raise KeyError(f"the ledger holds no benchmark {name}")
    return line


def _arms(name: str, data: str) -> list[dict[str, Any]]:
    """The newest line of every arm of a study on one data set, in the study's order."""
    arms = {
        line["arm"]: line
        for line in ledger.read()
        if (line["kind"], line["name"], line.get("data")) == ("study", name, data)
    }
    if not arms:
        raise KeyError(f"the ledger holds no study {name} on {data}")
    return list(arms.values())


def _megabytes(size: float) -> str:
    """What is smaller than what the system hands out at once is not told apart."""
    return f"{size:.0f}" if size >= 10 else "< 10"


def _test_accuracy(arm: dict[str, Any]) -> str:
    mean, half_width = arm["test_accuracy_mean"], arm["test_accuracy_half_width"]
    return f"{mean:.4f}" if half_width is None else f"{mean:.4f} ± {half_width:.4f}"


def _epoch_time_s(arm: dict[str, Any]) -> float:
    return fmean(s / n for s, n in zip(arm["train_time_s"], arm["epochs"], strict=True))


def _machine(line: dict[str, Any]) -> str:
    env = line["env"]
    libraries = [f"{name} {env[name]}" for name in LIBRARIES if name in env] or [
        f"numpy {env['numpy']}"
    ]
    return (
        f"{env['cpu']}, threads: {env['threads']}, {env['precision']}, {', '.join(libraries)}; "
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
