"""Tables of the benchmarks: this library beside its peers, turn by turn."""

from __future__ import annotations

import statistics
from statistics import fmean
from typing import Any

from benchmarks import ledger
from benchmarks.markdown import markdown, measured

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
    return measured(line, columns, rows)


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
    return measured(line, columns, rows)


def augmentation_table() -> str:
    """How much time each augmentation adds to an epoch of SimpleCNN."""
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
    return measured(line, columns, rows)


def checkpoints_table() -> str:
    """How much time checkpoints add to an epoch of SimpleCNN."""
    line = ledger.newest_benchmark("checkpoints")
    figures = line["figures"]
    mean, half = (100 * fraction for fraction in figures["added_share_mean"])
    rows = [
        [
            f"{arm} a checkpoint",
            str(len(seconds)),
            " / ".join(f"{value:.2f}" for value in statistics.quantiles(seconds, n=4)),
            "–" if arm == "without" else f"{100 * figures['added_share']:+.1f} %",
            "–" if arm == "without" else f"{mean:+.1f} ± {half:.1f} %",
        ]
        for arm, seconds in figures["seconds"].items()
    ]
    columns = (
        f"{figures['every']} steps",
        "stretches",
        "seconds, quartiles",
        "added, median of pairs",
        "mean ± 95 % interval",
    )
    return measured(line, columns, rows)


WHERE = {"memory": "in memory", "disk": "on the disk", "limited": "on the disk, memory limited"}


def larger_table() -> str:
    """Training on images that stay on the disk, and on the same ones in memory."""
    line = ledger.newest_benchmark("larger_than_memory")
    rows = [
        [
            f"{row} `{name}`",
            WHERE[where],
            " / ".join(f"{turn['steps_per_s']:.0f}" for turn in turns),
            "1x" if where == "memory" else f"**{line['figures'][name]['kept'][where]:.2f}x**",
            f"{max(turn['peak_memory_mb'] for turn in turns):,.0f}",
        ]
        for row, name in (("A9", "simple-cnn"), ("E2", "mlp"))
        for where, turns in line["figures"][name]["turns"].items()
        if turns
    ]
    columns = (
        "network",
        "images",
        "steps a second, by turn",
        "of those in memory, median of pairs",
        "most memory of the process, MB",
    )
    return measured(line, columns, rows)


def larger_epoch_table() -> str:
    """A whole epoch of 8.1 million images."""
    figures = ledger.newest_benchmark("larger_than_memory")["figures"]
    rows = [
        [
            WHERE[where],
            f"{figures[key]['train_time_s']:.0f}",
            f"{figures[key]['whole_s']:.0f}",
            f"{figures[key]['peak_memory_mb']:,.0f}",
            f"{figures[key]['test_accuracy']:.4f}",
        ]
        for where, key in (("disk", "epoch"), ("limited", "limited epoch"))
        if key in figures
    ]
    columns = (
        "images",
        "training, s",
        "loading, training and evaluation, s",
        "most memory of the process, MB",
        "test accuracy",
    )
    return markdown(columns, rows)


def ray_table() -> str:
    """A study on one worker and on two, every turn."""
    line = ledger.newest_benchmark("ray_workers")
    figures = line["figures"]
    rows = [
        [
            workers,
            " / ".join(f"{value:.0f}" for value in seconds),
            "1x" if workers == "1" else f"**{figures['faster']:.2f}x**",
            "yes" if figures["same_tables"] else "no",
        ]
        for workers, seconds in figures["seconds"].items()
    ]
    columns = ("workers", "seconds, by turn", "faster, median of pairs", "the same table")
    return measured(line, columns, rows)


def loop_table() -> str:
    """The loop with its kernels beside plain PyTorch: a table per make of processor."""
    newest = {
        line["env"]["cpu"]: line
        for line in ledger.read()
        if (line["kind"], line["name"]) == ("benchmark", "loop") and line["figures"].get("kernels")
    }
    return "\n".join(map(_loop_on, newest.values()))


def _loop_on(line: dict[str, Any]) -> str:
    """On one processor, every turn."""
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
    return measured(line, columns, rows)


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
    return measured(line, columns, rows)


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
    return measured(line, columns, rows)


def kernels_table() -> str:
    """The compiled kernels beside torch's operations: an epoch, and predictions."""
    line = ledger.newest_benchmark("kernels")
    figures = line["figures"]
    rows = [
        [
            f"an epoch of {figures['n_images']:,} images, {precision}, s",
            *(f"{statistics.median(of['seconds'][way]):.2f}" for way in ("torch", "kernels")),
            f"{of['faster']:.2f}x",
        ]
        for precision, of in figures["epochs"].items()
    ]
    rows += [
        [
            f"predictions a second, {size} at a time",
            *(f"{of['images_per_s'][way]:,.0f}" for way in ("torch", "kernels")),
            f"{of['faster']:.2f}x",
        ]
        for size, of in figures["predictions"].items()
    ]
    columns = ("SimpleCNN", "torch", "kernels", "faster, median of pairs")
    return measured(line, columns, rows)
