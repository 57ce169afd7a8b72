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
# # 2. Softmax regression
#
# The simplest network has one layer: every class gets a score that is a weighted sum of the pixels.
# It already has everything that larger networks have: a forward pass, a loss, a gradient, and a
# training loop.

# %%
import matplotlib.pyplot as plt
import mnistlab as ml
import numpy as np
from course import ready, task

DATA = "fashion-mini"
N_IMAGES = 2000
N_EPOCHS = 10

split = ml.split(ml.load(DATA))
X_train = split.train.images[:N_IMAGES].reshape(-1, 784) / 255
y_train = split.train.labels[:N_IMAGES]
X_val, y_val = split.val.images.reshape(-1, 784) / 255, split.val.labels
print(len(X_train), "training images,", len(X_val), "validation images")

# %% [markdown]
# ## 2.1 Scores become probabilities
#
# For an image $x$ (a row of 784 numbers) the scores of the ten classes are $z = x W + b$. Softmax
# turns them into probabilities, which are positive and sum to 1:
#
# $$ p_k = \frac{e^{z_k}}{\sum_j e^{z_j}}. $$
#
# Large scores overflow: $e^{1000}$ is infinite for a computer. Subtracting the largest score of the
# image from all its scores changes nothing in the formula, because $e^{z_k - m} = e^{z_k} e^{-m}$
# and $e^{-m}$ cancels.
#
# **Task 2a.** Write `softmax` for many images at once: `z` is (N, K), one row per image.
#
# <details><summary>Hint 1</summary>
#
# Subtract the largest score of each row, then take `np.exp`, then divide by the sum of each row.
# </details>
# <details><summary>Hint 2</summary>
#
# `z.max(axis=1)` has the shape (N,). It must have the shape (N, 1) to be subtracted from (N, K).
# </details>
# <details><summary>Hint 3</summary>
#
# `keepdims=True` keeps that dimension, in `max` and in `sum`.
# </details>


# %%
def softmax(z: np.ndarray) -> np.ndarray:
    """Probabilities (N, K) of scores (N, K)."""
    raise NotImplementedError


softmax = task(softmax, "my_softmax")
# mnistlab check labs/my_softmax.py --task softmax

# %%
if ready(softmax):
    scores = np.array([[1.0, 2.0, 3.0], [1000.0, 0.0, -1000.0]])
    print(softmax(scores), "sums:", softmax(scores).sum(axis=1))

# %% [markdown]
# ## 2.2 The loss
#
# The network is good if it gives the true class a high probability. The *cross-entropy* of one
# image with the true class $y$ is $-\log p_y$: 0 if $p_y = 1$, and large if $p_y$ is near 0. The
# loss is the mean over the images:
#
# $$ L = -\frac{1}{N} \sum_{i=1}^{N} \log(p_{i, y_i} + 10^{-8}). $$
#
# The small number keeps the logarithm finite if a probability is exactly 0.
#
# **Task 2b.** Write `cross_entropy`. `y` holds the numbers of the true classes, shape (N,).
#
# <details><summary>Hint 1</summary>
#
# You need one number of each row: the one in column `y[i]`.
# </details>
# <details><summary>Hint 2</summary>
#
# NumPy picks one element per row with two index arrays: `p[rows, columns]`.
# </details>
# <details><summary>Hint 3</summary>
#
# The rows are `np.arange(len(y))`.
# </details>


# %%
def cross_entropy(probabilities: np.ndarray, y: np.ndarray) -> float:
    """The mean of -log of the probability of the true class, in nats."""
    raise NotImplementedError


cross_entropy = task(cross_entropy, "my_softmax")

# %% [markdown]
# An untrained network should give each of ten classes the probability 0.1. Its loss is then
# $-\log 0.1 = 2.3026$. If your first loss is far from it, something is wrong already.

# %%
if ready(cross_entropy):
    print(cross_entropy(np.full((5, 10), 0.1), np.arange(5)), "should be about", np.log(10))

# %% [markdown]
# ## 2.3 The gradient
#
# Gradient descent needs the derivative of the loss by every weight. With softmax and cross-entropy
# together the derivative by a score is very simple. Let $t_{ik}$ be 1 if $k$ is the true class of
# image $i$, else 0. Then (without the $10^{-8}$)
#
# $$ \frac{\partial L}{\partial z_{ik}} = \frac{1}{N} (p_{ik} - t_{ik}). $$
#
# Derive it yourself once: write $\log p_y = z_y - \log \sum_j e^{z_j}$ and differentiate. From
# $z = X W + b$ follows
#
# $$ \frac{\partial L}{\partial W} = X^\top \frac{\partial L}{\partial z}, \qquad
# \frac{\partial L}{\partial b} = \sum_i \frac{\partial L}{\partial z_{i}}. $$
#
# **Task 2c.** Write `SoftmaxRegression`. It starts with weights of zero. `train` goes through the
# images in a new random order in each epoch, `batch_size` images at a time, and after each batch
# computes $W \leftarrow W - \eta\, \partial L / \partial W$, and the same for $b$.
#
# <details><summary>Hint 1</summary>
#
# Check every shape on paper: the gradient of W must have the shape of W, (784, 10).
# </details>
# <details><summary>Hint 2</summary>
#
# Instead of making $t$: copy the probabilities and subtract 1 at `[np.arange(N), y]`. Divide by N
# once, not twice.
# </details>
# <details><summary>Hint 3</summary>
#
# `order = rng.permutation(N)` and `batch = order[start : start + batch_size]` give the images of a
# batch; `X[batch]` and `y[batch]` belong together. Make a new order in each epoch.
# </details>


# %%
class SoftmaxRegression:
    """One linear layer and softmax, trained by plain gradient descent on mini-batches."""

    def __init__(self, input_size: int, output_size: int, learning_rate: float = 0.1) -> None:
        self.W = np.zeros((input_size, output_size))
        self.b = np.zeros(output_size)
        self.learning_rate = learning_rate

    def forward(self, X: np.ndarray) -> np.ndarray:
        """Probabilities (N, K)."""
        raise NotImplementedError

    def compute_loss(self, y_true: np.ndarray, y_pred: np.ndarray) -> float:
        """Cross-entropy of predicted probabilities."""
        raise NotImplementedError

    def backward(self, X: np.ndarray, y_true: np.ndarray) -> dict[str, np.ndarray]:
        """The gradients of the loss: {"W": ..., "b": ...}."""
        raise NotImplementedError

    def train(
        self, X: np.ndarray, y: np.ndarray, epochs: int = 5, batch_size: int = 64, seed: int = 0
    ) -> list[float]:
        """Train, and return the training loss after each epoch."""
        raise NotImplementedError

    def predict(self, X: np.ndarray) -> np.ndarray:
        """The most probable class of each image."""
        raise NotImplementedError


SoftmaxRegression = task(SoftmaxRegression, "my_softmax")

# %%
if ready(SoftmaxRegression):
    model = SoftmaxRegression(784, 10)
    print("first loss", model.compute_loss(y_train, model.forward(X_train)))
    losses = model.train(X_train, y_train, epochs=N_EPOCHS)
    print("losses", np.round(losses, 3))
    print("validation accuracy", (model.predict(X_val) == y_val).mean())

# %% [markdown]
# ## 2.4 What it has learned
#
# Each column of $W$ has one weight per pixel, so it can be shown as an image. Red pixels speak for
# the class, blue ones against it.

# %%
if ready(SoftmaxRegression):
    figure, axes = plt.subplots(2, 5, figsize=(9, 4))
    for number, axis in enumerate(axes.flat):
        axis.imshow(model.W[:, number].reshape(28, 28), cmap="RdBu_r")
        axis.set_title(split.train.class_names[number], fontsize=8)
        axis.axis("off")
    plt.show()

# %% [markdown]
# The same images with their true and predicted labels; the wrong ones have a red title.

# %%
if ready(SoftmaxRegression):
    predicted = model.predict(X_val[:16])
    figure, axes = plt.subplots(2, 8, figsize=(12, 3.4))
    for i, axis in enumerate(axes.flat):
        axis.imshow(X_val[i].reshape(28, 28), cmap="gray")
        colour = "black" if predicted[i] == y_val[i] else "red"
        axis.set_title(f"{y_val[i]} -> {predicted[i]}", fontsize=8, color=colour)
        axis.axis("off")
    plt.show()

# %% [markdown]
# ## Question
#
# How much accuracy does a second layer add, and how much do convolutions? And how much of the
# difference can better training of the *same* network make up for? `mnistlab study ladder` trains
# softmax regression, a network with one hidden layer, and convolutional networks, each of them as
# published and with a tuned training. Write down your guess before you run it.
