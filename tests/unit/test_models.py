from __future__ import annotations

import pytest
import torch
from torch import nn

from mnistlab.errors import RecipeError
from mnistlab.models import count_parameters
from mnistlab.models.cnn import cnn
from mnistlab.models.scaling import Scaling
from mnistlab.recipes import RECIPES, get_recipe
from mnistlab.runs import count_recipe_parameters


@pytest.mark.parametrize(
    ("recipe", "by_hand"),
    [
        ("softmax", 784 * 10 + 10),  # E1: 7,850
        ("mlp", 784 * 100 + 100 + 100 * 10 + 10),  # E2: 79,510
        ("cnn-small", 9 * 16 + 16 + 9 * 16 * 32 + 32 + 1568 * 10 + 10),  # E3: 20,490
        ("simple-cnn", 9 * 32 + 32 + 9 * 32 * 64 + 64 + 3136 * 128 + 128 + 128 * 10 + 10),
    ],
)
def test_parameter_counts_are_those_of_the_arithmetic(recipe: str, by_hand: int) -> None:
    published = {"softmax": 7_850, "mlp": 79_510, "cnn-small": 20_490, "simple-cnn": 421_642}
    assert by_hand == published[recipe]
    assert count_recipe_parameters(get_recipe(recipe)) == by_hand
    assert count_recipe_parameters(get_recipe(f"{recipe}-tuned")) == by_hand


def as_published(network: nn.Module) -> nn.Sequential:
    """The same layers with each ReLU moved in front of its pool, as the write-ups have it."""
    layers = list(network.children())
    for i in range(len(layers) - 1):
        if isinstance(layers[i], nn.MaxPool2d) and isinstance(layers[i + 1], nn.ReLU):
            layers[i], layers[i + 1] = layers[i + 1], layers[i]
    return nn.Sequential(*layers)


def test_pool_before_relu_is_the_published_network() -> None:
    network = cnn((28, 28), 10, channels=(16, 32))
    published = as_published(network)
    assert [type(a) for a in network.children()] != [type(a) for a in published.children()]
    x = torch.randn(8, 1, 28, 28)
    results = []
    for form in (network, published):
        network.zero_grad()
        logits = form(x)
        logits.square().sum().backward()
        results.append([logits, *(p.grad.clone() for p in network.parameters())])
    for ours, theirs in zip(*results, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=0, atol=0)


def test_too_many_halvings_are_refused() -> None:
    with pytest.raises(RecipeError, match="7x7 images are too small for so many convolutions"):
        cnn((7, 7), 10, channels=(4, 4, 4))


def test_scaling_is_a_layer() -> None:
    X = torch.tensor([0, 51, 255, 255], dtype=torch.uint8).reshape(4, 1, 1, 1)
    assert Scaling()(X).flatten().tolist() == [0, 51, 255, 255]
    assert Scaling(51, 2)(X).flatten().tolist() == [-25.5, 0, 102, 102]
    assert not list(Scaling().parameters())


def test_parameters_are_counted_where_they_train() -> None:
    network = nn.Linear(3, 2)
    network.bias.requires_grad_(False)
    assert count_parameters(network) == 6


def test_recipes_are_named_after_themselves() -> None:
    for name, make in RECIPES.items():
        assert make().name == name
