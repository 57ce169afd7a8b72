"""What the golden files keep of a recipe, and how far another CPU may be from it.

losses.txt: mean loss of each epoch. steps.txt: loss of each of the first steps. spread.txt: of
all these numbers, how far the makes of CPU that write.py tries were from the kept one, as a
fraction of it. Decision 0015 says how tolerances are reasoned from that.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from first_losses import N_STEPS

from mnistlab.recipe import Recipe

PLAIN = ("sgd", "momentum", "nesterov")
FOLDER = Path(__file__).parent
FACTOR = 4  # a make of CPU nobody has tried, against the farthest of those that were
# What a number may differ by however close the CPUs were that were tried, as a fraction of it.
LEAST_OF_A_STEP = 1e-5  # six decimals are kept, and float32 rounds to 6e-8 many times a step
# Adam divides a gradient by its own size: one that is zero but for rounding moves its weight by a
# full step, to one side or the other, and no CPU tells where that will happen on the next.
LEAST_AFTER_ADAM = 5e-4
LEAST_OF_AN_EPOCH = 5e-4  # thirty steps multiply the last bit of a pixel by up to a thousand
# An intercept of a support vector machine lies between two bounds, and the solver stops where they
# are less than 1e-3 apart: where exactly, another processor decides otherwise. No fraction.
SOLVER_STOPS_WITHIN = 5e-4
MOST = 0.05  # three times what any CPU tried has been off by


@dataclass(frozen=True)
class Kept:
    """The numbers of one recipe; `spread` of steps and then of epochs."""

    steps: Sequence[float]
    epochs: Sequence[float]
    spread: Sequence[float]

    def of_phase(self, number: int) -> Kept:
        """What is kept of the steps of one phase."""
        of_phase = slice(number * N_STEPS, (number + 1) * N_STEPS)
        return Kept(self.steps[of_phase], [], self.spread[of_phase])

    def differing(
        self, recipe: Recipe, steps: Sequence[float], epochs: Sequence[float]
    ) -> list[str]:
        """Every number that is farther from the kept one than rounding explains, in words.

        Without epochs the steps alone are compared.
        """
        n = len(self.steps)
        return [
            f"{what} {i + 1}: {found:.6f}, kept is {kept:.6f} within {within:.1e} of it"
            for what, losses, of_kept, spread, least in (
                ("step", steps, self.steps, self.spread[:n], least_of_steps(recipe)),
                ("epoch", epochs, self.epochs, self.spread[n:], self._least_of_epochs(recipe)),
            )
            if losses
            for i, (found, kept, width, floor) in enumerate(
                zip(losses, of_kept, spread, least, strict=False)
            )
            if not distance(found, kept) <= (within := min(MOST, max(floor, FACTOR * width)))
        ]

    def _least_of_epochs(self, recipe: Recipe) -> list[float]:
        """Of a support vector machine: of each of its intercepts."""
        if recipe.phases:
            return [LEAST_OF_AN_EPOCH] * len(self.epochs)
        return [SOLVER_STOPS_WITHIN / abs(intercept) for intercept in self.epochs]


def least_of_steps(recipe: Recipe) -> list[float]:
    """For every step that is kept of the recipe."""
    least: list[float] = []
    for phase in recipe.phases:
        # A new head alone, on frozen blocks, is a linear model: its gradients are nowhere zero.
        jumps = phase.optimizer not in PLAIN and phase.unfrozen != 0
        later = LEAST_AFTER_ADAM if jumps else LEAST_OF_A_STEP
        least += [LEAST_OF_A_STEP] + [later] * (N_STEPS - 1)
    return least


def distance(found: float, kept: float) -> float:
    """How far apart, as a fraction of what is kept."""
    return abs(found - kept) / abs(kept)


def read() -> dict[str, Kept]:
    """Every recipe of losses.txt; one that is not in the others has nothing there."""
    losses, steps, spread = (_table(name) for name in ("losses", "steps", "spread"))
    return {name: Kept(steps.get(name, []), losses[name], spread.get(name, [])) for name in losses}


def write(kept: Mapping[str, Kept]) -> None:
    """All three files anew, a line a recipe."""
    columns = {
        "losses": {name: [f"{x:.6f}" for x in of.epochs] for name, of in kept.items()},
        "steps": {name: [f"{x:.6f}" for x in of.steps] for name, of in kept.items()},
        "spread": {name: [f"{x:.1e}" for x in of.spread] for name, of in kept.items()},
    }
    for file, rows in columns.items():
        lines = [" ".join([name, *numbers]) for name, numbers in rows.items()]
        (FOLDER / f"{file}.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")


def _table(file: str) -> dict[str, list[float]]:
    path = FOLDER / f"{file}.txt"
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    rows = (line.split() for line in lines)
    return {name: [float(number) for number in numbers] for name, *numbers in rows}
