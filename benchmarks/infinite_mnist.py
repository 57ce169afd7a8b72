"""8.1 million digits: MNIST's 60,000 training images, each changed 135 times.

As in "infinite MNIST" (Loosli, Canu, Bottou 2007): random affine and elastic changes, with a seed.
Written block by block as plain IDX files, beside MNIST's own test part.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import torch
from torch import Generator, Tensor

import mnistlab as ml
from mnistlab import atomic
from mnistlab.data.readers.binary import idx
from mnistlab.training.augmentation import AUGMENTATIONS

N_COPIES, N_ORIGINALS = 135, 60_000
CHANGES = {"rotation": 12.0, "zoom": 0.12, "shear": 0.15, "elastic": 0.9}
BLOCK = 2000


def write(folder: Path, n_copies: int = N_COPIES) -> Path:
    """Write n_copies * 60,000 training and 10,000 test images into `folder`."""
    images_path = folder / "train-images-idx3-ubyte"
    if images_path.exists():
        return folder
    data = ml.load("mnist")
    originals = torch.from_numpy(data.images[:N_ORIGINALS, None])
    random = Generator().manual_seed(0)
    labels, tests = data.labels.astype(np.uint8), slice(N_ORIGINALS, None)
    for name, array in {
        "train-labels-idx1-ubyte": np.tile(labels[:N_ORIGINALS], n_copies),
        "t10k-images-idx3-ubyte": data.images[tests],
        "t10k-labels-idx1-ubyte": labels[tests],
    }.items():
        atomic.write_bytes(folder / name, idx.to_bytes(array))
    shape = (n_copies * N_ORIGINALS, *data.images.shape[1:])
    with atomic.open_aside(images_path) as file:
        file.write(idx.header(shape))
        for number in range(n_copies):
            for block in originals.split(BLOCK):
                file.write(changed(block, random).numpy().data)
            print(f"\r{number + 1} of {n_copies}", end="", file=sys.stderr, flush=True)
    return folder


def changed(X: Tensor, random: Generator) -> Tensor:
    """Each image (N, 1, H, W) turned, enlarged or shrunk, slanted and bent, uint8."""
    for name, strength in CHANGES.items():
        X = AUGMENTATIONS[name].apply(X, strength, random)
    return X.round().clamp(0, 255).to(torch.uint8)


if __name__ == "__main__":
    write(Path(sys.argv[1]))
