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
# # 1. Data and preprocessing
#
# A classifier learns from examples. Before you train one, look at the examples, keep some of them
# back for an honest measurement, and bring the pixels into a convenient range.
#
# In this chapter you
#
# - look at a data set of small grey images,
# - split it into a training, a validation and a test part,
# - scale the pixels without looking at the test part,
# - see how much of 784 pixels a few numbers can describe.
#
# **How a chapter works.** A task is an empty function or class. Write your code in the cell, or run
# `python labs/start.py 1` in a terminal: it copies the empty tasks of chapter 1 into files such as
# `labs/my_data.py`, which you fill in with your editor. Later chapters use these files. Three hints
# under each task say more and more. Our solutions are in `labs/solutions/`; they show one way of
# several. A step that needs a task which you have not done yet says so and is skipped.

# %%
import matplotlib.pyplot as plt
import mnistlab as ml
import numpy as np
from course import ready, task
from sklearn.manifold import TSNE
from sklearn.model_selection import train_test_split

DATA = "fashion-mini"  # comes with mnistlab; "mnist" or "fashion-mnist" after `mnistlab data fetch`
N_IMAGES = 2000  # how many of them this chapter uses

# %% [markdown]
# ## 1.1 Look at the data
#
# The images are unsigned bytes: 0 is black, 255 is white. `labels` holds the number of each image's
# class.

# %%
data = ml.load(DATA)
images, labels = data.images[:N_IMAGES], data.labels[:N_IMAGES]
print("images", images.shape, images.dtype, "from", images.min(), "to", images.max())
for number, name in enumerate(data.class_names):
    print(f"class {number}, {name}: {(labels == number).sum()} images")

# %%
figure, axes = plt.subplots(1, 10, figsize=(12, 1.6))
for number, axis in enumerate(axes):
    axis.imshow(images[labels == number][0], cmap="gray")
    axis.set_title(data.class_names[number], fontsize=7)
    axis.axis("off")
plt.show()

# %% [markdown]
# ## 1.2 Three parts
#
# - The **training part** is what the network learns from.
# - The **validation part** is for your decisions: which learning rate, which network, when to stop.
# - The **test part** measures the result, once, at the end.
#
# If you choose something by its test accuracy, that accuracy is no longer honest: among ten equally
# good networks the luckiest one looks best.
#
# **Task 1a.** Write `split_data`. 70 % of the images are for training; the remaining 30 % are cut
# in half. Every part must contain the classes in the same proportions (*stratified*). Use
# scikit-learn's `train_test_split` twice, both times with `random_state=42`.
#
# <details><summary>Hint 1</summary>
#
# The first cut gives the training part and a rest. The second one cuts only the rest.
# </details>
# <details><summary>Hint 2</summary>
#
# `train_test_split(X, y, test_size=...)` returns four arrays: X of both parts, then y of both.
# </details>
# <details><summary>Hint 3</summary>
#
# `stratify` takes the labels of exactly those images that are being cut. In the second cut these
# are the labels of the rest, not all labels.
# </details>


# %%
def split_data(X: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, ...]:
    """Return X_train, X_val, X_test, y_train, y_val, y_test."""
    raise NotImplementedError


split_data = task(split_data, "my_data")
# mnistlab check labs/my_data.py --task split

# %%
X = images.reshape(len(images), -1).astype(np.float64)  # (N, 784): one row per image
if ready(split_data):
    X_train, X_val, X_test, y_train, y_val, y_test = split_data(X, labels)
    for name, part in {"train": y_train, "validation": y_val, "test": y_test}.items():
        print(name, len(part), "images, per class:", np.bincount(part))

# %% [markdown]
# ## 1.3 Scale the pixels
#
# Gradient descent works best if all inputs have a similar size near 1. *Min-max scaling per pixel*
# looks at the smallest value $a_j$ and the largest value $b_j$ of pixel $j$ over all **training**
# images, and computes
#
# $$ x'_{ij} = \frac{x_{ij} - a_j}{b_j - a_j}. $$
#
# The validation and the test part are scaled with the same $a_j$ and $b_j$, so their values may lie
# outside of 0 to 1. If you computed them from all images, the test part would influence the
# training. This mistake is called *leakage*.
#
# **Task 1b.** Write `scale_per_pixel`. Take care of pixels that have the same value in every
# training image: there, $b_j - a_j$ is 0.
#
# <details><summary>Hint 1</summary>
#
# `X_train.min(axis=0)` has 784 values: one per pixel.
# </details>
# <details><summary>Hint 2</summary>
#
# Many pixels in the corners are black in all images. What should their scaled value be? The formula
# says 0 / 0.
# </details>
# <details><summary>Hint 3</summary>
#
# Divide by 1 where the range is 0: `np.where(high > low, high - low, 1.0)`.
# </details>


# %%
def scale_per_pixel(
    X_train: np.ndarray, X_val: np.ndarray, X_test: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the three parts, scaled by the range of each pixel in the training part."""
    raise NotImplementedError


scale_per_pixel = task(scale_per_pixel, "my_data")

# %%
if ready(split_data, scale_per_pixel):
    scaled = scale_per_pixel(X_train, X_val, X_test)
    for name, part in zip(("train", "validation", "test"), scaled, strict=True):
        print(
            f"{name}: {part.min():.2f} to {part.max():.2f}, all finite: {np.isfinite(part).all()}"
        )

# %% [markdown]
# ## 1.4 From 784 pixels to a few numbers
#
# Neighbouring pixels are alike, so 784 numbers say less than they could. *Principal component
# analysis* (PCA) finds directions in the space of pixels: the images differ most along the first
# one, second most along the second one, and so on. With the mean image subtracted,
#
# $$ X = U S V^\top, $$
#
# the rows of $V^\top$ are these directions, $U S$ are the coordinates of the images, and component
# $k$ explains the fraction $s_k^2 / \sum_j s_j^2$ of the variance.
#
# **Task 1c.** Write `principal_components`, with `np.linalg.svd`.
#
# <details><summary>Hint 1</summary>
#
# Subtract the mean of every pixel first; otherwise the first direction points at the mean image.
# </details>
# <details><summary>Hint 2</summary>
#
# `np.linalg.svd(centred, full_matrices=False)` returns U, the values s as a vector, and V
# transposed.
# </details>
# <details><summary>Hint 3</summary>
#
# The sum in the explained variance runs over all components, not only over those that you return.
# </details>


# %%
def principal_components(X: np.ndarray, n_components: int) -> tuple[np.ndarray, np.ndarray]:
    """Return coordinates (N, n_components), and the explained fraction of each component."""
    raise NotImplementedError


principal_components = task(principal_components, "my_data")

# %%
if ready(principal_components):
    coordinates, explained = principal_components(X / 255, 50)
    print(f"50 components explain {100 * explained.sum():.1f} % of the variance")
    plt.plot(np.cumsum(explained))
    plt.xlabel("components")
    plt.ylabel("explained variance")
    plt.show()

# %% [markdown]
# t-SNE draws points in the plane such that images which are near each other in the 50 components
# stay near each other. It uses no labels; the colours are added afterwards. Distances *between* far
# groups mean nothing.

# %%
if ready(principal_components):
    shown = coordinates[: min(1000, len(coordinates))]
    plane = TSNE(perplexity=min(30, len(shown) // 4), random_state=0).fit_transform(shown)
    plt.scatter(*plane.T, c=labels[: len(shown)], cmap="tab10", s=5)
    plt.colorbar(label="class")
    plt.show()

# %% [markdown]
# ## Question
#
# Are the classes apart before any label is used, and how many components does it need? Which
# classes lie inside each other in your picture? These will be the difficult ones in every later
# chapter. `mnistlab study embedding` measures it: it asks how often the ten nearest neighbours of
# an image have the image's own class. Run it once on the data that comes with mnistlab, and once
# with `--data mnist`. A second study, `mnistlab study pixel-scaling`, answers whether scaling each
# pixel by its own range helps at all.
