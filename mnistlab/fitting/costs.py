"""How long a training takes here, measured on a few steps before it begins.

Every later training of a candidate corrects the numbers, since other programs come and go.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import torch

from mnistlab.data import Dataset
from mnistlab.data.stratified import apportioned, rank_in_class
from mnistlab.fitting.candidates import Candidate, Size
from mnistlab.runs.building import classifier_of
from mnistlab.training import hardware

N_STEPS = 6  # of a measurement, the first not counted: in it torch prepares its kernels
N_FEATURES = 16  # images of a measurement of a pretrained network, which takes long for each
LEAST_STEPS = 8  # fewer train nothing
WHOLE_EPOCHS = 4  # from so many on, all images are seen in each; fewer see a part of them
PREDICTING = 1 / 3  # of the time of a training step, per image; until it was measured
FIXED_S = 0.2  # of a training, to check and scale the images
SLACK = 1.08  # estimates are too short as often as too long


@dataclass(frozen=True)
class Cost:
    """Seconds: of a step, of predicting an image, of an image once per training, of all else.

    batch_size: images in a step.
    """

    step_s: float
    batch_size: int
    predict_s: float
    image_s: float = 0.0
    fixed_s: float = FIXED_S

    def epoch_s(self, n_train: int, n_val: int) -> float:
        """Of an epoch with its validation."""
        n_steps: int = -(-n_train // self.batch_size)
        return n_steps * self.step_s + n_val * self.predict_s

    def seconds(self, size: Size, n_val: int) -> float:
        """Of a training, validated after each epoch and at the end on n_val images."""
        of_epochs = size.epochs * self.epoch_s(size.n_train, validated(size.n_train, n_val))
        once = size.n_train * self.image_s + n_val * (self.image_s + self.predict_s)
        return SLACK * (self.fixed_s + of_epochs + once)

    def size_for(self, seconds: float, n_train: int, n_val: int, most_epochs: int) -> Size | None:
        """The largest training that ends in time; None where it would have next to no steps."""
        whole = self.seconds(Size(1, n_train), n_val)
        once = self.seconds(Size(0, n_train), n_val)
        ratio = (seconds - once) / (whole - once)  # in epochs of all images
        if ratio >= WHOLE_EPOCHS or ratio >= most_epochs:
            return Size(min(int(ratio), most_epochs), n_train)
        epochs = 1 if ratio < 1 else min(int(np.ceil(ratio)), most_epochs)
        low, high = 0, n_train  # the most images, by bisection: costs are not linear in them
        while high - low > 1:
            middle = (low + high) // 2
            fits = self.seconds(Size(epochs, middle), n_val) <= seconds
            low, high = (middle, high) if fits else (low, middle)
        size = Size(
            epochs, n_train if self.seconds(Size(epochs, n_train), n_val) <= seconds else low
        )
        n_steps = size.epochs * -(-size.n_train // self.batch_size)
        return size if low and n_steps >= min(LEAST_STEPS, most_epochs) else None


def validated(n_train: int, n_val: int) -> int:
    """How many images validate an epoch on so many: a part of them where the epoch is short."""
    return min(n_val, max(100, n_train // 5))


def part_of(train: Dataset, n: int) -> Dataset:
    """About n of the images, classes in proportion, and at least one of every class."""
    if n >= len(train):
        return train
    counts = np.bincount(train.labels, minlength=train.n_classes)
    wanted = np.maximum(apportioned(counts, n), np.minimum(counts, 1))
    return train.take(np.flatnonzero(rank_in_class(train.labels) < wanted[train.labels]))


def measured(candidate: Candidate, train: Dataset, device: str, limit_s: float) -> Cost:
    """The cost of a candidate, by a few steps on a few images, within about limit_s."""
    batch = candidate.recipe.batch_size
    is_pretrained = candidate.recipe.phases[0].unfrozen is not None
    some = part_of(train, N_FEATURES if is_pretrained else N_STEPS * batch)
    epochs = -(-N_STEPS // -(-len(some) // batch))
    marks, once = [time.perf_counter()], [0, 0.0]
    start = marks[0]

    def on_step() -> None:
        marks.append(time.perf_counter())
        if len(marks) > N_STEPS or (len(marks) > 2 and marks[-1] - start > limit_s):
            raise _EnoughError

    def on_features(n_done: int, n_images: int) -> None:
        once[:] = [n_done, time.perf_counter() - start] if n_done else [0, 0.0]
        if n_done and once[1] > limit_s:
            raise _EnoughError

    _run(candidate, some, epochs, device, on_step, on_features)
    image_s = once[1] / once[0] if once[0] else 0.0
    steps = np.diff(marks)
    step_s = float(np.median(steps[1:])) if len(steps) > 1 else image_s
    return Cost(step_s, batch, step_s * PREDICTING / batch, image_s)


def faster_threads(small: Candidate, large: Candidate, train: Dataset, limit_s: float) -> int:
    """1 or as many as torch would use, whichever is faster; on a busy machine threads wait.

    small, large: networks; where threads already wait in the small one, the other is spared.
    """
    usual = torch.get_num_threads()
    if usual == 1:
        return 1
    for candidate, tolerated in ((small, 1.5), (large, 1.0)):

        def step_s(threads: int, candidate: Candidate = candidate) -> float:
            with hardware.n_threads(threads):
                return measured(candidate, train, "cpu", limit_s).step_s

        one, several = step_s(1), step_s(usual)
        if several > tolerated * one:  # a moment's disturbance would slow down the whole fit
            one, several = min(one, step_s(1)), min(several, step_s(usual))
        if several > tolerated * one:
            return 1
    return usual


def corrected(cost: Cost, steps_s: list[float]) -> Cost:
    """The cost by the steps that a training has just taken, the first of them left out."""
    return replace(cost, step_s=float(np.mean(steps_s[1:] or steps_s)))


class _EnoughError(Exception):
    """Ends a measurement."""


def _run(
    candidate: Candidate,
    some: Dataset,
    epochs: int,
    device: str,
    on_step: Callable[[], None],
    on_features: Callable[[int, int], None],
) -> None:
    classifier = classifier_of(candidate.for_size(Size(epochs, len(some)), 0), device)
    none = some.take(slice(0))
    try:
        classifier.fit(
            some.images,
            some.labels,
            none.images,
            none.labels,
            on_step=on_step,
            on_features=on_features,
        )
    except _EnoughError:
        return
