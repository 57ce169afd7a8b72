"""Histograms of oriented gradients in torch, to export a machine and to find its gradients."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from mnistlab.data import hog


class HistogramsOfGradients(nn.Module):
    """As data/hog.py: images (N, 1, H, W) to rows (N, D), in the dtype of the images."""

    def forward(self, X: Tensor) -> Tensor:
        """The square roots of the strengths of each direction in each cell."""
        below, right = -X.shape[2] % hog.CELL, -X.shape[3] % hog.CELL
        padded = functional.pad(X, (1, 1 + right, 1, 1 + below))
        along = padded[:, :, 1:-1, 2:] - padded[:, :, 1:-1, :-2]
        down = padded[:, :, 2:, 1:-1] - padded[:, :, :-2, 1:-1]
        lost = (along.square() + down.square() + hog.LEAST_SQUARE).sqrt() * math.cos(hog.APART)
        cosines, sines = torch.from_numpy(hog.directions()).to(X).T[:, :, None, None]
        votes = torch.relu(along * cosines + down * sines - lost)  # (N, 12, H, W)
        strengths = functional.avg_pool2d(votes, hog.CELL) / (1 - math.cos(hog.APART))
        return (strengths + hog.LEAST_STRENGTH).sqrt().flatten(1)
