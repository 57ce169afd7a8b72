"""What the checker says of seeded mistakes in programs with PyTorch and scikit-learn.

python -m benchmarks.checking_library --record

As benchmarks.checking, for the tasks that use libraries. `first_try` is what the checker said of
the held-out programs before it was mended: it is typed here once, because it cannot be repeated.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from benchmarks.checking import NOT_NAMED
from benchmarks.ledger import CHECKOUT, run_benchmark
from mnistlab.checking.offered import prepare
from mnistlab.checking.running import check_source
from mnistlab.checking.source import Source

sys.path += [str(CHECKOUT / "tests"), str(CHECKOUT / "labs")]

if TYPE_CHECKING:
    from mistakes.seeds import Seed

# 2026-11-30, commit a7fa3b1: sixteen mistakes in four programs that were written afterwards.
FIRST_TRY = {"n": 16, "named": 12, "located": 10, "falsely": 1, "right": 4, "passed": 3}


def verdict(task: str, style: str, seed: Seed) -> dict[str, Any]:
    """What the checker says of one seed."""
    from mistakes.library_seeds import path_of, text_of

    text = text_of(style)
    source = Source(path_of(style).name, seed.edited(text))
    prepare(source)
    report = check_source(source)
    names = [finding.mistake for finding in report.findings]
    allowed = {seed.mistake, *seed.also}
    is_named = bool(names) and {*names} <= allowed
    return {
        "task": task,
        "style": style,
        "mistake": seed.mistake,
        "named": is_named,
        "located": is_named and report.findings[0].line in seed.lines(text),
        "falsely": [name for name in names if name not in {*allowed, *NOT_NAMED}],
        "praised": report.passed,
    }


def bench() -> dict[str, Any]:
    """Of all seeds, and of the right solutions."""
    from mistakes import (
        cnn_seeds,
        estimator_seeds,
        library_held_out_seeds,
        loop_seeds,
        small_seeds,
        transfer_seeds,
    )
    from mistakes.library_seeds import HELD_OUT, path_of, right_styles, seeds_of, text_of

    tasks = {
        "cnn": cnn_seeds.SEEDS,
        "loop": loop_seeds.SEEDS,
        "estimator": estimator_seeds.SEEDS,
        "transfer": transfer_seeds.SEEDS,
        "small": small_seeds.SEEDS,
    }
    held_out = {"held out": library_held_out_seeds.SEEDS}
    right = [*right_styles(), *sorted(path.stem for path in HELD_OUT.glob("*.py"))]
    passed = {}
    for style in right:
        source = Source(path_of(style).name, text_of(style))
        prepare(source)
        passed[style] = check_source(source).passed
    return {
        "seeds": [verdict(*each) for each in seeds_of(tasks)],
        "held_out": [verdict(*each) for each in seeds_of(held_out)],
        "first_try": FIRST_TRY,
        "right": passed,
    }


if __name__ == "__main__":
    run_benchmark("checking-library", bench)
