"""A backbone trained on photographs, with a new last layer: write-up A's A13, and variants."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate

from mnistlab.errors import RecipeError
from mnistlab.models.backbones import Backbone, backbone, foldable_convolution
from mnistlab.models.mlp import fractions_per_layer
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
    """A backbone of models.backbones and one linear layer, for grey images with pixels 0 to 1.

    Input (N, 1, H, W), output logits (N, K). weights: "imagenet", "none" or the path of a file;
    `Transfer.initialise` reads them, not this function. channels: how one becomes three: "repeat";
    "learned", a 1x1 convolution that starts as repeat does (A13); or "folded", where the weights of
    the first convolution are summed over the channels. input_size: images are resized to this side
    (bilinear); None: not resized. Pixels are normalised as in the backbone's own training. Raises
    RecipeError for a backbone that cannot take images of that size.
    """
    if input_size is not None and not 8 <= input_size <= 1024:
        raise RecipeError(f"model transfer: input_size must be 8 to 1024, got {input_size}")
    fractions_per_layer("dropout", dropout, 1)
    network = Transfer(n_classes, backbone, weights, channels, input_size, dropout)
    _check_takes(network, image_shape)
    return network


class Transfer(nn.Module):
    """The network that `transfer` builds; while `origin` is None, its weights are not read yet."""

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
        """Load the weights that `weights` names; RecipeError where they are missing."""
        if self.weights == "none":
            return
        fresh = backbone(self.name)
        state, self.origin = pretrained(self.name, self.weights, fresh.net)
        fresh.net.load_state_dict(state)
        if self.channels == "folded":
            _fold(fresh)
        self.backbone.load_state_dict(fresh.net.state_dict())

    def unfreeze(self, n_blocks: int | None) -> None:
        """Train the head, a learned convolution in front, and the last n_blocks blocks.

        None trains everything. Frozen blocks stay in evaluation mode, so that their batch
        normalisations keep the statistics of their own training.
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
                parameter.grad = None  # from an earlier phase
        self.train(self.training)

    def train(self, mode: bool = True) -> Transfer:
        """As for any module, except that frozen blocks stay in evaluation mode."""
        super().train(mode)
        for block in self._blocks[: self._n_frozen]:
            block.eval()
        return self

    def parts(self) -> tuple[nn.Module, nn.Module] | None:
        """The frozen part and the part after it; None where a trained layer comes first."""
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
        """All trained parameters: of the new layers, the last block, the block before and so on."""
        new = [*self.head.parameters(), *self.prepare.parameters()]
        blocks = [list(block.parameters()) for block in reversed(self._blocks[self._n_frozen :])]
        return [new, *blocks]


class Prepare(nn.Module):
    """Grey pixels (N, 1, H, W), 0 to 1, resized and normalised for the backbone."""

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
        """The setting that no weight shows; the key of cached features contains it."""
        return f"input_size={self.input_size}"

    def forward(self, X: Tensor) -> Tensor:
        """(N, 3, S, S), or (N, 1, S, S) for a folded convolution."""
        if self.input_size is not None:
            side = self.input_size
            smaller = side < max(X.shape[2:])  # then every old pixel must count: antialias
            X = interpolate(X, (side, side), mode="bilinear", antialias=smaller)
        if self.learned is not None:
            coloured: Tensor = self.learned(X)
            return coloured
        return (X - self.mean) / self.deviation


def _check_takes(network: Transfer, image_shape: tuple[int, int]) -> None:
    """RecipeError where the backbone cannot turn a blank image of that size into features.

    Some backbones take images of one size only; in others nothing is left of small images.
    """
    parameter, was_training = next(network.parameters()), network.training
    image = torch.zeros(1, 1, *image_shape, device=parameter.device)
    try:
        with torch.no_grad(), torch.random.fork_rng(devices=[]):
            found = network.eval().backbone(network.prepare(image))
        if tuple(found.shape) != (1, network.n_features):
            raise ValueError(f"its features are {tuple(found.shape)}")
    except Exception as error:  # code of other libraries, which raises anything
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
    """A 1x1 convolution that does to a grey image what repeating and normalising do."""
    convolution = nn.Conv2d(1, 3, 1)
    convolution.weight = nn.Parameter((1 / deviation).reshape(3, 1, 1, 1))
    convolution.bias = nn.Parameter((-mean / deviation).flatten())
    return convolution


def _fold(found: Backbone) -> None:
    """Make the first convolution take one channel, with the same result as on three equal ones.

    At the border, which convolutions pad with 0, the result differs where the channels were
    normalised differently.
    """
    convolution = foldable_convolution(found)
    mean, deviation = _by_channel(found.mean), _by_channel(found.deviation)
    kernels = convolution.weight.detach() / deviation  # (out, 3, h, w)
    shift = (kernels * (mean.mean() - mean)).sum((1, 2, 3))
    convolution.in_channels = 1
    convolution.weight = nn.Parameter((kernels * deviation.mean()).sum(1, keepdim=True))
    old = convolution.bias
    convolution.bias = nn.Parameter(shift if old is None else old.detach() + shift)
