"""A backbone trained on photographs under a new last layer: write-up A's A13, and its kin."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate

from mnistlab.errors import RecipeError
from mnistlab.models.backbones import Backbone, backbone, foldable_convolution
from mnistlab.models.mlp import shares_per_layer
from mnistlab.models.pretrained import pretrained

Channels = Literal["repeat", "learned", "folded"]


def transfer(
    image_shape: tuple[int, int],
    n_classes: int,
    backbone: str = "mobilenet_v2",
    weights: str = "imagenet",
    channels: Channels = "repeat",
    input_size: int | None = None,
    dropout: float = 0.0,
) -> nn.Module:
    """A backbone of models.backbones and one linear layer, for grey images of pixels 0 to 1.

    Input (N, 1, H, W), output logits (N, K). weights: "imagenet", "none" or a file's path; they
    are read by `Transfer.initialise`, not here. channels: how one becomes three: "repeat", a
    "learned" 1x1 convolution that starts as repeat does (A13), or the first convolution "folded"
    into one that sees a single channel. input_size: the side images are resized to (bilinear);
    None leaves them. Pixels are normalised as those the backbone was trained on. Raises
    RecipeError for a backbone that cannot take images of that size.
    """
    if input_size is not None and not 8 <= input_size <= 1024:
        raise RecipeError(f"model transfer: input_size must be 8 to 1024, got {input_size}")
    shares_per_layer("dropout", dropout, 1)
    network = Transfer(n_classes, backbone, weights, channels, input_size, dropout)
    _check_takes(network, image_shape)
    return network


class Transfer(nn.Module):
    """What `transfer` builds; `weights` is still to be read where `origin` is None."""

    def __init__(
        self,
        n_classes: int,
        name: str,
        weights: str,
        channels: Channels,
        input_size: int | None,
        dropout: float,
    ) -> None:
        super().__init__()
        found = backbone(name)
        self.side, self.n_features = found.side, found.n_features
        self.name, self.weights, self.channels = name, weights, channels
        self.origin: str | None = "none" if weights == "none" else None
        if channels == "folded":
            _fold(found)
        self.prepare = Prepare(found, channels, input_size)
        self.backbone = found.net
        self.head = nn.Sequential(nn.Dropout(dropout), nn.Linear(found.n_features, n_classes))
        self._blocks, self._in_sequence = found.blocks, found.in_sequence
        self._n_frozen = 0

    def forward(self, X: Tensor) -> Tensor:
        """Logits (N, K)."""
        logits: Tensor = self.head(self.backbone(self.prepare(X)))
        return logits

    def initialise(self) -> None:
        """Read the weights that were asked for; RecipeError where they cannot be had."""
        if self.weights == "none":
            return
        fresh = backbone(self.name)
        state, self.origin = pretrained(self.name, self.weights, fresh.net)
        fresh.net.load_state_dict(state)
        if self.channels == "folded":
            _fold(fresh)
        self.backbone.load_state_dict(fresh.net.state_dict())

    def unfreeze(self, n_blocks: int | None) -> None:
        """Train the head, a learned convolution in front, and the last so many blocks.

        None trains everything. Frozen blocks stay in evaluation mode, so that the statistics of
        their batch normalisations are those they were trained with.
        """
        n_all = len(self._blocks)
        if n_blocks is not None and n_blocks > n_all:
            raise RecipeError(f"unfrozen must be at most {n_all}, the blocks of {self.name}")
        self._n_frozen = 0 if n_blocks is None else n_all - n_blocks
        self.requires_grad_(True)
        if n_blocks is not None:
            self.backbone.requires_grad_(False)
            for block in self._blocks[self._n_frozen :]:
                block.requires_grad_(True)
        for parameter in self.parameters():
            if not parameter.requires_grad:
                parameter.grad = None  # of an earlier phase
        self.train(self.training)

    def train(self, mode: bool = True) -> Transfer:
        """As of any module, but for frozen blocks."""
        super().train(mode)
        for block in self._blocks[: self._n_frozen]:
            block.eval()
        return self

    def parts(self) -> tuple[nn.Module, nn.Module] | None:
        """What is frozen and what comes after it; None where something in front is trained."""
        if self.channels == "learned" or not self._n_frozen:
            return None
        if self._n_frozen == len(self._blocks):
            return nn.Sequential(self.prepare, self.backbone), self.head
        if not self._in_sequence:
            return None
        frozen, trained = self._blocks[: self._n_frozen], self._blocks[self._n_frozen :]
        pool = (nn.AdaptiveAvgPool2d(1), nn.Flatten())
        return nn.Sequential(self.prepare, *frozen), nn.Sequential(*trained, *pool, self.head)

    def trained_by_block(self) -> list[list[nn.Parameter]]:
        """All that is trained: what is new, then the last block, the one before it and so on."""
        new = [*self.head.parameters(), *self.prepare.parameters()]
        blocks = [list(block.parameters()) for block in reversed(self._blocks[self._n_frozen :])]
        return [new, *blocks]


class Prepare(nn.Module):
    """Grey pixels (N, 1, H, W), 0 to 1, as the backbone wants them."""

    mean: Tensor
    deviation: Tensor

    def __init__(self, found: Backbone, channels: Channels, input_size: int | None) -> None:
        super().__init__()
        self.input_size = input_size
        mean, deviation = _by_channel(found.mean), _by_channel(found.deviation)
        self.learned: nn.Conv2d | None = None
        if channels == "learned":
            self.learned = _repeating(mean, deviation)
            return
        if channels == "folded":
            mean, deviation = mean.mean(1, keepdim=True), deviation.mean(1, keepdim=True)
        self.register_buffer("mean", mean)
        self.register_buffer("deviation", deviation)

    def extra_repr(self) -> str:
        """What the weights do not tell; kept features are found by it."""
        return f"input_size={self.input_size}"

    def forward(self, X: Tensor) -> Tensor:
        """(N, 3, S, S), or (N, 1, S, S) for a folded convolution."""
        if self.input_size is not None:
            side = self.input_size
            smaller = side < max(X.shape[2:])  # of which every pixel must count
            X = interpolate(X, (side, side), mode="bilinear", antialias=smaller)
        if self.learned is not None:
            coloured: Tensor = self.learned(X)
            return coloured
        return (X - self.mean) / self.deviation


def _check_takes(network: Transfer, image_shape: tuple[int, int]) -> None:
    """RecipeError where a backbone makes no features of an image: one is run, its weights as new.

    Some take images of one size alone, in others nothing is left of small ones.
    """
    parameter, was_training = next(network.parameters()), network.training
    image = torch.zeros(1, 1, *image_shape, device=parameter.device)
    try:
        with torch.no_grad(), torch.random.fork_rng(devices=[]):
            found = network.eval().backbone(network.prepare(image))
        if tuple(found.shape) != (1, network.n_features):
            raise ValueError(f"its features are {tuple(found.shape)}")
    except Exception as error:  # code of others, which raises what it pleases
        height, width = (
            (network.prepare.input_size,) * 2 if network.prepare.input_size else image_shape
        )
        said = " ".join(str(error).split())[:200] or type(error).__name__
        hint = f"; --set model_args.input_size={network.side}" if height != network.side else ""
        raise RecipeError(
            f"backbone {network.name} cannot take images of {height}x{width}: {said}{hint}"
        ) from error
    finally:
        network.train(was_training)


def _by_channel(values: tuple[float, float, float]) -> Tensor:
    return torch.tensor(values).reshape(1, 3, 1, 1)


def _repeating(mean: Tensor, deviation: Tensor) -> nn.Conv2d:
    """A 1x1 convolution that makes of grey what repeating and normalising make of it."""
    convolution = nn.Conv2d(1, 3, 1)
    convolution.weight = nn.Parameter((1 / deviation).reshape(3, 1, 1, 1))
    convolution.bias = nn.Parameter((-mean / deviation).flatten())
    return convolution


def _fold(found: Backbone) -> None:
    """Let the first convolution see one channel, and make of grey images what it made of three.

    Where channels are normalised differently the border, which convolutions pad with 0, differs.
    """
    convolution = foldable_convolution(found)
    mean, deviation = _by_channel(found.mean), _by_channel(found.deviation)
    kernels = convolution.weight.detach() / deviation  # (out, 3, h, w)
    shift = (kernels * (mean.mean() - mean)).sum((1, 2, 3))
    convolution.in_channels = 1
    convolution.weight = nn.Parameter((kernels * deviation.mean()).sum(1, keepdim=True))
    old = convolution.bias
    convolution.bias = nn.Parameter(shift if old is None else old.detach() + shift)
