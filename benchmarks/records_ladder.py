"""What each idea of a record gains: the recipe with it and without it, on validation images.

Both are trained with the same seeds on the first 55,000 training images and measured on the other
5,000; the test part is not looked at. An idea that is in the record is taken out, any other is put
in. A finished training is saved in runs/bench-records, so that the same command resumes.

python -m benchmarks.records_ladder                              # all records, three seeds
python -m benchmarks.records_ladder records-mnist-99 --seeds 5 --record
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

import mnistlab as ml
from benchmarks import ledger
from benchmarks.records import FOLDER
from mnistlab import atomic
from mnistlab.recipe import Recipe
from mnistlab.recipes.records import RECORDS
from mnistlab.runs import classifier_of, parts_of
from mnistlab.training import hardware

N_SEEDS = 3
AS_IT_IS = "the record"
Change = Callable[[Recipe], Recipe]


class Idea(NamedTuple):
    """How a recipe is changed to judge an idea; is_in: it is in the record, and is taken out."""

    name: str
    is_in: bool
    change: Change


def phase(**fields: Any) -> Change:
    """A change of the recipe's one phase."""
    return lambda recipe: replace(recipe, phases=(replace(recipe.phases[0], **fields),))


def model(**arguments: Any) -> Change:
    """A change of the network."""
    return lambda recipe: replace(recipe, model_args={**recipe.model_args, **arguments})


def fields(**changed: Any) -> Change:
    """A change of the recipe's own fields."""
    return lambda recipe: replace(recipe, **changed)


def augmented(**strengths: float) -> Change:
    """Other augmentations, the rest as they are; 0 takes one out."""

    def change(recipe: Recipe) -> Recipe:
        wanted = {**recipe.augmentation, **strengths}
        return replace(recipe, augmentation={k: v for k, v in wanted.items() if v})

    return change


MUON = Idea("Muon, not AdamW", False, phase(optimizer="muon"))
ONE_CYCLE = Idea("one cycle of the rate", True, phase(schedule="constant"))
SMOOTHING = Idea("label smoothing", True, phase(label_smoothing=0.0))
AVERAGE = Idea("moving average of the weights", False, phase(ema_decay=0.97))
SMALL_BATCHES = Idea("batches of 128, not 256", True, fields(batch_size=256))
SMALLER_BATCHES = Idea("batches of 64, not 128", False, fields(batch_size=64))
BLOCKS = Idea("residual blocks", False, model(blocks=(0, 1, 1)))
MIRRORED = Idea("mirrored images", True, augmented(flip=0))
MIRRORED_TEST = Idea("mean with the mirrored test image", True, fields(test_time_augmentation=()))
SHIFTED = Idea("shifts by 1", False, augmented(shift=1))
NORMALISED = Idea("batch normalisation", True, model(batch_norm=False))
DROPPED = Idea("dropout", True, model(dropout=0.0))
ON_GRADIENTS = Idea("histograms of gradients", True, model(features="pixels"))
OF_DENSE = (ONE_CYCLE, SMOOTHING, AVERAGE, NORMALISED, DROPPED)
ALL = (MUON, ONE_CYCLE, SMOOTHING, AVERAGE, SMALL_BATCHES)
OF_CLOTHES = (*ALL, BLOCKS, MIRRORED, MIRRORED_TEST, SHIFTED)
IDEAS: dict[str, tuple[Idea, ...]] = {
    "records-mnist-99": (*ALL, SMALLER_BATCHES, SHIFTED),
    "records-mnist-995": (
        *(MUON, ONE_CYCLE, SMOOTHING, AVERAGE, BLOCKS),
        Idea("batches of 128, not 256", False, fields(batch_size=128)),
        Idea("dropout of 0.3", False, model(dropout=0.3)),
        Idea("mean with shifted test images", True, fields(test_time_augmentation=())),
        Idea("a first stage twice as wide", False, model(channels=(32, 64, 128))),
        Idea("shifts by 1", True, augmented(shift=0)),
        Idea("shifts by 2, not 1", False, augmented(shift=2)),
    ),
    "records-fashion-916": OF_CLOTHES,
    "records-fashion-93": OF_CLOTHES,
    "records-fashion-94": (
        *(*ALL, MIRRORED, MIRRORED_TEST),
        Idea("residual blocks", True, model(blocks=0)),
        Idea("shifts by 1", True, augmented(shift=0)),
    ),
    "records-mnist-mlp": (*OF_DENSE, SHIFTED, Idea("mixup", False, augmented(mixup=0.2))),
    "records-fashion-mlp": (
        *(*OF_DENSE, MIRRORED, MIRRORED_TEST),
        Idea("shifts by 1", True, augmented(shift=0)),
    ),
    "records-mnist-numpy": (ONE_CYCLE, SMOOTHING, SMALL_BATCHES, NORMALISED),
    "records-mnist-svm": (
        ON_GRADIENTS,
        Idea("shifted support vectors", True, model(virtual_shift=0)),
    ),
    "records-fashion-svm": (
        ON_GRADIENTS,
        Idea("shifted support vectors", False, model(virtual_shift=1)),
    ),
}


def arms_of(name: str) -> dict[str, Recipe]:
    """The record on the split with validation images, and with each idea changed."""
    recipe = replace(ml.get_recipe(name), split="official")
    return {AS_IT_IS: recipe} | {idea.name: idea.change(recipe) for idea in IDEAS[name]}


def measure(recipe: Recipe) -> dict[str, float]:
    """Validation accuracy, and the CPU seconds of training; made now or read from its file."""
    file = FOLDER / f"ladder-{recipe.name}-{recipe.content_hash[:12]}-{recipe.seed}.json"
    if file.exists():
        return dict(json.loads(file.read_text(encoding="utf-8")))
    split = parts_of(recipe, ml.load(RECORDS[recipe.name].data))
    train, val = split.train, split.val
    classifier, start = classifier_of(recipe, "cpu"), time.process_time()
    # No validation images while it trains, as in the record: the last epoch counts.
    classifier.fit(train.images, train.labels, val.images[:0], val.labels[:0])
    cpu_s = time.process_time() - start
    accuracy = float(np.mean(classifier.predict(val.images) == val.labels))
    measured = {"val_accuracy": accuracy, "cpu_s": cpu_s}
    FOLDER.mkdir(parents=True, exist_ok=True)
    atomic.write_text(file, json.dumps(measured))
    print(f"{file.stem}: {measured}", file=sys.stderr, flush=True)
    return measured


def line_of(name: str, seeds: Sequence[int]) -> dict[str, Any]:
    """The ledger's line of a record's ladder: of each arm the accuracy of every seed in turn.

    Without seconds, so that it may be measured on a machine that does other work as well.
    """
    arms: dict[str, list[float]] = {}
    # One thread: what a processor's second core does has no part in the comparison.
    with hardware.n_threads(1):
        for seed in seeds:
            for arm, recipe in arms_of(name).items():
                measured = measure(replace(recipe, seed=seed))
                arms.setdefault(arm, []).append(measured["val_accuracy"])
        env = hardware.describe("cpu", "auto")
    figures = {
        "seeds": list(seeds),
        "val_accuracy": arms,
        "is_in": {idea.name: idea.is_in for idea in IDEAS[name]},
    }
    head = {"kind": "benchmark", "name": "records_ladder", "record": name}
    head |= {"data": RECORDS[name].data, "recipe_hash": ml.get_recipe(name).content_hash}
    return head | {"figures": figures, "env": env}


def bench(arguments: Sequence[str] = ()) -> dict[str, Any]:
    """The numbers of every named record; --record adds a line of the ledger for each."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.records_ladder")
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(IDEAS))
    parser.add_argument("--seeds", type=int, default=N_SEEDS)
    parser.add_argument("--record", action="store_true")
    chosen = parser.parse_args(arguments)
    if unknown := set(chosen.names) - IDEAS.keys():
        parser.error(f"unknown record {min(unknown)!r}; there are: {', '.join(IDEAS)}")
    lines = [line_of(name, range(chosen.seeds)) for name in chosen.names or IDEAS]
    if chosen.record:
        ledger.append(lines)
    return {line["record"]: line["figures"] for line in lines}


if __name__ == "__main__":
    print(json.dumps(bench(sys.argv[1:])))
