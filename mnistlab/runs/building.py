"""From a recipe to what it describes: the classifier, the split of the data."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from mnistlab import machine
from mnistlab.classifiers.inputs import padded_shape
from mnistlab.classifiers.methods import Classifier, count_parameters, method_of
from mnistlab.data import Dataset, Split, split
from mnistlab.data.splits import protocol_of, sample
from mnistlab.errors import DataError, RecipeError
from mnistlab.recipe import EXPANSION_FACTORS, Recipe

# Numbers that an optimizer stores per weight; 1 for the optimizers that are not listed.
STORED_PER_WEIGHT = {"sgd": 0, "adam": 2, "adamw": 2, "muon": 2}


def classifier_of(recipe: Recipe, device: str = "auto") -> Classifier:
    """The untrained classifier a recipe describes."""
    return method_of(recipe.model).make(
        model_args=recipe.model_args,
        phases=recipe.phases,
        batch_size=recipe.batch_size,
        order=recipe.order,
        scaling=recipe.scaling,
        pad_to=recipe.pad_to,
        augmentation=recipe.augmentation,
        expansion=recipe.expansion,
        test_time_augmentation=recipe.test_time_augmentation,
        class_weight=recipe.class_weight,
        precision=recipe.precision,
        device=device,
        random_state=recipe.seed,
    )


def count_recipe_parameters(
    recipe: Recipe, image_shape: tuple[int, int] = (28, 28), n_classes: int = 10
) -> int | None:
    """Trainable parameters of a recipe's model; None where training decides how many.

    Raises RecipeError for a model that does not exist or cannot be built.
    """
    shape = padded_shape(image_shape, recipe.pad_to)
    return count_parameters(recipe.model, shape, n_classes, recipe.model_args)


def check_memory(recipe: Recipe, n_parameters: int | None) -> None:
    """RecipeError for a network that cannot be trained in the memory of this machine.

    Memory holds the weights, their gradient, the best ones so far, what the optimizer stores, and
    a moving average.
    """
    available, n_bytes = machine.memory_bytes(), 8 if recipe.precision == "float64" else 4
    copies = [
        3 + STORED_PER_WEIGHT.get(phase.optimizer, 1) + (phase.ema_decay > 0)
        for phase in recipe.phases
    ]
    needed = (n_parameters or 0) * n_bytes * max(copies, default=1)
    if available is not None and needed > available:
        raise RecipeError(
            f"{recipe.name}: training {n_parameters:,} weights with {recipe.phases[0].optimizer} "
            f"takes {needed / 2**30:,.1f} GiB, this machine has "
            f"{available / 2**30:,.1f} GiB; make its layers smaller"
        )


def n_steps(recipe: Recipe, n_images: int) -> int:
    """Batches that training on so many images takes at most; 0 for what has none."""
    n_examples = n_images * EXPANSION_FACTORS.get(recipe.expansion or "", 1)
    per_epoch = -(-n_examples // recipe.batch_size)
    return per_epoch * sum(phase.n_epochs(per_epoch) for phase in recipe.phases)


def parts_of(recipe: Recipe, dataset: Dataset) -> Split:
    """The recipe's split of the data, with n_train and n_val images: see data.splits.sample."""
    parts = split(dataset, protocol_of(dataset, recipe.split))
    train, val = sample(parts.train, recipe.n_train), sample(parts.val, recipe.n_val)
    origins = dict(parts.origins)
    for name, part, whole in (("train", train, parts.train), ("val", val, parts.val)):
        if len(part) < len(whole):
            origins[name] = f"of {len(whole):,} {origins[name]}"
    return replace(parts, train=train, val=val, origins=origins)


def check_mirrors(recipe: Recipe, train: Dataset) -> None:
    """RecipeError where characters would be mirrored, which turns them into other signs."""
    mirrors = {
        "augmentation.flip=0": recipe.augmentation.get("flip"),
        "expansion=null": recipe.expansion,
        "test_time_augmentation=[]": "flip" in recipe.test_time_augmentation,
    }
    if recipe.mirror_characters or not train.of_characters:
        return
    for setting, wanted in mirrors.items():
        if wanted:
            raise RecipeError(
                f"{recipe.name} mirrors images, which makes other signs of the characters of "
                f"{train.name}; --set {setting}, or --set mirror_characters=true to do it anyway"
            )


def check_order_of(recipe: Recipe, train: Dataset) -> None:
    """RecipeError where images would be taken in file order and are sorted by class.

    Each step would then see one class only, and the network would learn only the last one.
    """
    n_runs = 1 + np.count_nonzero(np.diff(train.labels))
    if recipe.order == "file" and n_runs == train.n_classes and len(train) > recipe.batch_size:
        raise RecipeError(
            f"{recipe.name} takes images in the order of the file, and those of {train.name} come "
            "class by class; --set order=shuffled"
        )


def check_trainable(recipe: Recipe, train: Dataset, device: str) -> None:
    """Check before training whatever can be: DataError or RecipeError."""
    method_of(recipe.model).describe(device, recipe.precision)
    height, width = train.images.shape[1:]
    check_memory(recipe, count_recipe_parameters(recipe, (height, width), train.n_classes))
    classifier_of(recipe, device)
    check_mirrors(recipe, train)
    if train.n_classes < 2:
        raise DataError(f"{train.name}: holds one class only; there is nothing to learn")
    missing = np.setdiff1d(np.arange(train.n_classes), train.labels)
    if len(missing):
        name = train.class_names[missing[0]]
        raise DataError(f"{train.name}: the training part has no image of class {name!r}")
    check_order_of(recipe, train)
