"""Tables of exported files and of images unlike the training data."""

from __future__ import annotations

from typing import Any

from benchmarks import ledger
from benchmarks.markdown import measured


def unusual_table() -> str:
    """The area under the ROC curve of each score, by network and kind of unlike images."""
    line = ledger.newest_benchmark("unusual")
    rows, kinds = [], _kinds(line)
    for run in line["figures"]["runs"]:
        best = {kind: max(found[kind] for found in run["auroc"].values()) for kind in kinds}
        for score, found in run["auroc"].items():
            cells = [_bold(f"{found[kind]:.3f}", found[kind] == best[kind]) for kind in kinds]
            rows.append([f"`{run['recipe']}`", run["data"], score, *cells])
    return measured(line, ("recipe", "trained on", "score", *kinds), rows)


def alarms_table() -> str:
    """How many test images, and how many unlike ones, lie above the threshold of the distance."""
    line = ledger.newest_benchmark("unusual")
    rows, kinds = [], _kinds(line)
    for run in line["figures"]["runs"]:
        low, high = run["false_alarms_ci"]
        alarms = f"{run['false_alarms']:.2%} ({low:.2%} to {high:.2%})"
        chosen = "validation" if run["n_val"] else "training"
        found = [f"{run['found'][kind]:.1%}" for kind in kinds]
        rows.append([f"`{run['recipe']}`", run["data"], chosen, alarms, *found])
    columns = (
        *("recipe", "trained on", "threshold from"),
        "false alarms: test images (95 % interval)",
        *kinds,
    )
    return measured(line, columns, rows)


def parity_table() -> str:
    """How exported ONNX files compare with the trained classifiers on all test images."""
    line = ledger.newest_benchmark("export_parity")
    rows = [
        [
            f"`{run['recipe']}`",
            f"{run['n_images']:,}",
            f"{run['n_equal']:,}",
            f"{run['largest_difference']:.0e}",
            _by_rounding(run),
            f"{run['largest_distance_difference']:.0e}",
            f"{run['n_bytes'] / 1e6:.1f}",
        ]
        for run in line["figures"]["runs"]
    ]
    columns = (
        *("recipe", "test images", "equal labels", "largest difference of a probability"),
        *("besides, by rounding", "largest difference of a distance", "file, MB"),
    )
    return measured(line, columns, rows)


def _by_rounding(run: dict[str, Any]) -> str:
    """Such as "1 image, by 0.12"; a dash for none."""
    n = run["n_by_rounding"]
    return f"{n} image{'s' * (n != 1)}, by {run['largest_by_rounding']:.2f}" if n else "–"


def _kinds(line: dict[str, Any]) -> list[str]:
    return list(line["figures"]["runs"][0]["found"])


def _bold(text: str, is_best: bool) -> str:
    return f"**{text}**" if is_best else text
