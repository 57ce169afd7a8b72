"""Starting fast: the first optimizer of PyTorch would import its compiler, some seconds' work."""

from __future__ import annotations

from torch.optim import Optimizer

# Of torch 2: a function that the compiler must leave alone asks the compiler for a version of
# itself, and keeps that under this name. Nothing is compiled here, so it can be itself.
KEPT_AS = "__dynamo_disable"


def without_compiler() -> None:
    """Only for a process in which nothing is compiled: the one that checks a file."""
    for name in ("add_param_group", "zero_grad", "state_dict", "load_state_dict"):
        function = getattr(getattr(Optimizer, name), "__wrapped__", None)
        if function is not None and not hasattr(function, KEPT_AS):
            setattr(function, KEPT_AS, function)
