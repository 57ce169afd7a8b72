"""Compiled kernels beside torch's own operations: the same results and gradients."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d, max_pool2d

from mnistlab.models.cnn import cnn
from mnistlab.models.residual import residual
from mnistlab.training import hardware, kernels
from mnistlab.training.kernels.fusing import fused

pytestmark = pytest.mark.skipif(
    not kernels.are_available(), reason="numba is not installed (extra fast)"
)


@pytest.fixture(autouse=True)
def switched_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """The other tests do without: see tests/conftest.py."""
    monkeypatch.setenv(kernels.VARIABLE, "on")


LAST = torch.channels_last


@pytest.fixture(autouse=True)
def fixed_seed() -> Iterator[None]:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        yield


def whole(*shape: int, below: int = 4) -> Tensor:
    """Small whole numbers: float32 adds and multiplies them without rounding."""
    return torch.randint(-below, below + 1, shape).float()


def plain(
    images: Tensor, weight: Tensor, bias: Tensor, padding: int, has_relu: bool = True
) -> Tensor:
    pooled = max_pool2d(conv2d(images, weight, bias, padding=padding), 2)
    return pooled.relu() if has_relu else pooled


def differentiated(
    operation: Callable[..., Tensor], gradient: Tensor, *leaves: Tensor
) -> tuple[Tensor, list[Tensor | None]]:
    """The result of an operation, and the gradients of its arguments."""
    given = [leaf.detach().clone().requires_grad_() for leaf in leaves]
    result = operation(*given)
    result.backward(gradient.to(result.dtype))
    return result.detach(), [leaf.grad for leaf in given]


def assert_near(found: Sequence[Tensor], wanted: Sequence[Tensor], within: float) -> None:
    """Every number, as a fraction of the largest."""
    for one, other in zip(found, wanted, strict=True):
        assert one.shape == other.shape
        distance = (one.double() - other.double()).abs().max()
        assert distance <= within * other.double().abs().max()


SHAPES = [(5, 28, 28), (1, 9, 12), (70, 6, 5)]
CASES = list(itertools.product(SHAPES, (0, 1), (True, False)))


@pytest.mark.parametrize(("shape", "padding", "has_relu"), CASES)
def test_the_stem_is_convolution_pool_and_relu(
    shape: tuple[int, int, int], padding: int, has_relu: bool
) -> None:
    """Exactly: whole numbers are not rounded, and many of the four in a window are equal."""
    from mnistlab.training.kernels.operations import Pooled, stem

    n, height, width = shape
    images = whole(n, 1, height, width, below=1)
    weight, bias = whole(48, 1, 3, 3, below=2), whole(48)
    wanted = plain(images, weight, bias, padding, has_relu)
    gradient = whole(*wanted.shape)

    def ours(weight: Tensor, bias: Tensor) -> Tensor:
        return stem(images, weight, bias, Pooled(padding, has_relu), torch.float32)

    def theirs(weight: Tensor, bias: Tensor) -> Tensor:
        return plain(images, weight, bias, padding, has_relu)

    found = differentiated(ours, gradient, weight, bias)
    expected = differentiated(theirs, gradient, weight, bias)
    torch.testing.assert_close(found, expected, rtol=0, atol=0)
    assert found[0].is_contiguous(memory_format=LAST)


@pytest.mark.parametrize(("shape", "padding", "has_relu"), CASES)
@pytest.mark.parametrize(("depth", "kernel_size"), [(16, 3), (32, 3), (48, 2), (16, 5)])
def test_backward_of_a_convolution_leaves_out_zeros_alone(
    shape: tuple[int, int, int], padding: int, has_relu: bool, depth: int, kernel_size: int
) -> None:
    from mnistlab.training.kernels.operations import Pooled, convolution

    n, height, width = shape
    if min(height, width) + 2 * padding - kernel_size < 1:
        pytest.skip("no window of the pool is left")
    images = whole(n, depth, height, width, below=1).to(memory_format=LAST)
    weight = whole(32, depth, kernel_size, kernel_size, below=1).to(memory_format=LAST)
    bias = whole(32)
    gradient = whole(*plain(images, weight, bias, padding).shape)

    def ours(*given: Tensor) -> Tensor:
        return convolution(*given, Pooled(padding, has_relu))

    def theirs(*given: Tensor) -> Tensor:
        return plain(*given, padding, has_relu)

    found = differentiated(ours, gradient, images, weight, bias)
    expected = differentiated(theirs, gradient, images, weight, bias)
    torch.testing.assert_close(found, expected, rtol=0, atol=0)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("has_relu", [True, False])
def test_of_equal_pixels_the_first_takes_the_gradient(dtype: torch.dtype, has_relu: bool) -> None:
    from mnistlab.training.kernels.operations import pool

    images = whole(3, 16, 7, 10, below=1).to(dtype).to(memory_format=LAST)
    gradient = whole(3, 16, 3, 5).to(dtype)

    def theirs(images: Tensor) -> Tensor:
        pooled = max_pool2d(images, 2)
        return pooled.relu() if has_relu else pooled

    found = differentiated(lambda images: pool(images, has_relu), gradient, images)
    torch.testing.assert_close(found, differentiated(theirs, gradient, images), rtol=0, atol=0)


def test_what_is_no_number_stays_none() -> None:
    """So that a training that has diverged is noticed."""
    from mnistlab.training.kernels.operations import Pooled, pool, stem

    nan = float("nan")
    images = torch.ones(1, 16, 4, 4)
    for place in range(4):
        images[0, place, place // 2, place % 2] = nan
    images = images.to(memory_format=LAST)
    torch.testing.assert_close(pool(images, True), max_pool2d(images, 2).relu(), equal_nan=True)
    image = torch.ones(1, 1, 4, 4)
    image[0, 0, 3, 3] = nan
    for dtype in (torch.float32, torch.bfloat16):
        found = stem(image, torch.ones(16, 1, 3, 3), torch.zeros(16), Pooled(1, True), dtype)
        assert found.isnan().sum(dim=(2, 3)).tolist() == [[1] * 16]


def test_gradients_are_as_near_to_the_true_ones_as_those_of_torch() -> None:
    """float64 says what is true."""
    from mnistlab.training.kernels.operations import Pooled, convolution, stem

    image = torch.randn(64, 1, 28, 28)
    weight, bias = torch.randn(32, 1, 3, 3), torch.randn(32)
    gradient = torch.randn(64, 32, 14, 14)
    how = Pooled(1, True)
    _, found = differentiated(
        lambda w, b: stem(image, w, b, how, torch.float32), gradient, weight, bias
    )
    _, true = differentiated(
        lambda w, b: plain(image.double(), w, b, 1), gradient, weight.double(), bias.double()
    )
    assert_near(found, true, 1e-6)
    images = torch.randn(64, 32, 14, 14).to(memory_format=LAST)
    weight, bias = torch.randn(64, 32, 3, 3), torch.randn(64)
    gradient = torch.randn(64, 64, 7, 7)
    _, found = differentiated(lambda *x: convolution(*x, how), gradient, images, weight, bias)
    doubles = [images.double(), weight.double(), bias.double()]
    _, true = differentiated(lambda *x: plain(*x, 1), gradient, *doubles)
    assert_near(found, true, 1e-6)


@pytest.mark.parametrize("has_units", [True, False])
def test_bfloat16_is_rounded_once(monkeypatch: pytest.MonkeyPatch, has_units: bool) -> None:
    from mnistlab.training.kernels import operations
    from mnistlab.training.kernels.operations import Pooled, convolution, stem

    monkeypatch.setattr(operations, "has_matrix_units", lambda: has_units)
    how = Pooled(1, True)
    image, weight, bias = torch.randn(8, 1, 28, 28), torch.randn(32, 1, 3, 3), torch.randn(32)
    exact = stem(image, weight, bias, how, torch.float32)
    rounded = stem(image, weight, bias, how, torch.bfloat16)
    torch.testing.assert_close(rounded, exact.bfloat16(), rtol=0, atol=0)
    images, gradient = rounded, whole(8, 64, 7, 7).bfloat16()
    weight = whole(64, 32, 3, 3, below=2).to(memory_format=LAST)  # bfloat16 holds them exactly

    def theirs(images: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        return plain(images, weight.bfloat16(), bias.bfloat16(), 1)

    bias = whole(64)
    found = differentiated(lambda *x: convolution(*x, how), gradient, images, weight, bias)
    expected = differentiated(theirs, gradient, images, weight, bias)
    assert torch.equal(found[0], expected[0])
    assert [g.dtype for g in found[1] if g is not None] == [
        g.dtype for g in expected[1] if g is not None
    ]
    assert_near(
        [g for g in found[1] if g is not None], [g for g in expected[1] if g is not None], 2**-7
    )


def test_any_number_of_threads_computes_the_same_bits() -> None:
    from mnistlab.training.kernels.operations import Pooled, convolution

    images, weight, bias = torch.randn(19, 16, 8, 8), torch.randn(32, 16, 3, 3), torch.randn(32)
    gradient = torch.randn(19, 32, 4, 4)
    found = []
    for n in (1, 2, 3, 2):
        with hardware.n_threads(n):
            # The convolution itself is torch's; its products are of whole numbers, so exact.
            inputs = images.round(), weight.round(), bias
            found.append(
                differentiated(lambda *x: convolution(*x, Pooled(1, True)), gradient, *inputs)[1]
            )
    for other in found[1:]:
        torch.testing.assert_close(other, found[0], rtol=0, atol=0)


NETWORKS: dict[str, Callable[[], nn.Module]] = {
    "as A9": lambda: cnn((28, 28), 10, channels=(32, 64), hidden_sizes=(8,)),
    "no padding": lambda: cnn((28, 28), 10, channels=(16, 32), padded=False),
    "normalised": lambda: cnn((12, 12), 4, channels=(16, 16), batch_norm=True),
    "other kernels": lambda: cnn((12, 12), 4, channels=(16, 32), kernel_sizes=(5, 2)),
    "few channels": lambda: cnn((12, 12), 4, channels=(4, 16, 6)),
    "one pool": lambda: cnn((12, 12), 4, channels=(16, 32), pools=(False, True)),
    "residual": lambda: residual((28, 28), 10, channels=(16, 32, 32)),
    "relu first": lambda: nn.Sequential(
        nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(576, 4)
    ),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_a_fused_network_is_the_network(name: str) -> None:
    network = NETWORKS[name]().to(memory_format=LAST)
    side = 28 if name in ("as A9", "no padding", "residual") else 12
    images = torch.randn(6, 1, side, side)
    before = {key: value.clone() for key, value in network.state_dict().items()}
    with kernels.allowed(False):
        assert fused(network) is network
    forward = fused(network)
    assert forward is not network
    assert_near([forward(images)], [network(images)], 1e-5)
    gradients = []
    for form in (forward, network):
        network.load_state_dict(before)
        network.zero_grad()
        form(images).square().sum().backward()
        gradients.append([p.grad for p in network.parameters() if p.grad is not None])
    assert_near(*gradients, 2e-5)
    assert network.state_dict().keys() == before.keys()


def test_what_has_no_kernel_is_left_to_torch() -> None:
    pools: list[dict[str, Any]] = [
        {"kernel_size": 3},
        {"kernel_size": 2, "stride": 1},
        {"kernel_size": 2, "ceil_mode": True},
        {"kernel_size": 2, "padding": 1},
    ]
    for arguments in pools:
        network = nn.Sequential(nn.Conv2d(1, 16, 3), nn.MaxPool2d(**arguments), nn.ReLU())
        assert fused(network) is network
    strided = nn.Sequential(nn.Conv2d(1, 16, 3, stride=2), nn.MaxPool2d(2), nn.ReLU())
    images = torch.randn(2, 1, 13, 13)
    torch.testing.assert_close(fused(strided)(images), strided(images))
    network = NETWORKS["as A9"]()
    images = torch.randn(2, 1, 28, 28, requires_grad=True)
    fused(network)(images).sum().backward()  # as `explain` asks: torch's own operations have it
    assert images.grad is not None


def test_no_images_give_no_results() -> None:
    network = NETWORKS["as A9"]()
    assert fused(network)(torch.randn(0, 1, 28, 28)).shape == (0, 10)
