"""What both training loops share: phases, schedules, epochs, callbacks and checkpoints.

The torch loop in `training` and the loop by hand in `scratch` read the same phases, follow the same
schedules, report the same epochs and save the same kind of checkpoint. Nothing here imports torch.
"""

from mnistlab.phases.best import Best, epoch_of_weights
from mnistlab.phases.callbacks import CallbackOptions, Callbacks
from mnistlab.phases.checkpoint import (
    NO_CHECKPOINTS,
    SNAPSHOT,
    Checkpoint,
    Checkpointer,
    TrainState,
)
from mnistlab.phases.epoch import Epoch, Validated
from mnistlab.phases.optimizers import OPTIMIZERS
from mnistlab.phases.order import check_order
from mnistlab.phases.phase import Phase
from mnistlab.phases.schedules import SCHEDULES
from mnistlab.phases.step_log import StepLog, StepLoss

__all__ = [
    "NO_CHECKPOINTS",
    "OPTIMIZERS",
    "SCHEDULES",
    "SNAPSHOT",
    "Best",
    "CallbackOptions",
    "Callbacks",
    "Checkpoint",
    "Checkpointer",
    "Epoch",
    "Phase",
    "StepLog",
    "StepLoss",
    "TrainState",
    "Validated",
    "check_order",
    "epoch_of_weights",
]
