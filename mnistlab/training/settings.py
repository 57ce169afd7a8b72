"""What stays the same throughout a training of a torch network."""

from __future__ import annotations

from dataclasses import dataclass

from mnistlab.phases import check_order
from mnistlab.training.augmentation import Augment
from mnistlab.training.parallel import ALONE, Processes


@dataclass(frozen=True)
class Settings:
    """How a training takes its images, whatever the network and the phase.

    order: "shuffled" anew for every epoch, or "file", as the examples come. augment: turns a batch
    and its labels into what the network is trained on. autocast: run the forward pass in bfloat16.
    processes: those that train the network together. RecipeError for an unknown order.
    """

    batch_size: int
    seed: int
    order: str = "shuffled"
    augment: Augment | None = None
    autocast: bool = False
    processes: Processes = ALONE

    def __post_init__(self) -> None:
        check_order(self.order)
