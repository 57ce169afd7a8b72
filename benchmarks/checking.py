"""What the checker says of every seeded mistake in tests/mistakes.

python -m benchmarks.checking --record

Each seed is a small edit of a right solution. A mistake is named rightly if every finding has its
name; it is located if the first finding's line is one that the edit concerns. The held-out seeds
were written when the checker was finished.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from benchmarks.ledger import CHECKOUT, run_benchmark
from mnistlab.checking.finding import DIFFERS
from mnistlab.checking.running import check_source
from mnistlab.checking.source import Source

sys.path.append(str(CHECKOUT / "tests"))

if TYPE_CHECKING:
    from mistakes.seeds import Seed

NOT_NAMED = (DIFFERS, "exception", "interface", "limit")


def verdict(style: str, seed: Seed) -> dict[str, Any]:
    """What the checker says of one seed."""
    from mistakes.seeds import solution

    text = solution(style)
    report = check_source(Source(f"{style}.py", seed.edited(text)))
    names = [finding.mistake for finding in report.findings]
    allowed = {seed.mistake, *seed.also}
    is_named = bool(names) and {*names} <= allowed
    return {
        "style": style,
        "mistake": seed.mistake,
        "named": is_named,
        "located": is_named and report.findings[0].line in seed.lines(text),
        "falsely": [name for name in names if name not in {*allowed, *NOT_NAMED}],
        "praised": report.passed,
    }


def verdicts(style: str, seeds: Sequence[Seed]) -> list[dict[str, Any]]:
    """Of all seeds of a style."""
    return [verdict(style, seed) for seed in seeds]


def bench() -> dict[str, Any]:
    """Of all seeds, and of the right solutions."""
    from mistakes import course_seeds, held_out_seeds, layered_seeds, script_seeds
    from mistakes.seeds import FOLDER, solution

    seeds = verdicts("course_class", course_seeds.SEEDS)
    seeds += verdicts("layered", layered_seeds.SEEDS)
    seeds += verdicts("script", script_seeds.SEEDS)
    held_out = [
        each for style, own in held_out_seeds.SEEDS.items() for each in verdicts(style, own)
    ]
    right = sorted(path.stem for path in FOLDER.glob("*.py"))
    passed = {style: check_source(Source(f"{style}.py", solution(style))).passed for style in right}
    return {"seeds": seeds, "held_out": held_out, "right": passed}


if __name__ == "__main__":
    run_benchmark("checking", bench)
