from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn.functional import batch_norm, conv2d, linear, max_pool2d, relu

from mnistlab.errors import RecipeError
from mnistlab.models import build, count_parameters
from mnistlab.models.residual import residual


def test_it_is_the_network_that_its_words_describe() -> None:
    """Convolution, pool, normalisation, ReLU, then x plus two normalised convolutions of x."""
    torch.manual_seed(0)
    network = residual((12, 12), 5, channels=(3, 4), blocks=(0, 1)).train()
    state = dict(network.named_parameters())
    X = torch.randn(7, 1, 12, 12)

    def normalised(x: torch.Tensor, name: str) -> torch.Tensor:
        weight, bias = state[f"{name}.weight"], state[f"{name}.bias"]
        return relu(batch_norm(x, None, None, weight, bias, training=True))

    x = normalised(max_pool2d(conv2d(X, state["0.weight"], padding=1), 2), "2")
    x = normalised(max_pool2d(conv2d(x, state["4.weight"], padding=1), 2), "6")
    inside = normalised(conv2d(x, state["8.change.0.weight"], padding=1), "8.change.1")
    x = x + normalised(conv2d(inside, state["8.change.3.weight"], padding=1), "8.change.4")
    logits = linear(x.flatten(1), state["10.weight"], state["10.bias"])
    torch.testing.assert_close(network(X), logits)


def test_parameters_are_those_of_the_arithmetic() -> None:
    by_hand = 9 * 32 + 2 * 32  # 28 x 28 to 14 x 14
    by_hand += 9 * 32 * 64 + 2 * 64 + 2 * (9 * 64 * 64 + 2 * 64)  # to 7 x 7
    by_hand += 9 * 64 * 128 + 2 * 128 + 2 * (9 * 128 * 128 + 2 * 128)  # to 3 x 3
    by_hand += 128 * 3 * 3 * 10 + 10
    assert count_parameters(residual((28, 28), 10)) == by_hand


@pytest.mark.parametrize(
    ("shape", "features"),
    [
        ((8, 8), (4, 4)),  # halved once, then too small
        ((28, 28), (3, 3)),
        ((28, 56), (3, 7)),
        ((64, 64), (4, 4)),  # its first convolution takes two pixels at a time
        ((96, 96), (4, 4)),
        ((8, 64), (4, 8)),
        ((1, 9), (1, 4)),
        ((1, 1), (1, 1)),
        ((224, 224), (3, 3)),
    ],
    ids=str,
)
def test_images_of_any_size_end_small(shape: tuple[int, int], features: tuple[int, int]) -> None:
    network = residual(shape, 300)
    last = network[-1]
    assert isinstance(last, nn.Linear)
    assert last.in_features == 128 * features[0] * features[1]
    assert network.eval()(torch.zeros(2, 1, *shape)).shape == (2, 300)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"channels": ()}, "channels must not be empty"),
        ({"channels": (8, 0)}, "channels must be at least 1, got 0"),
        ({"channels": (8, 8), "blocks": (1,)}, "blocks has 1 values for 2 layers"),
        ({"blocks": -1}, "blocks must be at least 0, got -1"),
        ({"dropout": 1.0}, "dropout must be in"),
        ({"depth": 3}, "depth"),
    ],
)
def test_impossible_networks_are_refused(arguments: dict, message: str) -> None:
    with pytest.raises(RecipeError, match=message):
        build("residual", (28, 28), 10, arguments)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"blocks": 10**30}, "blocks must be at most"),
        ({"blocks": [100, 100, 1]}, "all blocks must be at most 200, got 201"),
        ({"blocks": [0, -1, 0]}, "blocks must be at least 0, got -1"),
        ({"channels": [2**20, 2**20], "blocks": 0}, "the network would have"),
        ({"channels": [2**13], "blocks": 1}, "the network would have"),
    ],
    ids=str,
)
def test_absurd_sizes_are_refused_before_a_layer_is_made(arguments, words: str) -> None:
    with pytest.raises(RecipeError, match=words):
        residual((8, 8), 3, **arguments)
