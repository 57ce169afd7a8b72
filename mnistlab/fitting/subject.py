"""What a fit is about: its data and its folder, which stay the same while it searches."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from mnistlab import atomic
from mnistlab.classifiers.methods import method_of
from mnistlab.data import Dataset, Split
from mnistlab.fitting.candidates import Candidate, candidates
from mnistlab.fitting.trials import FOLDER
from mnistlab.recipe import Recipe
from mnistlab.runs.computation import computation
from mnistlab.runs.describing import data_record
from mnistlab.runs.execution import Execution
from mnistlab.runs.logs import EPOCHS
from mnistlab.runs.seen import write_seen
from mnistlab.version import __version__


@dataclass(frozen=True)
class Subject:
    """recipe: of the fit itself. precision: decided beforehand. path: the run's folder."""

    recipe: Recipe
    dataset: Dataset
    split: Split
    execution: Execution
    precision: str
    path: Path

    @property
    def budget_s(self) -> float:
        """Seconds in all."""
        return 60.0 * float(self.recipe.model_args["minutes"])

    @property
    def device(self) -> str:
        """On which networks are trained."""
        return self.execution.device

    @cached_property
    def candidates(self) -> dict[str, Candidate]:
        """What may be trained, by name, the cheapest first."""
        found = candidates(self.split.train, self.device, self.budget_s)
        return {candidate.name: candidate for candidate in found}

    @cached_property
    def exponents(self) -> dict[str, float]:
        """How fast the loss of each falls, before that is measured: see Candidate.exponent."""
        known = self.candidates.values()
        return {each.name: each.exponent(self.split.train) for each in known if each.in_epochs}

    def identity(self) -> dict[str, Any]:
        """What result.json says of which run it is."""
        return {
            "recipe": self.recipe.name,
            "system": self.recipe.system,
            "recipe_hash": self.recipe.content_hash,
            "computation": computation(self.recipe, self.dataset, self.precision),
            "data": self.dataset.name,
        }

    def write_records(self, folder: Path) -> None:
        """Write what every run has beside its result and its weights."""
        atomic.write_json(folder / "recipe.json", self.recipe.to_json())
        atomic.write_json(folder / "data.json", data_record(self.dataset, self.split))
        env = method_of(self.recipe.model).describe(self.device, self.recipe.precision)
        env = {"mnistlab": __version__, **env, "seed": self.recipe.seed}
        atomic.write_json(folder / "env.json", env)
        (folder / EPOCHS).touch()  # an ensemble has no epochs of its own
        (folder / FOLDER).mkdir(exist_ok=True)
        write_seen(folder, self.split)
