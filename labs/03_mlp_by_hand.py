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
# # 3. The MLP by hand
#
# A *multilayer perceptron* (MLP) puts a hidden layer between the pixels and the scores. You write
# its forward pass, its backward pass and its training in NumPy, and you check the gradients before
# you trust them.

# %%
from collections.abc import Callable, Sequence

import matplotlib.pyplot as plt
import mnistlab as ml
import numpy as np
from course import ready, task

DATA = "fashion-mini"
N_IMAGES = 3000
N_EPOCHS = 10

split = ml.split(ml.load(DATA))
X_train = split.train.images[:N_IMAGES].reshape(-1, 784) / 255
y_train = split.train.labels[:N_IMAGES]
X_val, y_val = split.val.images.reshape(-1, 784) / 255, split.val.labels

# %% [markdown]
# ## 3.1 Forward
#
# $$ z_1 = X W_1 + b_1, \qquad a_1 = \mathrm{ReLU}(z_1) = \max(0, z_1), \qquad
# z_2 = a_1 W_2 + b_2, \qquad p = \mathrm{softmax}(z_2) $$
#
# Without the ReLU, two linear layers would be one linear layer with the weights $W_1 W_2$. The
# weights start as random numbers from a normal distribution with the variance $2 / n_{in}$, where
# $n_{in}$ is the number of inputs of the layer. Then the values keep their size from layer to layer
# (He et al. 2015). The biases start at 0.
#
# ## 3.2 Backward
#
# The chain rule, from the loss back to the weights. Each line uses the line before it, and values
# of the forward pass, which you therefore keep ($\odot$ multiplies element by element):
#
# $$ \frac{\partial L}{\partial z_2} = \frac{1}{N}(p - t), \qquad
# \frac{\partial L}{\partial W_2} = a_1^\top \frac{\partial L}{\partial z_2}, \qquad
# \frac{\partial L}{\partial b_2} = \sum_i \frac{\partial L}{\partial z_{2,i}} $$
#
# $$ \frac{\partial L}{\partial a_1} = \frac{\partial L}{\partial z_2} W_2^\top, \qquad
# \frac{\partial L}{\partial z_1} = \frac{\partial L}{\partial a_1} \odot \mathrm{ReLU}'(z_1) $$
#
# $$ \frac{\partial L}{\partial W_1} = X^\top \frac{\partial L}{\partial z_1}, \qquad
# \frac{\partial L}{\partial b_1} = \sum_i \frac{\partial L}{\partial z_{1,i}} $$
#
# ## 3.3 Momentum
#
# Each parameter has a velocity $v$, which starts at 0:
#
# $$ v \leftarrow m v - \eta \frac{\partial L}{\partial w}, \qquad w \leftarrow w + v. $$
#
# **Task 3a.** Write `MLPFromScratch`. `backward` only computes the gradients, with the values of
# the last `forward`; `update` changes the parameters. So the gradients can be checked. Softmax, the
# loss and the way through the images are those of chapter 2: the largest score is subtracted before
# `exp`, $10^{-8}$ is added before the logarithm, and every epoch takes the images in a new random
# order. `seed` starts the random numbers of the weights and of that order.
#
# The command under the task checks all of it; `--task relu`, `--task forward`, `--task backward`,
# `--task update` and `--task train` check one part, while others are still empty.
#
# <details><summary>Hint 1</summary>
#
# Write `forward` first, and store `z1`, `a1` and the probabilities as attributes. Test it: the
# first loss should be near 2.3 to 2.6.
# </details>
# <details><summary>Hint 2</summary>
#
# For every gradient, write its shape beside it. `dW1` is (784, 128), and `X.T @ dz1` is (784, N) @
# (N, 128). If a product only fits after you have transposed something at random, derive it again.
# </details>
# <details><summary>Hint 3</summary>
#
# Compute all four gradients before you change any weight: `da1` needs the *old* `W2`. In `train`,
# add up `len(batch) * loss`, because the last batch may be smaller than the others.
# </details>


# %%
class MLPFromScratch:
    """Linear, ReLU, linear, softmax; trained by gradient descent with momentum."""

    def __init__(
        self,
        input_size: int = 784,
        hidden_size: int = 128,
        output_size: int = 10,
        learning_rate: float = 0.01,
        momentum: float = 0.9,
        seed: int = 0,
    ) -> None:
        """Make W1, b1, W2 and b2."""
        raise NotImplementedError

    def relu(self, x: np.ndarray) -> np.ndarray:
        """The positive part of every element."""
        raise NotImplementedError

    def relu_derivative(self, x: np.ndarray) -> np.ndarray:
        """1 where x is positive, else 0."""
        raise NotImplementedError

    def softmax(self, x: np.ndarray) -> np.ndarray:
        """Probabilities (N, K) of scores (N, K)."""
        raise NotImplementedError

    def forward(self, X: np.ndarray) -> np.ndarray:
        """Probabilities (N, K) of images (N, 784)."""
        raise NotImplementedError

    def compute_loss(self, y_true: np.ndarray, y_pred: np.ndarray) -> float:
        """Mean cross-entropy of probabilities y_pred (N, K); y_true holds class numbers (N,)."""
        raise NotImplementedError

    def backward(self, X: np.ndarray, y_true: np.ndarray) -> dict[str, np.ndarray]:
        """The gradients {"W1": ..., "b1": ..., "W2": ..., "b2": ...} after forward(X)."""
        raise NotImplementedError

    def update(self, gradients: dict[str, np.ndarray]) -> None:
        """One step with momentum."""
        raise NotImplementedError

    def train(
        self,
        X_train: np.ndarray,
        y_train: np.ndarray,
        X_val: np.ndarray | None = None,
        y_val: np.ndarray | None = None,
        epochs: int = 50,
        batch_size: int = 128,
    ) -> dict[str, list[float]]:
        """Train; return {"train_loss": [...], "val_accuracy": [...]}, one number per epoch."""
        raise NotImplementedError

    def predict(self, X: np.ndarray) -> np.ndarray:
        """The most probable class of each image."""
        raise NotImplementedError


MLPFromScratch = task(MLPFromScratch, "my_mlp")
# mnistlab check labs/my_mlp.py --task mlp

# %% [markdown]
# ## 3.4 The gradient check
#
# A wrong gradient often still trains, only worse. So compare it with the definition of a
# derivative: change one weight a little to both sides, and see how the loss changes.
#
# $$ \frac{\partial L}{\partial w} \approx \frac{L(w + h) - L(w - h)}{2h} $$
#
# The error of this approximation is proportional to $h^2$; that of the one-sided difference
# $(L(w + h) - L(w)) / h$ only to $h$. With float64 and $h = 10^{-5}$, a correct gradient agrees to
# six or seven digits; it would be more without the $10^{-8}$ in the logarithm (chapter 2), which
# the formula for $\partial L / \partial z_2$ leaves out.
#
# **Task 3b.** Write `numerical_gradient`. `loss` is a function without arguments that uses
# `parameter`; change one element of the array in place, call it, and put the old value back.
#
# <details><summary>Hint 1</summary>
#
# `for index in np.ndindex(parameter.shape)` goes through all elements of any shape.
# </details>
# <details><summary>Hint 2</summary>
#
# Set the element to `value + step` and to `value - step`. `+=` three times would leave rounding
# errors.
# </details>
# <details><summary>Hint 3</summary>
#
# Store `value = parameter[index]` before, and assign it again after both calls.
# </details>


# %%
def numerical_gradient(
    loss: Callable[[], float], parameter: np.ndarray, step: float = 1e-5
) -> np.ndarray:
    """The gradient of `loss` by every element of `parameter`, by central differences."""
    raise NotImplementedError


numerical_gradient = task(numerical_gradient, "my_gradients")
# mnistlab check labs/my_gradients.py --task gradient_check

# %% [markdown]
# The check uses a small network and few images: the loss is computed twice per weight. The relative
# error $|a - n| / \max(|a|, |n|)$ of the whole gradient should be below $10^{-6}$.

# %%
if ready(MLPFromScratch, numerical_gradient):
    rng = np.random.default_rng(0)
    small, few_x, few_y = MLPFromScratch(20, 7, 5), rng.normal(size=(6, 20)), np.arange(6) % 5
    small.forward(few_x)
    gradients = small.backward(few_x, few_y)
    for name, gradient in gradients.items():
        numeric = numerical_gradient(
            lambda: small.compute_loss(few_y, small.forward(few_x)), getattr(small, name)
        )
        error = np.linalg.norm(gradient - numeric)
        size = max(np.linalg.norm(gradient), np.linalg.norm(numeric))
        print(f"{name}: shape {gradient.shape}, relative error {error / size:.1e}")

# %% [markdown]
# A second check that costs nothing: a correct network can learn 32 images by heart.

# %%
if ready(MLPFromScratch):
    model = MLPFromScratch(learning_rate=0.05)
    model.train(X_train[:32], y_train[:32], epochs=100, batch_size=8)
    print("accuracy on the 32 images:", (model.predict(X_train[:32]) == y_train[:32]).mean())

# %% [markdown]
# ## 3.5 Train

# %%
if ready(MLPFromScratch):
    model = MLPFromScratch(784, 128, 10, learning_rate=0.01)
    history = model.train(X_train, y_train, X_val, y_val, epochs=N_EPOCHS, batch_size=128)
    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3))
    left.plot(history["train_loss"])
    left.set(xlabel="epoch", ylabel="training loss")
    right.plot(history["val_accuracy"])
    right.set(xlabel="epoch", ylabel="validation accuracy")
    plt.show()
    print("validation accuracy", history["val_accuracy"][-1])

# %% [markdown]
# ## 3.6 The same network, made of layers
#
# `MLPFromScratch` knows its two layers by name. If each layer is an object with `forward` and
# `backward`, a network is a list of them, and can have any depth. `backward` receives the gradient
# of the loss by the layer's output, stores the gradients of its own parameters, and returns the
# gradient by its input. The softmax layer is the exception: its `backward` receives the one-hot
# labels $y$, because the gradient of softmax and cross-entropy together is $(s - y) / N$, with
# probabilities $s$.
#
# **Task 3c.** Write the four classes.
#
# <details><summary>Hint 1</summary>
#
# Each layer stores in `forward` what its `backward` needs: `Linear` and `ReLU` their input.
# </details>
# <details><summary>Hint 2</summary>
#
# For `Linear`, with the gradient `dy` of the output: $dW = x^\top dy$, $db = \sum_i dy_i$,
# $dx = dy\, W^\top$.
# </details>
# <details><summary>Hint 3</summary>
#
# `LayeredMLP.backward` starts with `self.softmax.backward(y_true)` and goes through
# `reversed(self.layers)`. There is no ReLU after the last linear layer: scores may be negative.
# </details>


# %%
class Linear:
    """y = x W + b; W (n_in, n_out), b (n_out,)."""

    def __init__(self, n_in: int, n_out: int, rng: np.random.Generator) -> None:
        """Make W and b, and dW and db of the same shapes."""
        raise NotImplementedError

    def forward(self, x: np.ndarray) -> np.ndarray:
        """Outputs (N, n_out) of inputs (N, n_in)."""
        raise NotImplementedError

    def backward(self, dy: np.ndarray) -> np.ndarray:
        """Store dW and db; return the gradient by the input."""
        raise NotImplementedError


class ReLU:
    """The positive part."""

    def forward(self, x: np.ndarray) -> np.ndarray:
        """Outputs of the shape of x."""
        raise NotImplementedError

    def backward(self, dy: np.ndarray) -> np.ndarray:
        """The gradient by the input."""
        raise NotImplementedError


class Softmax:
    """The last layer, whose gradient is fused with that of the cross-entropy."""

    def forward(self, z: np.ndarray) -> np.ndarray:
        """Probabilities (N, K) of scores (N, K)."""
        raise NotImplementedError

    def backward(self, y: np.ndarray) -> np.ndarray:
        """The gradient of the mean cross-entropy by the scores; one-hot labels y (N, K)."""
        raise NotImplementedError


class LayeredMLP:
    """Linear layers with ReLU between them, in the list `layers`, and `softmax`."""

    def __init__(self, sizes: Sequence[int], seed: int = 0) -> None:
        """sizes: of all layers, such as (784, 128, 10)."""
        raise NotImplementedError

    def forward(self, x: np.ndarray) -> np.ndarray:
        """Probabilities (N, K)."""
        raise NotImplementedError

    def compute_loss(self, y_true: np.ndarray, y_pred: np.ndarray) -> float:
        """The mean cross-entropy; y_true is one-hot (N, K)."""
        raise NotImplementedError

    def backward(self, y_true: np.ndarray) -> None:
        """Fill dW and db of all linear layers, from the values of the last forward pass."""
        raise NotImplementedError


Linear = task(Linear, "my_layers")
ReLU = task(ReLU, "my_layers")
Softmax = task(Softmax, "my_layers")
LayeredMLP = task(LayeredMLP, "my_layers")
# mnistlab check labs/my_layers.py --task layers

# %% [markdown]
# With the same weights, both networks must have the same gradients.

# %%
if ready(MLPFromScratch, LayeredMLP, Linear, ReLU, Softmax):
    first, second = MLPFromScratch(784, 16, 10), LayeredMLP((784, 16, 10))
    linear = [layer for layer in second.layers if isinstance(layer, Linear)]
    linear[0].W, linear[1].W = first.W1.copy(), first.W2.copy()
    X, y = X_train[:50], y_train[:50]
    one_hot = np.eye(10)[y]
    loss = second.compute_loss(one_hot, second.forward(X))
    second.backward(one_hot)
    print("losses", first.compute_loss(y, first.forward(X)), loss)
    difference = np.abs(first.backward(X, y)["W1"] - linear[0].dW).max()
    print("largest difference of the gradients by the first weights:", difference)

# %% [markdown]
# ## Question
#
# Write-up A trains your network for 50 epochs with a batch of 128 and the learning rate 0.01. Is
# this a good choice? `mnistlab study mlp-batch-size` changes the batch size and the learning rate,
# each with several seeds. Which of the two matters more, and can you say it from one seed?
