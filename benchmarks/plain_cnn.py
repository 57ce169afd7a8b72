"""A first, usual network: 40 lines of plain PyTorch, with batch normalisation.

Images scaled to 0..1, Adam at its usual rate, batches of 32, the best epoch on validation. Ten
epochs; for a small set as many as give 400 steps.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def block(n_in: int, n_out: int) -> nn.Sequential:
    convolution = nn.Conv2d(n_in, n_out, 3, padding=1)
    return nn.Sequential(convolution, nn.BatchNorm2d(n_out), nn.ReLU(), nn.MaxPool2d(2))


def train(
    X: NDArray[np.uint8],
    y: NDArray[np.int64],
    X_val: NDArray[np.uint8],
    y_val: NDArray[np.int64],
    X_test: NDArray[np.uint8],
    seed: int,
    score: Callable[[Any, Any], float],
) -> tuple[NDArray[np.int64], int]:
    """The predicted classes of the test images, and the best epoch on validation."""
    torch.manual_seed(seed)
    images, images_val, images_test = (
        torch.from_numpy(x).float().unsqueeze(1) / 255 for x in (X, X_val, X_test)
    )
    head = nn.Sequential(
        nn.Flatten(), nn.LazyLinear(128), nn.ReLU(), nn.LazyLinear(int(y.max()) + 1)
    )
    model = nn.Sequential(block(1, 32), block(32, 64), head)
    model(images[:2])  # for the sizes of the linear layers
    optimizer = torch.optim.Adam(model.parameters())
    loader = DataLoader(TensorDataset(images, torch.from_numpy(y)), batch_size=32, shuffle=True)
    best, best_score, best_epoch = copy.deepcopy(model), -1.0, 0
    for epoch in range(1, max(10, -(-400 // len(loader))) + 1):
        model.train()
        for xb, yb in loader:
            optimizer.zero_grad()
            nn.functional.cross_entropy(model(xb), yb).backward()
            optimizer.step()
        val_score = score(y_val, predict(model, images_val))
        if val_score > best_score:
            best, best_score, best_epoch = copy.deepcopy(model), val_score, epoch
    return predict(best, images_test), best_epoch


def predict(model: nn.Module, images: torch.Tensor) -> NDArray[np.int64]:
    model.eval()
    with torch.no_grad():
        return torch.cat([model(batch).argmax(1) for batch in images.split(250)]).numpy()
