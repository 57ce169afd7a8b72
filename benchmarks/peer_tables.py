"""Tables of the benchmarks: this library beside its peers, turn by turn."""

from __future__ import annotations

from statistics import fmean

from benchmarks import ledger
from benchmarks.markdown import machine_text, markdown

SVM_KEYS = ("fit_s", "predict_s")


def scratch_table() -> str:
    """The network by hand beside PyTorch and scikit-learn, for one thread and two."""
    line = ledger.newest_benchmark("scratch_mlp")
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
    return markdown(columns, rows) + "\n" + machine_text(line) + "\n"


def svm_table() -> str:
    """SVMClassifier beside scikit-learn's SVC."""
    line = ledger.newest_benchmark("svm")
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
    return markdown(columns, rows) + "\n" + machine_text(line) + "\n"


def augmentation_table() -> str:
    """What each augmentation adds to an epoch of SimpleCNN."""
    line = ledger.newest_benchmark("augmentation")
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
    return markdown(columns, rows) + "\n" + machine_text(line) + "\n"


def checkpoints_table() -> str:
    """What checkpoints add to an epoch of SimpleCNN."""
    line = ledger.newest_benchmark("checkpoints")
    figures = line["figures"]
    rows = [
        [
            f"{arm} a checkpoint every {figures['every']} steps",
            " / ".join(f"{value:.2f}" for value in seconds),
            "–" if arm == "without" else f"{100 * figures['added_share']:+.1f} %",
        ]
        for arm, seconds in figures["seconds"].items()
    ]
    columns = ("epoch", "seconds, by turn", "added, median of pairs")
    return markdown(columns, rows) + "\n" + machine_text(line) + "\n"


def loop_table() -> str:
    """The loop beside plain PyTorch, every turn."""
    line = ledger.newest_benchmark("loop")
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
    return markdown(columns, rows) + "\n" + machine_text(line) + "\n"


def csv_table() -> str:
    """The CSV reader beside pandas."""
    line = ledger.newest_benchmark("csv_reader")
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
    return markdown(columns, rows) + "\n" + machine_text(line) + "\n"


def steps_table() -> str:
    """Steps a second of three networks beside the plain loop."""
    line = ledger.newest_benchmark("steps")
    rows = [
        [
            f"{system}, batch {figures['batch_size']}",
            loop,
            " / ".join(f"{value:.1f}" for value in turns),
            f"**{figures['faster'][loop]:.2f}x**" if loop in figures["faster"] else "1x",
        ]
        for system, figures in line["figures"]["systems"].items()
        for loop, turns in figures["steps_per_s"].items()
    ]
    columns = ("system", "loop", "steps a second, by turn", "faster, median of pairs")
    return markdown(columns, rows) + "\n" + machine_text(line) + "\n"
