"""Augmentation of whole batches, on the tensors that the loop trains on: no loop over images.

Each is a function (X, strength, random) of a batch (N, 1, H, W) of raw pixels, any dtype, with 0 as
background; it returns a batch of the same shape, in which every image is changed at random by
itself. To add one, write its function and name it in AUGMENTATIONS. Mixtures blend images and their
labels and come last. A recipe names augmentations with a strength: {"shift": 2, "flip": 0.5}.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from torch import Generator, Tensor
from torch.nn.functional import affine_grid, grid_sample, interpolate, one_hot, pad

from mnistlab.bounds import shown
from mnistlab.errors import RecipeError

# images, labels, weights or None -> images, targets
Augment = Callable[[Tensor, Tensor, Tensor | None], tuple[Tensor, Tensor]]


class Augmentation(NamedTuple):
    """A function of a batch, the largest strength it accepts, and what the strength means."""

    apply: Callable[[Tensor, float, Generator], Tensor]
    largest: float
    strength: str


class Mixture(NamedTuple):
    """Like an augmentation; gives blended images, the index of each partner, its own fraction."""

    apply: Callable[[Tensor, float, Generator], tuple[Tensor, Tensor, Tensor]]
    largest: float
    strength: str


def flip(X: Tensor, strength: float, random: Generator) -> Tensor:
    """Mirror left and right, with `strength` as probability."""
    return torch.where(_happens(X, strength, random), X.flip(-1), X)


def shift(X: Tensor, strength: float, random: Generator) -> Tensor:
    """Move by at most `strength` whole pixels along each axis; background fills the gap.

    This is what padding and a random crop do.
    """
    n, _, height, width = X.shape
    most = int(strength)
    padded = pad(X, (most, most, most, most))
    down, right = torch.randint(2 * most + 1, (2, n, 1), generator=random).to(X.device)
    rows = (down + torch.arange(height, device=X.device))[:, :, None]  # (N, H, 1)
    columns = (right + torch.arange(width, device=X.device))[:, None, :]  # (N, 1, W)
    images = torch.arange(n, device=X.device)[:, None, None]
    return padded[images, 0, rows, columns].unsqueeze(1)


def translation(X: Tensor, strength: float, random: Generator) -> Tensor:
    """Move by at most this fraction of each side, in whole pixels; the border is repeated.

    A fraction suits images of any size, and a repeated border any colour of background.
    """
    n, _, height, width = X.shape
    places = []
    for side in (height, width):
        most = round(strength * side)
        moved = torch.randint(2 * most + 1, (n, 1), generator=random).to(X.device) - most
        places.append((moved + torch.arange(side, device=X.device)).clamp(0, side - 1))
    rows, columns = places[0][:, :, None], places[1][:, None, :]  # (N, H, 1), (N, 1, W)
    images = torch.arange(n, device=X.device)[:, None, None]
    return X[images, 0, rows, columns].unsqueeze(1)


def zoom(X: Tensor, strength: float, random: Generator) -> Tensor:
    """Enlarge or shrink by a factor between 1 / (1 + strength) and 1 + strength."""
    factor = torch.exp(_between(X, math.log1p(strength), random))
    return _affine(X, 1 / factor, torch.zeros_like(factor))


def rotation(X: Tensor, strength: float, random: Generator) -> Tensor:
    """Rotate by at most `strength` degrees, either way."""
    angle = _between(X, math.radians(strength), random)
    return _affine(X, torch.cos(angle), torch.sin(angle))


def shear(X: Tensor, strength: float, random: Generator) -> Tensor:
    """Slant by at most `strength` pixels of x per pixel of y."""
    height, width = X.shape[2:]
    slant = _between(X, strength, random) * height / width  # in halves of the image, not pixels
    one, zero = torch.ones_like(slant), torch.zeros_like(slant)
    theta = torch.stack([torch.stack([one, slant, zero], 1), torch.stack([zero, one, zero], 1)], 1)
    return _sampled(X, affine_grid(theta, list(X.shape), align_corners=False))


def elastic(X: Tensor, strength: float, random: Generator) -> Tensor:
    """Displace each pixel by a smooth random field; strength: its standard deviation in pixels.

    After Simard, Steinkraus and Platt (2003). The field is random on a grid of every eighth pixel
    and interpolated between, which is as smooth as a wide Gaussian and cheaper.
    """
    n, _, height, width = X.shape
    coarse = torch.randn(n, 2, height // 8 + 2, width // 8 + 2, generator=random).to(X.device)
    field = interpolate(coarse, (height, width), mode="bicubic", align_corners=True)
    pixel = torch.tensor([2 / width, 2 / height], device=X.device)
    identity = torch.eye(2, 3, device=X.device).expand(n, 2, 3)
    grid = affine_grid(identity, [n, 1, height, width], align_corners=False)  # (N, H, W, 2)
    return _sampled(X, grid + strength * pixel * field.permute(0, 2, 3, 1))


def erasing(X: Tensor, strength: float, random: Generator) -> Tensor:
    """With `strength` as probability, a rectangle of noise, as bright as the batch.

    It covers 2 to 33 % of the image, with sides in a ratio of 0.3 to 3.3 (Zhong et al. 2020).
    """
    n, _, height, width = X.shape
    area, shape = torch.rand(2, n, 1, 1, 1, generator=random).to(X.device)
    area = (0.02 + 0.31 * area) * height * width
    ratio = torch.exp((2 * shape - 1) * math.log(3.3))
    inside = _rectangle(X, torch.sqrt(area * ratio), torch.sqrt(area / ratio), random)
    noise = (X.max() * torch.rand(X.shape, generator=random).to(X.device)).to(X.dtype)
    return torch.where(inside & _happens(X, strength, random), noise, X)


def cutout(X: Tensor, strength: float, random: Generator) -> Tensor:
    """A square with sides of `strength` pixels becomes background (DeVries and Taylor 2017)."""
    side = torch.full((len(X), 1, 1, 1), math.floor(strength), device=X.device)
    return X.masked_fill(_rectangle(X, side, side, random), 0)


def mixup(X: Tensor, strength: float, random: Generator) -> tuple[Tensor, Tensor, Tensor]:
    """Blend each image with another; the fraction is from Beta(a, a) (Zhang et al. 2018)."""
    own, order = _fraction(strength, random), torch.randperm(len(X), generator=random).to(X.device)
    images = X.float()
    return images.lerp(images[order], 1 - own), order, torch.full((len(X),), own, device=X.device)


def cutmix(X: Tensor, strength: float, random: Generator) -> tuple[Tensor, Tensor, Tensor]:
    """Take a rectangle from another image; its area is from Beta(a, a) (Yun et al. 2019)."""
    n, _, height, width = X.shape
    side = math.sqrt(1 - _fraction(strength, random))
    order = torch.randperm(n, generator=random).to(X.device)
    tall, wide = (torch.full((n, 1, 1, 1), of * side, device=X.device) for of in (height, width))
    inside = _rectangle(X, tall, wide, random)
    return torch.where(inside, X[order], X), order, 1 - inside.float().mean((1, 2, 3))


WHOLE = "whole pixels"
AUGMENTATIONS: dict[str, Augmentation] = {
    "flip": Augmentation(flip, 1, "probability"),
    "shift": Augmentation(shift, 64, WHOLE),
    "translation": Augmentation(translation, 1, "fraction of the side"),
    "zoom": Augmentation(zoom, 4, "factor less 1"),
    "rotation": Augmentation(rotation, 180, "degrees"),
    "shear": Augmentation(shear, 4, "pixels a pixel"),
    "elastic": Augmentation(elastic, 16, "pixels"),
    "erasing": Augmentation(erasing, 1, "probability"),
    "cutout": Augmentation(cutout, 64, WHOLE),
}
MIXTURES: dict[str, Mixture] = {
    "mixup": Mixture(mixup, 10, "a of Beta(a, a)"),
    "cutmix": Mixture(cutmix, 10, "a of Beta(a, a)"),
}


def check(wanted: Mapping[str, float]) -> None:
    """RecipeError for an unknown augmentation, or a strength out of its range."""
    known: dict[str, Augmentation | Mixture] = {**AUGMENTATIONS, **MIXTURES}
    for name, strength in wanted.items():
        if name not in known:
            raise RecipeError(f"unknown augmentation {shown(name)}; there are: {', '.join(known)}")
        if not 0 <= strength <= known[name].largest:
            largest, unit = known[name].largest, known[name].strength
            raise RecipeError(f"{name} must be 0 to {largest:g} ({unit}), got {shown(strength)}")
        if known[name].strength == WHOLE and strength != int(strength):
            raise RecipeError(f"{name} is in whole pixels, got {shown(strength)}")
    if sum(wanted.get(name, 0) > 0 for name in MIXTURES) > 1:
        raise RecipeError(f"only one of {' and '.join(MIXTURES)} can be had at a time")


@dataclass(frozen=True)
class Augmenter:
    """The augmentations of a recipe, one after the other; `random` is their generator."""

    steps: Sequence[tuple[Callable[[Tensor, float, Generator], Tensor], float]]
    mixtures: Sequence[tuple[Callable[..., tuple[Tensor, Tensor, Tensor]], float]]
    n_classes: int
    random: Generator

    def __call__(
        self, images: Tensor, labels: Tensor, weights: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """A batch augmented, and its targets: labels (N,), or class fractions (N, K) of mixtures.

        weights (N,): of the images. A row of a mixture then sums to the weights of its two images,
        each times its fraction.
        """
        for apply, strength in self.steps:
            images = apply(images, strength, self.random)
        targets = labels
        for mix, strength in self.mixtures:
            images, order, own = mix(images, strength, self.random)
            unmixed = one_hot(labels, self.n_classes).float()
            unmixed = unmixed if weights is None else weights[:, None] * unmixed
            targets = own[:, None] * unmixed + (1 - own[:, None]) * unmixed[order]
        return images, targets


def augmenter(wanted: Mapping[str, float], n_classes: int, seed: int) -> Augmenter | None:
    """The augmentations named, in the order of AUGMENTATIONS; None without any.

    It has a generator of its own, so that augmentation changes nothing else that is random.
    """
    check(wanted)
    steps = [(a.apply, wanted[name]) for name, a in AUGMENTATIONS.items() if wanted.get(name)]
    mixtures = [(m.apply, wanted[name]) for name, m in MIXTURES.items() if wanted.get(name)]
    if not steps and not mixtures:
        return None
    return Augmenter(steps, mixtures, n_classes, Generator().manual_seed(seed))


def _happens(X: Tensor, probability: float, random: Generator) -> Tensor:
    """bool (N, 1, 1, 1)."""
    return (torch.rand(len(X), 1, 1, 1, generator=random) < probability).to(X.device)


def _between(X: Tensor, most: float, random: Generator) -> Tensor:
    """float (N,), uniform between -most and most."""
    return ((2 * torch.rand(len(X), generator=random) - 1) * most).to(X.device)


def _fraction(a: float, random: Generator) -> float:
    """A random number from Beta(a, a): NumPy's, for torch's has only the global generator."""
    seed = int(torch.randint(2**31, (1,), generator=random))
    return float(np.random.default_rng(seed).beta(a, a))


def _affine(X: Tensor, cosine: Tensor, sine: Tensor) -> Tensor:
    """Rotate and scale each image about its centre; the matrix maps new positions to old ones."""
    height, width = X.shape[2:]
    zero = torch.zeros_like(cosine)
    # Positions run from -1 to 1 along both axes, so rotating an oblong image needs its ratio.
    across = torch.stack([cosine, -sine * height / width, zero], 1)
    down = torch.stack([sine * width / height, cosine, zero], 1)
    theta = torch.stack([across, down], 1)  # (N, 2, 3)
    return _sampled(X, affine_grid(theta, list(X.shape), align_corners=False))


def _sampled(X: Tensor, grid: Tensor) -> Tensor:
    """float32 images at the positions of the grid, interpolated; background outside the image."""
    return grid_sample(X.float(), grid, padding_mode="zeros", align_corners=False)


def _rectangle(X: Tensor, tall: Tensor, wide: Tensor, random: Generator) -> Tensor:
    """bool (N, 1, H, W): one rectangle per image, centred anywhere, cut off at the edge."""
    n, _, height, width = X.shape
    middle = torch.rand(2, n, 1, 1, 1, generator=random).to(X.device)
    rows = torch.arange(height, device=X.device).reshape(1, 1, -1, 1) + 0.5
    columns = torch.arange(width, device=X.device).reshape(1, 1, 1, -1) + 0.5
    inside_rows = (rows - middle[0] * height).abs() < tall / 2
    inside_columns = (columns - middle[1] * width).abs() < wide / 2
    return inside_rows & inside_columns
