"""Muon for whole networks: torch's Muon, which takes matrices only, and AdamW for the rest."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import AdamW, Optimizer
from torch.optim import Muon as MatrixMuon


class Muon(Optimizer):
    """Orthogonalised momentum for hidden weights (Jordan et al. 2024), AdamW for the others.

    parameters: of one network, in the order of its layers. The kernel of a convolution, (out, in,
    h, w), counts as a matrix (out, in * h * w). AdamW trains the first and the last trained layer,
    biases and normalisations. Muon's steps are scaled to the size of AdamW's (Liu et al. 2025), so
    that one learning rate and one decoupled weight decay serve both.
    """

    def __init__(
        self, parameters: Iterable[nn.Parameter], lr: float, weight_decay: float = 0.0
    ) -> None:
        trained = [p for p in parameters if p.requires_grad]
        weights = [p for p in trained if p.ndim >= 2]
        self._kernels = weights[1:-1]
        # Views: a step on the matrix is a step on the kernel.
        self._matrices = [nn.Parameter(_as_matrix(k.detach(), k)) for k in self._kernels]
        chosen = {id(kernel) for kernel in self._kernels}
        others = [p for p in trained if id(p) not in chosen]
        super().__init__(trained, {"lr": lr})
        settings: dict[str, Any] = {"lr": lr, "weight_decay": weight_decay}
        self.parts: list[Optimizer] = [AdamW(others, fused=True, **settings)]
        if self._matrices:
            self.parts.append(
                MatrixMuon(self._matrices, adjust_lr_fn="match_rms_adamw", **settings)
            )

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> None:  # type: ignore[override]
        """One update of all parameters at the learning rate of the first group."""
        for kernel, matrix in zip(self._kernels, self._matrices, strict=True):
            matrix.grad = None if kernel.grad is None else _as_matrix(kernel.grad, kernel)
        for part in self.parts:
            for group in part.param_groups:
                group["lr"] = self.param_groups[0]["lr"]
            part.step()


def _as_matrix(values: Tensor, kernel: Tensor) -> Tensor:
    """The kernel, or its gradient, as (out, D), in the memory order of the kernel: a view of it."""
    if kernel.is_contiguous():
        return values.flatten(1)
    return values.permute(0, 2, 3, 1).flatten(1)  # channels-last: a row is (h, w, in)
