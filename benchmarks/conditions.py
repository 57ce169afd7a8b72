"""Under which seeds, threads and precision the rows of docs/systems.md are measured."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from benchmarks import ledger
from mnistlab.classifiers.methods import method_of
from mnistlab.studies import get_study
from mnistlab.study import Study

SEARCH = "tune-"  # how the ledger's lines of a search are named


@dataclass(frozen=True)
class Conditions:
    """What a command must say besides the study's name, so that it gives the row's figure.

    precision: of the networks whose recipe leaves it open. One thread, since sums of several
    are not added in the same order on every machine.
    """

    n_seeds: int = 5
    threads: int = 1
    precision: str = "float32"

    def arguments(self, study: str, data: str) -> list[str]:
        """What follows `mnistlab`."""
        if study.startswith(SEARCH):
            recipe, seeds = study.removeprefix(SEARCH), str(self.n_seeds)
            threads = str(self.threads)
            return ["tune", recipe, "--data", data, "--seeds", seeds, "--threads", threads]
        settings = {"data": data, "seeds": self.n_seeds, "threads": self.threads}
        said = [word for name, value in settings.items() for word in (f"--{name}", str(value))]
        return ["study", study, *said, "--precision", self.precision]


# A day of one core for one seed: the issue asks for it once.
OTHERS = {"final": Conditions(n_seeds=1)}


def conditions_of(study: str) -> Conditions:
    """Those of one study."""
    return OTHERS.get(study, Conditions())


def measured_under(line: dict[str, Any]) -> Conditions:
    """Those of a line of the ledger, so that the command shown gives the figure beside it."""
    env = line["env"]
    return Conditions(len(line["seeds"]), env["threads"], env.get("precision") or "float32")


def is_current(study: str, data: str, arm: str) -> bool:
    """Whether the newest line of an arm is of the recipe as it is now, with seeds enough."""
    line = ledger.latest("study", study, arm=arm, data=data)
    if line is None:
        return False
    if study.startswith(SEARCH):
        return len(line["seeds"]) >= conditions_of(study).n_seeds
    found = get_study(study)
    if not isinstance(found, Study):  # a grid, whose best point is known once it has run
        return True
    recipe = next((each.recipe for each in found.arms if each.name == arm), None)
    if recipe is None:
        return False
    conditions = conditions_of(study)
    has_seeds = method_of(recipe.model).learns_in_epochs
    precisions = {recipe.precision, conditions.precision}
    of_now = {replace(recipe, seed=0, precision=each).content_hash for each in precisions}
    enough = len(line["seeds"]) >= (conditions.n_seeds if has_seeds else 1)
    return enough and line["recipe_hash"] in of_now
