"""What a training reports while it runs, and where it saves its checkpoints."""

from __future__ import annotations

from collections.abc import Callable, MutableMapping
from dataclasses import dataclass, field
from typing import Any, TypedDict

from mnistlab.phases.checkpoint import NO_CHECKPOINTS, Checkpointer
from mnistlab.phases.epoch import Epoch
from mnistlab.phases.step_log import StepLog


@dataclass(frozen=True)
class Callbacks:
    """What a loop calls while it trains; every field is optional.

    checkpointer: is asked after every step whether it wants a checkpoint. step_log: gets the loss
    of every step. snapshots: the loop puts the weights of the epochs that a phase wants saved here,
    by the number of the epoch. on_features(n_done, n_images): how many images the frozen blocks of
    a phase have seen, and of how many. on_step(), on_epoch(epoch): after each of them.
    """

    checkpointer: Checkpointer = NO_CHECKPOINTS
    step_log: StepLog | None = None
    snapshots: MutableMapping[int, dict[str, Any]] = field(default_factory=dict)  # arrays, tensors
    on_features: Callable[[int, int], None] = lambda n_done, n_images: None
    on_step: Callable[[], None] = lambda: None
    on_epoch: Callable[[Epoch], None] = lambda epoch: None


class CallbackOptions(TypedDict, total=False):
    """The callbacks that `fit` of a classifier takes as keyword arguments."""

    checkpointer: Checkpointer
    step_log: StepLog | None
    on_features: Callable[[int, int], None]
    on_step: Callable[[], None]
    on_epoch: Callable[[Epoch], None]
