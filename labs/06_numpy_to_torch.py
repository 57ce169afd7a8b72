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
# # 6. From NumPy to PyTorch
#
# PyTorch computes the gradients for you: it records the forward pass and applies the chain rule
# backwards (*automatic differentiation*). You check that it finds the very gradients of your
# network, write the training loop that all later chapters use, and find a mistake that a published
# network has.

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
N_IMAGES = 2000
N_EPOCHS = 3

MLPFromScratch = earlier("MLPFromScratch", "my_mlp")
split = ml.split(ml.load(DATA))


def tensors(part: ml.Dataset) -> TensorDataset:
    """Images float32 (N, 1, 28, 28) from 0 to 1, and labels."""
    images = torch.from_numpy(np.array(part.images)).float().unsqueeze(1) / 255
    return TensorDataset(images, torch.from_numpy(np.array(part.labels)))


train_part, val_part = tensors(split.train.take(slice(N_IMAGES))), tensors(split.val)

# %% [markdown]
# ## 6.1 The same network
#
# A PyTorch network is a class with its layers as attributes and a `forward` method. Note that it
# returns **scores** (logits): `nn.CrossEntropyLoss` applies softmax itself.
#
# **Task 6a.** Write `MLP`, with one hidden layer and ReLU.
#
# <details><summary>Hint 1</summary>
#
# `nn.Linear(n_in, n_out)` is your linear layer; its weights are stored as (n_out, n_in).
# </details>
# <details><summary>Hint 2</summary>
#
# The images come as (N, 1, 28, 28): `x.flatten(1)` makes them (N, 784).
# </details>
# <details><summary>Hint 3</summary>
#
# Call `super().__init__()` first, else the layers cannot be registered.
# </details>


# %%
class MLP(nn.Module):
    """Linear, ReLU, linear."""

    def __init__(self, input_size: int = 784, hidden_size: int = 100, output_size: int = 10):
        super().__init__()
        raise NotImplementedError

    def forward(self, x: Tensor) -> Tensor:
        """Scores (N, K) of images (N, 1, H, W)."""
        raise NotImplementedError


MLP = task(MLP, "my_torch_mlp")

# %%
if ready(MLP):
    model = MLP()
    print(sum(parameter.numel() for parameter in model.parameters()), "parameters")

# %% [markdown]
# ## 6.2 Two ways to the same gradients
#
# PyTorch builds the network of chapter 3 from its own functions, with your weights.

# %%
if ready(MLPFromScratch):
    by_hand = MLPFromScratch(784, 16, 10)
    X = train_part.tensors[0][:20].flatten(1).double()
    y = train_part.tensors[1][:20]
    by_hand.forward(X.numpy())
    gradients = by_hand.backward(X.numpy(), y.numpy())
    weights = {name: torch.tensor(getattr(by_hand, name), requires_grad=True) for name in gradients}
    hidden = (X @ weights["W1"] + weights["b1"]).relu()
    loss = nn.functional.cross_entropy(hidden @ weights["W2"] + weights["b2"], y)
    loss.backward()
    for name, gradient in gradients.items():
        difference = np.abs(gradient - weights[name].grad.numpy()).max()
        print(f"{name}: largest difference {difference:.1e}")

# %% [markdown]
# ## 6.3 The training loop
#
# Four lines are the heart of nearly every PyTorch program: set the gradients to zero, compute the
# loss, go backward, make a step. Around them: training mode and evaluation mode (dropout and batch
# normalisation behave differently in them), no gradients while validating, and sums that are right
# even if the last batch is smaller.
#
# **Task 6b.** Write `train_model`. Return the mean loss and the accuracy of both parts, and the
# learning rate, of every epoch. If there is a `scheduler`, call `scheduler.step(val_loss)` after
# each epoch (chapter 8 uses it).
#
# <details><summary>Hint 1</summary>
#
# Write a function for one training epoch and one for a validation pass; `train_model` then only
# calls them and collects the numbers.
# </details>
# <details><summary>Hint 2</summary>
#
# `optimizer.zero_grad()`, `loss = criterion(model(images), labels)`, `loss.backward()`,
# `optimizer.step()`. Without the first, gradients of all earlier batches add up.
# </details>
# <details><summary>Hint 3</summary>
#
# `model.train()` before the training batches, `model.eval()` and `with torch.no_grad():` for
# validation. Sum `loss.item() * len(labels)` and divide by the number of images.
# </details>


# %%
def train_model(
    model: nn.Module,
    train_loader: Iterable,
    val_loader: Iterable,
    criterion: Callable,
    optimizer: torch.optim.Optimizer,
    num_epochs: int = 10,
    scheduler: object = None,
) -> dict[str, list[float]]:
    """Train; return lists with one number per epoch, by name.

    The names are train_loss, train_accuracy, val_loss, val_accuracy and learning_rate.
    """
    raise NotImplementedError


train_model = task(train_model, "my_loop")
# mnistlab check labs/my_loop.py --task loop

# %%
train_loader = DataLoader(train_part, batch_size=64, shuffle=True)
val_loader = DataLoader(val_part, batch_size=500)
if ready(MLP, train_model):
    torch.manual_seed(0)
    model = MLP()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.001)
    history = train_model(
        model, train_loader, val_loader, nn.CrossEntropyLoss(), optimizer, N_EPOCHS
    )
    for name, values in history.items():
        print(name, np.round(values, 4))

# %% [markdown]
# A network is saved as its *state dictionary*: the weights by name, without the code.

# %%
if ready(MLP, train_model):
    torch.save(model.state_dict(), "mlp.pt")
    again = MLP()
    again.load_state_dict(torch.load("mlp.pt", weights_only=True))
    images = val_part.tensors[0]
    print("same scores:", torch.equal(model.eval()(images), again.eval()(images)))

# %% [markdown]
# ## 6.4 Find the mistake
#
# This network stands in write-up B, which trains it with `nn.CrossEntropyLoss`. It learns, but
# slowly, and some classes are never predicted.


# %%
class Published(nn.Module):
    """784-64-10, as write-up B has it."""

    def __init__(self) -> None:
        super().__init__()
        self.hidden, self.output = nn.Linear(784, 64), nn.Linear(64, 10)

    def forward(self, x: Tensor) -> Tensor:
        """Of images (N, 1, 28, 28)."""
        return self.output(self.hidden(x.flatten(1)).relu()).softmax(1)


# %% [markdown]
# **Task 6c.** What is wrong? Show it with a number: which loss remains even if the network is
# perfectly sure and perfectly right?
#
# <details><summary>Hint 1</summary>
#
# What does `nn.CrossEntropyLoss` expect, scores or probabilities?
# </details>
# <details><summary>Hint 2</summary>
#
# The network can return at best 1 for the true class and 0 for the nine others. Now the loss
# applies softmax to these ten numbers.
# </details>
# <details><summary>Hint 3</summary>
#
# $-\log\left(e^1 / (e^1 + (K - 1) e^0)\right)$
# </details>


# %%
def smallest_loss_of_double_softmax(n_classes: int = 10) -> float:
    """The loss where the first softmax says 1 for the true class and 0 for all others."""
    raise NotImplementedError


smallest_loss_of_double_softmax = task(smallest_loss_of_double_softmax, "my_torch_mlp")

# %%
if ready(MLP, train_model, smallest_loss_of_double_softmax):
    print("no loss can be below", smallest_loss_of_double_softmax())
    for name, make in {"published": Published, "yours": lambda: MLP(784, 64, 10)}.items():
        torch.manual_seed(0)
        model = make()
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        small_batches = DataLoader(train_part, batch_size=10, shuffle=True)
        history = train_model(
            model, small_batches, val_loader, nn.CrossEntropyLoss(), optimizer, N_EPOCHS
        )
        with torch.no_grad():
            predicted = model(val_part.tensors[0]).argmax(1)
        counts = torch.bincount(predicted, minlength=10).tolist()
        print(f"{name}: validation {history['val_accuracy'][-1]:.3f}, predictions {counts}")
        plt.plot(history["train_loss"], label=name)
    plt.xlabel("epoch")
    plt.ylabel("training loss")
    plt.legend()
    plt.show()

# %% [markdown]
# ## Question
#
# How much accuracy does the second softmax cost, at each of write-up B's settings? Does it cost
# more with a small or with a large learning rate, and why? `mnistlab study double-softmax` trains
# every setting with the mistake and without it.
