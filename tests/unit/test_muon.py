"""Muon for whole networks beside torch's, which takes matrices alone."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn
from torch.optim import AdamW
from torch.optim import Muon as MatrixMuon

from mnistlab.classifiers import TorchClassifier
from mnistlab.data import Dataset
from mnistlab.models import build
from mnistlab.phases import Phase
from mnistlab.training.loop import Examples, Settings, copy_of_weights, train
from mnistlab.training.muon import Muon

FORMATS = [torch.contiguous_format, torch.channels_last]


def convolutional(memory_format: torch.memory_format = torch.contiguous_format) -> nn.Module:
    """Kernels (6, 1, 3, 3), (5, 6, 3, 2) and (7, 5, 1, 1), linear 7 * 9 - 8 - 3."""
    torch.manual_seed(0)
    network = nn.Sequential(
        nn.Conv2d(1, 6, 3),
        nn.BatchNorm2d(6),
        nn.ReLU(),
        nn.Conv2d(6, 5, (3, 2), bias=False),
        nn.ReLU(),
        nn.Conv2d(5, 7, 1),
        nn.AdaptiveAvgPool2d(3),
        nn.Flatten(),
        nn.Linear(63, 8),
        nn.ReLU(),
        nn.Linear(8, 3),
    )
    return network.to(memory_format=memory_format)


def images(seed: int = 1) -> tuple[Tensor, Tensor]:
    random = torch.Generator().manual_seed(seed)
    return torch.randn(12, 1, 9, 9, generator=random), torch.arange(12) % 3


def fill_gradients(network: nn.Module, seed: int) -> None:
    X, y = images(seed)
    network.zero_grad()
    nn.functional.cross_entropy(network(X), y).backward()


HIDDEN = ("3.weight", "5.weight", "8.weight")


def matrix(values: Tensor) -> Tensor:
    return values.detach().reshape(len(values), -1).clone()


@pytest.mark.parametrize("memory_format", FORMATS)
def test_hidden_kernels_are_stepped_as_plain_matrices_and_the_rest_by_adamw(
    memory_format: torch.memory_format,
) -> None:
    network = convolutional(memory_format)
    muon = Muon(network.parameters(), 0.02, 0.1)
    parameters = dict(network.named_parameters())
    twins = {
        name: nn.Parameter(matrix(p) if name in HIDDEN else p.detach().clone())
        for name, p in parameters.items()
    }
    settings = {"lr": 0.02, "weight_decay": 0.1}
    matrices = [twins.get(name) for name in HIDDEN]
    theirs = [
        MatrixMuon(matrices, adjust_lr_fn="match_rms_adamw", **settings),
        AdamW([twin for name, twin in twins.items() if name not in HIDDEN], **settings),
    ]
    for step in range(4):
        fill_gradients(network, step)
        for name, twin in twins.items():
            twin.grad = parameters[name].grad.detach().reshape(twin.shape).clone()
        muon.step()
        for optimizer in theirs:
            optimizer.step()
    for name, twin in twins.items():
        # Newton and Schulz's steps are in bfloat16: channels-last sums in another order.
        tolerance = 1e-3 if name in HIDDEN and memory_format == torch.channels_last else 1e-6
        ours = parameters[name].detach().reshape(twin.shape)
        torch.testing.assert_close(ours, twin.detach(), rtol=0, atol=tolerance, msg=name)


@pytest.mark.parametrize("memory_format", FORMATS)
def test_every_weight_changes_in_place_and_keeps_its_layout(
    memory_format: torch.memory_format,
) -> None:
    network = convolutional(memory_format)
    before = copy_of_weights(network)
    layout = [(p.data_ptr(), p.stride()) for p in network.parameters()]
    muon = Muon(network.parameters(), 0.02, 0.0)
    fill_gradients(network, 0)
    muon.step()
    assert [(p.data_ptr(), p.stride()) for p in network.parameters()] == layout
    for name, p in network.named_parameters():
        assert not torch.equal(p, before[name]), name
    X, _ = images()
    fresh = convolutional()
    fresh.load_state_dict(network.state_dict())
    torch.testing.assert_close(network.eval()(X), fresh.eval()(X))


@pytest.mark.parametrize("memory_format", FORMATS)
def test_steps_of_hidden_weights_are_orthogonal_and_as_large_as_adamws(
    memory_format: torch.memory_format,
) -> None:
    """Liu et al. 2025: 0.2 root mean square for each unit of the learning rate."""
    network = convolutional(memory_format)
    before = copy_of_weights(network)
    muon = Muon(network.parameters(), 1.0, 0.0)
    fill_gradients(network, 0)
    muon.step()
    for name in HIDDEN:
        step = matrix(network.state_dict()[name] - before[name])
        singular = torch.linalg.svdvals(step) / (0.2 * max(step.shape) ** 0.5)
        # As many as the gradient has directions; five steps of Newton and Schulz bring them near 1.
        assert 0.6 < singular[2] <= singular[0] < 1.35
    for name in ("0.weight", "10.weight", "1.weight", "8.bias"):  # Adam's first step: the rate
        step = (network.state_dict()[name] - before[name]).abs()
        assert step[step > 0].median() == pytest.approx(1, abs=0.02)


@pytest.mark.parametrize("hidden_sizes", [(), (8,)])
def test_a_network_without_hidden_matrices_is_adamws(hidden_sizes: tuple[int, ...]) -> None:
    torch.manual_seed(0)
    ours = build("mlp", (9, 9), 3, {"hidden_sizes": hidden_sizes})
    theirs = build("mlp", (9, 9), 3, {"hidden_sizes": hidden_sizes})
    theirs.load_state_dict(ours.state_dict())
    muon, adamw = (
        Muon(ours.parameters(), 0.01, 0.1),
        AdamW(theirs.parameters(), 0.01, weight_decay=0.1),
    )
    for step in range(3):
        for network, optimizer in ((ours, muon), (theirs, adamw)):
            fill_gradients(network, step)
            optimizer.step()
    for a, b in zip(ours.parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-5, atol=1e-6)


def test_frozen_weights_and_weights_without_a_gradient_stay() -> None:
    network = convolutional()
    network[3].requires_grad_(False)
    before = copy_of_weights(network)
    muon = Muon(network.parameters(), 0.02, 0.5)
    fill_gradients(network, 0)
    network[5].weight.grad = None
    muon.step()
    after = network.state_dict()
    for name in ("3.weight", "5.weight"):
        assert torch.equal(after[name], before[name])
    assert not torch.equal(after["8.weight"], before["8.weight"])


def test_the_rate_of_the_first_group_serves_both_parts() -> None:
    network = convolutional()
    before = copy_of_weights(network)
    muon = Muon(network.parameters(), 1.0, 0.5)
    for group in muon.param_groups:
        group["lr"] = 0.0
    fill_gradients(network, 0)
    muon.step()
    for name, p in network.named_parameters():
        assert torch.equal(p, before[name]), name


@pytest.mark.parametrize("memory_format", FORMATS)
def test_the_loop_learns_with_it(memory_format: torch.memory_format) -> None:
    random = torch.Generator().manual_seed(0)
    y = torch.arange(120) % 3
    X = torch.randn(120, 1, 9, 9, generator=random)
    X[torch.arange(120), 0, 1 + 3 * y] += 3
    part = Examples(X[:90], y[:90]), Examples(X[90:], y[90:])
    phases = [Phase("muon", 0.05, 8, "cosine", weight_decay=0.01), Phase("muon", 0.002, 2)]
    history = train(convolutional(memory_format), *part, phases, Settings(12, 0))
    assert max(epoch.val_accuracy for epoch in history) > 0.9
    assert history[-1].train_loss < history[0].train_loss / 2


def test_same_seed_same_bits(stripes: Dataset) -> None:
    classifier = TorchClassifier(
        "cnn",
        {"channels": (4, 6, 8), "hidden_sizes": (8,), "pools": (True, False, False)},
        phases=(replace(Phase("muon", 0.02, 2), ema_decay=0.9),),
        precision="float32",
        random_state=0,
    )
    twice = [classifier.fit(stripes.images, stripes.labels).arrays() for _ in range(2)]
    assert all((twice[0][name] == twice[1][name]).all() for name in twice[0])
