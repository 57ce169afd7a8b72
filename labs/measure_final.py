"""C17 at full size, for `labs.measure`: it takes hours, so a stop may cost one epoch at most.

Three phases follow each other, each with an early stopping of its own, as in write-up C. Unlike
there, a fifth of the published training images is the validation part, pixels are from 0 to 1, and
half of the images are mirrored, drawn anew in each epoch; the write-up keeps four versions of each.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from sklearn.model_selection import train_test_split
from solutions import final, loop, regularisation
from torch import Tensor, nn
from torch.optim import SGD, Adam, Optimizer
from torch.utils.data import DataLoader, TensorDataset

KEPT = Path("build") / "course" / "C17.pt"
PATIENCE = 4
MOST_EPOCHS = 200
BATCH_SIZE = 256


class FinalModel(final.FinalModel):
    """The solution's network, where products of matrices are bfloat16: twice as fast."""

    def forward(self, x: Tensor) -> Tensor:
        """Scores (N, K), float32."""
        with torch.autocast("cpu", torch.bfloat16):
            return super().forward(x.contiguous(memory_format=torch.channels_last)).float()


class Mirrored(TensorDataset):
    """Half of the images, drawn anew whenever they are asked for, are mirrored."""

    def __getitem__(self, index: int) -> tuple[Tensor, ...]:
        """An image (1, H, W) and its label."""
        image, label = super().__getitem__(index)
        return (image.flip(-1) if torch.rand(()) < 0.5 else image), label


def final_model(
    train: tuple[np.ndarray, np.ndarray],
    test: tuple[np.ndarray, np.ndarray],
    seed: int,
    kept: Path = KEPT,
) -> dict[str, Any]:
    """The accuracies of C17 on rows of 784 pixels from 0 to 1; goes on from the epoch in `kept`."""
    torch.manual_seed(seed)
    X, X_val, y, y_val = train_test_split(
        *train, test_size=0.2, random_state=seed, stratify=train[1]
    )
    model = FinalModel().to(memory_format=torch.channels_last)
    batches = DataLoader(Mirrored(*_padded(X, y)), BATCH_SIZE, shuffle=True)
    val = DataLoader(TensorDataset(*_padded(X_val, y_val)), 1000)
    epochs, time_s = Training(model, batches, val, kept).run()
    criterion = nn.CrossEntropyLoss()
    _, val_accuracy = loop.evaluate_model(model, val, criterion)
    _, accuracy = loop.evaluate_model(
        model, DataLoader(TensorDataset(*_padded(*test)), 1000), criterion
    )
    return {
        "accuracy": accuracy,
        "val_accuracy": val_accuracy,
        "epochs": epochs,
        "precision": "bfloat16",
        "time_s": round(time_s, 1),
    }


class Training:
    """The three phases, epoch by epoch; the state after each epoch is kept in a file."""

    def __init__(
        self, model: nn.Module, batches: DataLoader[Any], val: DataLoader[Any], kept: Path
    ) -> None:
        self.model, self.batches, self.val, self.kept = model, batches, val, kept
        self.epochs = [0, 0, 0]
        self.time_s = 0.0
        self._begin(0)

    def _begin(self, phase: int) -> None:
        self.phase = phase
        self.optimizer = _optimizer(phase, self.model)
        self.stopping = regularisation.EarlyStopping(PATIENCE)

    def run(self) -> tuple[list[int], float]:
        """Epochs of each phase, and seconds. The model has the best weights of the third then."""
        if self.kept.exists():
            self._restore()
        while not (self._phase_is_over() and self.phase == 2):
            if self._phase_is_over():
                self._begin(self.phase + 1)
            self._epoch()
            self._keep()
        self.stopping.restore(self.model)
        return self.epochs, self.time_s

    def _phase_is_over(self) -> bool:
        no_better = self.stopping.n_worse >= PATIENCE
        return no_better or self.epochs[self.phase] == MOST_EPOCHS

    def _epoch(self) -> None:
        start = time.perf_counter()
        history = loop.train_model(
            self.model, self.batches, self.val, nn.CrossEntropyLoss(), self.optimizer, 1
        )
        accuracy = history["val_accuracy"][0]
        self.stopping.should_stop(accuracy, self.model)
        self.epochs[self.phase] += 1
        self.time_s += time.perf_counter() - start
        epoch = f"phase {self.phase + 1}, epoch {self.epochs[self.phase]}"
        print(f"{epoch}: validation {accuracy:.4f}, {self.time_s:.0f} s", flush=True)

    def _keep(self) -> None:
        self.kept.parent.mkdir(parents=True, exist_ok=True)
        stopping = self.stopping
        state = {
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "phase": self.phase,
            "epochs": self.epochs,
            "stopping": (stopping.n_worse, float(stopping.best), stopping.weights),
            "random": torch.get_rng_state(),
            "time_s": self.time_s,
        }
        unfinished = self.kept.with_suffix(".partial")
        torch.save(state, unfinished)
        unfinished.replace(self.kept)

    def _restore(self) -> None:
        state = torch.load(self.kept, weights_only=True)  # no pickled code
        self._begin(state["phase"])
        self.model.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.epochs, self.time_s = state["epochs"], state["time_s"]
        self.stopping.n_worse, self.stopping.best, self.stopping.weights = state["stopping"]
        torch.set_rng_state(state["random"])


def _optimizer(phase: int, model: nn.Module) -> Optimizer:
    """Adam with weight decay, SGD with weight decay, SGD; learning rate 0.001 in each."""
    if phase == 0:
        return Adam(model.parameters(), weight_decay=1e-3)
    return SGD(model.parameters(), lr=1e-3, weight_decay=1e-3 if phase == 1 else 0.0)


def _padded(X: np.ndarray, y: np.ndarray) -> tuple[Tensor, Tensor]:
    """Images (N, 1, 32, 32) and labels."""
    return nn.functional.pad(torch.tensor(X).reshape(-1, 1, 28, 28), (2, 2, 2, 2)), torch.tensor(y)
