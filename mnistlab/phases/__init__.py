"""What every training loop of the project is told, and what it reports: phases and epochs.

Both loops, the torch one in `training` and the one by hand in `scratch`, read the same
phases, follow the same schedules, report the same epochs and leave the same kind of checkpoint.
Nothing here imports torch.
"""

from mnistlab.phases.best import Best, epoch_of_weights
from mnistlab.phases.checkpoint import (
    KEEPS_NOTHING,
    SNAPSHOT,
    Checkpoint,
    Keeper,
    Position,
    snapshots_in,
)
from mnistlab.phases.epoch import Epoch, Validated
from mnistlab.phases.optimizers import OPTIMIZERS
from mnistlab.phases.order import check_order
from mnistlab.phases.phase import Phase
from mnistlab.phases.schedules import SCHEDULES
from mnistlab.phases.step_log import StepLog, StepLoss

__all__ = [
    "KEEPS_NOTHING",
    "OPTIMIZERS",
    "SCHEDULES",
    "SNAPSHOT",
    "Best",
    "Checkpoint",
    "Epoch",
    "Keeper",
    "Phase",
    "Position",
    "StepLog",
    "StepLoss",
    "Validated",
    "check_order",
    "epoch_of_weights",
    "snapshots_in",
]
