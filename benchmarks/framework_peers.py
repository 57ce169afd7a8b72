"""One framework trains SimpleCNN (A9), in a process and an environment of its own.

python framework_peers.py FRAMEWORK IMAGES.npz EPOCHS SEED

Prints one JSON line: see `trained`. Imports nothing of mnistlab: an environment has only its
framework. Each program is written as the framework's own documentation writes it, with images in
memory as float32, scaled before the clock starts, and without progress bars, logs or checkpoints.
Options that its documentation names are used where they make it faster: in PyTorch the layout
channels_last, Adam in one fused call, and whole batches from a DataLoader.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from contextlib import redirect_stdout
from functools import partial
from importlib.metadata import version
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

BATCH_SIZE = 64
VALIDATION_BATCH_SIZE = 1000
LEARNING_RATE = 1e-3
N_CLASSES = 10
MEAN, STD = 0.2860, 0.3530  # of the pixels of Fashion-MNIST, from 0 to 1

Trained = tuple[float, int]  # validation accuracy after the last epoch, number of parameters


class Parts(NamedTuple):
    """The images as float32 (N, 28, 28), scaled to mean 0 and deviation 1; labels int64 (N,)."""

    x_train: NDArray[np.float32]
    y_train: NDArray[np.int64]
    x_val: NDArray[np.float32]
    y_val: NDArray[np.int64]


class EpochClock:
    """The seconds of each epoch with its validation; the first also has what is compiled."""

    def __init__(self) -> None:
        self.seconds: list[float] = []
        self._last = 0.0

    def start(self) -> None:
        """Just before the training is started."""
        self._last = time.perf_counter()

    def end_epoch(self, *_: Any, **__: Any) -> None:
        """After each epoch; takes whatever a framework tells a callback."""
        now = time.perf_counter()
        self.seconds.append(now - self._last)
        self._last = now


def torch_network() -> Any:
    """A9 as one usually writes it in PyTorch, in the layout that is faster on a CPU."""
    import torch
    from torch import nn

    layers = [nn.Conv2d(1, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)]
    layers += [nn.Conv2d(32, 64, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten()]
    layers += [nn.Linear(64 * 7 * 7, 128), nn.ReLU(), nn.Dropout(0.5), nn.Linear(128, N_CLASSES)]
    return nn.Sequential(*layers).to(memory_format=torch.channels_last)


def torch_loaders(parts: Parts) -> tuple[Any, Any]:
    """DataLoaders of tensors in memory, which take a whole batch at once."""
    import torch
    from torch.utils import data

    x_train, y_train, x_val, y_val = map(torch.from_numpy, parts)
    train = data.TensorDataset(x_train.unsqueeze(1), y_train)
    val = data.TensorDataset(x_val.unsqueeze(1), y_val)
    shuffled = data.BatchSampler(data.RandomSampler(train), BATCH_SIZE, False)
    in_order = data.BatchSampler(data.SequentialSampler(val), VALIDATION_BATCH_SIZE, False)
    return (
        data.DataLoader(train, sampler=shuffled, batch_size=None),
        data.DataLoader(val, sampler=in_order, batch_size=None),
    )


def n_torch_parameters(network: Any) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


def pytorch(
    parts: Parts, n_epochs: int, seed: int, clock: EpochClock, bfloat16: bool = False
) -> Trained:
    """The loop of PyTorch's tutorials; bfloat16: under torch.autocast."""
    import torch
    from torch import nn

    torch.manual_seed(seed)
    train_loader, val_loader = torch_loaders(parts)
    network = torch_network()
    criterion = nn.CrossEntropyLoss()
    optimizer = torch.optim.Adam(network.parameters(), lr=LEARNING_RATE, fused=True)
    autocast = partial(torch.autocast, "cpu", dtype=torch.bfloat16, enabled=bfloat16)
    n_correct = 0
    clock.start()
    for _ in range(n_epochs):
        network.train()
        for images, labels in train_loader:
            optimizer.zero_grad()
            with autocast():
                loss = criterion(network(images), labels)
            loss.backward()
            optimizer.step()
        network.eval()
        n_correct = 0
        with torch.no_grad(), autocast():
            for images, labels in val_loader:
                n_correct += int((network(images).argmax(1) == labels).sum())
        clock.end_epoch()
    return n_correct / len(parts.y_val), n_torch_parameters(network)


def skorch(parts: Parts, n_epochs: int, seed: int, clock: EpochClock) -> Trained:
    """NeuralNetClassifier, which takes arrays."""
    import torch
    from skorch import NeuralNetClassifier, callbacks, dataset, helper

    class Clock(callbacks.Callback):  # type: ignore[misc]  # skorch need not be installed here
        def on_epoch_end(self, net: Any, **_: Any) -> None:
            clock.end_epoch()

    torch.manual_seed(seed)
    network = NeuralNetClassifier(
        torch_network(),
        criterion=torch.nn.CrossEntropyLoss,
        optimizer=torch.optim.Adam,
        optimizer__fused=True,
        lr=LEARNING_RATE,
        max_epochs=n_epochs,
        batch_size=BATCH_SIZE,
        iterator_train__shuffle=True,
        iterator_valid__batch_size=VALIDATION_BATCH_SIZE,
        train_split=helper.predefined_split(dataset.Dataset(parts.x_val[:, None], parts.y_val)),
        callbacks=[Clock()],
        verbose=0,
    )
    clock.start()
    network.fit(parts.x_train[:, None], parts.y_train)
    n_parameters = n_torch_parameters(network.module_)
    return float(network.history[-1, "valid_acc"]), n_parameters


def fastai(parts: Parts, n_epochs: int, seed: int, clock: EpochClock) -> Trained:
    """Learner on PyTorch's DataLoaders, with PyTorch's Adam: fastai's own has other constants."""
    import torch
    from fastai.callback.core import Callback
    from fastai.data.core import DataLoaders
    from fastai.learner import Learner
    from fastai.metrics import accuracy
    from fastai.optimizer import OptimWrapper

    torch.manual_seed(seed)
    network = torch_network()
    learner = Learner(
        DataLoaders(*torch_loaders(parts)),
        network,
        loss_func=torch.nn.CrossEntropyLoss(),
        opt_func=partial(OptimWrapper, opt=torch.optim.Adam, fused=True),
        lr=LEARNING_RATE,
        metrics=accuracy,
        cbs=Callback(after_epoch=clock.end_epoch),
    )
    with learner.no_logging():
        clock.start()
        learner.fit(n_epochs)
    return float(learner.recorder.values[-1][-1]), n_torch_parameters(network)


def lightning(parts: Parts, n_epochs: int, seed: int, clock: EpochClock) -> Trained:
    """LightningModule and Trainer."""
    import pytorch_lightning as pl
    import torch
    from pytorch_lightning.callbacks import LambdaCallback
    from torch.nn.functional import cross_entropy

    class Classifier(pl.LightningModule):  # type: ignore[misc]  # need not be installed here
        def __init__(self) -> None:
            super().__init__()
            self.network = torch_network()

        def training_step(self, batch: Any, batch_idx: int) -> Any:
            images, labels = batch
            return cross_entropy(self.network(images), labels)

        def validation_step(self, batch: Any, batch_idx: int) -> None:
            images, labels = batch
            right = self.network(images).argmax(1) == labels
            self.log("val_accuracy", right.float().mean(), batch_size=len(labels))

        def configure_optimizers(self) -> Any:
            return torch.optim.Adam(self.parameters(), lr=LEARNING_RATE, fused=True)

    pl.seed_everything(seed, verbose=False)
    module = Classifier()
    trainer = pl.Trainer(
        max_epochs=n_epochs,
        accelerator="cpu",
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        callbacks=[LambdaCallback(on_train_epoch_end=clock.end_epoch)],
    )
    clock.start()
    trainer.fit(module, *torch_loaders(parts))
    return float(trainer.callback_metrics["val_accuracy"]), n_torch_parameters(module)


def keras_fit(
    backend: str, parts: Parts, n_epochs: int, seed: int, clock: EpochClock, bfloat16: bool = False
) -> Trained:
    """Sequential, compile and fit on arrays; compiled or not as Keras decides for the backend."""
    os.environ["KERAS_BACKEND"] = backend
    import keras
    from keras import layers

    keras.utils.set_random_seed(seed)
    if bfloat16:
        keras.mixed_precision.set_global_policy("mixed_bfloat16")
    blocks = [layers.Conv2D(32, 3, padding="same", activation="relu"), layers.MaxPooling2D()]
    blocks += [layers.Conv2D(64, 3, padding="same", activation="relu"), layers.MaxPooling2D()]
    blocks += [layers.Flatten(), layers.Dense(128, activation="relu"), layers.Dropout(0.5)]
    logits = layers.Dense(N_CLASSES, dtype="float32")  # also where the rest is bfloat16
    model = keras.Sequential([keras.Input((28, 28, 1)), *blocks, logits])
    model.compile(
        optimizer=keras.optimizers.Adam(LEARNING_RATE),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    clock.start()
    history = model.fit(
        parts.x_train[..., None],
        parts.y_train,
        batch_size=BATCH_SIZE,
        epochs=n_epochs,
        validation_data=(parts.x_val[..., None], parts.y_val),
        validation_batch_size=VALIDATION_BATCH_SIZE,
        callbacks=[keras.callbacks.LambdaCallback(on_epoch_end=clock.end_epoch)],
        verbose=0,
    )
    return float(history.history["val_accuracy"][-1]), int(model.count_params())


FRAMEWORKS: dict[str, Callable[[Parts, int, int, EpochClock], Trained]] = {
    "PyTorch": pytorch,
    "PyTorch, bfloat16": partial(pytorch, bfloat16=True),
    "skorch": skorch,
    "fastai": fastai,
    "Lightning": lightning,
    "Keras on TensorFlow": partial(keras_fit, "tensorflow"),
    "Keras on TensorFlow, bfloat16": partial(keras_fit, "tensorflow", bfloat16=True),
    "Keras on JAX": partial(keras_fit, "jax"),
}
PACKAGES = ("torch", "skorch", "fastai", "pytorch-lightning", "keras", "tensorflow", "jax")


def read_parts(path: str) -> Parts:
    """The images of the file, float32 and scaled."""
    with np.load(path) as found:
        arrays = {name: found[name] for name in found.files}
    x_train, x_val = (
        ((arrays[name] / np.float32(255) - np.float32(MEAN)) / np.float32(STD)).astype(np.float32)
        for name in ("x_train", "x_val")
    )
    return Parts(x_train, arrays["y_train"], x_val, arrays["y_val"])


def trained(framework: str, source: str, n_epochs: int, seed: int) -> dict[str, Any]:
    """Seconds of each epoch with its validation, accuracy after the last, size and versions."""
    train, clock = FRAMEWORKS[framework], EpochClock()
    with redirect_stdout(sys.stderr):  # the result alone is printed there
        val_accuracy, n_parameters = train(read_parts(source), n_epochs, seed, clock)
    return {
        "epochs_s": clock.seconds,
        "val_accuracy": val_accuracy,
        "n_parameters": n_parameters,
        "versions": {
            name: version(name) for name in PACKAGES if name.replace("-", "_") in sys.modules
        },
    }


if __name__ == "__main__":
    print(json.dumps(trained(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))))
