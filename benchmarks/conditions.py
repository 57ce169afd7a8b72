"""Under which seeds, threads and precision the rows of docs/systems.md are measured."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from benchmarks import ledger
from mnistlab.classifiers.methods import method_of
from mnistlab.recipe import Recipe
from mnistlab.studies import get_study
from mnistlab.study import Study

SEARCH = "tune-"  # the ledger's lines of a search have names that begin so
# The recorded searches ran in two processes: a trial is proposed while the one before still trains.
SEARCH_PROCESSES = 2


@dataclass(frozen=True)
class Conditions:
    """The options of a command that repeat the measurement of a row.

    precision: of networks whose recipe leaves it open. One thread, because several threads add
    numbers in an order that differs between machines.
    """

    n_seeds: int = 5
    threads: int = 1
    precision: str = "float32"

    def arguments(self, study: str, data: str) -> list[str]:
        """What follows `mnistlab`."""
        if study.startswith(SEARCH):
            command = ["tune", study.removeprefix(SEARCH)]
            own = {"processes": str(SEARCH_PROCESSES)}
        else:
            command, own = ["study", study], {"precision": self.precision}
        options = {"data": data, "seeds": str(self.n_seeds), "threads": str(self.threads)} | own
        return command + [word for k, v in options.items() for word in (f"--{k}", v)]


# Convolutions take two to three times as long in float32 where the processor has bfloat16.
CONVOLUTIONAL = Conditions(precision="bfloat16")
OTHERS = {
    "cnn-regularisation": CONVOLUTIONAL,
    "shuffling": CONVOLUTIONAL,
    "lr-schedule": CONVOLUTIONAL,
    "optimizers": CONVOLUTIONAL,
    "final-shortened": CONVOLUTIONAL,
    "final-tuned": CONVOLUTIONAL,
    "transfer": CONVOLUTIONAL,
    "transfer-lite0": CONVOLUTIONAL,
    "final": replace(CONVOLUTIONAL, n_seeds=1),  # a day of one core for one seed
}


def conditions_of(study: str) -> Conditions:
    """Those of one study."""
    return OTHERS.get(study, Conditions())


def measured_under(line: dict[str, Any]) -> Conditions:
    """Those of a line of the ledger, whose command is shown beside its measurement."""
    env = line["env"]
    return Conditions(len(line["seeds"]), env["threads"], env.get("precision") or "float32")


def arms_of(study: str) -> dict[str, Recipe] | None:
    """The recipes of a study's arms by name; None for a search or a grid, which make their own."""
    found = None if study.startswith(SEARCH) else get_study(study)
    return {arm.name: arm.recipe for arm in found.arms} if isinstance(found, Study) else None


def is_of_recipe(line: dict[str, Any]) -> bool:
    """Whether a study's line was measured with its arm's recipe as it is now.

    The best recipe of a search or of a grid is known only after it has run.
    """
    arms = arms_of(line["name"])
    if arms is None:
        return True
    if (recipe := arms.get(line["arm"])) is None:
        return False
    precisions = {recipe.precision, line["env"]["precision"]}
    return line["recipe_hash"] in {
        replace(recipe, seed=0, precision=each).content_hash for each in precisions
    }


def current(study: str, data: str, arm: str) -> dict[str, Any] | None:
    """The newest line of an arm, if it was measured with the recipe as it is now."""
    line = ledger.latest("study", study, arm=arm, data=data)
    return line if line is not None and is_of_recipe(line) else None


def has_seeds(study: str, line: dict[str, Any]) -> bool:
    """Whether a line has as many seeds as the row asks for; without randomness it needs one."""
    arms, wanted = arms_of(study), conditions_of(study).n_seeds
    is_grid = arms is None and not study.startswith(SEARCH)
    if is_grid or (arms and not method_of(arms[line["arm"]].model).learns_in_epochs):
        wanted = 1
    return len(line["seeds"]) >= wanted
