"""Tables of the page to draw on."""

from __future__ import annotations

from benchmarks import ledger
from benchmarks.markdown import measured


def parity_table() -> str:
    """How JavaScript's answers compare with the classifiers' on all published test images."""
    line = ledger.newest_benchmark("drawing_page")
    rows = [
        [
            f"`{run['recipe']}`",
            f"{run['n_images']:,}",
            f"{run['n_equal']:,}",
            f"{run['largest_difference']:.0e}",
            f"{run['n_bytes'] / 1000:,.0f}",
        ]
        for run in line["figures"]["runs"]
    ]
    columns = (
        *("recipe", "test images", "equal labels", "largest difference of a probability"),
        "size in the page, kB",
    )
    return measured(line, columns, rows)


def drawings_table() -> str:
    """How many of the seeded drawings each network recognises, prepared and not."""
    line = ledger.newest_benchmark("drawing_page")
    rows = [
        [
            f"`{run['recipe']}`",
            *(f"{run[way]:.1%}" for way in ("prepared", "resized_light", "resized")),
            "–" if run["unlike"] is None else f"{run['unlike']:.1%}",
        ]
        for run in line["figures"]["runs"]
    ]
    columns = (
        *("recipe", "right, prepared", "only resized, light on dark", "only resized"),
        "marked as unlike the training images",
    )
    return measured(line, columns, rows)


def latency_table() -> str:
    """How long a stroke of the pointer waits for the answers of all networks."""
    line = ledger.newest_benchmark("drawing_page")
    kinds = {
        "answer_ms": "from a move of the pointer to all answers",
        "move_ms": "a move holds up the page",
        "frame_ms": "between two frames while drawing",
    }
    latency = line["figures"]["latency"]
    rows = [
        [words, *(f"{latency[kind][figure]:.0f}" for figure in ("median", "p95", "most"))]
        for kind, words in kinds.items()
    ]
    return measured(line, ("milliseconds", "median", "95th percentile", "longest"), rows)
