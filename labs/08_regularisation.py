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
# # 8. Regularisation and the final model
#
# A network with many weights and few images learns them by heart: it is right on the training
# images and wrong on new ones. This is *overfitting*. Here are the usual remedies, each of them by
# hand first, and then a large network that uses them all.

# %%
from collections.abc import Callable

import matplotlib.pyplot as plt
import mnistlab as ml
import numpy as np
import torch
from course import earlier, ready, task
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

DATA = "fashion-mini"
N_IMAGES = 300
N_EPOCHS = 25

train_model = earlier("train_model", "my_loop")
SmallCNN = earlier("SmallCNN", "my_cnn")
split = ml.split(ml.load(DATA))


def tensors(images: np.ndarray, labels: np.ndarray) -> TensorDataset:
    """Images float32 (N, 1, H, W) from 0 to 1, and labels."""
    scaled = torch.from_numpy(np.array(images)).float().unsqueeze(1) / 255
    return TensorDataset(scaled, torch.from_numpy(np.array(labels)))


images, labels = split.train.images[:N_IMAGES], split.train.labels[:N_IMAGES]
train_loader = DataLoader(tensors(images, labels), batch_size=64, shuffle=True)
val_loader = DataLoader(tensors(split.val.images, split.val.labels), batch_size=500)

# %% [markdown]
# ## 8.1 See it overfit
#
# The training accuracy goes towards 1. The validation loss first falls, and then rises again, while
# the validation accuracy hardly changes: the network becomes surer of its mistakes.

# %%
torch.manual_seed(0)
model = SmallCNN()
optimizer = torch.optim.Adam(model.parameters(), lr=0.003)
history = train_model(model, train_loader, val_loader, nn.CrossEntropyLoss(), optimizer, N_EPOCHS)
plt.plot(history["train_loss"], label="training")
plt.plot(history["val_loss"], label="validation")
plt.xlabel("epoch")
plt.ylabel("loss")
plt.legend()
plt.show()
print("training accuracy  ", np.round(history["train_accuracy"], 3))
print("validation accuracy", np.round(history["val_accuracy"], 3))

# %% [markdown]
# ## 8.2 Dropout
#
# While training, each value of a layer becomes 0 with the probability $p$, anew in every step. No
# unit can rely on one other unit. The remaining values are divided by $1 - p$, so that the mean
# stays; in evaluation mode nothing happens (Srivastava et al. 2014).
#
# **Task 8a.** Write `dropout` for training.
#
# <details><summary>Hint 1</summary>
#
# `rng.random(x.shape)` gives numbers between 0 and 1.
# </details>
# <details><summary>Hint 2</summary>
#
# A value stays if its random number is at least p: this happens with the probability 1 - p.
# </details>
# <details><summary>Hint 3</summary>
#
# `x * kept / (1 - p)`, where `kept` is an array of True and False.
# </details>


# %%
def dropout(x: np.ndarray, p: float, rng: np.random.Generator) -> np.ndarray:
    """x with each element set to 0 with probability p, the others scaled."""
    raise NotImplementedError


dropout = task(dropout, "my_regularisation")

# %%
if ready(dropout):
    dropped = dropout(np.ones((100, 100)), 0.3, np.random.default_rng(0))
    print("fraction of zeros", (dropped == 0).mean(), "mean", dropped.mean())

# %% [markdown]
# ## 8.3 Augmentation
#
# A shirt moved by one pixel is still a shirt. Small random changes of the training images make new
# examples out of old ones. The validation and the test part are never changed.
#
# **Task 8b.** Write `random_shift`: move each image by a random number of pixels, from `-most` to
# `most`, down and to the right. What comes in from outside is black.
#
# <details><summary>Hint 1</summary>
#
# `np.pad` puts a border of zeros around all images at once.
# </details>
# <details><summary>Hint 2</summary>
#
# A shifted image is a window of the padded one. Without a shift the window begins at (most, most).
# </details>
# <details><summary>Hint 3</summary>
#
# To move the picture *down*, the window must begin *higher*: at `most - down`.
# </details>


# %%
def random_shift(images: np.ndarray, most: int, rng: np.random.Generator) -> np.ndarray:
    """Images (N, H, W), each moved by -most..most pixels down and to the right."""
    raise NotImplementedError


random_shift = task(random_shift, "my_regularisation")

# %%
if ready(random_shift):
    shifted = random_shift(np.repeat(images[:1], 8, axis=0), 4, np.random.default_rng(0))
    figure, axes = plt.subplots(1, 8, figsize=(10, 1.5))
    for image, axis in zip(shifted, axes, strict=True):
        axis.imshow(image, cmap="gray")
        axis.axis("off")
    plt.show()

# %% [markdown]
# ## 8.4 Early stopping, and a falling learning rate
#
# *Early stopping* watches the validation accuracy, keeps the weights of the best epoch, and ends
# the training when some epochs, the *patience*, have brought nothing better. The validation part
# has then been used for a decision, so its accuracy is slightly too good; the test part is still
# honest.
#
# **Task 8c.** Write `EarlyStopping`. Only a strictly better accuracy counts as better.
#
# <details><summary>Hint 1</summary>
#
# `model.state_dict()` holds the weights, but it does not copy them: the next step changes them.
# </details>
# <details><summary>Hint 2</summary>
#
# `copy.deepcopy(model.state_dict())` copies them; `model.load_state_dict(...)` puts them back.
# </details>
# <details><summary>Hint 3</summary>
#
# Count the epochs since the best one; set the counter to 0 at a new best. With patience 3, stop
# when the counter reaches 3.
# </details>


# %%
class EarlyStopping:
    """Keeps the best weights, and says when `patience` epochs have brought nothing better."""

    def __init__(self, patience: int = 3) -> None:
        raise NotImplementedError

    def should_stop(self, val_accuracy: float, model: nn.Module) -> bool:
        """Call after every epoch."""
        raise NotImplementedError

    def restore(self, model: nn.Module) -> None:
        """Give the model its best weights again."""
        raise NotImplementedError


EarlyStopping = task(EarlyStopping, "my_regularisation")

# %% [markdown]
# `ReduceLROnPlateau` lowers the learning rate when the validation loss has not improved for
# `patience` epochs: large steps first, small ones later. Here each "epoch" sees newly shifted
# images.

# %%
if ready(EarlyStopping, random_shift):
    torch.manual_seed(0)
    rng = np.random.default_rng(0)
    model = SmallCNN()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.003)
    scheduler = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, "min", patience=3)
    stopping, rates, losses = EarlyStopping(patience=4), [], []
    for epoch in range(N_EPOCHS):
        loader = DataLoader(
            tensors(random_shift(images, 1, rng), labels), batch_size=64, shuffle=True
        )
        history = train_model(
            model, loader, val_loader, nn.CrossEntropyLoss(), optimizer, 1, scheduler
        )
        rates.append(history["learning_rate"][0])
        losses.append(history["val_loss"][0])
        if stopping.should_stop(history["val_accuracy"][0], model):
            print("stopped after epoch", epoch + 1)
            break
    stopping.restore(model)
    print("best validation accuracy", stopping.best)
    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3))
    left.plot(losses)
    left.set(xlabel="epoch", ylabel="validation loss")
    right.plot(rates)
    right.set(xlabel="epoch", ylabel="learning rate", yscale="log")
    plt.show()

# %% [markdown]
# ## 8.5 The final model
#
# Write-up C compares fourteen networks and ends with a large one. Its images are padded to 32 x 32.
#
# - Convolution 1 to 64 (2 x 2), pool; 64 to 128 (2 x 2), pool; 128 to 256 (2 x 2); 256 to 512 (4 x
#   4). None has padding. After each convolution come batch normalisation, ReLU and `Dropout2d` with
#   0.1, 0.3, 0.5, 0.5; then the pool, if there is one.
# - Linear 4608-512-256-128-64-10. After each but the last come `BatchNorm1d`, ReLU and dropout with
#   0.1, 0.3, 0.5, 0.5.
#
# *Batch normalisation* subtracts the mean of the batch from each channel and divides by its
# standard deviation; in evaluation mode it uses running averages of both, collected during
# training.
#
# **Task 8d.** Write `FinalModel`.
#
# <details><summary>Hint 1</summary>
#
# Write one function for the four layers of a convolution, and one for the four of a linear layer.
# </details>
# <details><summary>Hint 2</summary>
#
# Follow the side of the image: 32, 31, 15, 14, 7, 6, 3. At the end 3 x 3 x 512 = 4608.
# </details>
# <details><summary>Hint 3</summary>
#
# `nn.Sequential(*convolution(1, 64, 2, 0.1), nn.MaxPool2d(2), ...)`: the star unpacks a list.
# </details>


# %%
class FinalModel(nn.Module):
    """Four convolutions and five linear layers for images of 32 x 32."""

    def __init__(self, num_classes: int = 10) -> None:
        super().__init__()
        raise NotImplementedError

    def forward(self, x: Tensor) -> Tensor:
        """Scores (N, K) of images (N, 1, 32, 32)."""
        raise NotImplementedError


FinalModel = task(FinalModel, "my_final")

# %%
if ready(FinalModel):
    torch.manual_seed(0)
    model = FinalModel()
    print(sum(parameter.numel() for parameter in model.parameters()), "parameters")
    padded = np.pad(images, ((0, 0), (2, 2), (2, 2)))
    padded_val = np.pad(split.val.images, ((0, 0), (2, 2), (2, 2)))
    loader = DataLoader(tensors(padded, labels), batch_size=50, shuffle=True, drop_last=True)
    padded_val_loader = DataLoader(tensors(padded_val, split.val.labels), batch_size=500)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.001, weight_decay=0.001)
    history = train_model(
        model, loader, padded_val_loader, nn.CrossEntropyLoss(), optimizer, max(1, N_EPOCHS // 4)
    )
    print("validation accuracy", history["val_accuracy"])

# %% [markdown]
# With so few images and epochs such a network has hardly begun. Write-up C trains it in three
# phases, about 154 epochs: Adam with weight decay, SGD with weight decay, SGD.
#
# ## Question
#
# Which of the remedies helps, and how much? `mnistlab study cnn-regularisation` changes one network
# in one way at a time: wider, deeper, weight decay, normalisation, dropout.
# `mnistlab study augmentation` measures each augmentation alone. `mnistlab study final` trains the
# final model in its three phases (hours); `final-tuned` needs half an hour. Is what took 154 epochs
# better?
