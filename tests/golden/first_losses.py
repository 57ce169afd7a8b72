"""The first losses of a recipe's training, in float32 on one thread: what the golden files keep.

`python first_losses.py RECIPE...` prints them as JSON, for write.py, which asks on every make of
CPU that can be stood in for.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import Any
from unittest.mock import patch

from mnistlab.classifiers import scratch_classifier, svm_classifier, torch_classifier
from mnistlab.data import load
from mnistlab.data.scaling import fit_scaling
from mnistlab.phases import NO_CHECKPOINTS, Checkpoint, Checkpointer
from mnistlab.recipe import Recipe
from mnistlab.recipes import get_recipe
from mnistlab.recipes.records import RECORDS
from mnistlab.runs import classifier_of
from mnistlab.training import hardware
from mnistlab.writeups.a_course.simple_cnn import VARIANTS
from mnistlab.writeups.a_course.transfer import TRANSFER
from mnistlab.writeups.b_double_softmax import FULL_BATCH
from mnistlab.writeups.c_portfolio.fourteen import CONV_ARMS

N_BATCHES, N_EPOCHS = 10, 3  # thirty steps, several phases sharing the epochs
N_FULL_STEPS, N_FULL = 20, 640  # where a batch is the whole set: so many epochs, and images
# Thirty steps of these take several seconds, of the final model a minute and a half: they are as
# many, of smaller batches.
SLOW = (
    *("simple-cnn-augmented", *VARIANTS, *CONV_ARMS, *TRANSFER, "final", "final-tuned"),
    *RECORDS,
)
SMALL_BATCH = 16
N_STEPS = 5  # whose losses are kept one by one


def shortened(recipe: Recipe) -> tuple[Recipe, int]:
    """The recipe for its first losses, and on how many images."""
    if recipe.name in SLOW:
        recipe = replace(recipe, batch_size=SMALL_BATCH)
    n_images, n_epochs = N_BATCHES * recipe.batch_size, N_EPOCHS // max(1, len(recipe.phases))
    if recipe.batch_size == FULL_BATCH:
        n_images, n_epochs = N_FULL, N_FULL_STEPS
    if recipe.expansion:
        n_images //= 4
    if recipe.model == "transfer":  # its weights need not be on this machine
        recipe = replace(recipe, model_args={**recipe.model_args, "weights": "none"})
    phases = tuple(replace(phase, epochs=n_epochs, min_steps=0) for phase in recipe.phases)
    return replace(recipe, phases=phases, precision="float32"), n_images


class _Enough(Exception):  # noqa: N818  # no error
    """All steps that were wanted are over."""


class StepLosses:
    """A Checkpointer that takes the running loss from a checkpoint after every step."""

    def __init__(self, n_steps: int, is_enough: bool) -> None:
        self.n_steps, self.is_enough = n_steps, is_enough
        self.sums: list[float] = []
        self._before = 0.0

    def last(self) -> None:
        """Nothing to resume from."""

    def is_due(self) -> bool:
        """After every step that is kept."""
        return len(self.sums) < self.n_steps

    def save(self, checkpoint: Checkpoint) -> None:
        """The sum over the epoch's batches, less what it was; batches are of one size."""
        state = checkpoint.state
        self.sums.append(state.loss_sum - (0.0 if state.batch == 1 else self._before))
        self._before = state.loss_sum
        if self.is_enough and not self.is_due():
            raise _Enough


def first_losses(
    recipe: Recipe, n_images: int, *, steps_alone: bool = False
) -> tuple[list[float], list[float]]:
    """Mean losses of the first steps, and of the epochs; of an SVM, none and three intercepts.

    Steps are those that every phase begins with, a later phase on weights that none has trained:
    by the end of the one before, CPUs are too far apart to compare anything finely.
    """
    if not recipe.phases:
        return [], _fitted(recipe, n_images).machine_.intercepts[:N_EPOCHS].tolist()
    at_once = StepLosses(N_STEPS, steps_alone)
    classifier = _fitted(recipe, n_images, at_once)
    losses = at_once.sums
    for phase in recipe.phases[1:]:
        of_phase = StepLosses(N_STEPS, is_enough=True)
        _fitted(replace(recipe, phases=(phase,)), n_images, of_phase)
        losses = losses + of_phase.sums
    batch = min(recipe.batch_size, n_images * (4 if recipe.expansion else 1))
    epochs = [] if steps_alone else [epoch["train_loss"] for epoch in classifier.history_]
    return [loss_sum / batch for loss_sum in losses], epochs


def _fitted(recipe: Recipe, n_images: int, checkpointer: Checkpointer = NO_CHECKPOINTS) -> Any:
    classifier = classifier_of(recipe, "cpu")
    data = load("fashion-mini").take(slice(0, n_images))
    if recipe.phases:
        classifier.set_params(validation_fraction=0)
    with hardware.n_threads(1), suppress(_Enough):
        classifier.fit(data.images, data.labels, checkpointer=checkpointer)
    return classifier


@contextmanager
def rounded_otherwise(n_last_bits: int) -> Iterator[None]:
    """Pixels divided by a number with other last bits, so that all after it is rounded anew."""

    def nudged(kind: str, X: Any) -> tuple[float, float]:
        shift, scale = fit_scaling(kind, X)
        return shift, scale * (1 + n_last_bits * 2**-23)

    with (
        patch.object(torch_classifier, "fit_scaling", nudged),
        patch.object(scratch_classifier, "fit_scaling", nudged),
        patch.object(svm_classifier, "fit_scaling", nudged),
    ):
        yield


def main() -> None:
    """Print {recipe: [losses of steps and of epochs]} of the recipes named."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("recipes", nargs="+")
    parser.add_argument("--last-bits", type=int, default=0, help="see rounded_otherwise")
    asked = parser.parse_args()
    with rounded_otherwise(asked.last_bits):
        found = {name: first_losses(*shortened(get_recipe(name))) for name in asked.recipes}
    print(json.dumps(found))


if __name__ == "__main__":
    main()
