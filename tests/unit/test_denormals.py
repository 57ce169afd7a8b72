"""Numbers below full precision count as zero in a training, in all its threads, and only in it."""

from __future__ import annotations

import platform
from collections.abc import Iterator

import numpy as np
import pytest
import torch

from mnistlab.classifiers.torch_classifier import TorchClassifier
from mnistlab.phases import Phase
from mnistlab.training.denormals import flushed_to_zero, is_flushing

N = 1 << 20  # enough that torch divides the work among its threads


@pytest.fixture(params=[1, 2])
def threads(request: pytest.FixtureRequest) -> Iterator[int]:
    before = torch.get_num_threads()
    torch.set_num_threads(request.param)
    yield request.param
    torch.set_num_threads(before)


def _fraction_of_zeros() -> float:
    """How much of a tensor is zero where exact arithmetic gives denormal numbers only."""
    return float((torch.full((N,), 1e-30) * 1e-10 == 0).float().mean())


@pytest.mark.skipif(platform.system() != "Linux", reason="the threads of OpenMP are Linux's")
def test_every_thread_flushes_within_the_block_and_none_afterwards(threads: int) -> None:
    assert _fraction_of_zeros() == 0  # also makes the threads, before the setting
    with flushed_to_zero():
        assert _fraction_of_zeros() == 1
    assert _fraction_of_zeros() == 0


def test_who_flushed_before_flushes_afterwards() -> None:
    torch.set_flush_denormal(True)
    try:
        with flushed_to_zero():
            assert is_flushing()
        assert is_flushing()
    finally:
        torch.set_flush_denormal(False)
    assert not is_flushing()


def test_an_error_gives_the_setting_back() -> None:
    with pytest.raises(ZeroDivisionError), flushed_to_zero():
        raise ZeroDivisionError
    assert not is_flushing()


def test_weights_of_black_pixels_decay_to_zero_and_not_to_slow_numbers() -> None:
    rng = np.random.default_rng(0)
    X = np.zeros((64, 8, 8), np.uint8)
    X[:, 2:6, 2:6] = rng.integers(0, 256, (64, 4, 4))
    decaying = Phase("sgd", learning_rate=0.5, weight_decay=0.5, epochs=45, keep="last")
    model = TorchClassifier(
        "mlp",
        model_args={"hidden_sizes": (16,)},
        phases=[decaying],
        batch_size=8,
        validation_fraction=0,
        random_state=0,
    ).fit(X, np.arange(64) % 4)
    weights = torch.cat([each.flatten() for each in model.network_.parameters()]).abs()
    tiny = torch.finfo(torch.float32).smallest_normal
    assert int((weights == 0).sum()) > 0
    assert int(((weights > 0) & (weights < tiny)).sum()) == 0
