"""PyTorch's compiler is not imported by a training, and is itself again afterwards."""

from __future__ import annotations

import subprocess
import sys

import pytest

TRAINING = """
import sys
import numpy as np
import mnistlab as ml
from mnistlab.classifiers.torch_classifier import TorchClassifier
X = np.random.default_rng(0).integers(0, 256, (32, 8, 8), dtype=np.uint8)
for name in {optimizers}:
    TorchClassifier("cnn", n_epochs=1, batch_size=16, optimizer=name).fit(X, np.arange(32) % 4)
assert "torch._dynamo" not in sys.modules, "imported"
"""
COMPILING = """
import sys, torch, warnings
from mnistlab.training.compiler import asleep
weight = torch.nn.Parameter(torch.ones(3))
with asleep():
    optimizer = torch.optim.Adam([weight])
    weight.grad = torch.ones(3)
    optimizer.step()
    optimizer.zero_grad()
assert "torch._dynamo" not in sys.modules and "_dynamo" not in vars(torch)
left = [f for f in vars(torch.optim.Optimizer).values() if hasattr(f, "__wrapped__")]
assert left and not any(hasattr(f.__wrapped__, "__dynamo_disable") for f in left)
{then}
compiled = torch.compile(lambda x: x * 2 + 1, backend="eager")
assert compiled(torch.ones(2)).tolist() == [3, 3]
optimizer.zero_grad()
assert hasattr(torch.optim.Optimizer.zero_grad.__wrapped__, "__dynamo_disable")
"""


def _runs(code: str) -> None:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_a_training_leaves_the_compiler_out() -> None:
    _runs(TRAINING.format(optimizers=["sgd", "adam", "adamw", "rmsprop", "adagrad", "muon"]))


@pytest.mark.parametrize(
    "then",
    [
        "with asleep(): assert torch.compiler.list_backends()",
        pytest.param("", marks=pytest.mark.slow),
        pytest.param("import torch._dynamo.utils", marks=pytest.mark.slow),
    ],
)
def test_the_compiler_is_itself_afterwards(then: str) -> None:
    _runs(COMPILING.format(then=then))


@pytest.mark.slow
def test_one_that_is_there_already_stays() -> None:
    _runs(
        "import sys, torch, torch._dynamo\n"
        "from mnistlab.training.compiler import asleep\n"
        "there = sys.modules['torch._dynamo']\n"
        "with asleep():\n"
        "    assert sys.modules['torch._dynamo'] is there\n"
        "assert sys.modules['torch._dynamo'] is there\n"
    )
