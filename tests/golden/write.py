"""Write the golden files of some recipes, or of all: `make golden RECIPES="mlp svm"`.

Each is trained under every setting of tests/cpus.py, and under two more that exchange the kernels
of MKL and OpenBLAS as well. What is kept is what it does with all that this CPU has; the spread is
how far the others are from that. With --spread what is kept stays, and only how far all are from
it is measured anew.
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
Losses = tuple[list[float], list[float]]


def measured(names: list[str], setting: dict[str, str]) -> dict[str, Losses]:
    """The first losses of recipes in a process of their own: libraries read a setting once."""
    finished = subprocess.run(
        [sys.executable, str(Path(__file__).with_name("first_losses.py")), *names],
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
    return [max(map(distance, column, wanted)) for column in zip(*found, strict=True)]


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
    for name in names:
        before, (steps, epochs) = kept.get(name), found[0][name]
        if asked.spread and before is not None:
            steps, epochs = [*before.steps], [*before.epochs]
        steps, epochs = [round(x, 6) for x in steps], [round(x, 6) for x in epochs]
        widths = spread((steps, epochs), [losses[name] for losses in found])
        kept[name] = Kept(steps, epochs, widths)
        changed = before is not None and epochs != before.epochs
        print(f"{name:26} spread up to {max(widths):.1e}{', CHANGED' if changed else ''}")
    kept_losses.write({name: kept[name] for name in RECIPES if name in kept})


if __name__ == "__main__":
    main()
