"""One network trained by several processes, each on its part of every batch.

All processes draw the same batch, each takes its part of it, and gradients are summed: a step is
that of a single process, up to rounding. `torchrun` starts the processes and numbers them by rank.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.distributed.nn.functional import all_reduce
from torch.nn.functional import batch_norm

from mnistlab.errors import RecipeError


@dataclass(frozen=True)
class Processes:
    """The processes that train together. rank: of this one; process 0 writes the files."""

    rank: int = 0
    size: int = 1

    def check(self, batch_size: int, n_validation: int) -> None:
        """RecipeError where a batch, or the validation images, are fewer than the processes."""
        if batch_size < self.size or 0 < n_validation < self.size:
            raise RecipeError(
                f"batches of {batch_size} and {n_validation} validation images cannot be shared "
                f"by {self.size} processes"
            )

    def part_of(self, batch: Tensor) -> Tensor:
        """This process's part of a batch (N, ...)."""
        return batch if self.size == 1 else batch.tensor_split(self.size)[self.rank]

    def sum(self, *values: Tensor, dtype: torch.dtype = torch.float64) -> list[Tensor]:
        """Each value, of any shape, summed over all processes in one message of that dtype."""
        if self.size == 1:
            return list(values)
        message = torch.cat([value.to(dtype).flatten() for value in values])
        dist.all_reduce(message)
        parts = message.split([value.numel() for value in values])
        return [part.view_as(value) for part, value in zip(parts, values, strict=True)]

    def sum_gradients(self, network: nn.Module, *values: Tensor) -> list[Tensor]:
        """Sum the gradients over the processes in place, and return the sums of the values."""
        if self.size == 1:
            return list(values)
        gradients = [p.grad for p in network.parameters() if p.grad is not None]
        sums = self.sum(*gradients, *values, dtype=torch.float32)
        for gradient, total in zip(gradients, sums, strict=False):
            gradient.copy_(total)
        return sums[len(gradients) :]

    def wait(self) -> None:
        """Wait until every process has called this."""
        if self.size > 1:
            dist.barrier()

    def reseed(self, seed: int) -> None:
        """Give each process its own dropout masks; the first has those of a single process."""
        if self.rank:
            torch.manual_seed(seed + self.rank)


ALONE = Processes()


@contextmanager
def joined(device: torch.device) -> Iterator[Processes]:
    """The processes that torchrun has started; the block ends for all of them together."""
    dist.init_process_group("nccl" if device.type == "cuda" else "gloo")
    try:
        processes = Processes(dist.get_rank(), dist.get_world_size())
        yield processes
        processes.wait()
    finally:
        dist.destroy_process_group()


@contextmanager
def normalised_together(network: nn.Module, processes: Processes) -> Iterator[None]:
    """Batch normalisation uses the whole batch while the block runs; names and weights stay.

    Layers of other libraries, such as timm's, are left alone and use the part of their process.
    """
    replaced = []
    for parent in list(network.modules()) if processes.size > 1 else ():
        for name, child in parent.named_children():
            if isinstance(child, nn.BatchNorm1d | nn.BatchNorm2d) and _is_plain(child):
                replaced.append((parent, name, child))
                setattr(parent, name, _TogetherNorm(child))
    try:
        yield
    finally:
        for parent, name, child in replaced:
            setattr(parent, name, child)


def _is_plain(norm: nn.Module) -> bool:
    return type(norm) in (nn.BatchNorm1d, nn.BatchNorm2d)


class _TogetherNorm(nn.Module):
    """A batch normalisation with the mean and variance of all processes' parts together.

    torch's SyncBatchNorm does the same, but on accelerators alone. Parameters and buffers are those
    of the layer that it replaces.
    """

    running_mean: Tensor
    running_var: Tensor
    num_batches_tracked: Tensor

    def __init__(self, alone: nn.BatchNorm1d | nn.BatchNorm2d) -> None:
        super().__init__()
        self.weight, self.bias = alone.weight, alone.bias
        self.eps, self.momentum = alone.eps, alone.momentum or 0.0
        for name, buffer in alone.named_buffers():
            self.register_buffer(name, buffer)

    def forward(self, X: Tensor) -> Tensor:
        """(N, C) or (N, C, H, W) to the same."""
        running = (self.running_mean, self.running_var)
        if not self.training:
            return batch_norm(X, *running, self.weight, self.bias, eps=self.eps)
        axes = [axis for axis in range(X.ndim) if axis != 1]
        shape = [1, -1, *[1] * (X.ndim - 2)]
        count = torch.tensor(X.numel() / X.shape[1], device=X.device)
        dist.all_reduce(count)
        mean = all_reduce(X.float().sum(axes)) / count
        centred = X.float() - mean.view(shape)
        variance = all_reduce(centred.square().sum(axes)) / count
        with torch.no_grad():
            self.num_batches_tracked += 1
            for old, new in zip(running, (mean, variance * count / (count - 1)), strict=True):
                old += self.momentum * (new - old)
        scale = self.weight / torch.sqrt(variance + self.eps)
        normalised: Tensor = centred * scale.view(shape) + self.bias.view(shape)
        return normalised.to(X.dtype)
