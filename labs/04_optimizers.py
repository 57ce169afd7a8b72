# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#       format_version: '1.3'
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 4. Optimizers, learning rate, batch size
#
# The gradient says in which direction the loss falls. How far to go, and how to use the gradients
# of earlier steps, is the optimizer's business. You write four of them, and then measure what
# learning rate and batch size do.

# %%
import time
from collections.abc import Sequence

import matplotlib.pyplot as plt
import mnistlab as ml
import numpy as np
from course import earlier, ready, task

DATA = "fashion-mini"
N_IMAGES = 3000
N_EPOCHS = 5
N_TRIALS = 6  # of the search in 4.4

MLPFromScratch = earlier("MLPFromScratch", "my_mlp")
split = ml.split(ml.load(DATA))
X_train = split.train.images[:N_IMAGES].reshape(-1, 784) / 255
y_train = split.train.labels[:N_IMAGES]
X_val, y_val = split.val.images.reshape(-1, 784) / 255, split.val.labels

# %% [markdown]
# ## 4.1 Four optimizers
#
# With the gradient $g$ of the parameter $w$, the learning rate $\eta$, and all averages starting at
# 0 ($\epsilon = 10^{-8}$ prevents a division by 0):
#
# - SGD: $w \leftarrow w - \eta g$
# - Momentum: $v \leftarrow m v - \eta g$, then $w \leftarrow w + v$
# - RMSprop: $s \leftarrow d s + (1 - d) g^2$, then
#   $w \leftarrow w - \eta g / (\sqrt{s} + \epsilon)$
# - Adam: $m \leftarrow \beta_1 m + (1 - \beta_1) g$ and
#   $s \leftarrow \beta_2 s + (1 - \beta_2) g^2$, then
#   $w \leftarrow w - \eta \hat m / (\sqrt{\hat s} + \epsilon)$
#
# Adam's averages are too small in the first steps, because they start at 0; after $t$ steps it uses
# $\hat m = m / (1 - \beta_1^t)$ and $\hat s = s / (1 - \beta_2^t)$ (Kingma and Ba 2015).
#
# **Task 4a.** Write the four classes. `parameters` is a list of arrays; `step` receives a list of
# their gradients and changes the arrays **in place**, as `torch.optim` does.
#
# <details><summary>Hint 1</summary>
#
# In place means `w -= ...`. `w = w - ...` makes a new array, and the network never sees it.
# </details>
# <details><summary>Hint 2</summary>
#
# Each parameter needs averages of its own: `[np.zeros_like(w) for w in parameters]`, made in
# `__init__`. Change them in place too.
# </details>
# <details><summary>Hint 3</summary>
#
# Adam counts its steps. Increase the counter once per call of `step`, before the loop over the
# parameters; the first step has t = 1.
# </details>


# %%
class SGD:
    """Plain gradient descent."""

    def __init__(self, parameters: Sequence[np.ndarray], learning_rate: float = 0.1) -> None:
        raise NotImplementedError

    def step(self, gradients: Sequence[np.ndarray]) -> None:
        """Change every parameter once."""
        raise NotImplementedError


class Momentum:
    """Gradient descent with a velocity."""

    def __init__(
        self, parameters: Sequence[np.ndarray], learning_rate: float = 0.01, momentum: float = 0.9
    ) -> None:
        raise NotImplementedError

    def step(self, gradients: Sequence[np.ndarray]) -> None:
        """Change every parameter once."""
        raise NotImplementedError


class RMSprop:
    """Steps divided by the recent size of the gradient."""

    def __init__(
        self, parameters: Sequence[np.ndarray], learning_rate: float = 0.001, decay: float = 0.99
    ) -> None:
        raise NotImplementedError

    def step(self, gradients: Sequence[np.ndarray]) -> None:
        """Change every parameter once."""
        raise NotImplementedError


class Adam:
    """An average of the gradients, divided by their recent size."""

    def __init__(
        self,
        parameters: Sequence[np.ndarray],
        learning_rate: float = 0.001,
        beta1: float = 0.9,
        beta2: float = 0.999,
    ) -> None:
        raise NotImplementedError

    def step(self, gradients: Sequence[np.ndarray]) -> None:
        """Change every parameter once."""
        raise NotImplementedError


SGD = task(SGD, "my_optimizers")
Momentum = task(Momentum, "my_optimizers")
RMSprop = task(RMSprop, "my_optimizers")
Adam = task(Adam, "my_optimizers")

# %% [markdown]
# A valley shows the difference: it is steep in one direction and flat in the other. Its lowest
# point is (0, 0).

# %%
if ready(SGD, Momentum, RMSprop, Adam):
    steepness = np.array([1.0, 30.0])  # the loss is (x^2 + 30 y^2) / 2
    u, v = np.meshgrid(np.linspace(-2.2, 0.6, 80), np.linspace(-1.2, 1.2, 80))
    plt.contour(u, v, steepness[0] * u**2 + steepness[1] * v**2, levels=20, cmap="Greys")
    makers = {"SGD": (SGD, 0.06), "momentum": (Momentum, 0.01), "RMSprop": (RMSprop, 0.1)}
    for name, (make, rate) in {**makers, "Adam": (Adam, 0.2)}.items():
        point = np.array([-2.0, 1.0])
        optimizer, path = make([point], rate), [point.copy()]
        for _ in range(30):
            optimizer.step([steepness * point])
            path.append(point.copy())
        plt.plot(*np.transpose(path), marker=".", label=name)
        print(f"{name}: after 30 steps at ({point[0]:.3f}, {point[1]:.3f})")
    plt.legend()
    plt.show()

# %% [markdown]
# ## 4.2 Optimizers on the network
#
# The network's `forward` and `backward` give the gradients; your optimizers make the steps.


# %%
def train_with(optimizer, network, epochs: int, batch_size: int = 128) -> list[float]:
    """The mean training loss of each epoch."""
    rng, losses = np.random.default_rng(0), []
    for _ in range(epochs):
        total = 0.0
        for batch in np.array_split(rng.permutation(len(X_train)), len(X_train) // batch_size + 1):
            probabilities = network.forward(X_train[batch])
            total += len(batch) * network.compute_loss(y_train[batch], probabilities)
            gradients = network.backward(X_train[batch], y_train[batch])
            optimizer.step([gradients[name] for name in ("W1", "b1", "W2", "b2")])
        losses.append(total / len(X_train))
    return losses


if ready(SGD, Momentum, RMSprop, Adam):
    rates = {SGD: 0.1, Momentum: 0.01, RMSprop: 0.001, Adam: 0.001}
    for make, rate in rates.items():
        network = MLPFromScratch(seed=0)
        parameters = [network.W1, network.b1, network.W2, network.b2]
        losses = train_with(make(parameters, rate), network, N_EPOCHS)
        accuracy = (network.predict(X_val) == y_val).mean()
        print(f"{make.__name__}: losses {np.round(losses, 3)}, validation {accuracy:.3f}")
        plt.plot(losses, label=make.__name__)
    plt.xlabel("epoch")
    plt.ylabel("training loss")
    plt.legend()
    plt.show()

# %% [markdown]
# Each optimizer has its own learning rate here. With one rate for all, you would compare the rate
# and not the optimizer. A fair comparison searches the best rate of each, with the same number of
# trials.
#
# ## 4.3 Batch size
#
# A larger batch makes a step more exact and an epoch faster, but it makes fewer steps per epoch.
#
# **Task 4b.** Write `compare_batch_sizes`: train a new `MLPFromScratch` for each batch size, and
# return for each the history of `train` and the key `"seconds_per_epoch"`.
#
# <details><summary>Hint 1</summary>
#
# A new network for each batch size, with the same seed: else the second continues where the first
# has stopped.
# </details>
# <details><summary>Hint 2</summary>
#
# `time.perf_counter()` before and after; divide by the number of epochs.
# </details>
# <details><summary>Hint 3</summary>
#
# `results[batch_size] = {**history, "seconds_per_epoch": seconds}`.
# </details>


# %%
def compare_batch_sizes(
    data: tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray],
    batch_sizes: Sequence[int] = (32, 128, 256, 512),
    epochs: int = 10,
    learning_rate: float = 0.01,
) -> dict:
    """data: X_train, y_train, X_val, y_val. Histories of MLPFromScratch, by batch size."""
    raise NotImplementedError


compare_batch_sizes = task(compare_batch_sizes, "my_optimizers")

# %%
if ready(compare_batch_sizes):
    results = compare_batch_sizes((X_train, y_train, X_val, y_val), epochs=N_EPOCHS)
    for batch_size, result in results.items():
        print(
            f"batch {batch_size}: validation {result['val_accuracy'][-1]:.3f}, "
            f"{result['seconds_per_epoch']:.3f} s per epoch"
        )
        plt.plot(result["val_accuracy"], label=f"batch {batch_size}")
    plt.xlabel("epoch")
    plt.ylabel("validation accuracy")
    plt.legend()
    plt.show()

# %% [markdown]
# ## 4.4 Let a search choose
#
# Trying values by hand stops being fun at the third hyper-parameter. `ml.tune` proposes values,
# trains, looks at the validation accuracy, and proposes better ones (it uses Optuna). It changes
# depth, width, learning rate and weight decay of a network in NumPy like yours, and in the end says
# how important each of them was. This is a miniature: `mnistlab tune layered-mlp` is the real
# search.

# %%
recipe = ml.get_recipe("layered-mlp")
recipe = ml.set_fields(recipe, {"n_train": str(min(N_IMAGES, 1000)), "epochs": str(N_EPOCHS)})
tuned = ml.tune(recipe, DATA, n_trials=N_TRIALS, n_seeds=1)
print("best point:", tuned.best.point, "validation accuracy:", tuned.best.accuracy)
for name, importance in tuned.importance.items():
    print(f"importance of {name}: {importance:.2f}")

# %% [markdown]
# ## Question
#
# Write-up B trains one network with the batch sizes 2, 4, 6, 10, 15 and 20, once each, and finds 6
# the best. Is 6 really better than 10, or was it luck? `mnistlab study batch-size` repeats it with
# five seeds. Before you run it: how far apart do you expect two runs that differ only in their
# seed?
