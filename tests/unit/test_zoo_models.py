"""Every architecture of write-ups B and C and of A15's exercises, counted by hand."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import nn

from mnistlab.errors import RecipeError
from mnistlab.models import build, count_parameters
from mnistlab.models.cnn import cnn
from mnistlab.models.mlp import mlp
from mnistlab.recipes import get_recipe
from mnistlab.runs import count_recipe_parameters

# Parameters for 10 classes. A linear layer from a to b has a * b + b, a k x k convolution from
# a to b channels k * k * a * b + b, a batch normalisation of c channels 2 * c.
B = 784 * 64 + 64 + 64 * 10 + 10
C1 = 1024 * 512 + 512 + 512 * 128 + 128 + 2 * (128 * 128 + 128) + 128 * 10 + 10
C2 = 1024 * 512 + 512 + 2 * (512 * 512 + 512) + 512 * 256 + 256 + 256 * 10 + 10
C3 = 1024 * 512 + 512 + 512 * 128 + 128 + 6 * (128 * 128 + 128) + 128 * 10 + 10
C6 = C1 + 2 * (512 + 3 * 128)
# 32 - 2 = 30, halved 15, 13 left by the next, halved 6: 64 * 6 * 6 = 2,304 features.
C_CONV = 9 * 1 * 32 + 32 + 9 * 32 * 64 + 64
C8 = C_CONV + 2304 * 64 + 64 + 64 * 10 + 10
C9 = C_CONV + 2304 * 128 + 128 + 128 * 10 + 10
C10 = (
    (9 * 1 * 64 + 64 + 9 * 64 * 128 + 128)
    + (4608 * 64 + 64 + 64 * 64 + 64 + 64 * 32 + 32)
    + (32 * 10 + 10)
)
C13 = C8 + 2 * (32 + 64)
# 32 - 1 = 31, halved 15, 14, halved 7, 6, and 6 - 3 = 3: 512 * 3 * 3 = 4,608 features.
C17 = (
    (4 * 1 * 64 + 64 + 4 * 64 * 128 + 128 + 4 * 128 * 256 + 256 + 16 * 256 * 512 + 512)
    + 2 * (64 + 128 + 256 + 512)
    + (4608 * 512 + 512 + 512 * 256 + 256 + 256 * 128 + 128 + 128 * 64 + 64)
    + 2 * (512 + 256 + 128 + 64)
    + (64 * 10 + 10)
)
# 28 x 28, halved twice by pools: 7 * 7 * 64 = 3,136 features, twice as many of twice the channels.
A9_HEAD = 3136 * 128 + 128 + 128 * 10 + 10
WIDE = 9 * 64 + 64 + 9 * 64 * 128 + 128 + 6272 * 128 + 128 + 128 * 10 + 10
DEEP = (9 * 32 + 32 + 9 * 32 * 32 + 32 + 9 * 32 * 64 + 64 + 9 * 64 * 64 + 64) + A9_HEAD
LARGE_KERNELS = 25 * 32 + 32 + 25 * 32 * 64 + 64 + A9_HEAD
A9 = 9 * 32 + 32 + 9 * 32 * 64 + 64 + A9_HEAD

BY_HAND = {
    "simple-cnn-plateau": A9,
    "simple-cnn-early-stopping": A9,
    "simple-cnn-augmented": A9,
    "simple-cnn-wide": WIDE,
    "simple-cnn-deep": DEEP,
    "simple-cnn-5x5": LARGE_KERNELS,
    "full-batch": B,
    "full-batch-long": B,
    "double-softmax": B,
    "double-softmax-slow": B,
    "full-batch-logits": B,
    "full-batch-long-logits": B,
    "double-softmax-logits": B,
    "double-softmax-slow-logits": B,
    "dense-base": C1,
    "dense-wide": C2,
    "dense-deep": C3,
    "dense-sgd": C1,
    "dense-decay": C1,
    "dense-norm": C6,
    "dense-dropout": C1,
    "conv-base": C8,
    "conv-wide": C9,
    "conv-deep": C10,
    "conv-sgd": C8,
    "conv-decay": C8,
    "conv-norm": C13,
    "conv-dropout": C8,
    "final": C17,
    "final-tuned": C17,
}
# What the last linear layer of each family is fed, but for the wide and the deep ones.
LAST = {"simple": 128, "full": 64, "double": 64, "dense": 128, "conv": 64, "final": 64}
OF_C = [name for name in BY_HAND if name.startswith(("dense", "conv", "final"))]
of_all = pytest.mark.parametrize("name", BY_HAND)


def network_of(name: str, shape: tuple[int, int] = (32, 32), n_classes: int = 10) -> nn.Module:
    recipe = get_recipe(name)
    return build(recipe.model, shape, n_classes, recipe.model_args)


def layers(name: str, kind: type[nn.Module], shape: tuple[int, int] = (32, 32)) -> list[Any]:
    return [layer for layer in network_of(name, shape).modules() if isinstance(layer, kind)]


def test_the_arithmetic_is_right() -> None:
    assert [B, C1, C2, C3] == [50_890, 624_778, 1_184_010, 690_826]
    assert [C8, C9, C10, C13] == [166_986, 315_146, 376_042, 167_178]
    assert [C17, A9] == [4_798_986, 421_642]


@of_all
def test_parameter_counts_are_those_of_the_arithmetic(name: str) -> None:
    """Images of 28 x 28 come to write-up C's networks padded to 32 x 32."""
    assert count_recipe_parameters(get_recipe(name)) == BY_HAND[name]


@pytest.mark.parametrize("name", OF_C)
def test_images_of_32_are_taken_as_they_are(name: str) -> None:
    assert count_recipe_parameters(get_recipe(name), (32, 32)) == BY_HAND[name]
    assert (
        count_recipe_parameters(replace(get_recipe(name), pad_to=None), (32, 32)) == BY_HAND[name]
    )


def test_a_larger_image_has_more_weights_to_its_first_linear_layer() -> None:
    assert count_recipe_parameters(get_recipe("double-softmax"), (32, 32)) == B + 240 * 64
    more = 64 * (8 * 8 - 7 * 7) * 128
    assert count_recipe_parameters(get_recipe("simple-cnn-deep"), (32, 32)) == DEEP + more
    bare = replace(get_recipe("conv-base"), pad_to=None)
    assert count_recipe_parameters(bare, (28, 28)) == C8 - 64 * (6 * 6 - 5 * 5) * 64
    bare = replace(get_recipe("final"), pad_to=None)  # 27, 13, 12, 6, 5, 2
    assert count_recipe_parameters(bare, (28, 28)) == C17 - 512 * (3 * 3 - 2 * 2) * 512


@pytest.mark.parametrize("n_classes", [2, 26, 47])
@of_all
def test_another_number_of_classes_changes_the_last_layer_alone(name: str, n_classes: int) -> None:
    family = name.partition("-")[0]
    into_last = {"dense-wide": 256, "conv-wide": 128, "conv-deep": 32}.get(name, LAST[family])
    expected = BY_HAND[name] + (into_last + 1) * (n_classes - 10)
    assert count_recipe_parameters(get_recipe(name), n_classes=n_classes) == expected


@of_all
@pytest.mark.parametrize("shape", [(28, 28), (32, 32)])
def test_logits_of_a_batch(name: str, shape: tuple[int, int]) -> None:
    network = network_of(name, shape, n_classes=7)
    X = torch.rand(3, 1, *shape, generator=torch.Generator().manual_seed(0))
    whole = network.eval()(X)
    assert whole.shape == (3, 7)
    assert whole.isfinite().all()
    torch.testing.assert_close(network(X[:1]), whole[:1], rtol=1e-4, atol=1e-5)


# What stands between the weights


def test_the_layers_of_c6() -> None:
    """Batch normalisation before each ReLU, none after the last linear layer."""
    kinds = [type(layer).__name__ for layer in network_of("dense-norm").children()]
    assert kinds == ["Flatten", *["Linear", "BatchNorm1d", "ReLU"] * 4, "Linear"]


def test_the_layers_of_c7() -> None:
    assert [layer.p for layer in layers("dense-dropout", nn.Dropout)] == [0.5, 0.4, 0.3, 0.2]
    kinds = [type(layer).__name__ for layer in network_of("dense-dropout").children()]
    assert kinds == ["Flatten", *["Linear", "ReLU", "Dropout"] * 4, "Linear"]


def test_the_layers_of_c13_and_c14() -> None:
    kinds = [type(layer).__name__ for layer in network_of("conv-norm").children()]
    convolutions = ["Conv2d", "BatchNorm2d", "MaxPool2d", "ReLU"] * 2
    assert kinds == [*convolutions, "Flatten", "Linear", "ReLU", "Linear"]
    kinds = [type(layer).__name__ for layer in network_of("conv-dropout").children()]
    convolutions = ["Conv2d", "MaxPool2d", "ReLU", "Dropout2d"] * 2
    assert kinds == [*convolutions, "Flatten", "Linear", "ReLU", "Linear"]
    assert [layer.p for layer in layers("conv-dropout", nn.Dropout2d)] == [0.5, 0.5]


def test_the_layers_of_c17() -> None:
    convolutions = layers("final", nn.Conv2d)
    assert [layer.kernel_size[0] for layer in convolutions] == [2, 2, 2, 4]
    assert [layer.padding for layer in convolutions] == [(0, 0)] * 4
    assert [layer.out_channels for layer in convolutions] == [64, 128, 256, 512]
    assert [layer.p for layer in layers("final", nn.Dropout2d)] == [0.1, 0.3, 0.5, 0.5]
    assert [layer.p for layer in layers("final", nn.Dropout)] == [0.1, 0.3, 0.5, 0.5]
    assert len(layers("final", nn.BatchNorm2d)) == len(layers("final", nn.BatchNorm1d)) == 4
    linear = layers("final", nn.Linear)
    assert [layer.in_features for layer in linear] == [4608, 512, 256, 128, 64]
    kinds = [type(layer).__name__ for layer in network_of("final").children()]
    pooled = ["Conv2d", "BatchNorm2d", "MaxPool2d", "ReLU", "Dropout2d"]
    assert kinds[:10] == pooled * 2
    assert kinds[10:18] == ["Conv2d", "BatchNorm2d", "ReLU", "Dropout2d"] * 2
    assert kinds[18:] == ["Flatten", *["Linear", "BatchNorm1d", "ReLU", "Dropout"] * 4, "Linear"]


def test_the_deep_exercise_pools_after_every_second_convolution() -> None:
    kinds = [type(layer).__name__ for layer in network_of("simple-cnn-deep").children()]
    assert kinds[:10] == ["Conv2d", "ReLU", "Conv2d", "MaxPool2d", "ReLU"] * 2


@pytest.mark.parametrize("arguments", [{"batch_norm": True}, {"channel_dropout": 0.5}])
def test_pool_before_relu_is_the_published_order(arguments: dict) -> None:
    """Normalised and dropped out as well: in training, from the same random numbers."""
    network = cnn((12, 12), 3, channels=(4, 5), **arguments)
    published = list(network.children())
    for i, layer in enumerate(published):
        if isinstance(layer, nn.MaxPool2d) and isinstance(published[i + 1], nn.ReLU):
            published[i], published[i + 1] = published[i + 1], published[i]
    X, results = torch.rand(6, 1, 12, 12), []
    for form in (network, nn.Sequential(*published)):
        torch.manual_seed(0)
        form.zero_grad()
        logits = form.train()(X)
        logits.square().sum().backward()
        results.append([logits, *(p.grad.clone() for p in network.parameters())])
    for ours, theirs in zip(*results, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=0, atol=0)


# Softmax applied twice


def test_the_published_network_of_b_ends_in_a_softmax_and_the_mended_one_does_not() -> None:
    X = torch.rand(5, 1, 28, 28)
    twice, once = (network_of(name, (28, 28)) for name in ("full-batch", "full-batch-logits"))
    once.load_state_dict(twice.state_dict())
    torch.testing.assert_close(twice(X), once(X).softmax(1))


@pytest.mark.parametrize("n_classes", [2, 10, 47])
def test_two_softmaxes_keep_the_loss_above_its_floor(n_classes: int) -> None:
    """However sure the network is: ln(1 + (K - 1) / e), 1.4612 for ten classes."""
    network = mlp((2, 2), n_classes, softmax_output=True)
    with torch.no_grad():
        network[1].weight.zero_()
        network[1].bias.zero_()
        network[1].bias[0] = 1e4
    loss = nn.functional.cross_entropy(network(torch.rand(3, 1, 2, 2)), torch.zeros(3).long())
    assert loss.item() == pytest.approx(math.log(1 + (n_classes - 1) / math.e), rel=1e-6)
    if n_classes == 10:
        assert loss.item() == pytest.approx(1.4612, abs=5e-5)


# What cannot be built


@pytest.mark.parametrize(
    ("model", "arguments", "message"),
    [
        ("mlp", {"widths": (3,)}, "model mlp: .*'widths'"),
        ("mlp", {"hidden_sizes": (3, 0)}, "hidden_sizes must be at least 1, got 0"),
        ("mlp", {"hidden_sizes": (-1,)}, "hidden_sizes must be at least 1, got -1"),
        ("mlp", {"hidden_sizes": (3,), "dropout": 1.0}, "dropout must be in 0 <= dropout < 1"),
        ("mlp", {"hidden_sizes": (3,), "dropout": -0.1}, "dropout must be in .*, got -0.1"),
        ("mlp", {"hidden_sizes": (3,), "dropout": math.nan}, "dropout must be in .*, got nan"),
        ("mlp", {"hidden_sizes": (3,), "dropout": (0.1, 0.2)}, "2 values for 1 layers"),
        ("mlp", {"dropout": (0.1,)}, "dropout has 1 values for 0 layers"),
        ("cnn", {"channels": (0,)}, "channels must be at least 1, got 0"),
        ("cnn", {"channels": (4, -4)}, "channels must be at least 1, got -4"),
        ("cnn", {"hidden_sizes": (0,)}, "hidden_sizes must be at least 1, got 0"),
        ("cnn", {"kernel_sizes": 0}, "kernel_sizes must be at least 1, got 0"),
        ("cnn", {"kernel_sizes": (3, -1)}, "kernel_sizes must be at least 1, got -1"),
        ("cnn", {"kernel_sizes": (3,)}, "kernel_sizes has 1 values for 2 layers"),
        ("cnn", {"pools": (True, False, True)}, "pools has 3 values for 2 layers"),
        ("cnn", {"channel_dropout": (0.5,)}, "channel_dropout has 1 values for 2 layers"),
        ("cnn", {"channel_dropout": 1.5}, "channel_dropout must be in .*, got 1.5"),
        ("cnn", {"dropout": (0.5,)}, "dropout has 1 values for 0 layers"),
        ("cnn", {"channels": (4,) * 6}, "28x28 images are too small for so many convolutions"),
        ("cnn", {"kernel_sizes": 29, "padded": False}, "28x28 images are too small"),
        ("cnn", {"kernel_sizes": 28, "padded": False, "channels": (4,)}, "too small"),
    ],
)
def test_what_cannot_be_built_is_refused_in_one_line(
    model: str, arguments: dict, message: str
) -> None:
    with pytest.raises(RecipeError, match=message) as caught:
        build(model, (28, 28), 10, arguments)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"pools": 2}, "model cnn: pools: "),
        ({"channel_dropout": "0.5"}, "model cnn: channel_dropout: "),
        ({"kernel_sizes": 2.5}, "model cnn: kernel_sizes: "),
        ({"batch_norm": 1}, "model cnn: batch_norm: "),
        (
            {"softmax_output": True},
            "model cnn has no argument 'softmax_output'; there are: channels",
        ),
    ],
)
def test_arguments_of_a_wrong_kind_are_refused_in_one_line(arguments: dict, message: str) -> None:
    recipe = replace(get_recipe("conv-base"), model_args=arguments)
    with pytest.raises(RecipeError, match=message) as caught:
        count_recipe_parameters(recipe)
    assert "\n" not in str(caught.value)


def test_what_just_fits_is_built() -> None:
    """28 - 27 = 1 pixel; a pool of 2 x 2 leaves 1; one value does for all layers."""
    one_pixel = {"kernel_sizes": 28, "padded": False, "pools": False, "channels": (4,)}
    assert count_parameters(cnn((28, 28), 3, **one_pixel)) == 28 * 28 * 4 + 4 + 4 * 3 + 3
    assert count_parameters(cnn((4, 4), 3, channels=(2, 2))) == (
        9 * 2 + 2 + 9 * 2 * 2 + 2 + 2 * 3 + 3
    )
    assert count_parameters(cnn((5, 9), 3, channels=())) == 45 * 3 + 3
    several = cnn((8, 8), 3, (2, 2), (4, 4), (0.1, 0.2), (3, 5), True, (True, False))
    assert several(torch.rand(2, 1, 8, 8)).shape == (2, 3)
