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
# # 7. Convolutional networks
#
# The networks so far do not know which pixels are neighbours: shuffle the pixels of all images in
# the same way, and they learn as well as before. A *convolution* looks at small neighbourhoods,
# with the same weights everywhere in the image.

# %%
from collections.abc import Callable, Iterable

import matplotlib.pyplot as plt
import mnistlab as ml
import numpy as np
import torch
from course import earlier, ready, task
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

DATA = "fashion-mini"
N_IMAGES = 1500
N_EPOCHS = 2

train_model = earlier("train_model", "my_loop")
split = ml.split(ml.load(DATA))


def tensors(part: ml.Dataset) -> TensorDataset:
    """Images float32 (N, 1, 28, 28) from 0 to 1, and labels."""
    images = torch.from_numpy(np.array(part.images)).float().unsqueeze(1) / 255
    return TensorDataset(images, torch.from_numpy(np.array(part.labels)))


train_part, val_part = tensors(split.train.take(slice(N_IMAGES))), tensors(split.val)
train_loader = DataLoader(train_part, batch_size=64, shuffle=True)
val_loader = DataLoader(val_part, batch_size=500)

# %% [markdown]
# ## 7.1 One convolution by hand
#
# The *kernel* $k$, a small array of weights, is laid on every place of the image that it fits into;
# the result is the sum of products there:
#
# $$ y_{rc} = \sum_{i} \sum_{j} x_{r+i, c+j} \, k_{ij}. $$
#
# An image of 28 x 28 and a kernel of 3 x 3 give 26 x 26 results. With a border of zeros one pixel
# wide (*padding*) it stays 28 x 28. (Mathematicians flip the kernel first; in deep learning nobody
# does.)
#
# **Task 7a.** Write `convolve` with two loops.
#
# <details><summary>Hint 1</summary>
#
# How many rows does the result have? The kernel fits at row 0, and last at row H - h.
# </details>
# <details><summary>Hint 2</summary>
#
# The place at (r, c) is `image[r : r + h, c : c + w]`.
# </details>
# <details><summary>Hint 3</summary>
#
# `(place * kernel).sum()` is one element of the result.
# </details>


# %%
def convolve(image: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    """The result (H - h + 1, W - w + 1) of an image (H, W) and a kernel (h, w)."""
    raise NotImplementedError


convolve = task(convolve, "my_convolution")

# %%
if ready(convolve):
    image = split.train.images[9] / 255
    kernels = {"vertical edges": [[-1, 0, 1]] * 3, "horizontal edges": [[-1] * 3, [0] * 3, [1] * 3]}
    figure, axes = plt.subplots(1, 3, figsize=(8, 3))
    axes[0].imshow(image, cmap="gray")
    for axis, (name, kernel) in zip(axes[1:], kernels.items(), strict=True):
        yours = convolve(image, np.array(kernel))
        batch = torch.from_numpy(image)[None, None]
        theirs = nn.functional.conv2d(batch, torch.tensor(kernel)[None, None].to(batch))[
            0, 0
        ].numpy()
        print(f"{name}: shape {yours.shape}, PyTorch's {theirs.shape}")
        if yours.shape == theirs.shape:
            print("largest difference:", np.abs(yours - theirs).max())
        axis.imshow(yours, cmap="RdBu")
        axis.set_title(name)
    plt.show()

# %% [markdown]
# ## 7.2 Two networks
#
# A convolutional layer has many kernels, and each of them sums over all channels of its input. ReLU
# follows, then *max pooling*: of every 2 x 2 pixels the largest stays, so the image halves. The
# number of parameters of a convolution from $c$ to $d$ channels is $d (9 c + 1)$.
#
# **Task 7b.** Write both networks. `SmallCNN` (write-up E): convolution 1 to 16, ReLU, pool;
# convolution 16 to 32, ReLU, pool; linear 1568 to 10. `SimpleCNN` (write-up A): convolution 1 to
# 32, ReLU, pool; convolution 32 to 64, ReLU, pool; linear 3136 to 128, ReLU, dropout 0.5; linear
# 128 to 10. All convolutions are 3 x 3 with padding 1.
#
# <details><summary>Hint 1</summary>
#
# `nn.Conv2d(in_channels, out_channels, 3, padding=1)` and `nn.MaxPool2d(2)`.
# </details>
# <details><summary>Hint 2</summary>
#
# 28 -> 14 -> 7: after two pools there are 7 x 7 pixels, times 32 channels = 1568 numbers.
# </details>
# <details><summary>Hint 3</summary>
#
# `nn.Sequential(...)` calls its layers one after the other, with `nn.Flatten()` before the first
# linear layer. Neither network ends in softmax.
# </details>


# %%
class SmallCNN(nn.Module):
    """Convolutions of 16 and 32 channels and one linear layer."""

    def __init__(self, num_classes: int = 10) -> None:
        super().__init__()
        raise NotImplementedError

    def forward(self, x: Tensor) -> Tensor:
        """Scores (N, K) of images (N, 1, 28, 28)."""
        raise NotImplementedError


class SimpleCNN(nn.Module):
    """Convolutions of 32 and 64 channels, a hidden layer of 128, dropout."""

    def __init__(self, num_classes: int = 10) -> None:
        super().__init__()
        raise NotImplementedError

    def forward(self, x: Tensor) -> Tensor:
        """Scores (N, K) of images (N, 1, 28, 28)."""
        raise NotImplementedError


SmallCNN = task(SmallCNN, "my_cnn")
SimpleCNN = task(SimpleCNN, "my_cnn")
# mnistlab check labs/my_cnn.py --task cnn

# %%
if ready(SmallCNN, SimpleCNN):
    for make, published in {SmallCNN: 20_490, SimpleCNN: 421_642}.items():
        model = make()
        n_parameters = sum(parameter.numel() for parameter in model.parameters())
        print(f"{make.__name__}: {n_parameters} parameters, should be {published}")
        print("scores:", tuple(model(train_part.tensors[0][:5]).shape))

# %%
if ready(SmallCNN):
    torch.manual_seed(0)
    model = SmallCNN()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.003)
    history = train_model(
        model, train_loader, val_loader, nn.CrossEntropyLoss(), optimizer, N_EPOCHS
    )
    print("validation accuracy", history["val_accuracy"])
    kernels = next(model.parameters()).detach()
    figure, axes = plt.subplots(2, 8, figsize=(8, 2))
    for kernel, axis in zip(kernels, axes.flat, strict=True):
        axis.imshow(kernel[0].numpy(), cmap="RdBu")
        axis.axis("off")
    plt.show()

# %% [markdown]
# ## 7.3 The same network, five optimizers
#
# **Task 7c.** Write `compare_optimizers`: SGD, SGD with momentum 0.9, RMSprop, Adam, AdamW, each
# with a learning rate that suits it. Return the history of each by its name.
#
# <details><summary>Hint 1</summary>
#
# `make_model()` returns a new network. `torch.manual_seed(seed)` before it gives all of them the
# same first weights; the order of the images then is the same too.
# </details>
# <details><summary>Hint 2</summary>
#
# An optimizer is made for the parameters of one model, so make it inside the loop:
# `{"Adam": lambda parameters: torch.optim.Adam(parameters, lr=0.001), ...}`.
# </details>
# <details><summary>Hint 3</summary>
#
# Usual rates for such a network: 0.05 for SGD, 0.01 with momentum, 0.001 for the other three.
# </details>


# %%
def compare_optimizers(
    make_model: Callable[[], nn.Module],
    train_loader: Iterable,
    val_loader: Iterable,
    num_epochs: int = 5,
    seed: int = 0,
) -> dict[str, dict[str, list[float]]]:
    """The history that train_model returns, for each optimizer, from the same first weights."""
    raise NotImplementedError


compare_optimizers = task(compare_optimizers, "my_comparison")
# mnistlab check labs/my_comparison.py --task comparison

# %%
if ready(SmallCNN, compare_optimizers):
    for name, history in compare_optimizers(SmallCNN, train_loader, val_loader, N_EPOCHS).items():
        print(f"{name}: validation {history['val_accuracy'][-1]:.3f}")
        plt.plot(history["val_accuracy"], label=name)
    plt.xlabel("epoch")
    plt.ylabel("validation accuracy")
    plt.legend()
    plt.show()

# %% [markdown]
# ## Question
#
# Which optimizer learns fastest, and which ends best? `mnistlab study optimizers` compares many of
# them over several seeds. And would a wider or a deeper network have been the better way to spend
# the time? `mnistlab study architectures` changes `SimpleCNN` in one way at a time.
