"""Write the golden files of some recipes, or of all: `make golden RECIPES="mlp svm"`.

Each is trained under every setting of tests/cpus.py, and under two more that exchange the kernels
of MKL and OpenBLAS as well; and on this CPU with pixels that differ in their last bits, for the
makes that no setting stands in for. What is kept is what it does with all that this CPU has; the
spread is how far the others are from that. With --spread what is kept stays; how far this CPU and
those it stands in for are from it is measured, and kept where it is farther than any before.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

import kept_losses
from cpus import SETTINGS
from kept_losses import Kept, distance

from mnistlab.recipes import RECIPES

OLD = {"ATEN_CPU_CAPABILITY": "avx2", "MKL_ENABLE_INSTRUCTIONS": "AVX2"}
FURTHER = {
    "of 2013": {"ONEDNN_MAX_CPU_ISA": "AVX2", "OPENBLAS_CORETYPE": "Haswell", **OLD},
    "of 2008": {
        "ONEDNN_MAX_CPU_ISA": "SSE41",
        "ATEN_CPU_CAPABILITY": "default",
        "MKL_ENABLE_INSTRUCTIONS": "SSE4_2",
        "OPENBLAS_CORETYPE": "Nehalem",
    },
}
LAST_BITS = (-1, 1, 2)
Losses = tuple[list[float], list[float]]


def measured(names: list[str], setting: dict[str, str], last_bits: int = 0) -> dict[str, Losses]:
    """The first losses of recipes in a process of their own: libraries read a setting once."""
    script = str(Path(__file__).with_name("first_losses.py"))
    finished = subprocess.run(
        [sys.executable, script, *names, f"--last-bits={last_bits}"],
        env=os.environ | {"OMP_NUM_THREADS": "1"} | setting,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return dict(json.loads(finished.stdout))


def spread(kept: Losses, all_found: list[Losses]) -> list[float]:
    """Of every number, the largest distance from the one kept."""
    wanted = [*kept[0], *kept[1]]
    found = [[*steps, *epochs] for steps, epochs in all_found]
    columns = zip(*found, strict=True)  # of each number, what every setting gave
    return [
        max(distance(value, number) for value in column)
        for column, number in zip(columns, wanted, strict=True)
    ]


def main() -> None:
    """Measure, say what changed, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("recipes", nargs="*", help="all, where none is named")
    parser.add_argument("--spread", action="store_true", help="change no kept loss")
    asked = parser.parse_args()
    names, kept, found = asked.recipes or list(RECIPES), kept_losses.read(), []
    for name, setting in (SETTINGS | FURTHER).items():
        print(f"{name} ...", flush=True)
        found.append(measured(names, setting))
    for last_bits in LAST_BITS:
        print(f"pixels with other last bits ({last_bits}) ...", flush=True)
        found.append(measured(names, {}, last_bits))
    for name in names:
        before, (steps, epochs) = kept.get(name), found[0][name]
        keeps = asked.spread and before is not None and len(before.steps) == len(steps)
        if keeps:
            steps, epochs = [*before.steps], [*before.epochs]
        steps, epochs = [round(x, 6) for x in steps], [round(x, 6) for x in epochs]
        widths = spread((steps, epochs), [losses[name] for losses in found])
        if keeps:
            widths = list(map(max, widths, before.spread))
        kept[name] = Kept(steps, epochs, widths)
        changed = before is not None and epochs != before.epochs
        print(f"{name:26} spread up to {max(widths):.1e}{', CHANGED' if changed else ''}")
    kept_losses.write({name: kept[name] for name in RECIPES if name in kept})


if __name__ == "__main__":
    main()
