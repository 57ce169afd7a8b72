"""The tiny network, images and loaders on which a student's training loop is watched."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.optim.lr_scheduler import ReduceLROnPlateau
from torch.utils.data import DataLoader, Dataset

from mnistlab.checking.torch_parts.events import Log, copied

N_TRAIN, N_VAL, BATCH, VAL_BATCH = 10, 7, 4, 3  # the last batch of each part is smaller
N_CLASSES, N_HIDDEN, SIDE = 3, 5, 28
VAL_LABELS = (1, 2, 0, 0, 1, 2, 1)  # of which the first network has 2 of 3, 1 of 3, 1 of 1 right
FIRST_VAL = 100  # the number of the first validation image; those of training begin at 0


class Images(Dataset[tuple[Tensor, Tensor]]):
    """Images whose first pixel says which one they are."""

    def __init__(self, n: int, first: int, seed: int) -> None:
        generator = torch.Generator().manual_seed(seed)
        self.data = torch.rand(n, 1, SIDE, SIDE, generator=generator)
        self.data[:, 0, 0, 0] = torch.arange(first, first + n) / 1000
        self.targets = torch.arange(n) % N_CLASSES
        if first == FIRST_VAL:
            self.targets = torch.tensor(VAL_LABELS)

    def __len__(self) -> int:
        return len(self.data)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        return self.data[index], self.targets[index]


def rows_of(images: Tensor) -> tuple[int, ...]:
    """Which images a tensor holds, by their first pixel; () where that is changed."""
    codes = images.detach().reshape(len(images), -1)[:, 0] * 1000
    numbers = codes.round()
    if bool(((codes - numbers).abs() > 1e-2).any()):
        return ()
    return tuple(int(number) for number in numbers)


def part_of_rows(rows: tuple[int, ...]) -> str:
    """The part that images belong to."""
    return "val" if rows and min(rows) >= FIRST_VAL else "train"


class Network(nn.Module):
    """One hidden layer; notes every forward pass, change of mode, and use of its weights."""

    log: Log

    def __init__(self, log: Log) -> None:
        super().__init__()
        torch.manual_seed(5)
        self.hidden = nn.Linear(SIDE * SIDE, N_HIDDEN)
        self.output = nn.Linear(N_HIDDEN, N_CLASSES)
        object.__setattr__(self, "log", log)
        log.network = log.network or self

    def __deepcopy__(self, memo: Any) -> Network:
        copy = Network(Log(self.log.file))
        copy.load_state_dict(copied(self))
        copy.train(self.training)
        return copy

    def forward(self, x: Tensor) -> Tensor:
        """Scores (N, 3) of images (N, 1, 28, 28) or rows (N, 784)."""
        is_images = x.dtype.is_floating_point and x.ndim > 1
        rows = rows_of(x) if is_images else ()
        event = self.log.add(
            "forward",
            part=part_of_rows(rows),
            rows=rows,
            weights=copied(self),
            is_training=self.training,
            has_gradients=torch.is_grad_enabled(),
            value=(tuple(x.shape), x.dtype),
        )
        scores: Tensor = self.output(self.hidden(x.flatten(1)).relu())
        if scores.requires_grad:
            scores.register_hook(lambda _: self._went_back(event.rows))
        return scores

    def _went_back(self, rows: tuple[int, ...]) -> None:
        self.log.add("backward", rows=rows, part=part_of_rows(rows))

    def train(self, mode: bool = True) -> Network:
        """As of every network, and noted."""
        if hasattr(self, "log"):
            self.log.add("mode", value=mode)
        return super().train(mode)

    def state_dict(self, *args: Any, **kwargs: Any) -> Any:
        """As of every network, and noted."""
        self.log.add("state")
        return super().state_dict(*args, **kwargs)

    def load_state_dict(self, state_dict: Any, *args: Any, **kwargs: Any) -> Any:
        """As of every network, and noted."""
        values = {name: value.detach().clone() for name, value in state_dict.items()}
        self.log.add("load", value=values)
        return super().load_state_dict(state_dict, *args, **kwargs)


def scores_with(weights: dict[str, Tensor], images: Tensor) -> Tensor:
    """What the network gives with these weights."""
    hidden = functional.linear(images.flatten(1), weights["hidden.weight"], weights["hidden.bias"])
    return functional.linear(hidden.relu(), weights["output.weight"], weights["output.bias"])


class Loader(DataLoader[tuple[Tensor, Tensor]]):
    """Notes every pass over its images."""

    def __init__(self, log: Log, part: str, images: Images) -> None:
        size = BATCH if part == "train" else VAL_BATCH
        generator = torch.Generator().manual_seed(11)
        self._part, self._log = part, log
        super().__init__(images, size, shuffle=part == "train", generator=generator)

    def __iter__(self) -> Iterator[Any]:  # type: ignore[override]
        self._log.add("pass", part=self._part, weights=copied(self._log.network or nn.Module()))
        return super().__iter__()


class Judged(Loader):
    """Validation images whose labels are right for as many images as `n_right` says, per pass."""

    n_right: tuple[int, ...] = ()
    n_passes = 0

    def __iter__(self) -> Iterator[Any]:  # type: ignore[override]
        network, images = self._log.network, self.dataset
        assert network is not None
        assert isinstance(images, Images)
        scores = scores_with(copied(network), images.data)
        n_right = self.n_right[min(self.n_passes, len(self.n_right) - 1)]
        best, worst = scores.argmax(1), scores.argmin(1)
        images.targets = torch.where(torch.arange(len(best)) < n_right, best, worst)
        self.n_passes += 1
        return super().__iter__()


class Scheduler(ReduceLROnPlateau):
    """Notes its steps; the value may be left out."""

    def __init__(self, log: Log, optimizer: torch.optim.Optimizer) -> None:
        super().__init__(optimizer, patience=1000)
        self._log = log

    def step(self, metrics: Any = None, epoch: Any = None) -> None:  # type: ignore[override]
        """A step that leaves the learning rate as it is."""
        self._log.add("scheduler", value=metrics)
