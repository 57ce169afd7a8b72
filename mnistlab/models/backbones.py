"""Networks that others have trained on photographs, as blocks in a row, without their last layer.

torchvision has three of them; timm (the extra `transfer`) has EfficientNet-Lite0 and, as
"timm/NAME", all its other networks. A backbone turns images float (N, 3, H, W) into features (N,
D). Both libraries are slow to import, so they are imported when a network of theirs is built.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn

from mnistlab.errors import RecipeError

IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))  # mean and deviation of pixels 0 to 1
HALVES = ((0.5, 0.5, 0.5), (0.5, 0.5, 0.5))
TIMM = "timm/"
TIMM_EXTRA = "mnistlab[transfer]"
LITE0 = "tf_efficientnet_lite0"
# Sums over channels times weights and no more; Conv2dSame is timm's, with TensorFlow's padding.
PLAIN_CONVOLUTIONS = ("Conv2d", "Conv2dSame")
# Parts of a timm network that come after its last block.
_AFTER = ("global_pool", "fc", "classifier", "head", "head_drop", "fc_norm", "norm_head")


@dataclass(frozen=True)
class Backbone:
    """A network and its blocks, in the order in which an image passes them.

    net: as its authors built it, with their names of weights, but without the last layer.
    in_sequence: whether it only runs block after block and then averages over height and width.
    mean, deviation: by channel, of the pixels, 0 to 1, that it was trained on. side: of the images
    that its authors trained it on.
    """

    net: nn.Module
    blocks: tuple[nn.Module, ...]
    n_features: int
    mean: tuple[float, float, float]
    deviation: tuple[float, float, float]
    in_sequence: bool = True
    side: int = 224


def backbone(name: str) -> Backbone:
    """The backbone of that name with fresh weights; RecipeError for an unknown name."""
    if name in BACKBONES:
        return BACKBONES[name]()
    if name.startswith(TIMM):
        return _of_timm(name.removeprefix(TIMM))
    there = ", ".join(BACKBONES)
    raise RecipeError(f"unknown backbone {name!r}; there are: {there}, and {TIMM}NAME for timm's")


def extra_of(name: str | None) -> str | None:
    """The extra of mnistlab that a backbone needs; None where the core is enough."""
    by_timm = name is not None and (name == "efficientnet_lite0" or name.startswith(TIMM))
    return TIMM_EXTRA if by_timm else None


def foldable_convolution(found: Backbone) -> nn.Conv2d:
    """The first layer, which takes the three channels of an image, where it is a plain convolution.

    RecipeError where there is none, or several, or one that does more than convolve: timm's
    StdConv2d, for one, standardises its weights, and would standardise folded ones differently.
    """
    first = [m for m in found.net.modules() if isinstance(m, nn.Conv2d) and m.in_channels == 3]
    kinds = [type(module).__name__ for module in first]
    if len(first) == 1 and kinds[0] in PLAIN_CONVOLUTIONS and first[0].groups == 1:
        return first[0]
    has = "none" if not first else "several" if len(first) > 1 else kinds[0]
    raise RecipeError(
        f"channels=folded needs one plain convolution that sees the image, but this backbone has "
        f"{has}; --set model_args.channels=repeat"
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
    # Any other name timm would look up on the network, even a name in a run that someone sent.
    if not timm.is_model(name):
        raise RecipeError(f"timm has no model {name!r}")
    try:
        net = timm.create_model(name, pretrained=False, num_classes=0)
    except RuntimeError as error:  # timm knows no weights by that tag
        raise RecipeError(f"timm has no model {name!r}: {error}") from error
    except Exception as error:  # timm's own code, which fails in many ways
        said = " ".join(str(error).split())[:200] or type(error).__name__
        raise RecipeError(f"timm cannot build {name!r} without its last layer: {said}") from error
    known = net.pretrained_cfg
    blocks = tuple(
        block
        for part, module in net.named_children()
        if part not in _AFTER
        for block in (module if isinstance(module, nn.Sequential | nn.ModuleList) else (module,))
    )
    # Some have layers between the last block and the last layer, with more features.
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
            f"this backbone needs timm, which is not installed; pip install '{TIMM_EXTRA}'"
        ) from error
    return timm


BACKBONES: dict[str, Callable[[], Backbone]] = {
    "mobilenet_v2": _mobilenet_v2,
    "resnet18": _resnet18,
    "efficientnet_b0": _efficientnet_b0,
    "efficientnet_lite0": _efficientnet_lite0,
}
