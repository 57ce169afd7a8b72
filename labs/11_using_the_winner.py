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
# # 11. Using the winner
#
# A trained network is worth something when others can use it. Here it predicts the classes of new
# images, becomes a file that runs without PyTorch, becomes a page to draw on, and has to say why it
# answers what it answers.

# %%
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

import matplotlib.pyplot as plt
import mnistlab as ml
import numpy as np
import torch
from course import earlier, ready, task
from PIL import Image
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

DATA = "fashion-mini"
N_IMAGES = 2000
N_EPOCHS = 2

# %% [markdown]
# ## 11.1 Train and measure
#
# Until now you wrote the loop. `ml.train` does the same for a *recipe*, saves everything in a run
# folder, and can be resumed. `ml.evaluate` looks at the test part: once, now that nothing is left
# to choose.

# %%
recipe = ml.get_recipe("cnn-small-tuned")
recipe = ml.set_fields(recipe, {"n_train": str(N_IMAGES), "epochs": str(N_EPOCHS)})
run = ml.evaluate(ml.train(recipe, DATA))
low, high = run.result["test_accuracy_ci"]
print(f"test accuracy {run.result['test_accuracy']:.3f}, 95 % interval {low:.3f} to {high:.3f}")

# %% [markdown]
# ## 11.2 A file of predictions
#
# Competitions and colleagues want a table. `mnistlab predict RUN new-images/ -o results.csv` makes
# it; yours is five lines.
#
# **Task 11a.** Write `write_results`: a CSV file whose first line is `ID,label`, and then one line
# per image.
#
# <details><summary>Hint 1</summary>
#
# The module `csv` of Python writes such files.
# </details>
# <details><summary>Hint 2</summary>
#
# Open the file with `newline=""`, else Windows writes empty lines between the rows.
# </details>
# <details><summary>Hint 3</summary>
#
# `csv.writer(file).writerows(zip(ids, labels, strict=True))` writes all pairs, and raises an error
# if there are more of one than of the other.
# </details>


# %%
def write_results(path: Path, ids: Sequence[int], labels: Sequence[int]) -> None:
    """Write a CSV file with the columns ID and label."""
    raise NotImplementedError


write_results = task(write_results, "my_winner")

# %%
folder = Path("new-images")
folder.mkdir(exist_ok=True)
data = ml.split(ml.load(DATA)).test
for i in range(10):
    Image.fromarray(np.array(data.images[i])).save(folder / f"{i}.png")
ml.predict(run, folder, "predicted.csv")
print(Path("predicted.csv").read_text())
if ready(write_results):
    classifier = ml.load_classifier(run.path / "model.safetensors")
    write_results(Path("yours.csv"), range(10), classifier.predict(data.images[:10]))
    print(Path("yours.csv").read_text())

# %% [markdown]
# ## 11.3 A page, a file, a service
#
# - `ml.export_page` writes one HTML file: draw on it, and see the answers. It needs no server.
# - `ml.export_onnx` writes the network with its preprocessing in the ONNX format, and compares its
#   answers with ours on real images. Many programs and languages can run such a file.
# - `mnistlab serve RUN` answers requests over HTTP.

# %%
page = ml.export_page([run], "page.html")
print(f"page.html: {page.n_bytes / 1000:.0f} kB; open it in a browser")
if find_spec("onnxruntime") and find_spec("onnx") and find_spec("onnxscript"):
    import onnxruntime

    parity = ml.export_onnx(run, "model.onnx")
    print(f"same answer on {parity.n_equal} of {parity.n_images} images")
    session = onnxruntime.InferenceSession("model.onnx")
    probabilities = session.run(["probabilities"], {"images": np.array(data.images[:5])})[0]
    print("classes", probabilities.argmax(axis=1), "true", data.labels[:5])
else:
    print("pip install 'mnistlab[export]' for ONNX files")

# %% [markdown]
# ## 11.4 Why this answer?
#
# How much does each pixel change the score of the predicted class? This is again a gradient, now by
# the **pixels** instead of by the weights:
#
# $$ s_{rc} = \left| \frac{\partial z_{\hat y}}{\partial x_{rc}} \right|, \qquad
# \hat y = \arg\max_k z_k $$
#
# **Task 11b.** Write `saliency` (Simonyan et al. 2014).
#
# <details><summary>Hint 1</summary>
#
# The image must be a tensor with `requires_grad`. Copy it first (`clone`): do not change the one
# that you were given.
# </details>
# <details><summary>Hint 2</summary>
#
# The network wants a batch: `unsqueeze(0)` makes (1, 1, H, W) of (1, H, W). Set it to evaluation
# mode.
# </details>
# <details><summary>Hint 3</summary>
#
# `torch.autograd.grad(model(pixels).max(), pixels)` returns a tuple with one gradient.
# </details>


# %%
def saliency(model: nn.Module, image: Tensor) -> Tensor:
    """How strongly each pixel of an image (1, H, W) changes the highest score: (H, W)."""
    raise NotImplementedError


saliency = task(saliency, "my_winner")

# %%
train_model, SmallCNN = earlier("train_model", "my_loop"), earlier("SmallCNN", "my_cnn")
if ready(saliency):
    torch.manual_seed(0)
    split = ml.split(ml.load(DATA))
    loaders = [
        DataLoader(
            TensorDataset(
                torch.from_numpy(np.array(part.images[:N_IMAGES])).float().unsqueeze(1) / 255,
                torch.from_numpy(np.array(part.labels[:N_IMAGES])),
            ),
            batch_size=64,
            shuffle=True,
        )
        for part in (split.train, split.val)
    ]
    model = SmallCNN()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.003)
    train_model(model, *loaders, nn.CrossEntropyLoss(), optimizer, N_EPOCHS)
    images = torch.from_numpy(np.array(data.images[:6])).float().unsqueeze(1) / 255
    figure, axes = plt.subplots(2, 6, figsize=(9, 3))
    for image, (above, below) in zip(images, axes.T, strict=True):
        above.imshow(image[0].numpy(), cmap="gray")
        below.imshow(saliency(model, image).numpy(), cmap="magma")
        above.axis("off")
        below.axis("off")
    plt.show()

# %% [markdown]
# `mnistlab explain RUN IMAGE -o why.html` draws better maps, and checks first whether they say
# anything about this network: a map that stays the same when the weights are shuffled does not.
#
# ## Question
#
# Your test images look like your training images; those of your users will not. How much accuracy
# is left under noise, blur, other contrast? `mnistlab evaluate RUN --corruptions` measures it for
# your run. Make a study of it: which augmentation of chapter 8, used in training, keeps most
# (`mnistlab study augmentation`, then `mnistlab evaluate` with `--corruptions` for each of its
# runs)?
