"""Networks trained by others on photographs, as rows of blocks without their last layer.

torchvision has three of them, timm (the extra `transfer`) EfficientNet-Lite0 and, as "timm/NAME",
any of its others. What a backbone makes of float (N, 3, H, W) is features (N, D). Both libraries
are slow to import, and are when one of theirs is built.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn

from mnistlab.errors import RecipeError

IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))  # mean and deviation of its pixels, of 1
HALVES = ((0.5, 0.5, 0.5), (0.5, 0.5, 0.5))
TIMM = "timm/"
LITE0 = "tf_efficientnet_lite0"
# Which add up the channels times their weights; Conv2dSame is timm's, of TensorFlow's padding.
PLAIN_CONVOLUTIONS = ("Conv2d", "Conv2dSame")
# Parts of a timm network that come after its last block.
_AFTER = ("global_pool", "fc", "classifier", "head", "head_drop", "fc_norm", "norm_head")


@dataclass(frozen=True)
class Backbone:
    """A network and its blocks, in the order in which an image meets them.

    net: as its authors built it, names of weights included, but for the last layer. in_sequence:
    whether running block after block, and then the mean over what is left of height and width,
    is all it does. mean, deviation: of the pixels, 0 to 1, it was trained on, by channel. side: of
    the images its authors meant it for.
    """

    net: nn.Module
    blocks: tuple[nn.Module, ...]
    n_features: int
    mean: tuple[float, float, float]
    deviation: tuple[float, float, float]
    in_sequence: bool = True
    side: int = 224


def backbone(name: str) -> Backbone:
    """The backbone of that name with fresh weights; RecipeError for a name there is not."""
    if name in BACKBONES:
        return BACKBONES[name]()
    if name.startswith(TIMM):
        return _of_timm(name.removeprefix(TIMM))
    there = ", ".join(BACKBONES)
    raise RecipeError(f"unknown backbone {name!r}; there are: {there}, and {TIMM}NAME for timm's")


def foldable_convolution(found: Backbone) -> nn.Conv2d:
    """The first layer that looks at the channels of an image, if it is a sum over them.

    RecipeError where there is none, or one that does more than to convolve: what standardises its
    weights, as timm's StdConv2d does, would standardise others once they were folded.
    """
    for module in found.net.modules():
        if isinstance(module, nn.Conv2d) and module.in_channels == 3:
            kind = type(module).__name__
            if kind in PLAIN_CONVOLUTIONS and module.groups == 1:
                return module
            raise RecipeError(
                f"channels=folded needs a plain first convolution, but this backbone has {kind}; "
                "--set model_args.channels=repeat"
            )
    raise RecipeError(
        "this backbone has no first convolution that could be folded; "
        "--set model_args.channels=repeat"
    )


def _mobilenet_v2() -> Backbone:
    from torchvision.models import mobilenet_v2

    net = mobilenet_v2()
    net.classifier = nn.Identity()
    return Backbone(net, tuple(net.features), 1280, *IMAGENET)


def _resnet18() -> Backbone:
    from torchvision.models import resnet18

    net = resnet18()
    net.fc = nn.Identity()
    stem = nn.Sequential(net.conv1, net.bn1, net.relu, net.maxpool)
    stages = (net.layer1, net.layer2, net.layer3, net.layer4)
    return Backbone(net, (stem, *(block for stage in stages for block in stage)), 512, *IMAGENET)


def _efficientnet_b0() -> Backbone:
    from torchvision.models import efficientnet_b0

    net = efficientnet_b0()
    net.classifier = nn.Identity()
    stem, *stages, last = net.features
    blocks = (stem, *(block for stage in stages for block in stage), last)
    return Backbone(net, blocks, 1280, *IMAGENET)


def _efficientnet_lite0() -> Backbone:
    net = _timm().create_model(LITE0, pretrained=False, num_classes=0)
    stem = nn.Sequential(net.conv_stem, net.bn1)
    last = nn.Sequential(net.conv_head, net.bn2)
    blocks = (stem, *(block for stage in net.blocks for block in stage), last)
    return Backbone(net, blocks, net.num_features, *HALVES)


def _of_timm(name: str) -> Backbone:
    timm = _timm()
    # Other names than its own timm would look up in the network, even those in a stored run.
    if not timm.is_model(name):
        raise RecipeError(f"timm has no model {name!r}")
    try:
        net = timm.create_model(name, pretrained=False, num_classes=0)
    except RuntimeError as error:  # it knows no weights by that tag
        raise RecipeError(f"timm has no model {name!r}: {error}") from error
    except Exception as error:  # code of others, which not every one of timm's networks suits
        said = " ".join(str(error).split())[:200] or type(error).__name__
        raise RecipeError(f"timm cannot build {name!r} without its last layer: {said}") from error
    known = net.pretrained_cfg
    blocks = tuple(
        block
        for part, module in net.named_children()
        if part not in _AFTER
        for block in (module if isinstance(module, nn.Sequential | nn.ModuleList) else (module,))
    )
    # Some have layers between the last block and the last layer, which widen the features.
    n_features = getattr(net, "head_hidden_size", None) or net.num_features
    return Backbone(
        _Headless(net),
        blocks,
        n_features,
        tuple(known["mean"]),
        tuple(known["std"]),
        in_sequence=False,
        side=known["input_size"][-1],
    )


class _Headless(nn.Module):
    """A timm network up to the features its last layer would have seen."""

    def __init__(self, net: Any) -> None:
        super().__init__()
        self.net = net

    def forward(self, X: Tensor) -> Tensor:
        features: Tensor = self.net.forward_head(self.net.forward_features(X), pre_logits=True)
        return features.flatten(1)


def _timm() -> Any:
    try:
        import timm
    except ImportError as error:
        raise RecipeError(
            "this backbone needs timm, which is not installed; pip install 'mnistlab[transfer]'"
        ) from error
    return timm


BACKBONES: dict[str, Callable[[], Backbone]] = {
    "mobilenet_v2": _mobilenet_v2,
    "resnet18": _resnet18,
    "efficientnet_b0": _efficientnet_b0,
    "efficientnet_lite0": _efficientnet_lite0,
}
